"""The rule for a wall clock that is set while a process runs: it shifts what counts idle time, and kills nothing.

Idle time is a difference of two times, and a clock that is set in between spoils it. The monotonic clock cannot be set,
so what the wall clock does beyond it is a jump. Across a restart there is nothing but the wall clock, and it counts.
"""

from __future__ import annotations

from typing import Final

#: Seconds that are no jump: what it takes to read two clocks, and a clock that is slewed. A TTL is whole seconds.
TOLERANCE: Final = 1.0


class Jumps:
    """Wall time without its jumps.

    Args:
        wall: seconds since the Unix epoch.
        monotonic: seconds of a clock that is never set, read at the same moment.

    Attributes:
        offset: what `now` adds to the monotonic clock.
    """

    __slots__ = ("offset",)

    def __init__(self, wall: float, monotonic: float) -> None:
        self.offset = wall - monotonic

    def now(self, monotonic: float) -> float:
        """The wall time, as if it had not jumped since the last `shift`."""
        return self.offset + monotonic

    def jump(self, wall: float, monotonic: float) -> float:
        """Seconds that the wall clock has jumped since the last `shift`, forward or back; 0: it has not."""
        seconds = wall - self.now(monotonic)
        return seconds if abs(seconds) > TOLERANCE else 0.0

    def shift(self, seconds: float) -> None:
        """Go with a jump, now that the times which are compared with `now` have been moved by as much."""
        self.offset += seconds
