"""The benchmark of connects: every server is measured, the floors answer as Headwater does, and failures are told."""

from __future__ import annotations

import shutil
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.connects import command
from benchmarks.connects.requests import LIVE, READ, REQUESTS, Request, response_to, responses
from benchmarks.connects.servers import FLOOR, PEERS, PYTHON, Peer
from benchmarks.connects.trial import Shape, connect
from benchmarks.servers import Server
from benchmarks.turns import read
from tests.support.processes import free_port, required

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _compiler() -> None:
    required("cc", shutil.which("cc") is not None)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.name)
def test_every_server_is_measured(request_: Request, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each server, with figures that can be."""
    output = tmp_path / "connects.json"
    words = ["--requests", request_.name, "--connects", "40", "--at-once", "4", "--repetitions", "1"]
    assert command.main([*words, "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    results = read(output)
    assert results.shapes == [f"connects: {request_.text}, 4 at a time"]
    assert [runs.server for runs in results.measured] == [peer.name for peer in PEERS]
    for runs in results.measured:
        (figures,) = runs.runs
        assert figures["connects"] == 40
        assert 0 < figures["p50_us"] <= figures["p99_us"] <= figures["max_us"] * 1.01
        assert min(figures["cpu_us"], figures["rate"], figures["load_cpu_us"]) > 0
        assert f"\n| {runs.server} | {figures['cpu_us']:.1f} |" in printed


def test_the_floors_answer_as_headwater_does(tmp_path: Path) -> None:
    """The same bytes, to every request."""
    fixed = responses(tmp_path)
    assert all(response.startswith("HTTP/1.1 20") for response in fixed)
    for peer in (FLOOR, PYTHON):
        with Server(peer.kind(fixed), tmp_path) as server:
            assert tuple(response_to(server.port, request) for request in REQUESTS) == fixed


def test_a_server_that_does_not_start_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a row with the reason, and the command fails."""
    broken = Peer("broken", lambda port, data, fixed: [sys.executable, "-c", "raise SystemExit('no disk')"])
    monkeypatch.setattr(command, "PEERS", (broken,))
    assert command.main(["--requests", "live", "--output", str(tmp_path / "connects.json")]) == 1
    assert "| broken | failed: broken does not start: no disk |" in capsys.readouterr().out


def test_a_refusal_is_no_connect(tmp_path: Path) -> None:
    """The response's status says why."""
    missing = replace(READ, lines=("GET /v1/stream/nothing",))
    peer = next(peer for peer in PEERS if peer.name == "headwater")
    with Server(peer.kind(()), tmp_path) as server, pytest.raises(RuntimeError, match=r"HTTP/1\.1 404"):
        connect(server.port, Shape(missing, connects=10, at_once=2, seconds=10))


def test_a_server_that_is_silent_or_gone_is_told() -> None:
    """Neither is waited for for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(RuntimeError, match="responses are missing"):
            connect(port, Shape(LIVE, connects=10, at_once=2, seconds=0.1))
    with pytest.raises(RuntimeError, match="Connection refused"):
        connect(free_port(), Shape(LIVE, connects=10, at_once=2, seconds=10))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--requests", "live,upload"], "there is no request upload"),
        (["--connects", "0"], "0 is not above 0"),
        (["--at-once", "32,0"], "0 is not above 0"),
        (["--servers", "nginx"], "there is no server nginx"),
    ],
)
def test_wrong_arguments_are_told(words: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is started."""
    with pytest.raises(SystemExit) as stopped:
        command.main(words)
    assert reason in f"{stopped.value.code} {capsys.readouterr().err}"
