"""The blocks of the page on the client run against a server, and print what the page says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, block
from tests.support.http import call
from tests.support.processes import headwater_server

PAGE = ROOT / "docs" / "howto" / "client.md"
#: In this order: the first makes the stream that the others read.
PRINTED = {
    "run: client": ["{'done': 1} ", "{'done': 2} "],
    "run: client types": ["[Step(done=1), Step(done=2)]", "[Item(data=Step(done=2), "],
    "run: client sync": ["{'done': 1}", "{'done': 2}"],
    "run: client checkpoint": ["{'done': 1}", "{'done': 2}"],
}


@pytest.mark.slow
def test_the_blocks_run(tmp_path: Path) -> None:
    """Each in a process of its own, as a newcomer would."""
    with headwater_server("memory:") as server:
        for mark, begins in PRINTED.items():
            code = block(PAGE, "python", mark).replace("127.0.0.1:4437", f"127.0.0.1:{server.port}")
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
            )
            assert done.returncode == 0, done.stderr
            lines = done.stdout.splitlines()
            assert [line[: len(begin)] for line, begin in zip(lines, begins, strict=True)] == begins
        tail = call(server, "HEAD", "/v1/stream/jobs/7").headers["Stream-Next-Offset"]
        assert (tmp_path / "jobs.offset").read_text() == tail
