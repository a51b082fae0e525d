"""Pushed readers: encode once for all, fall behind alone, lose and repeat nothing under any interleaving."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Hub, Limits
from headwater.errors import InvalidOffset, StreamNotFound
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.sse_plain import PlainEvents

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = "application/json"
#: Feeds are flushed at the next turn of the event loop, whatever the last flush took.
PROMPT = Limits(flush_seconds=0)


def plain(data: bytes) -> bytes:
    return data


LINES = WireFormat(("ndjson",), JsonLines, plain)
EVENTS = WireFormat(("events",), PlainEvents, plain, b"END")


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def until_ended(sink: BufferSink) -> None:
    while sink.ended is None:  # noqa: ASYNC110 - a sink has no event for it
        await asyncio.sleep(0.001)


def values(text: bytes) -> list[Any]:
    """The records in what a sink was given; every line must be whole."""
    assert text == b"" or text.endswith(b"\n")
    lines = [json.loads(line) for line in text.splitlines()]
    return [line["data"] for line in lines if "data" in line]


def controls(text: bytes) -> list[str]:
    return [found["control"] for line in text.splitlines() if "control" in (found := json.loads(line))]


def test_one_encoding_for_all(run: Run) -> None:
    """Readers of one format at the tail are given the same object."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            given: list[list[bytes]] = [[], []]
            for parts in given:
                sink = BufferSink()
                sink.write = parts.append  # type: ignore[method-assign,assignment]
                await hub.live.subscribe("s", "-1", LINES, sink)
            await settle()
            for parts in given:
                parts.clear()
            await hub.append("s", 1)
            await settle()
            assert given[0] == given[1]
            assert given[0][0] is given[1][0]
            assert hub.stats.deliveries == 2

    run(main())


def test_appends_of_one_turn_go_out_in_one_write(run: Run) -> None:
    """A burst is one frame, not one write a record."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            parts: list[bytes] = []
            sink = BufferSink()
            sink.write = parts.append  # type: ignore[method-assign,assignment]
            await hub.live.subscribe("s", "-1", LINES, sink)
            parts.clear()
            await asyncio.gather(*(hub.append("s", number) for number in range(10)))
            await settle()
            assert len(parts) == 1
            assert values(parts[0]) == list(range(10))

    run(main())


def test_formats_of_one_stream_live_side_by_side(run: Run) -> None:
    """Each wire format has its own bytes; the end comes in each one's way."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON, body=b"[1]")
            lines, events = BufferSink(), BufferSink()
            await hub.live.subscribe("s", "-1", LINES, lines)
            await hub.live.subscribe("s", "-1", EVENTS, events)
            await hub.append("s", 2, close=True)
            await settle()
            assert values(text := lines.take()) == [1, 2]
            assert controls(text)[-1] == "closed"
            assert (told := events.take()).endswith(b"END")
            assert told.count(b"\ndata:") == 3
            assert (lines.ended, events.ended) == ("finished", "finished")
            assert hub.stats.readers == 0

    run(main())


def test_a_full_sink_is_given_nothing_and_catches_up(run: Run) -> None:
    """A slow reader costs its sink; when it drains it gets all it missed, while the others were never delayed."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, window_bytes=200)) as hub:
            await hub.create("s", content_type=JSON)
            slow, quick = BufferSink(high_water=100), BufferSink(high_water=10**6)
            await hub.live.subscribe("s", "-1", LINES, slow)
            await hub.live.subscribe("s", "-1", LINES, quick)
            for number in range(100):
                await hub.append("s", number)
                await settle()
            assert slow.held() < 300
            text, seen = b"", values(quick.take())
            assert seen == list(range(100))
            while len(values(text)) < 100:
                text += slow.take()
                await settle()
            assert values(text) == list(range(100))
            await hub.append("s", "live again")
            await settle()
            assert values(slow.take()) == values(quick.take()) == ["live again"]

    run(main())


def test_a_sink_that_never_drains_is_cut(run: Run) -> None:
    """After write_seconds without room the reader is ended; nothing waits for it."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, write_seconds=0.001)) as hub:
            await hub.create("s", content_type=JSON)
            sink = BufferSink(high_water=1)
            await hub.live.subscribe("s", "-1", LINES, sink)
            await until_ended(sink)
            assert sink.ended == "aborted"
            assert (hub.stats.stalls, hub.stats.readers) == (1, 0)

    run(main())


def test_a_lost_sink_is_let_go(run: Run) -> None:
    """In every state: live, full, reading the store."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, window_bytes=1)) as hub:
            await hub.create("s", content_type=JSON, body=b"[1,2,3]")
            for high_water, rounds in ((10**6, 20), (1, 20), (10**6, 0)):
                sink = BufferSink(high_water)
                await hub.live.subscribe("s", "-1", LINES, sink)
                for _ in range(rounds):
                    await asyncio.sleep(0)
                sink.lose()
                sink.lose()
                assert hub.stats.readers == 0
            await hub.append("s", 4)
            await settle()
            assert hub.stats.disconnects == 3

    run(main())


def test_deleting_and_draining_end_pushed_readers(run: Run) -> None:
    """Each is told how it ended, live or full."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            live, full = BufferSink(), BufferSink(high_water=1)
            await hub.live.subscribe("s", "-1", LINES, live)
            await hub.live.subscribe("s", "-1", LINES, full)
            await hub.delete("s")
            await settle()
            assert controls(live.take())[-1] == "error"
            assert controls(full.take() + full.take())[-1] == "error"
            await hub.create("s", content_type=JSON)
            live, full = BufferSink(), BufferSink(high_water=1)
            await hub.live.subscribe("s", "-1", LINES, live)
            await hub.live.subscribe("s", "-1", LINES, full)
            await settle()
        assert controls(live.take())[-1] == "detached"
        assert controls(full.take())[-1] == "detached"

    run(main())


