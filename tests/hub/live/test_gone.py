"""A stream that is deleted under its readers: each is told, in one sentence, wherever the delete meets it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headwater import Hub, Limits
from headwater.errors import StreamGone, StreamNotFound
from headwater.hub.live.sinks import BufferSink
from headwater.model import Batch
from headwater.protocol.sse import Parser
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
