"""Readers in this process that are pushed to: every wire format into a sink, and what a full one costs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from headwater import BufferSink, Hub, Limits
from headwater.errors import BadRequest, InvalidOffset, StreamNotFound
from headwater.hub.formats import WIRES
from headwater.protocol.sse import Parser

if TYPE_CHECKING:
    from tests.conftest import Run

LIMITS = Limits(flush_seconds=0)


def records_of(wire: str, data: bytes) -> list[object]:
    """The JSON records in what a sink was given."""
    if wire == "ndjson":
        lines = [json.loads(line) for line in data.splitlines()]
        return [line["data"] for line in lines if "data" in line]
    events = Parser().feed(data)
    if wire == "events":
        return [json.loads(event.data) for event in events if event.event in (b"", b"message")]
    return [value for event in events if event.event == b"data" for value in json.loads(event.data)]


@pytest.mark.parametrize("wire", WIRES)
def test_a_sink_gets_what_there_is_and_what_comes(run: Run[None], wire: str) -> None:
    """In the wire format as over HTTP, without HTTP's framing; the end of the stream ends the sink."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a", content_type="application/json")
            await hub.append("a", 1)
            sink = BufferSink()
            info = await hub.subscribe("a", sink, wire=wire, name="mine")
            assert info.path == "a"
            (reader,) = await hub.live.describe()
            assert (reader.name, reader.wire) == ("mine", wire)
            await hub.append("a", {"n": 2})
            await hub.close("a")
            async for _ in hub.read("a", live=True):
                pass
            while sink.ended is None:  # noqa: ASYNC110 - a sink in memory tells nobody
                await asyncio.sleep(0)
            assert sink.ended == "finished"
            assert records_of(wire, sink.take()) == [1, {"n": 2}]
            assert hub.reader_count("a") == 0

    run(main())


def test_what_no_reader_can_ask_for(run: Run[None]) -> None:
    """An unknown format, stream or offset: nothing is written to the sink."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a")
            sink = BufferSink()
            with pytest.raises(BadRequest, match="ndjson, events, sse"):
                await hub.subscribe("a", sink, wire="morse")
            with pytest.raises(StreamNotFound):
                await hub.subscribe("b", sink)
            with pytest.raises(InvalidOffset):
                await hub.subscribe("a", sink, offset="x")
            assert (sink.take(), sink.ended) == (b"", None)

    run(main())
