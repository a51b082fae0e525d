"""Heartbeats of pushed readers: one a group, shared by all, sent over many turns of the loop, and only in silence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from headwater import Hub, Limits
from headwater.hub.live import heartbeats
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ndjson import JsonLines

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = "application/json"
LINES = WireFormat(("ndjson",), JsonLines, lambda data: data)
OFTEN = Limits(flush_seconds=0, heartbeat_seconds=0.1)
#: Time enough for many readers to come before the first one.
SELDOM = Limits(flush_seconds=0, heartbeat_seconds=0.7)


def controls(text: bytes) -> list[str]:
    return [json.loads(line).get("control", "data") for line in text.splitlines()]


async def hear(sink: BufferSink, word: str) -> list[str]:
    """What a sink got until a word came."""
    text = b""
    while word not in controls(text):
        await asyncio.sleep(0.001)
        text += sink.take()
    return controls(text)


def test_readers_of_a_group_share_its_heartbeat(run: Run) -> None:
    """Who came later gets the same heartbeat, at the same time as those who were there."""

    async def main() -> None:
        async with Hub(limits=SELDOM) as hub:
            await hub.create("s", content_type=JSON)
            first, second = BufferSink(), BufferSink()
            await hub.live.subscribe("s", "-1", LINES, first)
            await asyncio.sleep(0.03)
            await hub.live.subscribe("s", "-1", LINES, second)
            heard = await hear(first, "keepalive")
            assert heard[:2] == ["up-to-date", "keepalive"]
            assert controls(second.take()) == heard

    run(main())


def test_a_heartbeat_of_many_readers_takes_many_turns(run: Run) -> None:
    """In one turn at most `TURN` readers are written to; all get it, once."""
    readers = 4 * heartbeats.TURN + 10

    async def main() -> None:
        async with Hub(limits=SELDOM) as hub:
            await hub.create("s", content_type=JSON)
            sinks = [BufferSink() for _ in range(readers)]
            for sink in sinks:
                await hub.live.subscribe("s", "-1", LINES, sink)
                sink.take()
            sizes = [sum(sink.held() > 0 for sink in sinks)]
            while not all(sink.held() for sink in sinks):
                await asyncio.sleep(0)
                sizes.append(sum(sink.held() > 0 for sink in sinks))
            assert max(after - before for before, after in pairwise(sizes)) <= heartbeats.TURN
            assert all(set(controls(sink.take())) == {"keepalive"} for sink in sinks)
            assert hub.stats.deliveries >= readers

    run(main())


def test_records_take_a_heartbeats_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose turn has not come when a record is delivered get the record, and no heartbeat behind it."""
    monkeypatch.setattr(heartbeats, "TURN", 1)

    async def main() -> None:
        async with Hub(limits=SELDOM) as hub:
            await hub.create("s", content_type=JSON)
            sinks = [BufferSink() for _ in range(100)]
            for sink in sinks:
                await hub.live.subscribe("s", "-1", LINES, sink)
                sink.take()
            while not any(sink.held() for sink in sinks):  # noqa: ASYNC110 - a sink has no event
                await asyncio.sleep(0)
            await hub.append("s", 1)
            heard = [await hear(sink, "data") for sink in sinks]
            got = [words[: words.index("data") + 1] for words in heard]
            assert sorted(got, key=len)[0] == ["data"]
            assert all(words in (["data"], ["keepalive", "data"]) for words in got)

    run(main())


def test_a_feed_that_is_empty_has_no_heartbeat(run: Run) -> None:
    """When the last reader is gone its feed's timer finds that out, and a new reader gets a feed of its own."""

    async def main() -> None:
        async with Hub(limits=OFTEN) as hub:
            await hub.create("s", content_type=JSON)
            with await hub.live.open_reader("s", "-1"):  # keeps the stream's tail
                gone = BufferSink()
                await hub.live.subscribe("s", "-1", LINES, gone)
                gone.lose()
                await asyncio.sleep(0.2)
                sink = BufferSink()
                await hub.live.subscribe("s", "-1", LINES, sink)
                assert (await hear(sink, "keepalive"))[:2] == ["up-to-date", "keepalive"]

    run(main())


def test_a_member_that_is_full_leaves_before_the_next_record(run: Run) -> None:
    """A sink that says between two records that it is full is given none of the second."""

    async def main() -> None:
        async with Hub(limits=OFTEN) as hub:
            await hub.create("s", content_type=JSON)
            sink = BufferSink(high_water=300)
            await hub.live.subscribe("s", "-1", LINES, sink)
            sink.take()
            while not hub.stats.pauses:  # noqa: ASYNC110 - heartbeats fill it
                await asyncio.sleep(0.001)
            held = sink.held()
            await hub.append("s", 1)
            await asyncio.sleep(0.3)
            assert sink.held() == held
            assert (await hub.live.describe())[0].lag_records == 1

    run(main())
