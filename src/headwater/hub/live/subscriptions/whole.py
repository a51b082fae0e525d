"""All subscriptions of a connection: by number and by path, one for each stream.

Rule 1: they are the connection, whose channels are theirs. So there is one object less for each connection.
Rule 2: nothing is opened while the connection is full.
Rule 3: they are in one table, by their paths and, as soon as they have them, by their numbers. Most connections have
        one of them, and a second table would take a twentieth of what such a connection takes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

from headwater.errors import AlreadySubscribed, LimitReached
from headwater.hub.access.end import AccessEnd
from headwater.hub.eager import begin
from headwater.hub.live.connection import Channel
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.shared_connection import MAX_GATHERED, DistinctConnection
from headwater.hub.live.sinks import Sink
from headwater.hub.live.subscriptions.matched import MatchedStreams
from headwater.hub.live.subscriptions.subscription import Subscription
from headwater.hub.live.subscriptions.wish import Tells, Wish
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import NOBODY, Peer
from headwater.protocol.paths import PrivatePaths


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


class Subscriptions(DistinctConnection):
    """A connection, and those on it.

    Args:
        live: the hub's readers.
        sink: of the connection.
        tells: how they are told.
        holder: whose they are.
        private: streams that no pattern matches.

    Attributes:
        live: as given.
        tells: as given.
        count: how many there are.
        patterns: that are read.
        private: as given.
    """

    __slots__ = (
        "_holder",
        "_known",
        "_later",
        "_tasks",
        "count",
        "live",
        "patterns",
        "private",
        "tells",
    )

    def __init__(self, live: LiveReaders, sink: Sink, tells: Tells, holder: Holder, private: PrivatePaths) -> None:
        DistinctConnection.__init__(self, live.runtime, sink)
        self.patterns: dict[str, MatchedStreams] | None = None
        self.private = private
        self.live = live
        self.tells = tells
        self.count = 0
        self._known: dict[str | int, Subscription] = {}
        self._holder: Holder = holder
        # Most connections never have any of these.
        self._later: deque[Callable[[], None]] | None = None
        self._tasks: set[asyncio.Future[None]] | None = None

    @property
    def connection(self) -> DistinctConnection:
        """Itself, as each of them sees it."""
        return self

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
        """Make a subscription and open it; see `subscribe`.

        Args:
            wish: what is asked for.
            peer: who reads.
            form: see `form_again`.
        """
        found = self.subscribe(wish, 0, peer)
        if form is None or self.is_stopped or not found.begin_again(peer, form):
            self.open(found)

    def read_again(self, wishes: Sequence[tuple[Wish, WireFormat]], peer: Peer, told: list[bytes]) -> int:
        """`read` streams to which others came just before, and tell all of it by one write.

        Args:
            wishes: what is asked for, in formats without ephemeral events; see `form_again`.
            peer: who reads.
            told: what is written in front of it; not written if nothing is read.

        Returns:
            How many of them are read: those in front of the first one that takes more than this.
        """
        live, known = self.live, self._known
        if self.is_stopped:
            return 0
        descriptor, most = self.direct(), live.runtime.limits.connection_subscriptions
        count = size = 0
        for wish, form in wishes:
            start, path = wish.start, wish.path
            if size >= MAX_GATHERED or self.count >= most or path in known or not isinstance(start, str):
                break
            frames = live.first_frames(path, start, form)
            if frames is None:
                break
            stream = live.enter(path)
            subscription = known[path] = known[stream.number] = Subscription(self, wish, 0, peer)
            subscription.come_again(stream, frames, self, peer).join_others(frames, descriptor)
            data = subscription.told_again(frames)
            told.append(data)
            size += len(data)
            self.count += 1
            count += 1
        if count:
            self.put(b"".join(told), descriptor)
        return count

    def subscribe(self, wish: Wish, incarnation: int = 0, peer: Peer | None = None) -> Subscription:
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
        if self.is_stopped:
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

    # What happens to the connection.

    @property
    def is_left(self) -> bool:
        """See `Connection.is_left`; its holder need not read anything."""
        return self._holder is _GONE

    def paused(self) -> None:
        """See `Connection.paused`; nothing is opened meanwhile."""
        super().paused()
        self._holder.paused()

    def go_on(self, channel: Channel | None = None) -> None:
        """See `Connection.go_on`; what waited for that is opened, and the holder has its turn, too."""
        is_inner = self._turns is not None
        super().go_on(channel)
        if channel is None and not is_inner:
            while self._later and not self.is_stopped:
                self._later.popleft()()
            if not self.is_stopped:
                self._holder.resumed()

    def detach_all(self) -> None:
        """See `Connection.detach_all`: the holder tells it, once."""
        self._holder.shed(self._runtime.share())

    def hush(self, end: AccessEnd) -> None:
        """See `Living.hush`; what its client sends waits, too."""
        super().hush(end)
        self._holder.paused()

    def lost(self) -> None:
        """See `SinkOwner.lost`."""
        if self.is_left:
            super().lost()
            return
        self.live.runtime.stats.disconnects += 1
        super().lost()
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
