"""Connections whose first head is due: one timer for all of them.

Rule: all have the same time, so that they are late in the order in which they came. Most have sent their head long
before, and are gone or between two requests when their time is over; they are asked.
"""

from __future__ import annotations

from time import monotonic
from typing import Final, Protocol

from headwater.hub.timers import Timers


class Arrives(Protocol):
    """A connection."""

    def arrived_long_ago(self) -> None:
        """Its first head was due now."""
        ...


class Arrivals:
    """Those of a server.

    Args:
        timers: of the hub.
        seconds: for a head.
    """

    __slots__ = ("_came", "_is_set", "_seconds", "_timers")

    def __init__(self, timers: Timers, seconds: float) -> None:
        self._timers: Final = timers
        self._seconds: Final = seconds
        self._came: Final[dict[Arrives, float]] = {}
        self._is_set = False

    def add(self, connection: Arrives) -> None:
        """One has come."""
        self._came[connection] = monotonic()
        if not self._is_set:
            self._is_set = True
            self._timers.after(self._seconds, self._ring)

    def discard(self, connection: Arrives) -> None:
        """It is gone, or somebody else's; nothing, if its time is over."""
        self._came.pop(connection, None)

    def _ring(self) -> None:
        came, now = self._came, monotonic()
        while came:
            connection = next(iter(came))
            left = came[connection] + self._seconds - now
            if left > 0:
                self._timers.after(left, self._ring)
                return
            del came[connection]
            connection.arrived_long_ago()
        self._is_set = False
