"""The handover of uvicorn's connections, and what happens where there is none."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.http import call, opened
from tests.support.processes import ServerProcess
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from headwater import Hub
from headwater.asgi.uvicorn import can_take_over, server_is_stopping
from headwater.http.http1 import chunk
from headwater.http.socket_options import relax, restrain, restrain_accepted
from headwater.http.socket_sink import MAX_UNASKED, TransportSink, descriptor_of
from headwater.hub import Limits
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ndjson import JsonLines

Run = Callable[[Coroutine[Any, Any, Any]], Any]
HERE = Path(__file__).parent
URL = "/streams/s"
SSE = {"accept": "text/event-stream"}

SERVED = '''
from fastapi import FastAPI
from headwater import Hub

hub = Hub()
bare = FastAPI(lifespan=hub.lifespan)
bare.mount("/streams", hub.asgi)


class Wrapping:
    """Middleware that wraps `send`, as many do."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def wrapped(message):
            await send(message)

        await self.app(scope, receive, wrapped if scope["type"] == "http" else send)


wrapped = Wrapping(bare)
'''


@pytest.fixture(params=["bare", "wrapped"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A stock uvicorn with an application that mounts a hub, with and without middleware."""
    (tmp_path / "served.py").write_text(SERVED)
    command = [sys.executable, "-m", "uvicorn", f"served:{request.param}", "--port", "{port}", "--log-level", "warning"]
    with ServerProcess(command, health="/streams/-/health", cwd=tmp_path) as process:
        process.name = request.param
        yield process


@pytest.mark.slow
def test_a_stock_uvicorn_serves_live_readers(server: ServerProcess) -> None:
    """Records, the end and the connection's close are the same, handed over or not."""
    call(server, "PUT", URL, "[1]", content_type="application/json")
    with opened(server, "GET", URL, **SSE) as events:
        assert events.readline() == b"retry:1000\n"
        call(server, "POST", URL, "[2]", content_type="application/json")
        handed_over = call(server, "GET", "/streams/-/stats").json()["pushed"]
        call(server, "POST", URL, stream_closed="true")
        text = events.read()
    assert b"data:1" in text
    assert b"data:2" in text
    assert text.rstrip().splitlines()[-2] == b"event: stream-closed"
    assert handed_over == (server.name == "bare")


@pytest.mark.slow
def test_a_stock_uvicorn_stops_with_open_readers(server: ServerProcess) -> None:
    """SIGTERM ends the process although an event stream is open, and the stream is told to come back."""
    call(server, "PUT", URL)
    with opened(server, "GET", URL, **SSE) as events:
        events.readline()
        os.kill(server.pid, signal.SIGTERM)
        assert b"event: stream-detached" in events.read()
    server.wait()


@pytest.mark.slow
def test_readers_that_leave_are_counted_out(server: ServerProcess) -> None:
    """A closed socket is seen without a write; so is one that only half-closes, or sends what nobody asked for."""
    call(server, "PUT", URL)
    head = f"GET {URL} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n".encode()
    for ending in (b"", b"x" * (MAX_UNASKED + 100_000)):
        with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
            raw.sendall(head)
            assert raw.recv(10_000).startswith(b"HTTP/1.1 200")
            if ending:
                raw.sendall(ending)
    deadline = time.monotonic() + 20
    while call(server, "GET", "/streams/-/stats").json()["readers"]:
        assert time.monotonic() < deadline, "a reader that left is still counted"


def test_the_installed_uvicorn_has_what_the_handover_needs() -> None:
    """A new uvicorn without these attributes falls back to the ASGI driver; this test then says so."""

    class Transport:
        def get_extra_info(self, name: str) -> Any:
            return None

    protocol = object.__new__(HttpToolsProtocol)
    state = SimpleNamespace(connections=set(), tasks=set(), default_headers=[], total_requests=0)
    config: Any = SimpleNamespace(
        loaded=True,
        loaded_app=None,
        ws_protocol_class=None,
        root_path="",
        asgi_version="3.0",
        limit_concurrency=None,
        timeout_keep_alive=5,
    )
    HttpToolsProtocol.__init__(protocol, config, state, {}, _loop=SimpleNamespace())  # type: ignore[arg-type]
    protocol.flow = SimpleNamespace()  # type: ignore[assignment]
    protocol.transport = Transport()  # type: ignore[assignment]
    cycle = RequestResponseCycle(
        scope={},  # type: ignore[typeddict-item]
        transport=protocol.transport,
        flow=protocol.flow,
        logger=None,  # type: ignore[arg-type]
        access_logger=None,  # type: ignore[arg-type]
        access_log=False,
        default_headers=[],
        message_event=None,  # type: ignore[arg-type]
        expect_100_continue=False,
        keep_alive=True,
        on_response=protocol.on_response_complete,
    )
    protocol.cycle = cycle
    send: Any = cycle.send
    assert can_take_over(send)
    cycle.response_complete = True
    assert not can_take_over(send)


def test_other_senders_are_left_alone() -> None:
    """A function, a method of something else: the ASGI driver serves them."""

    async def send(message: Any) -> None: ...

    assert not can_take_over(send)
    assert not can_take_over([].append)  # type: ignore[arg-type]


def test_a_chunk_is_http() -> None:
    """Length in hexadecimal, the bytes, line ends."""
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


def test_no_server_is_not_stopping() -> None:
    """Under a server that has another way, nothing is assumed."""
    assert not server_is_stopping()


def test_the_kernel_is_told_to_hold_little() -> None:
    """The limits become options of the socket, however large they are; what is no socket is left alone."""
    options = (socket.TCP_NOTSENT_LOWAT, socket.TCP_USER_TIMEOUT)
    with socket.socket() as raw:
        restrain(raw, Limits(kernel_bytes=5000, write_seconds=2.5))
        assert [raw.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [5000, 2500]
        restrain(raw, Limits(kernel_bytes=2**40, write_seconds=1e9))
        assert [raw.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [2**31 - 1, 2**31 - 1]
    restrain(None, Limits())


def test_what_a_listener_accepts_comes_restrained() -> None:
    """On Linux; where it does not, and with Unix sockets, each connection is restrained by itself."""
    limits = Limits(kernel_bytes=5000, write_seconds=2.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert restrain_accepted(listener, limits)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            options = (socket.TCP_NOTSENT_LOWAT, socket.TCP_USER_TIMEOUT)
            assert [accepted.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [5000, 2500]
    with socket.socket(socket.AF_UNIX) as unix:
        assert not restrain_accepted(unix, limits)


def test_a_unix_socket_holds_little() -> None:
    """What its peer does not take; as much as before when it is for something else again."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        usual = ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        restrain(ours, Limits(kernel_bytes=16 * 1024))
        ours.setblocking(False)
        held = 0
        with suppress(BlockingIOError):
            while True:
                held += ours.send(b"x" * 1000)
        assert held <= 2 * 16 * 1024
        relax(ours)
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == usual


class FirstFrames(asyncio.Protocol):
    """A connection that is taken over at once, or left alone."""

    def __init__(self, hub: Hub, *, reads: bool) -> None:
        self.hub = hub
        self.reads = reads

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.descriptor = descriptor_of(self.transport, self.transport.get_extra_info("socket"))
        if self.reads:
            self.sink = TransportSink(self.transport, self.hub.runtime)


async def accepted(hub: Hub, *, reads: bool) -> tuple[FirstFrames, socket.socket]:
    """Our end and the other end of a new connection."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    _, protocol = await loop.connect_accepted_socket(lambda: FirstFrames(hub, reads=reads), ours)
    return protocol, theirs


@pytest.mark.parametrize("ending", ["closed", "reset", "flooded"])
def test_nobody_gets_what_was_for_a_reader_that_left(run: Run, ending: str) -> None:
    """The next connection has the number of the socket that was closed; records are written to neither."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s")
            form = WireFormat(("lines",), JsonLines, lambda data: data)
            reader, peer = await accepted(hub, reads=True)
            await hub.live.subscribe("s", "-1", form, reader.sink)
            assert reader.descriptor is not None
            if ending == "flooded":
                peer.send(b"x" * (MAX_UNASKED + 1))
            elif ending == "reset":
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if ending != "flooded":
                peer.close()
            while hub.stats.pushed:
                await hub.append("s", "to a reader that leaves")
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            others = [await accepted(hub, reads=False) for _ in range(4)]
            assert reader.descriptor in [other.descriptor for other, _ in others]
            await hub.append("s", "to nobody")
            for _ in range(10):
                await asyncio.sleep(0)
            for other, end in others:
                with pytest.raises(BlockingIOError):
                    end.recv(100)
                end.close()
                other.transport.abort()
            peer.close()
            for _ in range(10):
                await asyncio.sleep(0)

    run(main())
