"""Heartbeats: one timer a feed, whatever the number of its readers, and a bounded number of writes in a turn.

Rule 1: a feed that told something meanwhile needs no heartbeat; deliveries never touch the timer.
Rule 2: a heartbeat is encoded once for all readers of a feed. It goes out over as many turns of the event loop as it
takes; who is told something else before its turn comes, or leaves the feed, gets none.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from headwater.hub.timers import Timers

if TYPE_CHECKING:
    from headwater.hub.feeds import Feed
    from headwater.hub.subscriptions import Subscription

#: Readers written to in one turn of the event loop: about two milliseconds of system calls.
TURN: Final = 250


class Beat:
    """One heartbeat on its way to the members of a feed."""

    __slots__ = ("data", "feed", "frame", "offset", "waiting")

    def __init__(self, feed: Feed, frame: bytes) -> None:
        self.feed = feed
        self.frame = frame
        self.data = feed.aside
        self.offset = feed.cursor.offset
        self.waiting: list[Subscription] = list(feed.members)

    def send(self, limit: int) -> int:
        """Give it to some of those who wait; gives how many were looked at."""
        feed, frame = self.feed, self.frame
        if feed.cursor.offset != self.offset:
            self.waiting.clear()
            return 0
        some, self.waiting = self.waiting[:limit], self.waiting[limit:]
        for member in some:
            if feed.members.give(member, frame):
                member.heard(self.data)
        return len(some)


class Heartbeats:
    """The heartbeats of a hub's feeds.

    Args:
        timers: the hub's.
        sent: told how many readers were written to.

    Attributes:
        timers: as given.
    """

    def __init__(self, timers: Timers, sent: Callable[[int], None]) -> None:
        self.timers: Final = timers
        self._sent = sent
        self._beats: deque[Beat] = deque()

    def watch(self, feed: Feed, emptied: Callable[[], None]) -> None:
        """Keep a feed's members alive as long as it has some.

        Args:
            feed: just made.
            emptied: called when a heartbeat is due and nobody is there.
        """
        feed.timer = self.timers.after(feed.cursor.next_timer() - time.monotonic(), partial(self._due, feed, emptied))

    def _due(self, feed: Feed, emptied: Callable[[], None]) -> None:
        if not feed.members:
            emptied()
            return
        frame = feed.beat(time.monotonic(), time.time())
        if frame:
            self._beats.append(Beat(feed, frame))
            if len(self._beats) == 1:
                self._pump()
        self.watch(feed, emptied)

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
