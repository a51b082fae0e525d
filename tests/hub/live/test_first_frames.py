"""Readers who come to one place are told the same, made once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from headwater import Hub
from headwater.hub import Limits, Peer
from headwater.hub.formats import wire_format
from headwater.hub.live.first_frames import FROM_READERS, MAX_BYTES, MAX_KEPT, FirstFrames
from headwater.hub.live.sinks import BufferSink
from headwater.model import Retention

Run = Callable[[Coroutine[Any, Any, Any]], Any]
LINES = msgspec.structs.replace(wire_format("ndjson"), timeless=True)
PROMPT = Limits(flush_seconds=0)


def crowd(hub: Hub, offset: str = "-1", count: int = FROM_READERS) -> list[BufferSink]:
    """Readers that were opened one by one."""
    sinks = [BufferSink() for _ in range(count)]
    for sink in sinks:
        reader = hub.live.open_at_once("s", offset)
        assert reader is not None
        hub.live.push(reader, LINES, sink)
    return sinks


def greeted(hub: Hub, offset: str = "-1", high_water: int = 65536) -> BufferSink:
    """A reader that is told what another one was."""
    sink, found = BufferSink(high_water), hub.live.look("s", offset, LINES, peer=Peer("ndjson"))
    assert found is not None
    assert isinstance(found.first, FirstFrames)
    hub.live.push(found, LINES, sink, head=b"head;")
    return sink


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("offset", ["-1", "now"])
def test_a_greeted_reader_is_told_what_the_others_are(run: Run, offset: str) -> None:
    """When it comes, and from then on; it is counted, and described as the others are."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            await hub.append("s", b"one")
            first, *_ = crowd(hub, offset)
            late = greeted(hub, offset)
            assert late.take() == b"head;" + first.take()
            await hub.append("s", b"two")
            await settle()
            assert b"two" in (live := first.take())
            assert late.take() == live
            assert hub.stats.readers == FROM_READERS + 1
            last = (await hub.live.describe())[-1]
            assert (last.number, last.state, last.wire) == (FROM_READERS + 1, "live", "ndjson")
            late.lose()
            assert hub.stats.readers == FROM_READERS

    run(main())


def test_a_greeting_holds_until_something_changes(run: Run) -> None:
    """After a record, a close or the drain, readers are opened anew."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            crowd(hub)
            greeted(hub)
            await hub.append("s", b"one")
            assert hub.live.first_frames("s", "-1", LINES) is None
            await settle()
            crowd(hub, count=1)
            greeted(hub)
            hub.drain()
            assert hub.live.first_frames("s", "-1", LINES) is None

    run(main())


def test_what_came_while_a_reader_was_opened_is_not_left_out(run: Run) -> None:
    """The first event of a reader that was told more behind it is no greeting."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            crowd(hub, "now")
            reader = hub.live.open_at_once("s", "-1")
            assert reader is not None
            await hub.append("s", b"one")
            await settle()
            sink = BufferSink()
            hub.live.push(reader, LINES, sink)
            assert b"one" in sink.take()
            assert hub.live.first_frames("s", "-1", LINES) is None

    run(main())


def test_a_greeted_reader_with_a_full_sink_falls_behind_alone(run: Run) -> None:
    """It is given the rest when it has drained, in order."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            first, *_ = crowd(hub)
            slow = greeted(hub, high_water=1)
            await hub.append("s", b"one")
            await settle()
            told = slow.take()
            assert b"one" not in told
            await settle()
            assert told + slow.take() == b"head;" + first.take()

    run(main())


@pytest.mark.parametrize(
    "options",
    [{"ttl": 60}, {"retention": Retention(count=5)}],
    ids=["expiry", "retention"],
)
def test_what_may_go_without_a_change_is_looked_up(run: Run, options: dict[str, Any]) -> None:
    """Streams and records that age are never told of from memory."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain", **options)
            crowd(hub)
            assert hub.live.first_frames("s", "-1", LINES) is None

    run(main())


def test_what_is_large_or_rarely_asked_for_is_not_kept(run: Run) -> None:
    """A few readers cost a stream no memory."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            crowd(hub, count=FROM_READERS - 1)
            assert hub.live.first_frames("s", "-1", LINES) is None
            await hub.append("s", b"x" * MAX_BYTES)
            await settle()
            crowd(hub)
            assert hub.live.first_frames("s", "-1", LINES) is None
            assert hub.live.first_frames("s", "now", LINES) is None
            crowd(hub, "now", 1)
            assert hub.live.first_frames("s", "now", LINES) is not None

    run(main())


def test_greetings_are_bounded(run: Run) -> None:
    """A crowd that comes to everywhere does not fill the memory."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            offsets = [(await hub.append("s", b"1")).next_offset for _ in range(MAX_KEPT + 5)]
            crowd(hub)
            for offset in offsets:
                crowd(hub, offset, 1)
            kept = [offset for offset in offsets if hub.live.first_frames("s", offset, LINES) is not None]
            assert len(kept) == MAX_KEPT - 1

    run(main())
