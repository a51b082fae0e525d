"""A hub in this process in place of a server: the same values, the same errors, and no socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from headwater import Hub
from headwater.client import Ending, Gap, ReaderState, Retry, Stream, Truncated
from headwater.client.sync import Stream as SyncStream
from headwater.errors import (
    HeadwaterError,
    InvalidOffset,
    PreconditionFailed,
    SchemaMismatch,
    StreamClosed,
    StreamExists,
    StreamFailed,
    StreamNotFound,
)

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@asynccontextmanager
async def hub_of(**options: Any) -> AsyncIterator[Hub]:
    async with Hub("memory:", **options) as hub:
        yield hub


def test_the_same_names_without_a_socket(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made, written, read live, ended, asked, forked, deleted; and what the hub itself appends is seen."""

    async def test() -> None:
        async with hub_of() as hub:
            monkeypatch.setattr(socket.socket, "connect", None)
            async with Stream[Any]("jobs/7", hub=hub) as jobs:
                assert await jobs.head() is None
                assert (await jobs.create(first=[1])).created
                found = []
                reader = jobs.read()
                async for item in reader:
                    found.append(item.data)
                    if len(found) == 1:
                        await jobs.append({"two": 2})
                        await hub.append("jobs/7", 3)
                    if len(found) == 3:
                        await jobs.close_stream("end")
                assert found == [1, {"two": 2}, 3, "end"]
                assert reader.end is not None
                assert reader.end.kind is Ending.CLOSED
                assert await jobs.all() == found
                assert [item.data for item in await jobs.last(2)] == [3, "end"]
                assert reader.end.offset == (await hub.info("jobs/7")).tail
                fork = await jobs.fork("jobs/8")
                await fork.append("more")
                assert [record.data async for record in hub.read("jobs/8")][-1] == b'"more"'
                await jobs.delete()
                assert await jobs.head() is None

    run(test())


def test_the_same_errors(run: Run) -> None:
    """By their classes."""

    async def test() -> None:
        async with hub_of(schemas={"typed": int}) as hub:
            absent = Stream[Any]("absent", hub=hub)
            with pytest.raises(StreamNotFound):
                await absent.all()
            closed = Stream[Any]("closed", hub=hub)
            await closed.create(closed=True)
            with pytest.raises(StreamClosed):
                await closed.append(1)
            with pytest.raises(StreamExists):
                await closed.create(content_type="text/plain")
            with pytest.raises(PreconditionFailed):
                await closed.create(closed=True, exclusive=True)
            failed = Stream[Any]("failed", hub=hub)
            await failed.append(1, create=True)
            await failed.fail("boom")
            with pytest.raises(StreamFailed):
                [item async for item in failed]
            typed = Stream[Any]("typed", hub=hub)
            await typed.create()
            with pytest.raises(SchemaMismatch):
                await typed.append("one")
            kept = Stream[Any]("kept", hub=hub)
            await kept.append(1, create={"retention": "count=1"})
            with pytest.raises(InvalidOffset):
                await kept.all("no-offset")
            for stream in (absent, closed, failed, typed, kept):
                await stream.aclose()

    run(test())


def test_a_stream_that_is_waited_for(run: Run) -> None:
    """Is read when it is made."""

    async def test() -> None:
        async with hub_of() as hub, Stream[Any]("later", hub=hub) as later:
            reader = later.read(missing="wait")
            first = asyncio.create_task(anext(reader))
            while reader.state is not ReaderState.ABSENT:  # noqa: ASYNC110  # a state is not told
                await asyncio.sleep(0)
            await hub.create("later", content_type="text/plain")
            await hub.append("later", b"here")
            assert (await first).data == "here"
            await reader.close()

    run(test())


def test_nobody_is_asked_who_may(run: Run) -> None:
    """As with all calls in process."""

    async def test() -> None:
        async with hub_of(authorize=lambda *_: False) as hub, Stream[Any]("a", hub=hub) as stream:
            await stream.append(1, create=True)
            assert await stream.all() == [1]

    run(test())


def test_a_consumer_that_stops_holds_the_hub_and_no_memory(run: Run) -> None:
    """Of 30 MB a reader that takes one record was given a few pieces."""

    async def test() -> None:
        async with hub_of() as hub, Stream[Any]("big", hub=hub, content_type="text/plain") as stream:
            await stream.create()
            for _ in range(30):
                await stream.append("x" * 1_000_000)
            told: list[Any] = []
            async for _ in stream.read(progress=told.append):
                break
            assert told[-1].bytes < 5_000_000

    run(test())


def test_a_hub_that_is_closed_lets_its_readers_go(run: Run) -> None:
    """They wait for it as for a server, until they are told not to."""

    async def test() -> None:
        async with hub_of() as hub:
            stream = Stream[Any]("a", hub=hub, retry=Retry(attempts=0))
            await stream.create(first=[1])
            reader = stream.read()
            assert (await anext(reader)).data == 1
        with pytest.raises(HeadwaterError) as caught:
            await anext(reader)
        assert caught.value.retryable
        await stream.aclose()

    run(test())


def test_signals_of_the_hub_are_told(run: Run) -> None:
    """Both ways."""

    async def test() -> None:
        async with hub_of() as hub, Stream[Any]("room", hub=hub) as room:
            await room.create()
            signals = room.signals()
            first = asyncio.create_task(anext(signals))
            while not first.done():
                await room.signal({"on": True}, topic="typing")
                await asyncio.sleep(0)
            assert first.result().topic == "typing"
            await signals.aclose()

    run(test())


def test_a_sync_stream_has_no_hub() -> None:
    """It says what has."""
    with pytest.raises(HeadwaterError, match="from_thread"):
        SyncStream("a", hub=object())


def test_batches_have_gaps(run: Run) -> None:
    """What is no longer kept is told, as over HTTP."""

    async def test() -> None:
        async with hub_of() as hub, Stream[Any]("kept", hub=hub) as kept:
            first = await kept.append(0, create={"retention": "count=2"})
            for n in range(1, 10):
                await kept.append(n)
            await kept.close_stream()
            given = [each async for each in kept.read(first, gone="earliest").batches()]
            if any(isinstance(each, Gap) for each in given):
                assert isinstance(given[0], Gap)
            assert given[-1].items[-1].data == 9  # type: ignore[union-attr]

    run(test())


class Broken:
    """A hub whose answers break off."""

    async def inside(self, scope: Any, receive: Any, send: Any) -> None:
        """An ASGI application."""
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"stream-next-offset", b"1")]})
        await send({"type": "http.response.body", "body": b"[1,", "more_body": True})
        raise RuntimeError("boom")


def test_an_answer_that_breaks_off_is_no_answer(run: Run) -> None:
    """Half of a body is not taken for all of it."""

    async def test() -> None:
        async with Stream("jobs/7", hub=Broken(), content_type="application/json", retry=False) as jobs:
            with pytest.raises(Truncated, match="boom"):
                await jobs.last(1)

    run(test())
