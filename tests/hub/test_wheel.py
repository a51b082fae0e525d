"""The timer wheel against a sorted list: never early, late by a tick at most, cancelled timers never, all others
once; whatever the limit, the horizon and the jumps of the clock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from headwater.hub.wheel import Timer, Wheel

TICK = 0.5


class Sorted:
    """What a wheel should do, the slow way: one list of times, in order."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.waiting: list[tuple[float, int]] = []

    def add(self, at: float, number: int) -> None:
        self.waiting = sorted([*self.waiting, (at, number)])

    def certainly_due(self, now: float) -> set[int]:
        return {number for at, number in self.waiting if at <= now - TICK and at >= 0}

    def possibly_due(self, now: float) -> set[int]:
        return {number for at, number in self.waiting if at <= now}

    def take(self, numbers: set[int]) -> None:
        self.waiting = [(at, number) for at, number in self.waiting if number not in numbers]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.floats(0, 40)),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("pass"), st.floats(0, 3) | st.floats(0, 60)),
    ),
    max_size=60,
)


@given(steps, st.integers(1, 5), st.integers(1, 12), st.floats(0, 1000))
def test_a_wheel_does_what_a_sorted_list_does(
    steps: list[tuple[str, float]], limit: int, slots: int, now: float
) -> None:
    wheel = Wheel(now, tick=TICK, slots=slots)
    model = Sorted(now)
    timers: dict[int, Timer] = {}
    called: list[int] = []

    def call(number: int) -> Callable[[], object]:
        return partial(called.append, number)

    def advance() -> None:
        before = len(called)
        looked = -1
        while looked:  # until a call with this limit finds nothing more
            looked = 0
            for due in wheel.advance(now, limit):
                due()
                looked += 1
            assert looked <= limit
            if not looked and (at := wheel.next_due()) is not None and at <= now:
                looked = 1  # only timers of later rounds were looked at
        fired = called[before:]
        assert len(fired) == len(set(fired))
        assert model.certainly_due(now) <= set(fired) <= model.possibly_due(now)
        model.take(set(fired))

    for kind, value in steps:
        if kind == "set":
            number = len(timers)
            timers[number] = wheel.set(now + value, call(number))
            model.add(now + value, number)
        elif kind == "cancel":
            if int(value) in timers:
                timers[int(value)].cancel()
                model.take({int(value)})
        else:
            now += value
            advance()
        first = wheel.next_due()
        assert (first is None) == (not model.waiting)
        if first is not None:
            assert first <= model.waiting[0][0] + TICK
    now += 100
    advance()
    assert model.waiting == []
    assert wheel.next_due() is None


def test_what_is_set_while_others_are_called_waits_for_the_next_tick() -> None:
    """A timer that sets itself again at once does not keep the wheel from ending its turn."""
    wheel = Wheel(0.0, tick=TICK)
    called = 0

    def again() -> None:
        nonlocal called
        called += 1
        wheel.set(0.0, again)

    again()
    for _ in range(3):
        for due in wheel.advance(1.0, 100):
            due()
    assert called == 2
    for due in wheel.advance(1.5, 100):
        due()
    assert called == 3


def test_a_timer_cancelled_by_one_of_the_same_tick_is_not_called() -> None:
    """Whichever comes first, the other one is not called."""
    wheel = Wheel(0.0, tick=TICK)
    called: list[str] = []
    timers: dict[str, Timer] = {}

    def cancel_the_other(name: str, other: str) -> None:
        called.append(name)
        timers[other].cancel()

    timers["a"] = wheel.set(1.0, partial(cancel_the_other, "a", "b"))
    timers["b"] = wheel.set(1.0, partial(cancel_the_other, "b", "a"))
    for due in wheel.advance(2.0, 100):
        due()
    assert len(called) == 1


def test_cancelling_twice_or_late_changes_nothing() -> None:
    """After its call a timer is nobody's."""
    wheel = Wheel(0.0, tick=TICK)
    called: list[int] = []
    timer = wheel.set(1.0, lambda: called.append(1))
    for due in wheel.advance(2.0, 100):
        due()
    timer.cancel()
    timer.cancel()
    assert called == [1]
    assert wheel.next_due() is None


def test_a_turn_is_bounded() -> None:
    """Ten thousand timers of one tick are called over many turns, none twice."""
    wheel = Wheel(0.0, tick=TICK)
    called: set[int] = set()
    for number in range(10_000):
        wheel.set(1.0, partial(called.add, number))
    turns = 0
    while (at := wheel.next_due()) is not None and at <= 1.0:
        before = len(called)
        for due in wheel.advance(1.0, 500):
            due()
        assert len(called) - before <= 500
        turns += 1
    assert (turns, len(called)) == (20, 10_000)
