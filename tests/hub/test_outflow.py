"""A long body on its way: read as it is taken, and let go when it is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable

import pytest
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.errors import StreamNotFound
from headwater.hub import outflow
from headwater.hub.outflow import Ending, Outflow

KIB = 1024


class Client:
    """An outlet whose client takes nothing while `open` is not set.

    Attributes:
        taken: what it has.
        waiting: bytes it was given and has not taken.
        gone: it is gone, and whoever gives it something is told so.
    """

    def __init__(self, lump: int = 64 * KIB) -> None:
        self.lump = lump
        self.taken = b""
        self.waiting = 0
        self.gone = False
        self.open = asyncio.Event()
        self.open.set()

    async def give(self, data: bytes) -> None:
        self.waiting = len(data)
        await self.open.wait()
        if self.gone:
            raise ConnectionResetError
        self.taken += data
        self.waiting = 0

    def held(self) -> int:
        return self.waiting


class Body:
    """Pieces, and how many of them were asked for."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.asked = 0
        self.closed = False
        self._pieces = pieces
        self._error = error

    async def read(self) -> AsyncGenerator[bytes]:
        try:
            for piece in self._pieces:
                self.asked += 1
                yield piece
            if self._error is not None:
                raise self._error
        finally:
            self.closed = True


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - a test client has no event for it
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not taken at once counts at the next tick of the timers."""
    monkeypatch.setattr(outflow, "GRACE_SECONDS", 0.0)


def test_everything_is_given_in_lumps(run: Run[None]) -> None:
    """And nothing is counted for a client that takes it."""

    async def main() -> None:
        async with Hub() as hub:
            client, body = Client(lump=3), Body(b"1234567", b"8", b"90")
            assert await Outflow(hub.runtime, client, "s").run(body.read()) is Ending.WHOLE
            assert client.taken == b"1234567890"
            assert (hub.stats.pauses, hub.stats.stalls, hub.stats.cuts.total(), hub.runtime.budget.total) == (
                0,
                0,
                0,
                0,
            )

    run(main())


def test_nothing_is_read_ahead(run: Run[None]) -> None:
    """A client that takes nothing costs the piece it was given, which counts as buffered; then it gets the rest."""

    async def main() -> None:
        async with Hub() as hub:
            client, body = Client(lump=10), Body(b"x" * 100, b"y" * 100)
            client.open.clear()
            task = asyncio.create_task(Outflow(hub.runtime, client, "s").run(body.read()))
            await until(lambda: hub.stats.pauses)
            assert (body.asked, hub.runtime.budget.total) == (1, 100)
            client.open.set()
            assert await task is Ending.WHOLE
            assert (client.taken, hub.runtime.budget.total) == (b"x" * 100 + b"y" * 100, 0)

    run(main())


def test_a_client_that_takes_nothing_is_let_go(run: Run[None]) -> None:
    """After `write_seconds`; the read of the log is ended too."""

    async def main() -> None:
        async with Hub(limits=Limits(write_seconds=0.01)) as hub:
            client, body = Client(), Body(b"x" * 100, b"y")
            client.open.clear()
            assert await Outflow(hub.runtime, client, "s").run(body.read()) is Ending.STALLED
            assert (hub.stats.stalls, hub.runtime.budget.total, body.closed, body.asked) == (1, 0, True, 1)

    run(main())


def test_a_client_that_takes_a_little_is_not_let_go(run: Run[None]) -> None:
    """Whatever it takes in `write_seconds` gives it as much time again."""

    async def main() -> None:
        async with Hub(limits=Limits(write_seconds=0.01)) as hub:
            client = Client()
            client.open.clear()
            flow = Outflow(hub.runtime, client, "s")
            looks = 0

            def held() -> int:
                nonlocal looks
                looks += 1
                if looks == 5:
                    client.open.set()
                return 100 - looks

            client.held = held  # type: ignore[method-assign]
            assert await flow.run(Body(b"x" * 100).read()) is Ending.WHOLE
            assert (looks >= 5, hub.stats.stalls) == (True, 0)

    run(main())


def test_the_worst_go_when_all_hold_too_much(run: Run[None]) -> None:
    """Together with the live readers: one budget."""

    async def main() -> None:
        async with Hub(limits=Limits(buffer_bytes=100, read_bytes=100, max_buffered_bytes=250)) as hub:
            clients = [Client() for _ in range(3)]
            for client in clients:
                client.open.clear()
            bodies = [Body(b"x" * size) for size in (100, 120, 90)]
            tasks = [
                asyncio.create_task(Outflow(hub.runtime, client, "s").run(body.read()))
                for client, body in zip(clients, bodies, strict=True)
            ]
            await until(tasks[1].done)
            assert (tasks[1].result(), hub.stats.sheds, hub.runtime.budget.total) == (Ending.STALLED, 1, 190)
            for client in clients:
                client.open.set()
            assert [await task for task in tasks] == [Ending.WHOLE, Ending.STALLED, Ending.WHOLE]

    run(main())


@pytest.mark.parametrize("waits", [True, False])
def test_a_client_that_goes_is_counted(run: Run[None], waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Told by its outlet, or by who watches the other side; that is no news for the log."""

    async def main() -> None:
        async with Hub() as hub:
            client, body = Client(), Body(b"x")
            flow = Outflow(hub.runtime, client, "s")
            if waits:
                client.open.clear()
                task = asyncio.create_task(flow.run(body.read()))
                await until(lambda: body.asked)
                flow.lost()
                assert await task is Ending.LOST
            else:
                client.gone = True
                assert await flow.run(body.read()) is Ending.LOST
            assert (hub.stats.disconnects, hub.stats.cuts.total()) == (1, 0)

    with caplog.at_level(logging.INFO, "headwater"):
        run(main())
    assert caplog.records == []


