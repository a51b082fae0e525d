"""The live end of a stream: its window, and who waits for it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Hub, Limits
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.stats import Stats
from headwater.model import Batch, Change, Expiry, Record, Retention, StreamInfo
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.offsets import format_offset
from headwater.stores.memory import MemoryStore


def stream(window: int) -> LiveStream:
    """One of a hub of its own: timers do not outlive their loop."""
    return LiveStream("s", Runtime(MemoryStore(), Limits(window_bytes=window), Stats()), lambda _: None)


Run = Callable[[Coroutine[Any, Any, Any]], Any]


def at(position: int) -> str:
    return format_offset(1, position)


def info(tail: int = 0, *, closed: bool = False, ttl: int | None = None) -> StreamInfo:
    return StreamInfo("s", "text/plain", at(0), at(tail), closed, 0.0, Expiry(ttl=ttl), Retention(), None, tail, 1)


def appended(start: int, *data: bytes, closed: bool = False) -> Change:
    records, position = [], start
    for item in data:
        position += len(item)
        records.append(Record(at(position), item))
    batch = Batch(at(start), tuple(records), at(position), True, closed, "text/plain")
    return Change("s", at(position), closed=closed, batch=batch)


def tail(start: int = 0, window: int = 1000) -> LiveStream:
    made = stream(window)
    made.seed(info(start))
    return made


def test_the_window_holds_what_was_told() -> None:
    """A reader at any record's edge gets the rest from memory."""
    made = tail(5)
    made.apply(appended(5, b"ab", b"c"))
    made.apply(appended(8, b"def"))
    batch = made.window.read(at(5), 100)
    assert batch is not None
    assert [record.data for record in batch.records] == [b"ab", b"c", b"def"]
    assert (batch.offset, batch.next_offset, batch.up_to_date) == (at(5), at(11), True)
    later = made.window.read(at(8), 100)
    assert later is not None
    assert [record.data for record in later.records] == [b"def"]


def test_at_the_tail_there_is_an_empty_batch() -> None:
    """A reader at the tail is told so, without a look at the store."""
    batch = tail(5).window.read(at(5), 100)
    assert batch is not None
    assert (batch.records, batch.up_to_date, batch.closed) == ((), True, False)


@pytest.mark.parametrize("position", [0, 4, 6, 99])
def test_elsewhere_the_store_is_read(position: int) -> None:
    """Before the window, inside a record or beyond the tail the window has no answer."""
    made = tail(5)
    made.apply(appended(5, b"abc"))
    assert made.window.read(at(position), 100) is None


def test_a_batch_is_cut_at_the_limit_between_records() -> None:
    """A large record comes alone; a cut batch is not up to date."""
    made = tail()
    made.apply(appended(0, b"abcdef", b"gh", closed=True))
    batch = made.window.read(at(0), 3)
    assert batch is not None
    assert [record.data for record in batch.records] == [b"abcdef"]
    assert (batch.up_to_date, batch.closed) == (False, False)
    rest = made.window.read(batch.next_offset, 3)
    assert rest is not None
    assert (rest.up_to_date, rest.closed) == (True, True)


def test_the_window_is_bounded() -> None:
    """What does not fit goes, oldest first, down to half the limit."""
    made = tail(0, window=10)
    for start in range(0, 30, 3):
        made.apply(appended(start, b"abc"))
    assert made.window.read(at(0), 100) is None
    batch = made.window.read(at(27), 100)
    assert batch is not None
    assert batch.next_offset == at(30)


def test_one_record_over_the_limit_leaves_the_window_empty() -> None:
    """The limit holds for a single large record too."""
    made = tail(0, window=4)
    made.apply(appended(0, b"abcdefgh"))
    assert made.window.read(at(0), 100) is None
    batch = made.window.read(at(8), 100)
    assert batch is not None
    assert batch.records == ()


def test_a_change_without_records_empties_the_window() -> None:
    """A store that only names the new tail is read for the records."""
    made = tail()
    made.apply(appended(0, b"ab"))
    made.apply(Change("s", at(9)))
    assert made.window.read(at(2), 100) is None
    assert made.window.has_news(at(2))
    assert made.window.read(at(9), 100) is not None


def test_a_gap_empties_the_window() -> None:
    """Records that do not follow the last ones never stand beside them."""
    made = tail()
    made.apply(appended(0, b"ab"))
    made.apply(appended(7, b"cd"))
    assert made.window.read(at(0), 100) is None
    assert made.window.read(at(2), 100) is None


def test_a_change_told_before_the_seed_is_newer() -> None:
    """State that was read before a change arrived never takes the tail back."""
    made = stream(100)
    made.apply(appended(5, b"abc"))
    made.seed(info(5))
    assert made.window.offset == at(8)


