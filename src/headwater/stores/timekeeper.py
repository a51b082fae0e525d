"""A store's time: what its clocks say, as `protocol.jumps` has it."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import floor
from typing import Protocol, runtime_checkable

from headwater.protocol.jumps import Jumps
from headwater.protocol.spans import MILLIS
from headwater.stores.base import Clock


@runtime_checkable
class TwoClocks(Protocol):
    """A clock that comes with a monotonic one."""

    def __call__(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that are never set."""
        ...


#: A time in two counts: seconds since the Unix epoch, which jump when the store goes with a jump, and the same without
#: the jumps that it has ever gone with: two of these tell an age. A bare pair, because each append takes one.
Moment = tuple[float, float]


class Timekeeper:
    """Seconds since the Unix epoch that do not jump until they are told to.

    Args:
        clock: the wall clock. `time.time` is compared with `time.monotonic`, and `TwoClocks` with their own; any other
            is taken as it is.

    Attributes:
        drift: seconds of all jumps that the store has gone with; a store with a file keeps it there.
    """

    def __init__(self, clock: Clock) -> None:
        self.drift = 0.0
        self._wall = clock
        self._monotonic: Callable[[], float] = clock
        if clock is time.time:
            self._monotonic = time.monotonic
        elif isinstance(clock, TwoClocks):
            self._monotonic = clock.monotonic
        self._jumps = Jumps(self._wall(), self._monotonic())

    def now(self) -> float:
        """The time."""
        return self._jumps.offset + self._monotonic()

    def moment(self) -> Moment:
        """The time, in both counts; the first one in whole milliseconds, as records have it."""
        now = floor((self._jumps.offset + self._monotonic()) * MILLIS) / MILLIS
        return now, now - self.drift

    def jump(self) -> float:
        """Seconds that the wall clock is ahead, because it was set; negative: behind; 0: it was not."""
        return self._jumps.jump(self._wall(), self._monotonic())

    def shift(self, seconds: float) -> None:
        """Go with a jump."""
        self._jumps.shift(seconds)
        self.drift += seconds