@pytest.mark.parametrize(
    ("error", "code", "traceback"),
    [
        (StreamNotFound("gone"), "stream-not-found", False),
        (RuntimeError("a mistake"), "internal", True),
        (OSError("no disk"), "internal", True),
        (TimeoutError(), "internal", True),
    ],
)
def test_an_error_of_the_body_cuts_it(
    run: Run[None], caplog: pytest.LogCaptureFixture, error: Exception, code: str, traceback: bool
) -> None:
    """Counted by its code and logged once, with a traceback if it is unknown; never taken for a client that goes."""

    async def main() -> None:
        async with Hub() as hub:
            client = Client()
            assert await Outflow(hub.runtime, client, "s").run(Body(b"x", error=error).read()) is Ending.CUT
            assert (client.taken, hub.stats.cuts, hub.stats.disconnects) == (b"x", {code: 1}, 0)

    with caplog.at_level(logging.INFO, "headwater"):
        run(main())
    assert [bool(record.exc_info) for record in caplog.records] == [traceback]
    assert "a read of s was cut" in caplog.text


def test_a_body_that_was_given_before_is_waited_for(run: Run[None]) -> None:
    """As the fast lane does behind a response that its socket did not take at once."""

    async def main() -> None:
        async with Hub(limits=Limits(write_seconds=0.01)) as hub:
            client = Client()
            assert await Outflow(hub.runtime, client, "s").wait() is Ending.WHOLE
            client.open.clear()
            assert await Outflow(hub.runtime, client, "s").wait() is Ending.STALLED

    run(main())


def test_a_server_that_gives_up_a_request_ends_its_body(run: Run[None]) -> None:
    """Such as at the end of its time to stop."""

    async def main() -> None:
        async with Hub() as hub:
            client, body = Client(), Body(b"x")
            client.open.clear()
            task = asyncio.create_task(Outflow(hub.runtime, client, "s").run(body.read()))
            await until(lambda: hub.stats.pauses)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (body.closed, hub.runtime.budget.total) == (True, 0)

    run(main())


def test_a_client_that_goes_while_the_pieces_end_is_no_mistake(
    run: Run[None], caplog: pytest.LogCaptureFixture
) -> None:
    """What makes them, such as a connection to a provider, may take its time to close."""

    async def main() -> None:
        ending = asyncio.Event()

        async def pieces() -> AsyncGenerator[bytes]:
            try:
                yield b"one"
                yield b"two"
            finally:
                ending.set()
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        async with Hub() as hub:
            client = Client()
            client.gone = True
            flow = Outflow(hub.runtime, client, "s")
            task = asyncio.create_task(flow.run(pieces()))
            await ending.wait()
            flow.lost()
            assert await task is Ending.LOST
            assert not caplog.records

    run(main())
