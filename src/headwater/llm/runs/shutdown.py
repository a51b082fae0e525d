"""How running runs end when their process stops: they have some seconds to finish, and what is left then is lost.

Rule: their readers stay meanwhile, and are told the end. To tell them that the run goes on, and to come back, would be
wrong: it is produced nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from headwater.llm.runs.layout import LOST
from headwater.llm.runs.production import Production

_MESSAGE: Final = "the server was stopped"


class Shutdown:
    """Of the runs of one process.

    Args:
        running: the runs, by id.
        seconds: that they have to finish.
    """

    def __init__(self, running: Mapping[str, Production], seconds: float) -> None:
        self._running: Final = running
        self._seconds: Final = seconds
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The time runs from now on; again: nothing."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    async def end(self) -> None:
        """Wait until all have ended."""
        self.begin()
        while self._running:
            await asyncio.wait([run.task for run in self._running.values()])
            await asyncio.sleep(0)  # what is done when a task is done
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        for production in list(self._running.values()):
            production.stop(LOST, _MESSAGE)
