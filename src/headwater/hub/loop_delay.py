"""How late the event loop is: what it owes everybody who waits for it.

A timer is asked for four times a second, and how much later than that it came is counted. A loop that is held up by a
long step comes late by what is left of the step; one that is idle comes within a millisecond.
"""

from __future__ import annotations

import asyncio
from typing import Final

from headwater.histogram import Histogram

#: Seconds between two samples.
PERIOD: Final = 0.25


class LoopDelay:
    """Samples the event loop's delay.

    Args:
        delays: where the seconds are counted.
    """

    def __init__(self, delays: Histogram) -> None:
        self._delays = delays
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Sample the running loop from now on."""
        self._ask(asyncio.get_running_loop())

    def stop(self) -> None:
        """Sample no more. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + PERIOD
        self._timer = loop.call_at(due, self._beat, loop, due)

    def _beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._delays.add(max(0.0, loop.time() - due))
        self._ask(loop)
