"""When groups are flushed: at once while there is time to spare, together when there is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Hub
from headwater.hub.live import flushing
from headwater.hub.live.flushing import BUSY, LEAST, Flusher, wait_after
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.stats import Stats
from headwater.protocol.ndjson import JsonLines

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class Clocks:
    """Stands for the module `time`: wall and CPU time, moved by hand."""

    def __init__(self) -> None:
        self.wall = 100.0
        self.cpu = 0.0

    def monotonic(self) -> float:
        return self.wall

    def thread_time(self) -> float:
        return self.cpu

    def work(self, seconds: float) -> None:
        self.wall += seconds
        self.cpu += seconds


class CostlyTail:
    """A tail whose flush takes time."""

    changed_at = flushed_at = 0.0

    def __init__(self, clocks: Clocks, cost: float) -> None:
        self.clocks = clocks
        self.cost = cost
        self.flushes = 0

    def flush(self, limit: int) -> int:
        self.flushes += 1
        self.clocks.work(self.cost)
        return 1


class Loop:
    """Stands for the event loop: remembers for how long the last call was put off, and makes none."""

    delay = -1.0

    def call_soon(self, function: Callable[..., None], *args: object) -> None:
        self.delay = 0.0

    def call_later(self, delay: float, function: Callable[[], None]) -> None:
        self.delay = delay


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(flushing, "time", made)
    return made


@pytest.fixture
def put_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[Flusher, CostlyTail], float]:
    """Seconds after which a tail that has news now is flushed; it is flushed now."""
    loop = Loop()
    monkeypatch.setattr(flushing, "asyncio", SimpleNamespace(get_running_loop=lambda: loop))

    def schedule(made: Flusher, tail: CostlyTail) -> float:
        made.schedule(cast("LiveStream", tail))
        if loop.delay:
            made._end_wait()
        else:
            made._flush()
        return loop.delay

    return schedule


PutOff = Callable[[Flusher, CostlyTail], float]


def test_the_first_record_after_silence_leaves_at_once(put_off: PutOff, clocks: Clocks) -> None:
    """However long the flush before it took."""
    made, tail = Flusher(1000, 0.05, Stats()), CostlyTail(clocks, cost=2.0)
    assert put_off(made, tail) == 0.0
    clocks.wall += 1.0
    assert put_off(made, tail) == 0.0
    assert tail.flushes == 2


def test_a_thread_that_is_half_idle_puts_nothing_off(put_off: PutOff, clocks: Clocks) -> None:
    """A record every 20 ms, whose flush takes 10: each leaves by itself."""
    made, tail = Flusher(1000, 0.05, Stats()), CostlyTail(clocks, cost=0.01)
    for _ in range(10):
        assert put_off(made, tail) == 0.0
        clocks.wall += 0.01


def test_a_busy_machine_is_no_busy_thread(put_off: PutOff, clocks: Clocks) -> None:
    """Time in which others had the processor puts nothing off by itself."""
    made, tail = Flusher(1000, 0.05, Stats()), CostlyTail(clocks, cost=0.001)
    for _ in range(10):
        assert put_off(made, tail) == 0.0
        clocks.wall += 0.003
    clocks.cpu += 0.001
    assert put_off(made, tail) == 0.0


def test_a_busy_thread_puts_records_together(put_off: PutOff, clocks: Clocks) -> None:
    """News right behind a flush waits, so that flushes do not fill the thread; longer, if there is other work."""
    made, tail = Flusher(1000, 0.05, Stats()), CostlyTail(clocks, cost=0.01)
    put_off(made, tail)
    alone = put_off(made, tail)
    assert alone == pytest.approx(wait_after(0.01, 0.0))
    clocks.work(0.01)
    put_off(made, tail)
    beside_others = put_off(made, tail)
    assert beside_others == pytest.approx(wait_after(0.01, 0.5))
    assert beside_others > 2 * alone


def test_no_wait_is_longer_than_the_limit(put_off: PutOff, clocks: Clocks) -> None:
    """And with the limit 0 there is none."""
    for limit in (0.05, 0.0):
        made, tail = Flusher(1000, limit, Stats()), CostlyTail(clocks, cost=3.0)
        put_off(made, tail)
        assert put_off(made, tail) == pytest.approx(limit)


def test_a_stream_that_was_silent_waits_for_no_other(put_off: PutOff, clocks: Clocks) -> None:
    """However busy the thread is with others: there is nothing to put together. Its flush shortens no other's wait."""
    made, busy = Flusher(1000, 0.05, Stats()), CostlyTail(clocks, cost=0.05)
    put_off(made, busy)
    made.schedule(cast("LiveStream", busy))
    silent = CostlyTail(clocks, cost=0.001)
    assert put_off(made, silent) == 0.0
    assert silent.flushes == 1
    assert busy.flushes == 1, "it waits on"
    made._end_wait()
    assert busy.flushes == 2
    assert put_off(made, silent) > 0.0, "it was given something a moment ago"


def test_a_writer_is_answered_before_its_readers_are_written_to(run: Run) -> None:
    """With many readers a flush takes long; the answer to an append does not wait for it."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s")
            sink = BufferSink()
            await hub.live.subscribe("s", "-1", WireFormat(("lines",), JsonLines, lambda data: data), sink)
            sink.take()
            await asyncio.create_task(hub.append("s", "text"))
            assert sink.held() == 0
            while not sink.held():  # noqa: ASYNC110 - a sink has no event
                await asyncio.sleep(0)

    run(main())


@given(flush=st.floats(1e-6, 1.0), others=st.floats(0.0, 1.0))
def test_the_wait_keeps_the_thread_as_busy_as_it_may_be(flush: float, others: float) -> None:
    """Flushes get what the rest leaves, and never less than their least share."""
    wait = wait_after(flush, others)
    share = flush / (flush + wait)
    assert share == pytest.approx(max(BUSY - others, LEAST))
    assert wait >= 0
