"""Writers that wait for readers: who waits, for whom, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from headwater import Hub, Limits, Pause
from headwater.errors import BadRequest
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.protocol.cursor import Data
from headwater.protocol.ndjson import JsonLines

if TYPE_CHECKING:
    from tests.conftest import Run

    from headwater.hub.live.pulled import PulledReader

TEXT = "text/plain"
RECORD = b"x" * 1000
#: One batch a record, so that a pulled reader lags by what it has not asked for.
LIMITS = Limits(flush_seconds=0, read_bytes=1000, buffer_bytes=10_000)
PLAIN = WireFormat(("ndjson",), JsonLines, lambda data: data)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def open_reader(hub: Hub, name: str | None = None) -> PulledReader:
    reader = await hub.live.open_reader("a", "-1", peer=Peer(name=name))
    await reader.next()
    return reader


class Producer:
    """Writes records of 1,000 bytes as fast as it may, and counts them."""

    def __init__(self, hub: Hub, pause: Pause) -> None:
        self.written = 0
        self.writer = hub.writer("a", content_type=TEXT, pause=pause)
        self.task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        async with self.writer as out:
            while self.written < 100:
                await out.write(RECORD)
                self.written += 1


def test_a_writer_without_readers_never_waits(run: Run[None]) -> None:
    """The log takes everything."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            producer = Producer(hub, Pause(lag_bytes=0))
            await producer.task
            assert (producer.written, producer.writer.waits) == (100, 0)

    run(main())


def test_the_slowest_reader_sets_the_pace(run: Run[None]) -> None:
    """`any`: the writer is at most the allowed lag ahead, one write more, and goes on as the reader does."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a", content_type=TEXT)
            slow, fast = await open_reader(hub), await open_reader(hub)
            drained = asyncio.create_task(drain(fast))
            producer = Producer(hub, Pause(lag_bytes=5000))
            for read in range(20):
                await settle()
                assert producer.written <= read + 6
                assert not producer.task.done()
                await slow.next()
            assert producer.writer.waits > 5
            slow.close()
            await producer.task
            assert await drained == 100 * len(RECORD)
            fast.close()

    run(main())


async def drain(reader: PulledReader) -> int:
    total = 0
    while (event := await reader.next()) is not None:
        assert isinstance(event, Data)
        total += sum(len(record.data) for record in event.batch.records)
    return total


def test_the_fastest_reader_sets_the_pace(run: Run[None]) -> None:
    """`all`: one reader that keeps up is enough."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a", content_type=TEXT)
            slow, fast = await open_reader(hub), await open_reader(hub)
            producer = Producer(hub, Pause(lag_bytes=5000, readers="all"))
            drained = asyncio.create_task(drain(fast))
            await producer.task
            assert await drained == 100 * len(RECORD)
            slow.close()
            fast.close()

    run(main())


def test_chosen_readers_set_the_pace(run: Run[None]) -> None:
    """Only those with the names count."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a", content_type=TEXT)
            chosen, other = await open_reader(hub, "recorder"), await open_reader(hub, "other")
            producer = Producer(hub, Pause(lag_bytes=5000, readers=frozenset({"recorder"})))
            await settle()
            assert producer.written <= 7
            chosen.close()
            await producer.task
            assert producer.written == 100
            other.close()

    run(main())


def test_a_pushed_reader_that_drains_lets_the_writer_go_on(run: Run[None]) -> None:
    """The writer waits while the sink is full, and every record arrives once."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a", content_type=TEXT)
            sink = BufferSink(5000)
            await hub.live.subscribe("a", "-1", PLAIN, sink)
            producer = Producer(hub, Pause(lag_bytes=5000))
            seen = 0
            while not (producer.task.done() and sink.ended):
                await settle()
                held = sink.take()
                assert len(held) <= 5000 + 2 * 1100
                seen += held.count(b'"data"')
            seen += sink.take().count(b'"data"')
            assert (seen, producer.written) == (100, 100)
            assert producer.writer.waits > 3

    run(main())


def test_a_reader_that_is_cut_lets_the_writer_go_on(run: Run[None]) -> None:
    """A full sink that is lost counts no more; nor does a stream's when it is deleted."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a", content_type=TEXT)
            sink = BufferSink(5000)
            await hub.live.subscribe("a", "-1", PLAIN, sink)
            producer = Producer(hub, Pause(lag_bytes=5000))
            await settle()
            assert producer.written < 20
            sink.lose()
            await producer.task
            assert producer.written == 100

    run(main())


def test_a_wait_can_be_bounded(run: Run[None]) -> None:
    """After `seconds` the write goes on, and the log has the record."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a", content_type=TEXT)
            stuck = await open_reader(hub)
            producer = Producer(hub, Pause(lag_bytes=5000, seconds=0.001))
            await producer.task
            assert (producer.written, producer.writer.waits > 0) == (100, True)
            stuck.close()

    run(main())


def test_a_pump_asks_its_source_for_no_more(run: Run[None]) -> None:
    """A source is not read ahead of a reader by more than the lag, the group and what is taken ahead."""
    given = 0

    async def source() -> AsyncIterator[bytes]:
        nonlocal given
        for given in range(1, 101):  # noqa: B007
            yield RECORD
            await asyncio.sleep(0)

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("a", content_type=TEXT)
            slow = await open_reader(hub)
            pumping = asyncio.create_task(
                hub.pump("a", source(), content_type=TEXT, ahead=4, pause=Pause(lag_bytes=5000))
            )
            await settle()
            assert given <= 5 + 4 + 4 + 2
            slow.close()
            await pumping
            assert given == 100

    run(main())


def test_a_negative_lag_is_refused() -> None:
    """It would never be reached."""
    with pytest.raises(BadRequest):
        Pause(lag_bytes=-1)
