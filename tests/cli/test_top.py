"""`headwater top`: a server's figures in a pipe, as JSON, and drawn on a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from headwater.cli import top
from headwater.cli.failures import ExitCode
from headwater.cli.rates import Rates

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Serve, Server


def an_overview(**changes: Any) -> dict[str, Any]:
    stats = {
        "streams": 2000,
        "process": {"memory_bytes": 48_700_000, "cpu_seconds": 1.0, "open_files": None, "max_files": 1024},
        "store": None,
    }
    reader = {
        "name": "kiosk\x1b[2J\n7",
        "address": "192.0.2.1:5000",
        "wire": "events",
        "number": 4,
        "path": "rooms/lobby",
        "state": "paused",
        "lag_records": None,
        "lag_bytes": 4_300_000,
        "held": 68_600,
        "full_seconds": 37.0,
    }
    readers = {
        "total": 279,
        "held_bytes": 274_600,
        "by": [
            {"wire": "events", "state": "live", "readers": 275},
            {"wire": "events", "state": "paused", "readers": 4},
        ],
        "behind": [reader, {**reader, "name": None, "lag_records": 7, "held": None, "full_seconds": 0.0}],
    }
    busiest = [{"path": "rooms/0", "readers": 64}]
    return {
        "instance": "a",
        "uptime_seconds": 3700.0,
        "stats": stats,
        "readers": readers,
        "busiest": busiest,
        **changes,
    }


def test_a_look_in_lines() -> None:
    """Totals, rates, readers by wire and state, the slowest by name or address, the busiest streams."""
    lines = top.screen(an_overview(), Rates(appends=26.4, deliveries=8.04, cpu=0.062, lag50=0.0013, lag99=1.5))
    assert lines[0] == "up 1 h 1 min   2,000 streams   279 readers"
    assert lines[1] == "appends 26/s   deliveries 8.0/s   lag p50 1.3 ms, p99 1.5 s"
    assert lines[2] == "buffered 275 kB   memory 48.7 MB   cpu 6.2%   event loop p99 -   files - of 1024"
    assert lines[4:6] == ["WIRE    LIVE  BEHIND  PAUSED", "events  275   0       4"]
    assert lines[8].split() == [
        "kiosk\ufffd[2J\ufffd7",
        "rooms/lobby",
        "paused",
        "4.3",
        "MB",
        "-",
        "68.6",
        "kB",
        "37",
        "s",
    ]
    assert lines[9].split() == ["192.0.2.1:5000", "rooms/lobby", "paused", "7", "records", "-", "-", "-"]
    assert lines[-1].split() == ["rooms/0", "64"]


def test_nothing_reaches_the_terminal_but_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are cut to the terminal, and a reader's name cannot steer it."""
    monkeypatch.setattr("shutil.get_terminal_size", lambda fallback=None: os.terminal_size((30, 9)))
    terminal = io.StringIO()
    top.draw(top.screen(an_overview(), Rates()), terminal)
    drawn = terminal.getvalue()
    assert drawn.startswith("\x1b[H")
    assert "\x1b[2J" not in drawn
    lines = drawn.removeprefix("\x1b[H").split("\n")[:-1]
    assert len(lines) == 8
    assert all(len(line.removesuffix("\x1b[K")) <= 30 for line in lines)


def test_websockets_are_shown_where_there_are_any() -> None:
    """How many, what comes, and the credit of all together."""
    overview = an_overview()
    overview["stats"]["websockets"] = 12
    overview["readers"]["credit"] = {"window": 262_144, "unacknowledged": 1_000, "out_of_credit": 3}
    shown = "websockets 12   messages 30/s   unacknowledged 1 kB of 262 kB   out of credit 3"
    assert shown in top.screen(overview, Rates(messages=30))
    assert not any("websockets" in line for line in top.screen(an_overview(), Rates()))


def test_json_is_the_overview(call: Call) -> None:
    """One object a look, one look unless told otherwise."""
    result = call("top", "--json")
    [found] = [json.loads(line) for line in result.stdout.splitlines()]
    assert found.keys() == {"version", "instance", "uptime_seconds", "stats", "readers", "busiest"}
    result = call("top", "--json", "--count", "2", "--interval", "0.1")
    assert len(result.stdout.splitlines()) == 2


def test_a_pipe_gets_text_with_rates(call: Call) -> None:
    """Two looks, so that there are rates, then the end; no control characters."""
    result = call("top", "--interval", "0.6")
    assert result.exit_code == 0
    assert result.stdout.startswith("up ")
    assert re.search(r"^appends [\d.,]+/s", result.stdout, re.MULTILINE)
    assert "\x1b" not in result.stdout


def test_a_server_that_is_not_there_is_told_at_once(call: Call) -> None:
    """Later it would be waited for; who never answered has perhaps another address."""
    assert call("top", url="http://127.0.0.1:1").exit_code == ExitCode.UNREACHABLE


@pytest.mark.slow
def test_the_terminal_is_as_before_afterwards(serve: Serve) -> None:
    """Drawn on the second screen, also through an outage; Ctrl-C gives the first one back."""
    server: Server = serve()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "headwater.cli", "top", "--url", server.url, "--interval", "0.1"]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs) as process:
        try:
            os.close(theirs)
            seen = b""
            while seen.count(b"\x1b[H") < 3:
                seen += os.read(ours, 4096)
            server.kill()
            server.start()
            drawn = seen.count(b"\x1b[H")
            while seen.count(b"\x1b[H") < drawn + 2:
                seen += os.read(ours, 4096)
            process.send_signal(signal.SIGINT)
            while b"\x1b[?1049l" not in seen:
                seen += os.read(ours, 4096)
            assert process.wait(timeout=20) == ExitCode.INTERRUPTED
        finally:
            process.kill()  # leaving the block waits for it
    os.close(ours)
    assert seen.startswith(b"\x1b[?1049h")
    assert b" readers" in seen
