"""Signals of real processes: under each server, and across a SIGKILL and a stop."""

from __future__ import annotations

import json
import signal
import threading
from http.client import HTTPResponse, IncompleteRead
from pathlib import Path

import pytest
from tests.support.http import Reply, call, opened
from tests.support.mounted import SERVERS, mounted_server
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

STREAM = "/v1/stream/s"
JSON = "application/json"
LINES = "application/x-ndjson"


def send(server: ServerProcess, data: object, query: str = "") -> Reply:
    return call(server, "POST", f"{STREAM}/-/signal{query}", json.dumps(data), content_type=JSON)


def until(answer: HTTPResponse, control: str) -> list[dict[str, object]]:
    """Lines up to one with `control`."""
    found: list[dict[str, object]] = []
    while not found or found[-1].get("control") != control:
        line = answer.readline()
        assert line, found
        found.append(json.loads(line))
    return found


@pytest.mark.parametrize("name", ["serve", *SERVERS])
def test_a_signal_under_each_server(name: str, tmp_path: Path) -> None:
    """Told at once to a reader that is pushed to, whoever has its socket; nothing is in the log."""
    server = headwater_server("memory:") if name == "serve" else mounted_server(name, tmp_path)
    with server:
        call(server, "PUT", STREAM, content_type=JSON)
        send(server, "before", "?from=ada&keep=30")
        with opened(server, "GET", f"{STREAM}?signals=1", accept=LINES) as answer:
            assert until(answer, "signal")[-1]["data"] == "before"
            call(server, "POST", STREAM, "1", content_type=JSON)
            assert send(server, "live").status == 204
            record, told = until(answer, "signal")
            assert (record["data"], told["data"]) == (1, "live")
        assert call(server, "GET", STREAM).json() == [1]


def test_sigkill_and_stop(tmp_path: Path) -> None:
    """A signal does not outlive the process, kept or not; every record does. A stop tells the reader, and sends on."""
    server = headwater_server(f"sqlite:{tmp_path}/s.db", "--drain-seconds", "0")
    with server:
        call(server, "PUT", STREAM, content_type=JSON)
        with opened(server, "GET", f"{STREAM}?signals=1", accept=LINES) as answer:
            until(answer, "up-to-date")
            call(server, "POST", STREAM, "1", content_type=JSON)
            assert send(server, "kept", "?from=ada&keep=60").status == 204
            (record, told) = until(answer, "signal")
            assert (record["data"], told["from"]) == (1, "ada")
            offset = record["offset"]
            server.kill()
            with pytest.raises(IncompleteRead):
                answer.read()
        server.start()
        call(server, "POST", STREAM, "2", content_type=JSON)
        with opened(server, "GET", f"{STREAM}?signals=1&offset={offset}", accept=LINES) as answer:
            record, state = until(answer, "up-to-date")
            assert (record["data"], state["control"]) == (2, "up-to-date")
            assert send(server, "again").status == 204
            assert until(answer, "signal")[-1]["data"] == "again"
            stop = threading.Thread(target=server.stop, args=(signal.SIGTERM,))
            stop.start()
            assert until(answer, "detached")[-1]["reason"] == "stopping"
            stop.join()
