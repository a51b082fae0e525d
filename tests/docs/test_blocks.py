"""Every code block of the README, the tutorials and the how-tos runs in a test, or is marked as a fragment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.pages import GUIDES, ROOT, all_blocks, block, blocks
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

#: Blocks that a test of its own runs, by their mark.
TESTS = "".join(
    path.read_text() for path in [*ROOT.glob("tests/docs/test_*.py"), *ROOT.glob("tests/browser/test_*.py")]
)


def is_tested(mark: str, language: str) -> bool:
    """Whether a mark stands for a test, or says that there is nothing to run."""
    match mark.partition(": "):
        case ("fragment", "", ""):
            return True
        case ("run", "", ""):
            return language == "python"
        case ("run", ": ", "commands"):
            return language == "sh"
        case ("run" | "file", ": ", name):
            return f'"{mark}"' in TESTS or f'"{name.removesuffix(".py")}"' in TESTS
        case ("tested", ": ", path):
            return (ROOT / path).exists()
    return False


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_is_run_or_marked(path: Path) -> None:
    """A block without a mark is one that nobody has run."""
    left = [code.splitlines()[0] for mark, language, code in all_blocks(path) if not is_tested(mark, language)]
    assert left == []


COMMANDS = [
    (str(path.relative_to(ROOT)), code)
    for path in GUIDES
    for mark, code in blocks(path, "sh")
    if mark == "run: commands"
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with headwater_server("memory:") as server:
        yield server


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """`headwater` on the path."""
    script = tmp_path / "bin" / "headwater"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m headwater "$@"\n')
    script.chmod(0o755)
    return script.parent


def shell(script: str, server: ServerProcess, bin_folder: Path) -> str:
    """Run a script as a newcomer would, with the server where the documentation has it; what it prints."""
    done = subprocess.run(
        ["sh", "-e", "-c", script.replace("localhost:4437", f"127.0.0.1:{server.port}")],
        env={**os.environ, "HEADWATER_URL": server.url, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        cwd=bin_folder.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("page", "code"), COMMANDS)
def test_commands_run(page: str, code: str, server: ServerProcess, bin_folder: Path) -> None:
    """Each block by itself, on a server with the streams that the pages speak of."""
    for stream in ("jobs/7", "prices", "log"):
        call(server, "DELETE", f"/v1/stream/{stream}")
    if "create" not in code:
        call(server, "PUT", "/v1/stream/jobs/7", '{"step": 1}', content_type="application/json")
    shell(code, server, bin_folder)


RESUME = ROOT / "docs" / "howto" / "resume.md"


@pytest.mark.slow
def test_an_offset_is_kept_in_a_pipe(server: ServerProcess, bin_folder: Path) -> None:
    """The second command goes on where the first one has kept to be."""
    call(server, "DELETE", "/v1/stream/jobs/7")
    call(server, "PUT", "/v1/stream/jobs/7", "[1,2]", content_type="application/json")
    assert shell(block(RESUME, "sh", "run: offsets in a pipe"), server, bin_folder) == ""
    tail = call(server, "HEAD", "/v1/stream/jobs/7").headers["Stream-Next-Offset"]
    assert (bin_folder.parent / "jobs-7.offset").read_text() == f"{tail}\n"


@pytest.mark.slow
def test_ndjson_of_curl_has_offsets(server: ServerProcess, bin_folder: Path) -> None:
    """Of a closed stream, so that it ends."""
    call(server, "DELETE", "/v1/stream/jobs/7")
    call(server, "PUT", "/v1/stream/jobs/7", "[1]", content_type="application/json", stream_closed="true")
    first, *_, last = shell(block(RESUME, "sh", "run: ndjson"), server, bin_folder).splitlines()
    assert first.startswith('{"offset":"')
    assert '"closed"' in last


@pytest.mark.slow
def test_the_guard_of_a_mounted_hub(tmp_path: Path) -> None:
    """A user reads their own streams and nothing else, and writes nothing; nobody else reads anything."""
    (tmp_path / "guarded.py").write_text(block(ROOT / "docs" / "howto" / "mount.md", "python", "file: guarded.py"))
    (tmp_path / "served.py").write_text(
        "from guarded import *\n"
        "@app.post('/fill')\n"
        "async def fill() -> None:\n"
        "    for path in ('users/7/inbox', 'users/77/inbox', 'news'):\n"
        "        await hub.create(path, content_type='application/json', body=b'[1]')\n"
    )
    command = [sys.executable, "-m", "uvicorn", "served:app", "--port", "{port}"]
    token = {"Authorization": "Bearer let-me-in"}
    with ServerProcess(command, health="/openapi.json", cwd=tmp_path) as server:
        assert call(server, "POST", "/fill").status == 200
        assert call(server, "GET", "/streams/users/7/inbox", **token).body == b"[1]"
        assert call(server, "GET", "/streams/users/7/inbox").status == 401
        assert call(server, "GET", "/streams/users/7/inbox", Authorization="Bearer other").status == 401
        for path in ("users/77/inbox", "users/7%2f..%2f77/inbox", "news", "users/7", "-/streams"):
            assert call(server, "GET", f"/streams/{path}", **token).status in (400, 403, 404), path
        for method in ("PUT", "POST", "DELETE"):
            assert (
                call(server, method, "/streams/users/7/inbox", "[2]", content_type="application/json", **token).status
                == 403
            )
        assert call(server, "GET", "/streams/users/7/inbox", **token).body == b"[1]"
