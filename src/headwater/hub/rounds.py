"""Those that are asked after the same time, such as connections that are silent: one timer for all of them.

Rule 1: all in a round wait for the same time, so that they are due in the order in which they came. Coming takes a
        place in a table, and no timer; so does leaving.
Rule 2: a turn of the event loop asks a bounded number of them; the others have the next ones.
"""

from __future__ import annotations

import time
from typing import Final, Protocol

from headwater.hub.timers import Timers

#: Members that are asked in one turn of the event loop.
TURN: Final = 500


class Waits(Protocol):
    """A member."""

    def waited(self) -> None:
        """Its time is over; it is no member any more, and may become one again."""
        ...


class Round:
    """Those with one time.

    Args:
        timers: of the hub.
        seconds: for which each member waits.
    """

    __slots__ = ("_is_set", "_seconds", "_timers", "_waiting")

    def __init__(self, timers: Timers, seconds: float) -> None:
        self._timers: Final = timers
        self._seconds: Final = seconds
        self._waiting: Final[dict[Waits, float]] = {}
        self._is_set = False

    def add(self, member: Waits) -> None:
        """One waits from now on."""
        self._waiting[member] = time.monotonic()
        if not self._is_set:
            self._ring_after(self._seconds)

    def discard(self, member: Waits) -> None:
        """It waits no more; nothing, if it does not."""
        self._waiting.pop(member, None)

    def clear(self) -> None:
        """Nobody waits any more."""
        self._waiting.clear()
        self._is_set = False

    def _ring_after(self, seconds: float) -> None:
        self._is_set = True
        self._timers.after(seconds, self._ring)

    def _ring(self) -> None:
        now = time.monotonic()
        try:
            self._ask(now - self._seconds)  # who comes again is behind those who wait, and sets nothing
        finally:  # whatever one of them raises
            self._is_set = False
            if self._waiting:
                self._ring_after(next(iter(self._waiting.values())) + self._seconds - now)

    def _ask(self, since: float) -> None:
        """Ask those who came at a time or before."""
        waiting = self._waiting
        for _ in range(TURN):
            member = next(iter(waiting), None)
            if member is None or waiting[member] > since:
                return
            del waiting[member]
            member.waited()


class Rounds:
    """The rounds of a hub.

    Args:
        timers: of the same.
    """

    def __init__(self, timers: Timers) -> None:
        self._timers: Final = timers
        self._found: Final[dict[float, Round]] = {}

    def of(self, seconds: float) -> Round:
        """The round of those that wait for so many seconds; there are a few such times."""
        found = self._found.get(seconds)
        if found is None:
            found = self._found[seconds] = Round(self._timers, seconds)
        return found

    def stop(self) -> None:
        """Ask nobody any more."""
        for each in self._found.values():
            each.clear()
