"""Retention: the newest whole records within every limit are kept."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.model import Retention, StreamConfig
from headwater.protocol.ledger import StreamState, new_stream
from headwater.protocol.offsets import cut_lineage
from headwater.protocol.retention import retained_from

sizes = st.lists(st.integers(1, 9), max_size=10)
small = st.none() | st.integers(0, 30)


class Rows:
    """A stream's own records, by lists."""

    def __init__(self, start: int, sizes: list[int], times: list[float]) -> None:
        self.starts = list(accumulate(sizes, initial=start))[:-1]
        self.times = times

    def newest(self, count: int) -> int | None:
        return self.starts[-count] if count <= len(self.starts) else None

    def at_or_after(self, position: int) -> int | None:
        return next(iter(self.starts[bisect_left(self.starts, position) :]), None)

    def younger(self, time: float) -> int | None:
        return next(iter(self.starts[bisect_right(self.times, time) :]), None)


def stream(retention: Retention, sizes: list[int], *, inherited: int = 0) -> StreamState:
    state = new_stream("a", 1, StreamConfig(retention=retention), 0.0)
    if inherited:
        state.lineage = cut_lineage(state.lineage, inherited, 2)
    state.tail = inherited + sum(sizes)
    return state


def plainly(retention: Retention, sizes: list[int], times: list[float], now: float) -> int:
    """The same, by dropping one record after the other."""
    position = 0
    sizes, times = list(sizes), list(times)
    while sizes and (
        (retention.count is not None and len(sizes) > retention.count)
        or (retention.size is not None and sum(sizes) > retention.size)
        or (retention.age is not None and times[0] <= now - retention.age)
    ):
        position += sizes.pop(0)
        times.pop(0)
    return position


@given(sizes, small, small, small)
def test_the_oldest_go_until_every_limit_holds(
    sizes: list[int], count: int | None, size: int | None, age: int | None
) -> None:
    """Records are dropped one by one, oldest first, as long as any limit is passed, and no longer."""
    retention = Retention(age=age, size=size, count=count)
    times = [float(number) for number in range(len(sizes))]
    now = 12.0
    kept = retained_from(stream(retention, sizes), Rows(0, sizes, times), now)
    assert kept == plainly(retention, sizes, times, now)


@given(sizes, small, small, small, st.integers(0, 90))
def test_what_is_dropped_stays_dropped(
    sizes: list[int], count: int | None, size: int | None, age: int | None, earliest: int
) -> None:
    """The earliest position never goes back, whatever the limits."""
    state = stream(Retention(age=age, size=size, count=count), sizes)
    state.earliest = min(earliest, state.tail)
    kept = retained_from(state, Rows(0, sizes, [0.0] * len(sizes)), 12.0)
    assert state.earliest <= kept <= state.tail


def test_without_limits_nothing_goes() -> None:
    """A stream without retention keeps all, however old."""
    assert retained_from(stream(Retention(), [1, 2, 3]), Rows(0, [1, 2, 3], [0.0] * 3), 1e12) == 0


@pytest.mark.parametrize(
    ("retention", "now", "kept"),
    [
        (Retention(count=2), 0.0, 0),  # own records only are counted, and there are no more than two
        (Retention(count=1), 0.0, 103),
        (Retention(count=0), 0.0, 106),
        (Retention(size=106), 0.0, 0),
        (Retention(size=105), 0.0, 100),  # inherited records go together, and first
        (Retention(size=6), 0.0, 100),
        (Retention(size=5), 0.0, 103),
        (Retention(age=10), 10.0, 0),  # the ages of inherited records are not known
        (Retention(age=10), 11.0, 103),
        (Retention(age=10), 12.0, 106),
    ],
)
def test_a_forks_inherited_records(retention: Retention, now: float, kept: int) -> None:
    """Inherited records count for the size limit; for count and age they go when the first own record does."""
    state = stream(retention, [3, 3], inherited=100)
    assert retained_from(state, Rows(100, [3, 3], [1.0, 2.0]), now) == kept


def test_a_fork_without_records_of_its_own() -> None:
    """Age does not drop what a fork inherits as long as it has no record of its own; size does, as a whole."""
    assert retained_from(stream(Retention(age=1), [], inherited=100), Rows(100, [], []), 99.0) == 0
    assert retained_from(stream(Retention(size=50), [], inherited=100), Rows(100, [], []), 99.0) == 100
