"""All subscriptions of a connection: by number and by path, one for each stream.

Rule 1: it is a channel of its own connection, the first one, so that it learns what happens to all of them.
Rule 2: nothing is opened while the connection is full.
Rule 3: they are in one table, by their paths and, as soon as they have them, by their numbers. Most connections have
        one of them, and a second table would take a twentieth of what such a connection takes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from headwater.errors import AlreadySubscribed, LimitReached
from headwater.hub.access.end import AccessEnd
from headwater.hub.eager import begin
from headwater.hub.live.connection import Connection
from headwater.hub.live.groupless import Groupless
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.subscriptions.matched import MatchedStreams
from headwater.hub.live.subscriptions.subscription import Subscription
from headwater.hub.live.subscriptions.wish import Tells, Wish
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import NOBODY, Peer
from headwater.model import SlowPolicy
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.slow import REPLAY


class Holder(Protocol):
    """Whose subscriptions they are."""

    def access(self, wish: Wish) -> Peer | Awaitable[Peer]:
        """Who reads a stream that matches a pattern.

        Raises:
            HeadwaterError: it may not be read.
        """
        ...

    def stop(self) -> None:
        """The hub stops."""
        ...

    def shed(self, retry_after: float) -> None:
        """The connection holds too much."""
        ...

    def paused(self) -> None:
        """The connection is full."""
        ...

    def resumed(self) -> None:
        """The connection takes bytes again."""
        ...

    def lost(self) -> None:
        """The connection is gone."""
        ...


class _Gone:
    """The holder of those whose connection is gone; see `Holder`."""

    def access(self, wish: Wish) -> Peer:
        return NOBODY

    def stop(self) -> None:
        return

    def shed(self, retry_after: float) -> None:
        return

    def paused(self) -> None:
        return

    def resumed(self) -> None:
        return

    def lost(self) -> None:
        return


_GONE: Final = _Gone()


class Subscriptions(Groupless):
    """Those of one connection; see `Channel`.

    Args:
        live: the hub's readers.
        connection: of all.
        tells: how they are told.
        holder: whose they are.
        private: streams that no pattern matches.

    Attributes:
        live: as given.
        connection: as given.
        tells: as given.
        slow: of the connection, which only the streams' own ones end.
        count: how many there are.
        patterns: that are read.
        private: as given.
    """

    __slots__ = (
        "_holder",
        "_known",
        "_later",
        "_tasks",
        "connection",
        "count",
        "live",
        "patterns",
        "private",
        "tells",
    )

    slow: SlowPolicy = REPLAY

    def __init__(
        self, live: LiveReaders, connection: Connection, tells: Tells, holder: Holder, private: PrivatePaths
    ) -> None:
        self.patterns: dict[str, MatchedStreams] | None = None
        self.private = private
        self.live = live
        self.connection = connection
        self.tells = tells
        self.count = 0
        self._known: dict[str | int, Subscription] = {}
        self._holder: Holder = holder
        # Most connections never have any of these.
        self._later: deque[Callable[[], None]] | None = None
        self._tasks: set[asyncio.Future[None]] | None = None
        connection.add(self)

    # Which there are.

    def find(self, key: str | int | None) -> Subscription | None:
        """The one of a path or of a number."""
        return None if key is None else self._known.get(key)

    def all(self) -> list[Subscription]:
        """All of them."""
        return [found for key, found in self._known.items() if isinstance(key, str)]

    def text_of(self, path: str) -> str:
        """A path as its stream has it: one text for all who read it, where each connection would keep its own."""
        stream = self.live.stream(path)
        return path if stream is None else stream.window.path

    # They come and go.

    def read(self, wish: Wish, peer: Peer, form: WireFormat | None) -> None:
        """Make a subscription and open it; see `add`.

        Args:
            wish: what is asked for.
            peer: who reads.
            form: see `form_again`.
        """
        found = self.add(wish, 0, peer)
        if form is None or self.connection.is_stopped or not found.begin_again(peer, form):
            self.open(found)

    def add(self, wish: Wish, incarnation: int = 0, peer: Peer | None = None) -> Subscription:
        """Make a subscription; `open` opens it.

        Args:
            wish: what is asked for.
            incarnation: see `Subscription`.
            peer: see `Subscription`.

        Raises:
            AlreadySubscribed: there is one for the stream.
            LimitReached: there are as many as may be.
        """
        there = self._known.get(wish.path)
        if there is not None:
            told = {"s": there.number} if there.number else {}
            raise AlreadySubscribed(f"this connection reads {wish.path[:80]!r} already", **told)
        if self.count >= self.live.runtime.limits.connection_subscriptions:
            self.check_room(self.count)
        found = self._known[wish.path] = Subscription(self, wish, incarnation, peer)
        self.count += 1
        return found

    def check_pattern(self, wish: Wish) -> None:
        """Refuse a pattern that cannot be read.

        Raises:
            AlreadySubscribed: it is read.
            LimitReached: there are as many as may be.
        """
        patterns = self.patterns or {}
        if wish.path in patterns:
            raise AlreadySubscribed(f"this connection reads {wish.path[:80]!r} already")
        self.check_room(len(patterns))

    def match(self, wish: Wish) -> None:
        """Read all streams that match the wish's path, now and later; see `check_pattern`."""
        if self.patterns is None:
            self.patterns = {}
        pattern = self.patterns[wish.path] = MatchedStreams(self, wish)
        self.run(pattern.open())

    def leave(self, pattern: str) -> bool:
        """End what matches a pattern; False: it is not read."""
        found = None if self.patterns is None else self.patterns.pop(pattern, None)
        if found is None:
            return False
        found.close()
        for subscription in [each for each in self.all() if each.wish.pattern == pattern]:
            subscription.leave("left")
        return True

    def check_room(self, count: int) -> None:
        """Refuse one more than may be.

        Raises:
            LimitReached: there are so many.
        """
        most = self.live.runtime.limits.connection_subscriptions
        if count >= most:
            raise LimitReached(f"there are connection_subscriptions={most} subscriptions on this connection already")

    def peer(self, wish: Wish) -> Peer | Awaitable[Peer]:
        """See `Group.peer`."""
        return self._holder.access(wish)

    def open(self, subscription: Subscription) -> None:
        """Open it, now or when that is possible."""
        if subscription.is_over:
            return
        if self.connection.is_stopped:
            self.later(lambda: self.open(subscription))
        elif (rest := subscription.begin()) is not None:
            self.run(rest)

    def spawn(self, subscription: Subscription) -> None:
        """See `Group.spawn`."""
        self.run(subscription.open())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that may take waiting, as far as it does not now; it ends with the connection."""
        future = begin(work)
        if not future.done():
            if self._tasks is None:
                self._tasks = set()
            self._tasks.add(future)
            future.add_done_callback(self._tasks.discard)

    def began(self, subscription: Subscription) -> None:
        """See `Group.began`."""
        self._known[subscription.number] = subscription

    def over(self, subscription: Subscription) -> None:
        """See `Group.over`."""
        path = subscription.path
        if self._known.get(path) is subscription:
            del self._known[path]
            self.count -= 1
        if self._known.get(subscription.number) is subscription:
            del self._known[subscription.number]
        if self.patterns is None or not subscription.wish.pattern:
            return
        pattern = self.patterns.get(subscription.wish.pattern)
        if pattern is not None:
            pattern.forget(subscription)

    def later(self, call: Callable[[], None]) -> None:
        """See `Group.later`."""
        if self._later is None:
            self._later = deque()
        self._later.append(call)

    def stop(self) -> None:
        """See `Group.stop`."""
        self._holder.stop()

    def close(self) -> None:
        """End all of them without a word."""
        self._stop_work()
        for subscription in self.all():
            subscription.close()

    def _stop_work(self) -> None:
        patterns, self.patterns = self.patterns, None
        for pattern in (patterns or {}).values():
            pattern.close()
        for task in list(self._tasks or ()):
            task.cancel()
        self._later = None

    @property
    def spoke_at(self) -> float:
        """When one of them was told something last, on the clock of timers."""
        found = 0.0
        for subscription in self._known.values():
            if subscription.channel is not None:
                found = max(found, subscription.channel.spoke_at)
        return found

    # From the connection; see `Channel`.

    def pause(self) -> None:
        """See `Channel.pause`; nothing is opened meanwhile."""
        self._holder.paused()

    def resume(self, paused: float) -> None:
        """See `Channel.resume`."""

    def step(self) -> bool:
        """See `Channel.step`; the connection takes bytes."""
        while self._later and not self.connection.is_stopped:
            self._later.popleft()()
        self._holder.resumed()
        return False

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`: all of them together hold too much."""
        self._holder.shed(retry_after)

    def hush(self, end: AccessEnd) -> None:
        """See `Channel.hush`; what its client sends waits, too."""
        self._holder.paused()

    def end_access(self, end: AccessEnd) -> None:
        """See `Channel.end_access`; the connection ends with its holder."""

    def tell_expiring(self, at: float) -> None:
        """See `Channel.tell_expiring`; the connection tells it."""

    def lost(self) -> None:
        """See `Channel.lost`."""
        self.live.runtime.stats.disconnects += 1
        for subscription in self._known.values():
            subscription.lost()
        self._known.clear()
        self.count = 0
        if self.patterns or self._tasks or self._later:
            self._stop_work()
        self._holder.lost()

    def let_go(self) -> None:
        """Nobody holds them any more: each would keep the other, until Python looks for circles."""
        self._holder = _GONE