def test_a_late_change_is_ignored() -> None:
    """A notice that comes late or twice takes neither the tail, the window nor the end back."""
    made = tail(5)
    first, second = appended(5, b"ab"), appended(7, b"c", closed=True)
    made.apply(first)
    made.apply(second)
    for late in (second, first, Change("s", at(3)), Change("s", at(8)), Change("s", at(0), created=True)):
        made.apply(late)
        batch = made.window.read(at(5), 100)
        assert batch is not None, late
        assert ([record.data for record in batch.records], batch.closed) == ([b"ab", b"c"], True), late
    assert made.window.offset == at(8)


def test_the_end_of_an_earlier_stream_is_not_this_ones() -> None:
    """A delete that is told late was of the stream that was at the path before."""
    made = stream(1000)
    made.seed(msgspec.structs.replace(info(), tail=format_offset(2, 0), incarnation=2))
    made.apply(Change("s", at(9), deleted=True))
    assert not made.window.deleted
    made.apply(Change("s", format_offset(2, 0), deleted=True))
    assert made.window.deleted


@pytest.mark.parametrize("created", [True, False])
@pytest.mark.parametrize("position", [0, 5, 9])
def test_a_later_stream_ends_this_one(created: bool, position: int) -> None:
    """When the delete was never told, what comes of the stream behind it tells: these readers' stream is gone."""
    made = tail(5)
    made.apply(Change("s", format_offset(2, position), created=created))
    assert made.window.deleted
    assert made.window.has_news(at(5))


def test_a_creation_is_where_a_tail_begins() -> None:
    """Told before the stream's state was read, it is the tail; told after, it says nothing new."""
    early, late = stream(100), tail(4)
    for made in (early, late):
        made.apply(Change("s", at(0), created=True))
        made.seed(info(4))
        made.apply(appended(0, b"abcd"))
        assert made.window.offset == at(4)
    batch = early.window.read(at(0), 100)
    assert batch is not None
    assert [record.data for record in batch.records] == [b"abcd"]


def test_a_reader_beyond_the_tail_has_no_news() -> None:
    """A store may show a commit before it tells of it; the reader waits for the news, it does not spin."""
    made = tail(5)
    assert not made.window.has_news(at(8))
    assert not made.window.has_news(at(5))
    assert made.window.has_news(at(4))


@pytest.mark.parametrize("change", [Change("s", at(5), closed=True), Change("s", at(5), deleted=True)])
def test_the_end_is_news(change: Change) -> None:
    """A reader at the tail is told that the stream was closed or deleted."""
    made = tail(5)
    made.apply(change)
    assert made.window.has_news(at(5))


def test_the_ttl_is_the_streams() -> None:
    """The hub keeps a stream with readers alive, so the tail knows its TTL."""
    made = stream(10)
    made.seed(info(ttl=7))
    assert made.window.ttl == 7


def test_wait_ends_with_a_change_or_the_time(run: Run) -> None:
    """A change wakes all who wait, without one the time does, or one alone; a cancelled wait leaves nothing behind."""

    async def main() -> None:
        made = tail()
        waiting = [asyncio.create_task(made.wait(60, object())) for _ in range(3)]
        await asyncio.sleep(0)
        made.apply(appended(0, b"x"))
        await asyncio.gather(*waiting)
        await made.wait(0, "one")
        one, other = [asyncio.create_task(made.wait(60, who)) for who in ("one", "other")]
        await asyncio.sleep(0)
        made.wake("one")
        await one
        assert not other.done()
        made.wake("nobody")
        cancelled = asyncio.create_task(made.wait(60, "one"))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        made.wake()
        await other

    run(main())


@given(st.lists(st.lists(st.binary(min_size=1, max_size=9), max_size=4), max_size=12), st.integers(1, 40), st.data())
def test_the_window_never_differs_from_the_log(appends: list[list[bytes]], window: int, data: st.DataObject) -> None:
    """Whatever was appended and dropped: an answer from the window is the log's, from that offset on."""
    made, log, edges = tail(0, window), b"", [0]
    for records in appends:
        made.apply(appended(len(log), *records))
        for record in records:
            log += record
            edges.append(len(log))
    start = data.draw(st.sampled_from(edges))
    batch = made.window.read(at(start), data.draw(st.integers(1, 50)))
    if batch is not None:
        got = b"".join(record.data for record in batch.records)
        assert got == log[start : start + len(got)]
        assert batch.next_offset == at(start + len(got))
        assert batch.up_to_date == (start + len(got) == len(log))


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it did not become true")


def test_a_stream_without_readers_keeps_no_window(run: Run) -> None:
    """Not until the next heartbeat either: readers that come and go would leave a window each."""

    async def main() -> None:
        async with Hub(limits=Limits(heartbeat_seconds=3600)) as hub:
            await hub.create("s", content_type="application/json")
            sink = BufferSink()
            await hub.live.subscribe("s", "now", WireFormat(("ndjson",), JsonLines, lambda data: data), sink)
            sink.take()
            await hub.append("s", "x" * 1000)
            tail = weakref.ref(hub.live.stream("s") or pytest.fail("no tail"))
            await until(lambda: hub.stats.deliveries > 0)
            sink.lose()
            await until(lambda: hub.stats.readers == 0)
            del sink
            gc.collect()
            assert tail() is None

    run(main())
