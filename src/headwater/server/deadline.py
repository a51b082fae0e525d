"""When something is due on a connection: one timer, set again when it has rung, so that most deadlines cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from headwater.hub.timers import Timers
from headwater.hub.wheel import Timer

_NEVER: Final = float("inf")


def _nobody() -> None: ...


class Deadline:
    """A deadline that moves.

    Args:
        timers: of the hub.
        passed: called when it has passed, up to a twentieth of a second late.
    """

    __slots__ = ("_due", "_passed", "_rings_at", "_timer", "_timers")

    def __init__(self, timers: Timers, passed: Callable[[], None]) -> None:
        self._timers = timers
        self._passed = passed
        self._timer: Timer | None = None
        self._due = self._rings_at = _NEVER

    def set(self, seconds: float) -> None:
        """It is due in so many seconds, instead of when it was."""
        due = self._due = monotonic() + seconds
        if due < self._rings_at:
            self._wind(due, seconds)

    def clear(self) -> None:
        """Nothing is due."""
        self._due = _NEVER

    def end(self) -> None:
        """Nothing will be due any more; whoever was to be told is let go."""
        self._passed = _nobody
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind(self, due: float, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = due
        self._timer = self._timers.after(seconds, self._ring)

    def _ring(self) -> None:
        self._timer, self._rings_at = None, _NEVER
        due = self._due
        left = due - monotonic()
        if due == _NEVER:
            return
        if left > 0:
            self._wind(due, left)
        else:
            self._due = _NEVER
            self._passed()
