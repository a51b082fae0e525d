"""When feeds are flushed: at once while there is time to spare, together when there is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.hub import flushing
from headwater.hub.flushing import BUSY, LEAST, Flusher, wait_after
from headwater.hub.stats import Stats
from headwater.hub.tails import Tail

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class Clocks:
    """Stands for the module `time`: wall and CPU time, moved by hand."""

    def __init__(self) -> None:
        self.wall = 100.0
        self.cpu = 5.0

    def monotonic(self) -> float:
        return self.wall

    def thread_time(self) -> float:
        return self.cpu

    def work(self, seconds: float) -> None:
        self.wall += seconds
        self.cpu += seconds


class CostlyTail:
    """A tail whose flush takes time."""

    changed_at = 0.0

    def __init__(self, clocks: Clocks, cost: float) -> None:
        self.clocks = clocks
        self.cost = cost
        self.flushes = 0

    def flush(self, limit: int) -> int:
        self.flushes += 1
        self.clocks.work(self.cost)
        return 1


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(flushing, "time", made)
    return made


async def put_off(made: Flusher, tail: CostlyTail) -> float:
    """Seconds after which a tail that has news now is flushed; it is flushed then."""
    loop = asyncio.get_running_loop()
    made.schedule(cast("Tail", tail))
    handle = made._handle
    assert handle is not None
    delay = handle.when() - loop.time() if hasattr(handle, "when") else 0.0
    handle.cancel()
    made._flush()
    return delay


def test_the_first_record_after_silence_leaves_at_once(run: Run, clocks: Clocks) -> None:
    """However long the flush before it took."""

    async def main() -> None:
        made, tail = Flusher(1000, 0.05, Stats()), CostlyTail(clocks, cost=2.0)
        assert await put_off(made, tail) == 0.0
        clocks.wall += 1.0
        assert await put_off(made, tail) == 0.0
        assert tail.flushes == 2

    run(main())


def test_a_thread_that_is_half_idle_puts_nothing_off(run: Run, clocks: Clocks) -> None:
    """A record every 20 ms, whose flush takes 10: each leaves by itself."""

    async def main() -> None:
        made, tail = Flusher(1000, 0.05, Stats()), CostlyTail(clocks, cost=0.01)
        for _ in range(10):
            assert await put_off(made, tail) == 0.0
            clocks.wall += 0.01

    run(main())


def test_a_busy_thread_puts_records_together(run: Run, clocks: Clocks) -> None:
    """News right behind a flush waits, so that flushes do not fill the thread."""

    async def main() -> None:
        made, tail = Flusher(1000, 0.05, Stats()), CostlyTail(clocks, cost=0.02)
        await put_off(made, tail)
        clocks.wall += 0.0001
        assert await put_off(made, tail) > 0.001

    run(main())


def test_no_wait_is_longer_than_the_limit(run: Run, clocks: Clocks) -> None:
    """And with the limit 0 there is none."""

    async def main() -> None:
        for limit in (0.05, 0.0):
            made, tail = Flusher(1000, limit, Stats()), CostlyTail(clocks, cost=3.0)
            await put_off(made, tail)
            clocks.work(0.0001)
            assert await put_off(made, tail) <= limit

    run(main())


@given(flush=st.floats(1e-6, 1.0), others=st.floats(0.0, 1.0))
def test_the_wait_keeps_the_thread_as_busy_as_it_may_be(flush: float, others: float) -> None:
    """Flushes get what the rest leaves, and never less than their least share."""
    wait = wait_after(flush, others)
    share = flush / (flush + wait)
    assert share == pytest.approx(max(BUSY - others, LEAST))
    assert wait >= 0
