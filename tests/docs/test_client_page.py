"""The blocks of the page on the client run against a server, and print what the page says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, block
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

PAGE = ROOT / "docs" / "howto" / "client.md"
STATES = ["stored", "sent", "acknowledged"]
#: In this order: the first makes the stream that the others read.
PRINTED = {
    "run: client": ["{'done': 1} ", "{'done': 2} "],
    "run: client types": ["[Step(done=1), Step(done=2)]", "[Item(data=Step(done=2), "],
    "run: client sync": ["{'done': 1}", "{'done': 2}"],
    "run: client sync writer": ["['one\\n', 'two\\n', 'three\\n']"],
    "run: client sync connection": [*[f"{state} {{'text': 'hi'}}" for state in STATES], "{'text': 'hi'}"],
    "run: client hub": ["[{'done': 1}]"],
    "run: client checkpoint": ["{'done': 1}", "{'done': 2}"],
}
#: Of other pages.
OTHERS = {
    "connection.md": {
        "run: connection": ["hi", "bye"],
        "run: connection presence": ["[Member(id='ada', state={'typing': False})]", "typing {'on': True}"],
    },
    "offline.md": {"run: outbox": [f"{state} {{'step': {n}}} " for n in (2, 3) for state in STATES]},
}


def printed(server: ServerProcess, page: Path, mark: str, folder: Path) -> list[str]:
    """What a block prints."""
    code = block(page, "python", mark).replace("127.0.0.1:4437", f"127.0.0.1:{server.port}")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_the_blocks_of_other_pages_run(name: str, tmp_path: Path) -> None:
    """Of connections and of the outbox; what two records are told may come in either order."""
    with headwater_server("memory:") as server:
        for mark, lines in OTHERS[name].items():
            assert sorted(printed(server, ROOT / "docs" / "howto" / name, mark, tmp_path)) == sorted(lines)


@pytest.mark.slow
def test_the_blocks_run(tmp_path: Path) -> None:
    """Each in a process of its own, as a newcomer would."""
    with headwater_server("memory:") as server:
        for mark, begins in PRINTED.items():
            lines = printed(server, PAGE, mark, tmp_path)
            assert [line[: len(begin)] for line, begin in zip(lines, begins, strict=True)] == begins
        tail = call(server, "HEAD", "/v1/stream/jobs/7").headers["Stream-Next-Offset"]
        assert (tmp_path / "jobs.offset").read_text() == tail
