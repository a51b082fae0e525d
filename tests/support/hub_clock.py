"""The time of a hub, moved by hand: what is due on the way is called, and no second goes by meanwhile."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import pytest

from headwater import Hub

#: Turns of the loop behind each thing that was due.
TURNS = 4
#: Seconds behind the moment at which something is due: the wheel divides, and a float may lie a little before.
_BEHIND = 1e-6


class HubClock:
    """Stands still until it is moved; made before the hub.

    Only the modules of the hub look at it. All else about time is as always.

    Args:
        patch: for as long as the test takes.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._now = time.monotonic()
        for name, module in list(sys.modules.items()):
            if name.startswith("headwater.hub.") and getattr(module, "time", None) is time:
                patch.setattr(module, "time", self)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def monotonic(self) -> float:
        """Seconds, on the clock of timers."""
        return self._now

    async def move(self, hub: Hub, seconds: float, *, turns: int = TURNS) -> None:
        """Let time pass for a hub.

        Args:
            hub: whose timers are called.
            seconds: so many of them.
            turns: of the loop, behind each moment at which something was due, and at the end.
        """
        timers, until = hub.runtime.timers, self._now + seconds
        while (due := timers._wheel.next_due()) is not None and due <= until:
            self._now = max(self._now, due + _BEHIND)
            await self._let_be_due(hub, turns)
        self._now = until
        await self._let_be_due(hub, turns)

    async def _let_be_due(self, hub: Hub, turns: int) -> None:
        hub.runtime.timers._run()
        for _ in range(turns):
            await asyncio.sleep(0)
