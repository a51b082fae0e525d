"""Live answers through an ASGI `send`: what a reader gets that is quick, slow, stuck or gone, and what it costs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.asgi import App, send_sink
from headwater.asgi.send_sink import LUMP, SendSink
from headwater.asgi.types import Message
from headwater.testing.asgi import AsgiClient

JSON = "application/json"
RECORD = {"padding": "x" * 1000}


class Server:
    """A request as a server's application sees it, whose `send` waits while `open` is not set.

    Attributes:
        bodies: the parts of the answer's body, as they were sent.
        ended: the answer is complete.
        fails: raised by `send` from now on.
    """

    def __init__(self, hub: Hub, path: str) -> None:
        self.bodies: list[bytes] = []
        self.ended = False
        self.fails: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self._gone = asyncio.Event()
        scope = AsgiClient(None)._scope("GET", f"/v1/stream/{path}", {"accept": "application/x-ndjson"})
        self.task = asyncio.ensure_future(App(hub)(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.open.wait()
        if self.fails is not None:
            raise self.fails
        if message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
            if message["body"]:
                self.bodies.append(message["body"])

    def leave(self) -> None:
        """The client goes."""
        self._gone.set()

    @property
    def told(self) -> list[dict[str, Any]]:
        """The lines that were sent."""
        return [json.loads(line) for line in b"".join(self.bodies).splitlines()]

    @property
    def numbers(self) -> list[int]:
        """Of the records that were sent."""
        return [line["data"]["n"] for line in self.told if "data" in line]


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - a server has no event for it
            await asyncio.sleep(0)


async def fill(hub: Hub, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        await hub.append("s", {"n": number, **RECORD})


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink that holds its high-water mark is full at the next tick of the timers."""
    monkeypatch.setattr(send_sink, "GRACE_SECONDS", 0.0)


def test_what_waits_goes_out_in_one_send(run: Run[None]) -> None:
    """However many records came meanwhile; and all readers are given the bytes that were encoded once."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type=JSON)
            servers = [Server(hub, "s") for _ in range(3)]
            await until(lambda: all(server.bodies for server in servers))
            sent = [len(server.bodies) for server in servers]
            for server in servers[:2]:
                server.open.clear()
            await fill(hub, 1)
            await until(lambda: servers[2].numbers == [0])
            for number in range(1, 6):
                await hub.append("s", {"n": number})
                await until(lambda: servers[2].numbers[-1:] == [number])  # noqa: B023
            for server in servers[:2]:
                server.open.set()
            await until(lambda: all(server.numbers == list(range(6)) for server in servers))
            assert [len(server.bodies) - before for server, before in zip(servers, sent, strict=True)] == [2, 2, 6]
            assert servers[0].bodies[-2] is servers[1].bodies[-2] is servers[2].bodies[sent[2]]

    run(main())


@pytest.mark.usefixtures("no_grace")
def test_a_reader_that_takes_nothing_is_a_cursor(run: Run[None]) -> None:
    """It holds its high-water mark and one piece, whatever is appended; then it gets everything from the log."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type=JSON)
            server = Server(hub, "s")
            await until(lambda: server.bodies)
            server.open.clear()
            await fill(hub, 20)
            await until(lambda: hub.stats.pauses)
            await fill(hub, 500, 20)
            (reader,) = await hub.live.describe()
            assert (reader.pushed, reader.state) == (True, "paused")
            assert reader.held is not None
            assert reader.held < 32 * 1024
            server.open.set()
            await until(lambda: b'"n":519' in server.bodies[-1])
            assert server.numbers == list(range(520))
            assert max(map(len, server.bodies)) < 2 * LUMP
            (reader,) = await hub.live.describe()
            assert (reader.state, reader.held) == ("live", 0)

    run(main())


