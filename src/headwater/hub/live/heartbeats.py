"""Heartbeats: one for all readers of a group, and a bounded number of writes in a turn.

Rule 1: groups that were told something just now wait in one round, and have no timer of their own. One that told
        something meanwhile needs no heartbeat then, and has a timer for the rest; deliveries touch neither.
Rule 2: a heartbeat is encoded once for all readers of a group. It goes out over as many turns of the event loop as it
        takes; who is told something else before its turn comes, or leaves the group, gets none.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from headwater.hub.rounds import Rounds, Waits
from headwater.hub.timers import Timers
from headwater.hub.wheel import Timer

#: Readers written to in one turn of the event loop: about two milliseconds of system calls.
TURN: Final = 250
#: Seconds by which a heartbeat may be late: those of a tick of the timers.
LATE: Final = 0.05


class Beating(Waits, Protocol):
    """A group of readers that is kept alive.

    Attributes:
        timer: of its next heartbeat; None: it waits in a round, if it waits.
    """

    timer: Timer | None

    @property
    def silence(self) -> float:
        """Seconds after which a heartbeat is due."""
        ...

    @property
    def emptied(self) -> Callable[[], None]:
        """Called when one is due and nobody is there."""
        ...

    @property
    def offset(self) -> str:
        """Where its members stand."""
        ...

    def roll(self) -> list[Any]:
        """Its members now."""
        ...

    def beat(self, monotonic: float, now: float) -> tuple[bytes, bytes]:
        """A heartbeat as it is sent, and before it was coded; empty: none is due."""
        ...

    def give_aside(self, members: list[Any], frame: bytes, data: bytes) -> None:
        """Give a heartbeat to some of those who were members, if they are still."""
        ...

    def next_beat(self) -> float:
        """When one is due, on the clock of timers, if nothing is told before."""
        ...


class Beat:
    """One heartbeat on its way to the members of a group."""

    __slots__ = ("_data", "_frame", "_group", "_offset", "waiting")

    def __init__(self, group: Beating, frame: bytes, data: bytes) -> None:
        self.waiting = group.roll()
        self._group = group
        self._frame = frame
        self._data = data
        self._offset = group.offset

    def send(self, limit: int) -> int:
        """Give it to some of those who wait; gives how many were looked at."""
        if self._group.offset != self._offset:
            self.waiting.clear()
            return 0
        some, self.waiting = self.waiting[:limit], self.waiting[limit:]
        self._group.give_aside(some, self._frame, self._data)
        return len(some)


class Heartbeats:
    """The heartbeats of a hub's groups.

    Args:
        timers: the hub's.
        rounds: the hub's.
        sent: told how many readers were written to.
    """

    def __init__(self, timers: Timers, rounds: Rounds, sent: Callable[[int], None]) -> None:
        self._timers: Final = timers
        self._rounds: Final = rounds
        self._sent = sent
        self._beats: deque[Beat] = deque()

    def watch(self, group: Beating) -> None:
        """Keep a group's members alive, as long as it has some."""
        left, silence = group.next_beat() - time.monotonic(), group.silence
        if left < silence - LATE:
            group.timer = self._timers.after(left, group.waited)
        else:
            group.timer = None
            self._rounds.of(silence).add(group)

    def forget(self, group: Beating) -> None:
        """Nobody is to be kept alive."""
        if group.timer is None:
            self._rounds.of(group.silence).discard(group)
        else:
            group.timer.cancel()
            group.timer = None  # it holds its group in turn

    def due(self, group: Beating) -> None:
        """A heartbeat may be due now."""
        if not group.roll():
            group.emptied()
            return
        frame, data = group.beat(time.monotonic(), time.time())
        if frame:
            self._beats.append(Beat(group, frame, data))
            if len(self._beats) == 1:
                self._pump()
        self.watch(group)

    def _pump(self) -> None:
        left = TURN
        while self._beats and left > 0:
            beat = self._beats[0]
            looked = beat.send(left)
            left -= looked
            self._sent(looked)
            if not beat.waiting:
                self._beats.popleft()
        if self._beats:
            asyncio.get_running_loop().call_soon(self._pump)
