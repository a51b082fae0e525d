"""How busy a process is: the share of a core it takes, and how late its event loop is."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from headwater.cli.load.histogram import Histogram
from headwater.cli.load.messages import Strained

_PERIOD: Final = 0.05


class Strain:
    """Watches the process it is made in, from now on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._delays = Histogram()
        self._wall, self._cpu = time.monotonic(), time.process_time()
        self._due = self._loop.time() + _PERIOD
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self._delays.add(int((now - self._due) * 1e6))
        self._due = now + _PERIOD
        self._timer = self._loop.call_at(self._due, self._tick)

    def end(self) -> Strained:
        """Stop watching."""
        self._timer.cancel()
        wall = max(1e-9, time.monotonic() - self._wall)
        return Strained((time.process_time() - self._cpu) / wall, self._delays)
