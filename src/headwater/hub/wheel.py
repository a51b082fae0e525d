"""A timer wheel: many coarse timers, each set and cancelled in constant time. Fed with a time; no clock, no loop.

A timer lies in the slot of the tick at which it is due, counted round the wheel; one that is due in a later round is
put back when the wheel passes it. Timers of one tick have no order among them.
After: G. Varghese and T. Lauck, "Hashed and hierarchical timing wheels", 1987, scheme 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator


class Timer:
    """One timer of a wheel; made by `Wheel.set`."""

    __slots__ = ("_call", "_due", "_slot")

    def __init__(self, due: int, call: Callable[[], object], slot: dict[Timer, None]) -> None:
        self._due = due
        self._call = call
        self._slot: dict[Timer, None] | None = slot

    def cancel(self) -> None:
        """Let it never be called; nothing, if it was."""
        if self._slot is not None:
            self._slot.pop(self, None)
            self._slot = None


class Wheel:
    """Timers in ticks.

    Args:
        now: seconds from any fixed origin.
        tick: seconds; a timer is never early, and late by this at most, if `advance` is called then.
        slots: ticks in one round.
    """

    def __init__(self, now: float, *, tick: float = 0.05, slots: int = 1024) -> None:
        self._tick = tick
        self._slots: list[dict[Timer, None]] = [{} for _ in range(slots)]
        #: Every tick up to this one was passed; what is left of the last ones is in `_left`.
        self._passed = self._reached = math.floor(now / tick)
        self._left: dict[Timer, None] = {}

    def set(self, at: float, call: Callable[[], object]) -> Timer:
        """Have something called at a time; what is due already is called at the tick after the last `advance`."""
        due, slots = math.ceil(at / self._tick), self._slots
        if due <= self._reached:
            due = self._reached + 1
        slot = slots[due % len(slots)]
        timer = Timer(due, call, slot)
        slot[timer] = None
        return timer

    def advance(self, now: float, limit: int) -> Iterator[Callable[[], object]]:
        """What is due at `now`, each to be called before the next one is asked for.

        Args:
            now: not before any earlier one.
            limit: timers to look at; the others come with the next call, also when `now` is the same.
        """
        target = self._reached = math.floor(now / self._tick)
        while True:
            while self._left:
                if not limit:
                    return
                limit -= 1
                timer, _ = self._left.popitem()
                if timer._due > target:
                    slot = timer._slot = self._slots[timer._due % len(self._slots)]
                    slot[timer] = None
                else:
                    timer._slot = None
                    yield timer._call
            if self._passed >= target:
                return
            # After a long pause one round reaches every slot.
            self._passed = max(self._passed + 1, target - len(self._slots) + 1)
            index = self._passed % len(self._slots)
            if self._slots[index]:
                self._left, self._slots[index] = self._slots[index], {}

    def next_due(self) -> float | None:
        """When `advance` may have something next, not later than the first timer's tick; None: there is no timer."""
        if self._left:
            return self._passed * self._tick
        for tick in range(self._passed + 1, self._passed + len(self._slots) + 1):
            if self._slots[tick % len(self._slots)]:
                return tick * self._tick
        return None
