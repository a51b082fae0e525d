"""When a read as a whole was silent for so long that it tells that it lives."""

from __future__ import annotations

import time
from collections.abc import Callable

from headwater.hub.timers import Timers
from headwater.hub.wheel import Timer


class Silence:
    """That of one read; it begins when this is made.

    Args:
        timers: the hub's.
        seconds: of silence.
        call: what is called behind them; it may speak.
    """

    __slots__ = ("_call", "_seconds", "_spoke_at", "_timer", "_timers")

    def __init__(self, timers: Timers, seconds: float, call: Callable[[], None]) -> None:
        self._timers = timers
        self._seconds = seconds
        self._call = call
        self._spoke_at = time.monotonic()
        self._timer: Timer | None = None
        self._wait()

    def spoke(self) -> None:
        """It begins anew."""
        self._spoke_at = time.monotonic()

    def stop(self) -> None:
        """Nobody listens any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        due = self._spoke_at + self._seconds - time.monotonic()
        self._timer = self._timers.after(due if due > 0 else self._seconds, self._due)

    def _due(self) -> None:
        if time.monotonic() - self._spoke_at >= self._seconds:
            self._call()
        self._wait()
