"""The streams that match a pattern, each a subscription: those that are there, and those that are made."""

from __future__ import annotations

from typing import Protocol

import msgspec

from headwater.errors import HeadwaterError, TooManyStreams
from headwater.hub.live.many.matches import Matches
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.shared_connection import DistinctConnection
from headwater.hub.live.subscriptions.subscription import Subscription
from headwater.hub.live.subscriptions.wish import Tells, Wish
from headwater.model import Last
from headwater.protocol.paths import PrivatePaths


class Group(Protocol):
    """All subscriptions of the connection."""

    live: LiveReaders
    tells: Tells
    private: PrivatePaths
    count: int

    @property
    def connection(self) -> DistinctConnection:
        """See `Subscriptions.connection`."""
        ...

    def find(self, key: str | int | None) -> Subscription | None:
        """See `Subscriptions.find`."""
        ...

    def text_of(self, path: str) -> str:
        """See `Subscriptions.text_of`."""
        ...

    def subscribe(self, wish: Wish, incarnation: int) -> Subscription:
        """See `Subscriptions.subscribe`."""
        ...

    def open(self, subscription: Subscription) -> None:
        """See `Subscriptions.open`."""
        ...


class MatchedStreams:
    """Those of one pattern; see `TakesStreams`.

    Args:
        all: of the connection.
        wish: for each of them; its path is the pattern.
    """

    __slots__ = ("_all", "_is_over", "_matches", "_wish")

    def __init__(self, all: Group, wish: Wish) -> None:
        self._all = all
        self._wish = wish
        self._is_over = False
        self._matches: Matches[Subscription] = Matches(wish.path, wish.start, self, all.live.patterns, all.private)

    async def open(self) -> None:
        """Take those that are there; those that are made meanwhile come by themselves."""
        whole = self._all
        whole.live.patterns.watch(self._wish.path, self._matches)
        try:
            async for subscription in self._matches.list(whole.live):
                whole.open(subscription)
        except HeadwaterError as error:
            whole.connection.write(whole.tells.refused(self._wish, error))

    def close(self) -> None:
        """Take no more."""
        self._is_over = True
        self._all.live.patterns.unwatch(self._wish.path, self._matches)

    def forget(self, subscription: Subscription) -> None:
        """It is over: a later one at its path is another one."""
        if not self._is_over:
            self._matches.forget(subscription)

    # See `TakesStreams`.

    @property
    def max_streams(self) -> int:
        """See `TakesStreams.max_streams`."""
        return self._all.live.runtime.limits.connection_subscriptions

    def is_free(self, path: str) -> bool:
        """See `TakesStreams.is_free`."""
        return self._all.find(path) is None

    def place(
        self, matches: Matches[Subscription], path: str, start: str | Last, incarnation: int
    ) -> Subscription | None:
        """See `TakesStreams.place`."""
        whole = self._all
        former = whole.find(path)
        if former is not None:
            former.next = incarnation
            return None
        if whole.count >= self.max_streams:
            if not matches.was_full:
                matches.was_full = True
                whole.live.runtime.stats.errors[TooManyStreams.code] += 1
                error = TooManyStreams(
                    f"there are connection_subscriptions={self.max_streams} subscriptions on this connection; "
                    "what else matches is left out"
                )
                whole.connection.write(whole.tells.refused(self._wish, error))
            return None
        pattern, path = self._wish.path, whole.text_of(path)
        wish = msgspec.structs.replace(self._wish, path=path, start=start, pattern=pattern)
        return whole.subscribe(wish, incarnation)

    def came(self, slot: Subscription) -> None:
        """See `TakesStreams.came`."""
        self._all.open(slot)
