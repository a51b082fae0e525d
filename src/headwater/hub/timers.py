"""The hub's one timer wheel, driven by the event loop: heartbeats, lifetimes, waits and write timeouts.

Rule: a turn of the event loop calls a bounded number of timers; when more are due, the others wait for the next turn.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from headwater.hub.wheel import Timer, Wheel

_log: Final = logging.getLogger("headwater")

#: Timers looked at in one turn of the event loop.
TURN: Final = 500


class Timers:
    """Calls what is due; sleeps while nothing is."""

    def __init__(self) -> None:
        self._wheel = Wheel(time.monotonic())
        self._handle: asyncio.TimerHandle | None = None
        self._wake_at = 0.0

    def after(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Have something called after a time, up to a twentieth of a second late; below zero: at the next tick."""
        at = time.monotonic() + seconds
        timer = self._wheel.set(at, call)
        if self._handle is None:
            self._sleep_until(self._wheel.next_due())
        elif at < self._wake_at:
            self._sleep_until(at)
        return timer

    def stop(self) -> None:
        """Forget all timers."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._wheel = Wheel(time.monotonic())

    def _sleep_until(self, due: float | None) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if due is not None:
            self._wake_at = due
            self._handle = asyncio.get_running_loop().call_later(max(0.0, due - time.monotonic()), self._run)

    def _run(self) -> None:
        self._handle = None
        for call in self._wheel.advance(time.monotonic(), TURN):
            try:
                call()
            except Exception:
                _log.exception("a timer failed")
        self._sleep_until(self._wheel.next_due())
