"""bench: a server under load, checked delivery by delivery, and left as it was."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from headwater.cli.failures import ExitCode

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Cut, Serve, Server, Spawn

#: A short run; figures are of no interest here.
SHORT = ("--readers", "6", "--rate", "100", "--seconds", "0.3", "--grace", "30")


def measured(call: Call, url: str, *args: str) -> dict[str, Any]:
    result = call("bench", url, *SHORT, "--json", *args)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_every_record_comes_to_every_reader(call: Call, server: Server, path: str) -> None:
    """Deliveries are records times readers; nothing is lost or repeated; lags and rates are told."""
    found = measured(call, server.url, "--path", path)
    assert found["deliveries"] == found["published"] * 6
    assert 0 < found["published"] <= found["due"] == 30
    assert (found["lost"], found["repeated"], found["cuts"]) == (0, 0, 0)
    assert 0 < found["lag_ms"]["p50"] <= found["lag_ms"]["p99"] <= found["lag_ms"]["p999"] <= found["lag_ms"]["max"]
    assert found["deliveries_per_second"] > 0
    assert found["connects_per_second"] > 0
    assert found["generator"]["cpu"] > 0


def test_readers_and_records_are_spread_over_streams_and_processes(call: Call, server: Server, path: str) -> None:
    """With three streams and two processes each record comes to the readers of its stream."""
    found = measured(call, server.url, "--path", path, "--streams", "3", "--processes", "2", "--size", "1000")
    assert (found["streams"], found["generator"]["processes"], found["record_bytes"]) == (3, 2, 1000)
    assert (found["deliveries"], found["lost"]) == (found["published"] * 2, 0)


def test_a_cut_reader_comes_back_and_misses_nothing(call: Call, server: Server, path: str, cut: Cut) -> None:
    """Connections that end are counted, and resumed behind the last whole event."""
    proxy = cut(server, cuts=[10_000_000, 700, 900, 1100])  # the first one is of the command itself
    found = measured(call, proxy.url, "--path", path)
    assert found["cuts"] == 3
    assert (found["deliveries"], found["lost"], found["repeated"]) == (found["published"] * 6, 0, 0)


def test_every_record_comes_over_websocket(call: Call, server: Server, path: str) -> None:
    """Each reader has a connection with one subscription, and acknowledges what it took."""
    found = measured(call, server.url, "--path", path, "--wire", "websocket", "--size", "60000")
    assert (found["deliveries"], found["lost"], found["repeated"]) == (found["published"] * 6, 0, 0)
    assert found["cuts"] == 0


def test_a_cut_websocket_comes_back_and_misses_nothing(call: Call, server: Server, path: str, cut: Cut) -> None:
    proxy = cut(server, cuts=[10_000_000, 900, 1100, 1300])
    found = measured(call, proxy.url, "--path", path, "--wire", "websocket")
    assert found["cuts"] == 3
    assert (found["deliveries"], found["lost"], found["repeated"]) == (found["published"] * 6, 0, 0)


def test_refused_websockets_end_the_run(call: Call, serve: Serve, path: str) -> None:
    small = serve(TEST_MAX_READERS="3")
    result = call("bench", small.url, *SHORT, "--path", path, "--wire", "websocket")
    assert result.exit_code == ExitCode.REFUSED
    assert "max_readers=3" in result.stderr


def test_its_streams_are_deleted(call: Call, server: Server, path: str) -> None:
    """After a run the server has what it had before."""
    measured(call, server.url, "--path", path)
    assert call("ls", path).stdout == ""


def test_refused_readers_end_the_run(call: Call, serve: Serve, path: str) -> None:
    """A server's limit is told as the server tells it, and the streams are deleted."""
    small = serve(TEST_MAX_READERS="3")
    result = call("bench", small.url, *SHORT, "--path", path)
    assert result.exit_code == ExitCode.REFUSED
    assert "max_readers=3" in result.stderr
    assert call("ls", path, url=small.url).stdout == ""


def test_figures_for_people(call: Call, server: Server, path: str) -> None:
    """Without --json each figure is on a line, with its unit."""
    result = call("bench", server.url, *SHORT, "--path", path)
    lines = dict(line.split("\t") for line in result.stdout.splitlines())
    assert {"readers", "records", "deliveries", "lag", "lost", "repeated", "generator"} <= set(lines)
    assert lines["lost"] == "0"
    assert "p99 " in lines["lag"]


@pytest.mark.parametrize("url", ["http://example.org", "http://192.0.2.1:4437", "http://localhost.example.org"])
def test_other_machines_are_left_alone_without_yes(call: Call, url: str) -> None:
    """A server elsewhere is not even asked."""
    result = call("bench", url, *SHORT)
    assert (result.exit_code, "--yes" in result.stderr) == (ExitCode.USAGE, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--readers", "0"),
        ("--readers", "20001"),
        ("--rate", "0"),
        ("--rate", "100001"),
        ("--seconds", "3601"),
        ("--size", "10"),
        ("--size", "65537"),
        ("--streams", "101"),
    ],
)
def test_a_run_is_bounded(call: Call, server: Server, arguments: tuple[str, str]) -> None:
    """What is beyond a bound is wrong usage."""
    assert call("bench", server.url, *arguments).exit_code == ExitCode.USAGE


def test_no_server_is_told(call: Call) -> None:
    """As with every command."""
    assert call("bench", "http://127.0.0.1:1", *SHORT).exit_code == ExitCode.UNREACHABLE


@pytest.mark.slow
def test_an_interrupt_cleans_up(spawn: Spawn, call: Call, server: Server, path: str) -> None:
    """Ctrl-C ends the processes, deletes the streams and exits with 130."""
    process = spawn("bench", server.url, "--readers", "3", "--seconds", "600", "--path", path)
    while call("ls", path).stdout.count("\t3\topen") != 1:  # three readers are there
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == ExitCode.INTERRUPTED
    assert call("ls", path).stdout == ""
