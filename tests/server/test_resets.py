"""Clients that reset their connection as soon as they have asked: a disconnect, counted, and no mistake in the log."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.corpus.servers import Target, serving

pytestmark = pytest.mark.slow

URL = "/v1/stream/watched"
EVENTS = f"GET {URL} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
LINES = f"GET {URL} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nAccept: application/x-ndjson\r\n\r\n"
APPEND = f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1"
#: One request, and one that another waits behind: uvicorn tells the last of them only that its client is gone.
REQUESTS = (EVENTS, LINES, APPEND + EVENTS)
#: Seconds between the request and the reset: before it is read, while it is answered, and after that.
PAUSES = (0.0, 0.001, 0.003)


def reset(port: int, request: bytes, pause: float) -> None:
    """Ask and take nothing."""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.sendall(request)
        if pause:
            time.sleep(pause)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def reads(target: Target) -> int:
    readers: int = target.stats()["readers"]
    return readers


@pytest.mark.parametrize("server", ["serve", "serve-sqlite", "uvicorn", "hypercorn"])
def test_a_client_that_resets_at_once_is_no_mistake(server: str, tmp_path: Path) -> None:
    """Whenever the reset meets the request; no reader stays behind."""
    with serving(server, tmp_path) as target:
        assert target.ask("PUT", URL, "[1]", {"content-type": "application/json"}).status == 201
        for request in REQUESTS:
            for pause in PAUSES:
                for _ in range(30):
                    reset(target.process.port, request.encode(), pause)
        until(lambda: reads(target) == 0)
        assert target.complaints() == ""
        assert target.ask("GET", URL).status == 200
