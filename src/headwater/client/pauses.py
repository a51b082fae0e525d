"""Waits between two attempts."""

from __future__ import annotations

import asyncio
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