@pytest.mark.usefixtures("no_grace")
def test_a_slow_reader_is_told_what_it_missed(run: Run[None]) -> None:
    """The policies are those of all pushed readers."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type=JSON)
            server = Server(hub, "s?slow=latest")
            await until(lambda: server.bodies)
            server.open.clear()
            await fill(hub, 20)
            await until(lambda: hub.stats.pauses)
            await fill(hub, 20, 20)
            server.open.set()
            await until(lambda: "gap" in [line.get("control") for line in server.told])
            await fill(hub, 1, 40)
            await until(lambda: server.numbers[-1] == 40)
            assert len(server.numbers) < 41
            assert hub.stats.gaps["latest"] == 1

    run(main())


def test_a_quick_reader_of_a_long_log_is_not_slow(run: Run[None]) -> None:
    """Although each `send` takes a turn of the event loop; it gets the log in pieces, and misses nothing."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            await fill(hub, 1000)
            server = Server(hub, "s?slow=latest")
            await until(lambda: server.bodies and b'"n":999' in server.bodies[-1])
            assert server.numbers == list(range(1000))
            assert hub.stats.gaps.total() == hub.stats.pauses == 0
            assert max(map(len, server.bodies)) < 2 * LUMP

    run(main())


@pytest.mark.usefixtures("no_grace")
def test_a_reader_that_takes_nothing_for_long_is_cut(run: Run[None]) -> None:
    """After `write_seconds`: the application returns without the answer's end, and is counted."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, write_seconds=0.01)) as hub:
            await hub.create("s", content_type=JSON)
            server = Server(hub, "s")
            await until(lambda: server.bodies)
            server.open.clear()
            await fill(hub, 20)
            async with asyncio.timeout(10):
                await server.task
            assert (server.ended, hub.stats.stalls, hub.stats.readers) == (False, 1, 0)

    run(main())


@pytest.mark.parametrize("stuck", [True, False])
def test_a_client_that_goes_ends_its_reader(run: Run[None], stuck: bool) -> None:
    """At once, even while `send` waits for it."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            server = Server(hub, "s")
            await until(lambda: server.bodies)
            if stuck:
                server.open.clear()
                await fill(hub, 1)
                await until(lambda: hub.stats.deliveries)
            server.leave()
            async with asyncio.timeout(10):
                await server.task
            assert (server.ended, hub.stats.disconnects, hub.stats.readers) == (False, 1, 0)

    run(main())


@pytest.mark.parametrize(("error", "logged"), [(ConnectionResetError(), 0), (ValueError("no"), 1)])
def test_a_send_that_fails_ends_its_reader(
    run: Run[None], caplog: pytest.LogCaptureFixture, error: Exception, logged: int
) -> None:
    """An OSError is ASGI's word for a client that is gone; anything else is a server's error, and logged."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            server = Server(hub, "s")
            await until(lambda: server.bodies)
            server.fails = error
            await fill(hub, 1)
            async with asyncio.timeout(10):
                await server.task
            assert (server.ended, hub.stats.disconnects, hub.stats.readers) == (False, 1, 0)

    with caplog.at_level(logging.ERROR, "headwater"):
        run(main())
    assert len(caplog.records) == logged


def test_a_server_that_gives_up_a_request_ends_its_reader(run: Run[None]) -> None:
    """Such as at the end of its time to stop."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            server = Server(hub, "s")
            await until(lambda: server.bodies)
            server.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await server.task
            assert hub.stats.readers == 0

    run(main())


def test_a_closed_stream_ends_the_answer(run: Run[None]) -> None:
    """Behind everything that waited; a format with no word for the end leaves the answer incomplete instead."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            server = Server(hub, "s")
            await until(lambda: server.bodies)
            server.open.clear()
            await fill(hub, 3)
            await hub.close("s")
            await until(lambda: hub.stats.readers == 0)
            server.open.set()
            async with asyncio.timeout(10):
                await server.task
            assert (server.ended, server.numbers, server.told[-1]["control"]) == (True, [0, 1, 2], "closed")
            assert hub.stats.disconnects == 0
            sent: list[Message] = []

            async def send(message: Message) -> None:
                sent.append(message)

            async def receive() -> Message:
                return await asyncio.Future()

            cut = SendSink(hub.runtime, None)
            cut.write(b"half")
            cut.finish()
            await cut.run(receive, send)
            assert sent == [{"type": "http.response.body", "body": b"half", "more_body": True}]

    run(main())
