"""A stream that is deleted under its readers: each is told, in one sentence, wherever the delete meets it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headwater import Hub, Limits
from headwater.errors import StreamGone, StreamNotFound
from headwater.hub.formats import wire_format
from headwater.hub.live.sinks import BufferSink
from headwater.model import Batch, Change, StreamInfo
from headwater.protocol.sse import Parser
from headwater.stores.base import Wants, Watcher
from headwater.stores.memory import MemoryStore

Run = Callable[[Coroutine[Any, Any, Any]], Any]
SENTENCE = "the stream at 's' was deleted or has expired"


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def end_of(wire: str, text: bytes) -> dict[str, Any]:
    """The problem that an answer ended with."""
    found: dict[str, Any]
    if wire == "ndjson":
        found = json.loads(text.splitlines()[-1])
        assert found["control"] == "error"
        return found
    event = Parser().feed(text)[-1]
    found = json.loads(event.data)
    if wire == "events":
        assert event.event == b"stream-error"
        return found
    assert event.event == b"control"
    assert found["streamNextOffset"]
    problem: dict[str, Any] = found["streamError"]
    return problem


class Knowing(MemoryStore):
    """A store that knows of a delete before it tells of it."""

    error: StreamNotFound | StreamGone | None = None

    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        if self.error is not None:
            raise self.error
        return await super().read(path, offset, **bounds)


@pytest.mark.parametrize("wire", ["ndjson", "events", "sse"])
@pytest.mark.parametrize("stands", ["live", "full", "knowing"])
def test_a_reader_that_is_written_to_is_told(run: Run, wire: str, stands: str) -> None:
    """Live, with a sink that is full, and when its own read of the store meets it first."""

    async def main() -> None:
        store = Knowing()
        async with Hub(store, limits=Limits(flush_seconds=0, window_bytes=1)) as hub:
            await hub.create("s", content_type="application/json", body=b"1")
            sink = BufferSink(1 if stands != "live" else 1000)
            await hub.subscribe("s", sink, wire=wire)
            await settle()
            if stands == "knowing":
                await hub.append("s", "more than the window")
                store.error = StreamGone("another sentence")
            else:
                await hub.delete("s")
            await settle()
            text = b""
            while sink.ended is None or sink.held():
                text += sink.take()
                await settle()
            problem = end_of(wire, text)
            assert (problem["code"], problem["detail"]) == ("stream-not-found", SENTENCE)
            assert sink.ended == "finished"

    run(main())


@pytest.mark.parametrize("knowing", [False, True])
def test_a_reader_that_asks_is_told(run: Run, knowing: bool) -> None:
    """`Hub.read`, at the tail or in between."""

    async def main() -> None:
        store = Knowing()
        async with Hub(store, limits=Limits(flush_seconds=0, window_bytes=1, read_bytes=1)) as hub:
            await hub.create("s", content_type="application/json", body=b"[1,2,3]")
            reading = hub.read("s", live=True)
            await anext(reading)
            if knowing:
                store.error = StreamNotFound("another sentence")
            else:
                await hub.delete("s")
            with pytest.raises(StreamNotFound) as told:
                await anext(reading)
            assert told.value.message == SENTENCE

    run(main())


class Late(MemoryStore):
    """A store that tells of changes when it is asked to, and of the first ones right behind the next question."""

    def __init__(self) -> None:
        super().__init__()
        self.is_late = False
        self.early = 0
        self._notices: list[Change] = []

    def watch(self, watcher: Watcher, wants: Wants | None = None) -> Callable[[], None]:
        self._watcher = watcher
        return super().watch(lambda change: self._notices.append(change) if self.is_late else watcher(change))

    async def info(self, path: str) -> StreamInfo:
        found = await super().info(path)
        self.tell_next(self.early)
        self.early = 0
        return found

    def tell_next(self, count: int) -> None:
        """Tell the oldest ones."""
        told, self._notices = self._notices[:count], self._notices[count:]
        for change in told:
            self._watcher(change)


def data_in(text: bytes) -> list[Any]:
    return [line["data"] for line in map(json.loads, text.splitlines()) if "data" in line]


@pytest.mark.parametrize("former", ["read", "unread"])
@pytest.mark.parametrize("early", [None, *range(6)])
def test_the_late_end_of_an_earlier_stream_is_not_the_end_of_a_later_one(
    run: Run, former: str, early: int | None
) -> None:
    """However much of it is told while the path is read again: before the later one is known, and behind that."""

    async def main() -> None:
        store, lines = Late(), wire_format("ndjson")
        async with Hub(store, limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type="application/json", body=b"[1]")
            earlier, later = BufferSink(), BufferSink()
            if former == "read":
                await hub.live.subscribe("s", "-1", lines, earlier)
            store.is_late = True
            await hub.append("s", 2)
            await hub.delete("s")
            await hub.create("s", content_type="application/json")
            await hub.append("s", 3)
            store.early = early or 0
            if early is None:  # without waiting
                arrival = hub.live.open_at_once("s", "-1")
                assert arrival is not None
                hub.live.push(arrival, lines, later)
            else:
                await hub.live.subscribe("s", "-1", lines, later)
            store.tell_next(6)
            store.is_late = False
            await hub.append("s", 4, close=True)
            await settle()
            text = later.take()
            assert data_in(text) == [3, 4]
            assert json.loads(text.splitlines()[-1])["control"] == "closed"
            if former == "read":
                assert end_of("ndjson", earlier.take())["detail"] == SENTENCE
            assert (hub.stats.readers, hub.live.stream("s")) == (0, None)

    run(main())


@pytest.mark.parametrize("wire", ["ndjson", "events", "sse"])
def test_a_reader_whose_store_has_a_later_stream_is_told(run: Run, wire: str) -> None:
    """In the same sentence, not that records are no longer kept: the store knows more than it has told."""

    async def main() -> None:
        store = Late()
        async with Hub(store, limits=Limits(flush_seconds=0, window_bytes=1)) as hub:
            await hub.create("s", content_type="application/json", body=b"1")
            sink = BufferSink(1)
            await hub.subscribe("s", sink, wire=wire)
            await settle()
            await hub.append("s", "more than the window")
            store.is_late = True
            await hub.delete("s")
            await hub.create("s", content_type="application/json", body=b"2")
            text = b""
            while sink.ended is None or sink.held():
                text += sink.take()
                await settle()
            problem = end_of(wire, text)
            assert (problem["code"], problem["detail"]) == ("stream-not-found", SENTENCE)

    run(main())
