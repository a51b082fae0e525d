"""Streams with a TTL on a real server: with one live reader, and when the machine's clock is set."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from tests.support.http import call, opened
from tests.support.processes import ServerProcess, headwater_server

#: Query and `Accept` of each way to read live.
WIRES = {
    "events": ("", "text/event-stream"),
    "ndjson": ("", "application/x-ndjson"),
    "sse": ("?offset=-1&live=sse", "*/*"),
}
#: Seconds that are longer than the TTL and several sweeps.
LONG = 3.5


@pytest.mark.slow
@pytest.mark.parametrize("store", ["memory:", "sqlite:{}/log.db"], ids=["memory", "sqlite"])
def test_a_live_reader_keeps_its_stream(store: str, tmp_path: Path) -> None:
    """On every wire; a stream beside them that nobody reads is gone, and so are they soon after their readers."""
    with headwater_server(store.format(tmp_path)) as server, contextlib.ExitStack() as readers:
        for path in (*WIRES, "idle"):
            made = call(server, "PUT", f"/v1/stream/{path}", Content_Type="text/plain", Stream_TTL="1")
            assert made.status == 201
            if path in WIRES:
                query, accept = WIRES[path]
                answer = readers.enter_context(opened(server, "GET", f"/v1/stream/{path}{query}", Accept=accept))
                assert answer.status == 200
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            for path in WIRES:
                assert call(server, "HEAD", f"/v1/stream/{path}").status == 200
            time.sleep(0.1)
        assert call(server, "HEAD", "/v1/stream/idle").status == 404
        for path in WIRES:
            assert call(server, "POST", f"/v1/stream/{path}", b"x", Content_Type="text/plain").status == 204
        readers.close()
        for path in WIRES:
            gone_within(server, path, 20)


# `headwater serve` on a machine whose wall clock is set by a day: forward at the first signal, back at the second.
SET_CLOCK = """
import signal, sys, time
real, jumps, jumped = time.time, [86400.0, -86400.0], [0.0]
time.time = lambda: real() + jumped[0]
signal.signal(signal.SIGUSR1, lambda *_: jumped.__setitem__(0, jumped[0] + jumps.pop(0)))
from headwater.cli.__main__ import main
sys.argv[0] = "headwater"
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("store", ["memory:", "sqlite:{}/log.db"], ids=["memory", "sqlite"])
def test_a_clock_that_is_set_kills_nothing(store: str, tmp_path: Path) -> None:
    """Forward and back: a stream lives on, dies by its idle time, and one with a date when the clock has passed it."""
    command = [sys.executable, "-c", SET_CLOCK, "serve", "--no-banner", "--log-level", "warning", "--port", "{port}"]
    with ServerProcess([*command, "--store", store.format(tmp_path)]) as server:
        date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        for path, ttl in (("long", "600"), ("ahead", "5")):
            assert call(server, "PUT", f"/v1/stream/{path}", Stream_TTL=ttl).status == 201
        assert call(server, "PUT", "/v1/stream/dated", Stream_Expires_At=date).status == 201
        os.kill(server.pid, signal.SIGUSR1)
        made = time.monotonic()
        gone_within(server, "dated", 20)
        for path in ("long", "ahead"):
            status = call(server, "HEAD", f"/v1/stream/{path}").status
            assert status == 200 or (path == "ahead" and time.monotonic() > made + 4)
        gone_within(server, "ahead", 20)
        assert call(server, "PUT", "/v1/stream/back", Stream_TTL="5").status == 201
        os.kill(server.pid, signal.SIGUSR1)
        assert call(server, "HEAD", "/v1/stream/back").status == 200
        gone_within(server, "back", 20)
        assert call(server, "HEAD", "/v1/stream/long").status == 200


def gone_within(server: ServerProcess, path: str, seconds: float) -> None:
    """Ask until a stream is not found."""
    deadline = time.monotonic() + seconds
    while call(server, "HEAD", f"/v1/stream/{path}").status == 200:
        assert time.monotonic() < deadline, f"{path} lives on"
        time.sleep(0.05)
