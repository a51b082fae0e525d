"""Counting the live readers: by wire format and state, what they hold, who is behind, where most of them are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from headwater import Hub, Limits
from headwater.hub import Peer
from headwater.hub.live.introspection import COUNTED
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ndjson import JsonLines

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = "application/json"
LINES = WireFormat(("ndjson",), JsonLines, lambda data: data)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def join(hub: Hub, path: str, *, name: str | None = None, high_water: int = 10**6) -> BufferSink:
    sink = BufferSink(high_water)
    await hub.live.subscribe(path, "-1", LINES, sink, peer=Peer("ndjson", name))
    sink.take()
    return sink


def test_readers_are_counted_by_wire_and_state(run: Run) -> None:
    """Pushed and pulled readers, live, full and gone, each once."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type=JSON)
            await hub.create("t", content_type=JSON)
            gone = await join(hub, "s")
            await join(hub, "s")
            await join(hub, "t")
            await join(hub, "s", name="phone", high_water=10)
            with await hub.live.open_reader("t", "-1", peer=Peer("events", "tab")) as pulled:
                await pulled.next()
                gone.lose()
                await hub.append("s", "more than ten bytes")
                await settle()
                summary = await hub.live.summary(10)
                now = hub.live.summary_now()
            assert summary.by == {("ndjson", "live"): 2, ("ndjson", "paused"): 1, ("events", "live"): 1}
            assert (summary.readers, summary.by) == (now.readers, now.by)
            assert summary.readers == hub.stats.readers + 1 == 4
            assert summary.held == now.held > 20
            assert summary.streams == [("s", 2), ("t", 2)]
            assert (now.behind, now.streams) == ([], [])

    run(main())


def test_who_is_behind_is_named_the_worst_first(run: Run) -> None:
    """A reader that lags comes before one whose sink only holds something; who is live and empty is not named."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type=JSON)
            quick = await join(hub, "s", name="quick")
            await join(hub, "s", name="holds")
            await join(hub, "s", name="lags", high_water=10)
            for number in range(3):
                await hub.append("s", "x" * 30 + str(number))
                await settle()
            quick.take()
            summary = await hub.live.summary(10)
            assert [(info.name, info.state) for info in summary.behind] == [("lags", "paused"), ("holds", "live")]
            assert summary.behind[0].lag_records == 2
            assert [info.name for info in (await hub.live.summary(1)).behind] == ["lags"]

    run(main())


def test_counting_many_delays_nobody(run: Run) -> None:
    """The event loop turns while thousands of readers are counted; those who leave meanwhile do no harm."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type=JSON)
            sinks = [await join(hub, "s") for _ in range(3 * COUNTED)]
            counting = asyncio.ensure_future(hub.live.summary(10))
            await asyncio.sleep(0)
            assert not counting.done()
            for sink in sinks:
                sink.lose()
            assert COUNTED <= (await counting).readers < 3 * COUNTED
            assert (await hub.live.summary(10)).readers == 0

    run(main())
