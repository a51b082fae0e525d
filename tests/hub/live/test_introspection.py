"""What introspection is told of live readers: who they are, where they stand, and the worst first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from headwater import Hub, Limits
from headwater.hub import Peer
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.slow import parse_slow

Run = Callable[[Coroutine[Any, Any, Any]], Any]
LINES = WireFormat(("ndjson",), JsonLines, lambda data: data)
PROMPT = Limits(flush_seconds=0)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_full_reader_is_shown_with_its_lag_and_what_it_holds(run: Run) -> None:
    """The reader that is behind comes first, with records and bytes to the tail; the one at the tail has no lag."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            slow, quick = BufferSink(high_water=1), BufferSink()
            await hub.live.subscribe("s", "-1", LINES, quick, peer=Peer("ndjson", "quick", "10.0.0.1:1"))
            await hub.live.subscribe("s", "-1", LINES, slow, slow=parse_slow("latest"), peer=Peer("ndjson"))
            for _ in range(3):
                await hub.append("s", b"four")
                await settle()
            first, second = await hub.live.describe()
            assert (first.state, first.number, first.lag_records, first.lag_bytes) == ("paused", 2, 3, 12)
            assert (first.policy, first.held, first.pushed) == ("latest", slow.held(), True)
            assert first.full_seconds >= 0 < slow.held()
            assert (second.name, second.address, second.wire) == ("quick", "10.0.0.1:1", "ndjson")
            assert (second.state, second.lag_records, second.lag_bytes, second.full_seconds) == ("live", 0, 0, 0.0)
            assert second.offset == (await hub.info("s")).tail

    run(main())


def test_a_reader_beyond_the_window_has_a_lag_in_bytes_only(run: Run) -> None:
    """How many records lie between is not known then; how many bytes is."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, window_bytes=10)) as hub:
            await hub.create("s")
            sink = BufferSink(high_water=1)
            await hub.live.subscribe("s", "-1", LINES, sink)
            for _ in range(9):
                await hub.append("s", b"four")
                await settle()
            (info,) = await hub.live.describe()
            assert (info.lag_records, info.lag_bytes) == (None, 36)

    run(main())


def test_pulled_readers_are_listed_while_they_read(run: Run) -> None:
    """With their own pace: the time since their last event is how long they are full."""

    async def main() -> None:
        async with Hub(limits=Limits(slow_seconds=0)) as hub:
            await hub.create("s")
            with await hub.live.open_reader("s", "-1", peer=Peer("sse", "me")) as reader:
                await hub.append("s", b"four")
                await reader.next()
                (info,) = await hub.live.describe()
                assert (info.state, info.held, info.pushed, info.lag_bytes) == ("paused", None, False, 4)
                await reader.next()
                assert (await hub.live.describe(path="other")) == []
            assert await hub.live.describe() == []

    run(main())


def test_readers_that_ended_or_were_refused_are_not_listed(run: Run) -> None:
    """Lost sinks, closed streams and failed starts leave nothing behind."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s")
            sink = BufferSink()
            await hub.live.subscribe("s", "-1", LINES, sink)
            sink.lose()
            await hub.live.subscribe("s", "-1", LINES, BufferSink())
            await hub.close("s")
            await settle()
            assert await hub.live.describe() == []
            with await hub.live.open_reader("s", "-1") as reader:
                while await reader.next() is not None:
                    pass
                assert await hub.live.describe() == []

    run(main())


def test_many_readers_are_listed_in_pages_between_turns_of_the_loop(run: Run) -> None:
    """Two thousand readers: others get their turn while they are described, and pages neither overlap nor leave out."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s")
            sinks = [BufferSink(high_water=1 if index % 2 else 1 << 20) for index in range(2000)]
            for sink in sinks:
                await hub.live.subscribe("s", "-1", LINES, sink)
            for _ in range(2):
                await hub.append("s", b"x")
                await settle()
            turns = 0

            async def count() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            counter = asyncio.create_task(count())
            everyone = await hub.live.describe(limit=2000)
            assert turns > 5
            counter.cancel()
            pages = [await hub.live.describe(skip=skip, limit=300) for skip in range(0, 2000, 300)]
            assert [info.number for page in pages for info in page] == [info.number for info in everyone]
            assert [info.state for info in everyone] == ["paused"] * 1000 + ["live"] * 1000

    run(main())
