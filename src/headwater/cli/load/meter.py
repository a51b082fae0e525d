"""Progress of a process, told now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from headwater.cli.load.messages import Progress, Word

_PERIOD: Final = 0.1


class Meter:
    """Adds up what was done, and says it at most ten times a second.

    Args:
        say: sends a message to the process that drives the run.
    """

    def __init__(self, say: Callable[[Word], None]) -> None:
        self._say = say
        self._more = 0
        self._said = 0.0

    def add(self, more: int) -> None:
        """So much more was done."""
        self._more += more
        if time.monotonic() > self._said + _PERIOD:
            self.flush()

    def flush(self) -> None:
        """Say what was not said."""
        if self._more:
            self._say(Progress(self._more))
            self._more = 0
            self._said = time.monotonic()