def test_a_lifetime_ends_nobody_else(run: Run) -> None:
    """Who shares a feed with a reader whose time is over goes on."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, heartbeat_seconds=0.01)) as hub:
            await hub.create("s", content_type=JSON)
            short, long = BufferSink(), BufferSink()
            with await hub.live.open("s", "-1") as arrival:
                hub.live.push(arrival, LINES, short, lifetime=0.001)
            await hub.live.subscribe("s", "-1", LINES, long)
            text = b""
            while controls(text).count("keepalive") < 2:
                await asyncio.sleep(0.001)
                text += long.take()
            assert (short.ended, long.ended) == ("finished", None)
            assert controls(short.take())[-1] == "detached"

    run(main())


def test_a_lifetime_ends_a_pushed_reader(run: Run) -> None:
    """After its lifetime a reader is told to come back at once."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sink = BufferSink()
            await hub.live.subscribe("s", "-1", LINES, sink, lifetime=0.001)
            await until_ended(sink)
            last = json.loads(sink.take().splitlines()[-1])
            assert (last["control"], last["retry_after"]) == ("detached", 0)

    run(main())


def test_errors_come_before_anything_is_written(run: Run) -> None:
    """A reader that cannot begin leaves the sink as it was."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            sink = BufferSink()
            with pytest.raises(StreamNotFound):
                await hub.live.subscribe("none", "-1", LINES, sink)
            await hub.create("s")
            with pytest.raises(InvalidOffset):
                await hub.live.subscribe("s", "what", LINES, sink)
            assert sink.take() == b""
            assert hub.stats.readers == 0

    run(main())


def test_text_cut_inside_a_character_is_whole_for_all(run: Run) -> None:
    """Readers that came before, inside and after a cut character are given the same text."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            sinks = []
            data = "aé€𝄞z".encode()
            for index in range(len(data)):
                sink = BufferSink()
                await hub.live.subscribe("s", "-1", LINES, sink)
                sinks.append(sink)
                await hub.append("s", data[index : index + 1])
                await settle()
            await hub.close("s")
            await settle()
            for sink in sinks:
                assert "".join(values(sink.take())) == "aé€𝄞z"

    run(main())


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 5)),
        st.tuples(st.just("join"), st.integers(1, 200)),
        st.tuples(st.just("join-at"), st.integers(0, 30)),
        st.tuples(st.just("take"), st.integers(0, 5)),
        st.tuples(st.just("turn"), st.integers(0, 3)),
        st.tuples(st.just("lose"), st.integers(0, 5)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, window=st.sampled_from([1, 30, 100_000]), read=st.sampled_from([1, 20, 100_000]))
def test_any_interleaving_loses_and_repeats_nothing(steps: list[tuple[str, int]], window: int, read: int) -> None:
    """Whatever joins, fills, drains and leaves between appends: each reader gets the log from its offset."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, window_bytes=window, read_bytes=read)) as hub:
            await hub.create("s", content_type=JSON)
            offsets, log = [(await hub.info("s")).tail], list[int]()
            sinks: list[tuple[BufferSink, int, list[bytes]]] = []

            async def join(sink: BufferSink, index: int) -> None:
                await hub.live.subscribe("s", offsets[index], LINES, sink)
                sinks.append((sink, index, []))

            for name, amount in steps:
                if name == "append":
                    for _ in range(amount):
                        log.append(len(log))
                        offsets.append((await hub.append("s", log[-1])).next_offset)
                elif name == "join":
                    await join(BufferSink(high_water=amount), 0)
                elif name == "join-at":
                    await join(BufferSink(high_water=50), amount % len(offsets))
                elif name == "turn":
                    for _ in range(amount):
                        await asyncio.sleep(0)
                elif sinks and name == "take":
                    sink, _, parts = sinks[amount % len(sinks)]
                    parts.append(sink.take())
                elif sinks:
                    sinks.pop(amount % len(sinks))[0].lose()
            await hub.close("s")
            while any(sink.ended is None for sink, _, _ in sinks):
                for sink, _, parts in sinks:
                    parts.append(sink.take())
                await asyncio.sleep(0)
            for sink, index, parts in sinks:
                text = b"".join(parts) + sink.take()
                assert values(text) == log[index:]
                assert controls(text)[-1] == "closed"
            assert hub.stats.readers == 0

    asyncio.run(main())


def test_what_is_put_together_is_counted(run: Run) -> None:
    """Records in one write, for each reader it went to; and the bytes of all writes, openings apart."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sinks = [BufferSink(), BufferSink()]
            for sink in sinks:
                await hub.live.subscribe("s", "-1", LINES, sink)
                sink.take()
            before = hub.stats.bytes_out
            await hub.append("s", 1)
            await settle()
            await asyncio.gather(*(hub.append("s", number) for number in range(10)))
            await settle()
            assert hub.stats.coalesced.sum == 22
            assert sum(hub.stats.coalesced.counts) == 4
            assert hub.stats.bytes_out - before == sum(sink.held() for sink in sinks)

    run(main())
