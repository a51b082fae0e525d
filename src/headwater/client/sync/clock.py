"""Time and luck for programs that are not asynchronous: the twin of `headwater.client.clock`, with the same words."""

from __future__ import annotations

import random
import threading
import time


class Pause:
    """A wait that another thread can cut short."""

    def __init__(self) -> None:
        self._woken = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait for so long at most."""
        self._woken.wait(min(seconds, threading.TIMEOUT_MAX))
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
