"""Time and luck, as everything in the client has them that waits or tries again."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress


class Pause:
    """A wait that can be cut short."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for so long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    def wake(self) -> None:
        """End a wait."""
        self._woken.set()


class Clock:
    """The real one."""

    def now(self) -> float:
        """Seconds from any fixed origin."""
        return time.monotonic()

    def draw(self) -> float:
        """A number from 0 up to 1."""
        return random.random()

    def pause(self) -> Pause:
        """What waits."""
        return Pause()
