"""Readers that are opened without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from headwater import Hub
from headwater.hub import Limits
from headwater.hub.formats import wire_format
from headwater.hub.live.sinks import BufferSink
from headwater.model import Policy, SlowPolicy

Run = Callable[[Coroutine[Any, Any, Any]], Any]
ROOM = 65536


def test_a_reader_opened_at_once_gets_what_others_get(run: Run) -> None:
    """The same bytes from every offset, before and after it is live, behind what precedes them."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            stream = await hub.create("s", content_type="text/plain")
            await hub.append("s", b"one")
            for offset, word in (("-1", b"two"), ("now", b"three"), (stream.tail, b"four")):
                awaited, prompt = BufferSink(), BufferSink()
                await hub.subscribe("s", awaited, wire="sse", offset=offset)
                reader = hub.live.open_at_once("s", offset)
                assert reader is not None
                hub.live.push(reader, wire_format("sse"), prompt, head=b"head;")
                await hub.append("s", word)
                live, found = b"", b""
                while word not in live or word not in found:
                    await asyncio.sleep(0)
                    live, found = live + awaited.take(), found + prompt.take()
                assert found == b"head;" + live
            assert hub.stats.readers == hub.live.reader_count("s") == 6

    run(main())


def test_a_reader_that_was_looked_for_comes_when_it_is_pushed(run: Run) -> None:
    """Dropped, it leaves no trace; pushed, it is told what an opened one is told."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type="text/plain")
            await hub.append("s", b"one")
            assert hub.live.look("s", "-1") is not None
            assert (hub.stats.readers, hub.stats.readers_total, hub.live.stream("s")) == (0, 0, None)
            found, prompt, awaited = hub.live.look("s", "-1"), BufferSink(), BufferSink()
            assert found is not None
            hub.live.push(found, wire_format("sse"), prompt, head=b"head;")
            await hub.subscribe("s", awaited, wire="sse", offset="-1")
            await hub.append("s", b"two")
            live, told = b"", b""
            while b"two" not in live or b"two" not in told:
                await asyncio.sleep(0)
                live, told = live + awaited.take(), told + prompt.take()
            assert told == b"head;" + live
            assert hub.stats.readers == hub.live.reader_count("s") == 2

    run(main())


def test_what_cannot_be_opened_at_once_leaves_no_trace(run: Run) -> None:
    """No stream or offset, a policy without meaning, too many readers, a closed stream's end, a hub that stops."""

    async def main() -> None:
        async with Hub(limits=Limits(max_readers=1)) as hub:
            await hub.create("s", content_type="text/plain")
            await hub.create("closed")
            end = await hub.close("closed")
            live = hub.live
            assert live.open_at_once("none", "now") is None
            assert live.open_at_once("s", "nonsense") is None
            conflate = SlowPolicy(Policy.CONFLATE, "key")
            assert live.open_at_once("s", "now", slow=conflate) is None
            assert live.open_at_once("closed", end.next_offset) is None
            assert (hub.stats.readers, hub.stats.readers_total, live.stream("s")) == (0, 0, None)
            with await live.open_reader("s", "now"):
                assert live.open_at_once("s", "now") is None
            hub.drain()
            assert live.open_at_once("s", "now") is None
            assert (hub.stats.readers, hub.stats.readers_total) == (0, 1)

    run(main())
