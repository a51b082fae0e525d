"""Backpressure under hypercorn: which servers need it, and when it waits. On real connections: `tests/proxies`."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import Any

from hypercorn.protocol import h2
from hypercorn.protocol.http_stream import HTTPStream
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.asgi.hypercorn import StreamFlow, flow_of
from headwater.asgi.types import Message
from headwater.hub.live.runtime import Runtime


class Buffer:
    """As hypercorn's `StreamBuffer`."""

    def __init__(self, size: int) -> None:
        self.buffer = bytearray(size)
        self.empty = asyncio.Event()

    async def drain(self) -> None:
        await self.empty.wait()


class Protocol:
    """As hypercorn's `H2Protocol`."""

    def __init__(self) -> None:
        self.stream_buffers: dict[int, Any] = {}
        self.connection = SimpleNamespace(reset_stream=lambda stream, code: self.resets.append((stream, code)))
        self.resets: list[tuple[int, int]] = []
        self.closed = False

    async def _flush(self) -> None: ...

    async def _window_updated(self, stream_id: int) -> None:
        del self.stream_buffers[stream_id]

    async def stream_send(self, event: object) -> None: ...


class Stream:
    """As hypercorn's `HTTPStream`."""

    def __init__(self, protocol: Any) -> None:
        self.stream_id = 5
        self.send = protocol.stream_send

    async def app_send(self, message: Message) -> None: ...


def runtime_of(limits: Limits | None = None) -> Runtime:
    return Hub("memory:", limits=limits).runtime


def test_hypercorn_has_what_is_needed() -> None:
    """When this fails, read hypercorn's changes: readers in HTTP/2 may be unbounded, or need no help any more."""
    assert "self.stream_id" in inspect.getsource(HTTPStream)
    source = inspect.getsource(h2)
    needed = ("self.connection", "self.stream_buffers", "def _flush", "def _window_updated", "def drain", "self.buffer")
    assert [name for name in needed if name not in source] == []


def test_servers_whose_send_waits_are_left_alone() -> None:
    """No method, another server's method, or a hypercorn without the buffers."""

    async def send(message: Message) -> None: ...

    class Other:
        stream_id = 1

        async def send(self, message: Message) -> None: ...

    runtime = runtime_of()
    assert flow_of(send, runtime) is None
    assert flow_of(Other().send, runtime) is None
    assert flow_of(Stream(SimpleNamespace(stream_send=send)).app_send, runtime) is None
    assert isinstance(flow_of(Stream(Protocol()).app_send, runtime), StreamFlow)


def test_a_full_stream_is_waited_for(run: Run[None]) -> None:
    """Until it has drained; one below the high-water mark is not."""

    async def scenario() -> None:
        protocol = Protocol()
        flow = flow_of(Stream(protocol).app_send, runtime_of(Limits(buffer_bytes=10)))
        assert flow is not None
        await flow.drained()
        protocol.stream_buffers[5] = buffer = Buffer(9)
        await flow.drained()
        buffer.buffer += b"1"
        assert flow.held() == 10
        waiting = asyncio.create_task(flow.drained())
        await asyncio.sleep(0)
        assert not waiting.done()
        buffer.buffer.clear()
        buffer.empty.set()
        await waiting

    run(scenario())


def test_a_cut_stream_ends_with_an_error_and_holds_nothing(run: Run[None]) -> None:
    """hypercorn itself leaves it open; one that has ended is left alone."""

    async def scenario() -> None:
        protocol = Protocol()
        flow = flow_of(Stream(protocol).app_send, runtime_of())
        assert flow is not None
        await flow.cut()
        assert protocol.resets == []
        protocol.stream_buffers[5] = Buffer(9)
        await flow.cut()
        assert (protocol.resets, flow.held()) == ([(5, 2)], 0)

    run(scenario())
