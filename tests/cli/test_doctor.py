"""`headwater doctor`: what it prints and what it exits with."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headwater.cli import doctor as command
from headwater.cli import output
from headwater.cli.failures import ExitCode
from headwater.model import StreamConfig
from headwater.stores.sqlite import SqliteStore
from headwater.stores.sqlite.checkup import Progress, Report
from headwater.stores.sqlite.database import connect
from headwater.stores.sqlite.options import SqliteOptions

if TYPE_CHECKING:
    from tests.cli.conftest import Call

OFFSET = "0000000000000001_000000000000000{}"


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A store's file with one stream of three records."""
    path = str(tmp_path / "log.db")

    async def fill() -> None:
        store = SqliteStore(path)
        await store.open()
        await store.create("a", StreamConfig("application/json"), b"[1, 2, 3]")
        await store.aclose()

    asyncio.run(fill())
    return path


def damage(path: str, sql: str) -> None:
    database = connect(path, SqliteOptions())
    database.run(sql)
    database.close()


def test_a_whole_file_exits_with_0(file: str, call: Call) -> None:
    """And says nothing in a pipe, or the counts as JSON."""
    result = call("doctor", "--check", file)
    assert (result.exit_code, result.stdout, result.stderr) == (ExitCode.FINE, "", "")
    result = call("doctor", "--check", file, "--json")
    assert json.loads(result.stdout) == {"damages": 0, "streams": 1, "records": 3, "bytes": 3}


def test_a_damage_is_a_line(file: str, call: Call) -> None:
    """With the stream, the offset, the problem and what can be read, with tabs between; the exit code is 7."""
    damage(file, "DELETE FROM records WHERE position = 1")
    result = call("doctor", "--check", file)
    assert result.exit_code == ExitCode.DAMAGED
    readable = f"{OFFSET.format(0)}..{OFFSET.format(1)},{OFFSET.format(2)}..{OFFSET.format(3)}"
    line = f"a\t{OFFSET.format(1)}\t1 bytes of records are missing\t{readable}\n"
    assert result.stdout == line
    assert "1 damages" in result.stderr
    assert "backup" in result.stderr
    lines = call("doctor", "--check", file, "--json").stdout.splitlines()
    assert json.loads(lines[0]) == {
        "problem": "1 bytes of records are missing",
        "stream": "a",
        "offset": OFFSET.format(1),
        "readable": [[OFFSET.format(0), OFFSET.format(1)], [OFFSET.format(2), OFFSET.format(3)]],
    }
    assert json.loads(lines[1])["damages"] == 1


def test_a_file_of_others_exits_with_8(tmp_path: Path, call: Call) -> None:
    """And one that is not there is wrong usage."""
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    result = call("doctor", "--check", str(path))
    assert (result.exit_code, result.stdout) == (ExitCode.NO_STORE, "")
    assert "no-store" in result.stderr
    assert call("doctor", "--check", str(tmp_path / "missing")).exit_code == ExitCode.USAGE
    assert call("doctor").exit_code == ExitCode.USAGE


@pytest.mark.slow
def test_it_runs_beside_a_server(tmp_path: Path) -> None:
    """Another process has the file open: nothing is changed, and nothing is found."""
    path = tmp_path / "log.db"

    async def main() -> None:
        store = SqliteStore(str(path))
        await store.open()
        await store.create("a", StreamConfig("application/json"), b"[1, 2, 3]")
        before = await asyncio.to_thread(path.read_bytes)
        command = [sys.executable, "-m", "headwater", "doctor", "--check", str(path)]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = await process.communicate()
        assert (process.returncode, out) == (ExitCode.FINE, b"")
        assert b"-wal" in err
        assert await asyncio.to_thread(path.read_bytes) == before
        await store.sweep()
        assert store.fault() is None
        await store.aclose()

    asyncio.run(main())


def test_a_person_is_told_in_lines(file: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal: the place, the problem, what can be read, and that a whole file is whole."""
    monkeypatch.setattr(output, "on_terminal", lambda: True)
    assert f"{file} is whole: 1 streams, 3 records, 3 bytes." in call("doctor", "--check", file).stdout
    damage(file, "DELETE FROM records WHERE position = 1")
    lines = call("doctor", "--check", file).stdout.splitlines()
    assert lines[0] == f"a at {OFFSET.format(1)}: 1 bytes of records are missing"
    assert lines[1].startswith(f"  still readable: {OFFSET.format(0)}..{OFFSET.format(1)}, ")


def test_how_far_it_is_is_told_meanwhile(file: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """From time to time, and in another thread than that of the check."""
    told: list[str] = []
    has_told = threading.Event()

    def slow(path: str, progress: Progress) -> Report:
        progress.begin("reading", 1000)
        progress.done = 500
        assert has_told.wait(timeout=30)
        return Report()

    def note(text: str) -> None:
        told.append(text)
        has_told.set()

    monkeypatch.setattr(command, "_PAUSE", 0.001)
    monkeypatch.setattr(command, "check_file", slow)
    monkeypatch.setattr(output, "note", note)
    assert call("doctor", "--check", file).exit_code == ExitCode.FINE
    assert "reading: 50 % of 1 kB ..." in told
