"""Access that ends while a connection lives: told before, and asked about again when it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from headwater.errors import NotAuthorized
from headwater.hub.timers import Timers
from headwater.hub.wheel import Timer
from headwater.protocol.asks import Access

#: Seconds before the end of an access at which its client is told.
NOTICE: Final = 30.0
#: Seconds in which the application says whether what goes on still may: meanwhile it does.
ANSWER: Final = 10.0


async def in_time(found: Awaitable[Access]) -> Access:
    """An access that is granted soon, or never.

    Raises:
        NotAuthorized: the application took too long.
        What `found` raises.
    """
    deadline = asyncio.timeout(ANSWER)
    try:
        async with deadline:
            return await found
    except TimeoutError:
        if not deadline.expired():
            raise
        raise NotAuthorized(f"the application did not say within {ANSWER:g} s whether this is still allowed") from None


class Expiry:
    """The access of one connection that ends first.

    Args:
        timers: of the hub.
        soon: called with the seconds that are left.
        over: called when it has ended.
    """

    __slots__ = ("_at", "_is_told", "_over", "_soon", "_timer", "_timers")

    def __init__(self, timers: Timers, soon: Callable[[float], None], over: Callable[[], None]) -> None:
        self._timers = timers
        self._soon = soon
        self._over = over
        self._at: float | None = None
        self._is_told = False
        self._timer: Timer | None = None

    def note(self, expires: float) -> None:
        """An access ends then, in seconds since the Unix epoch."""
        if self._at is None or expires < self._at:
            self._at, self._is_told = expires, False
            self._wait()

    def stop(self) -> None:
        """Forget all that was noted."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        assert self._at is not None
        left = self._at - time.time()
        self._timer = self._timers.after(max(0.0, left if self._is_told else left - NOTICE), self._due)

    def _due(self) -> None:
        self._timer = None
        if self._at is None:
            return
        left = self._at - time.time()
        if left > 0:
            if not self._is_told and left <= NOTICE + 1:
                self._is_told = True
                self._soon(left)
            self._wait()
        else:
            self._at = None
            self._over()
