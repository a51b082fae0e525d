"""The rests of all runs between their appends, on common ticks: one timer for all of them, not one for each.

Rule: a rest is the only place where a token waits on purpose, but for readers who are slow. What a rest costs in time
it saves in appends and deliveries, whose number, and not whose bytes, is the load of many runs.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from typing import Final

_log: Final = logging.getLogger("headwater.llm")

#: Seconds between two appends of a run for each run that is running, and at most. One run writes each token as it
#: comes; five hundred and more put theirs together for a fifth of a second: an append with two deliveries takes less
#: than 0.1 ms of the event loop, so all appends take up to a quarter of it up to there, and half of it at 1,000 runs.
#: A token is late by this and what the loop lags behind, at most.
APPEND_SECONDS: Final = 0.0004
MAX_REST: Final = 0.2
#: Seconds between two ticks. The runs whose rest ends in the same one write together, and a store that commits commits
#: once for them.
TICK: Final = 0.005


class Rests:
    """Ends rests when they are over.

    Args:
        running: how many runs there are now.
    """

    def __init__(self, running: Callable[[], int]) -> None:
        self._running: Final = running
        self._due: Final[dict[int, list[Callable[[], None]]]] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._next = 0

    @property
    def seconds(self) -> float:
        """How long a run rests now."""
        return min(MAX_REST, APPEND_SECONDS * self._running())

    def end_at(self, when: float, call: Callable[[], None]) -> None:
        """Have something called when a rest is over: at the first tick that is not before.

        Args:
            when: on the clock of `time.monotonic`.
            call: must not block or raise.
        """
        tick = math.ceil(when / TICK)
        calls = self._due.get(tick)
        if calls is not None:
            calls.append(call)
            return
        self._due[tick] = [call]
        if self._handle is None or tick < self._next:
            self._sleep_until(tick)

    def _sleep_until(self, tick: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._next = tick
        seconds = max(0.0, tick * TICK - time.monotonic())
        self._handle = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        self._handle = None
        now = time.monotonic()
        for tick in sorted(tick for tick in self._due if tick * TICK <= now):
            for call in self._due.pop(tick):
                try:
                    call()
                except Exception:
                    _log.exception("a rest could not be ended")
        if self._due:
            self._sleep_until(min(self._due))
