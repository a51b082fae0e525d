"""A pushed reader: a sink, and where its stream's bytes stand.

Its states are those of `protocol.reading`, and one that only a sink has:

- catching up: it has a cursor and an encoder of its own, and is written to as long as its sink takes it.
- live: it is a member of a feed, and has neither.
- paused: its sink is full. It is given nothing and costs what the sink holds; when the sink has drained it catches up.
- ended.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from headwater.errors import HeadwaterError, StreamNotFound
from headwater.hub.describing import Peer, ReaderInfo, lag
from headwater.hub.feeds import Feed, Format
from headwater.hub.lagging import Lag
from headwater.hub.sinks import Sink
from headwater.hub.wheel import Timer
from headwater.model import Batch, Policy, SlowPolicy
from headwater.protocol.reading import Event, Gap, Reader, State
from headwater.protocol.slow import format_slow
from headwater.protocol.spans import data_of
from headwater.protocol.wire import Encoder

if TYPE_CHECKING:
    from headwater.hub.audience import Audience
    from headwater.hub.greetings import Greeting
    from headwater.hub.tails import Tail


#: Bytes of records that are read at once, at most, for a reader that catches up.
MAX_PIECE: Final = 256 * 1024
#: A reader that was full for longer is read for in small pieces again.
FORGIVEN_SECONDS: Final = 1.0


class Arrival(Protocol):
    """Who comes: its number among the readers of this process, its policy, and when it came on the clock of timers."""

    number: int
    since: float
    slow: SlowPolicy
    peer: Peer


class Subscription:
    """One pushed reader; made by `Engine.subscribe`.

    Args:
        audience: whose reader it is.
        tail: the stream's live end.
        cursor: begun; None: it is greeted.
        encoder: has told nothing yet; None: it is greeted.
        form: the wire format.
        sink: where the bytes go.
        reader: who comes, such as what it was before it was pushed.

    Attributes:
        sink: as given.
    """

    __slots__ = (
        "_audience",
        "_body",
        "_cursor",
        "_encoder",
        "_feed",
        "_form",
        "_hold",
        "_lag",
        "_lifetime",
        "_number",
        "_peer",
        "_since",
        "_slow",
        "_stall",
        "_tail",
        "_taken",
        "_work",
        "full_at",
        "sink",
    )

    def __init__(
        self,
        audience: Audience,
        tail: Tail,
        cursor: Reader | None,
        encoder: Encoder | None,
        form: Format,
        sink: Sink,
        reader: Arrival,
    ) -> None:
        self._audience = audience
        self._tail = tail
        self._form = form
        self._body = form.coding.body()
        self.sink = sink
        self._cursor = cursor
        self._encoder = encoder
        self._feed: Feed | None = None
        self.full_at = 0.0
        self._hold = False
        self._slow = reader.slow
        self._peer, self._number, self._since = reader.peer, reader.number, reader.since
        self._lag: Lag | None = None
        self._work: asyncio.Task[None] | None = None
        self._taken = 0
        self._stall: Timer | None = None
        self._lifetime: Timer | None = None
        tail.subscriptions.add(self)
        sink.attach(self)

    def start(self, first: Event, lifetime: float | None, head: bytes = b"") -> tuple[bytes, Feed] | None:
        """Send the opening and the first event at once, then all that follows.

        Args:
            first: what the cursor was told when it began.
            lifetime: seconds after which the reader is let go; None: never.
            head: what comes before.

        Returns:
            What it was told, and the feed that it could join right then; None: there was more to be told.
        """
        assert self._encoder is not None
        opening = self._body.begin(self._encoder.opening())
        begin = self._form.frame(opening) if opening else b""
        told = begin + self._send(first, head + begin)
        told_to = self._cursor and self._cursor.offset
        if lifetime is not None and self._cursor is not None:
            self._lifetime = self._audience.timers.after(lifetime, partial(self.detach, 0.0))
        self.advance()
        # What came since the first event was read was told behind it.
        return (told, self._feed) if self._feed is not None and self._feed.cursor.offset == told_to else None

    def greet(self, greeting: Greeting, head: bytes) -> None:
        """Send what another reader was told that came to the same place, and be live as it is.

        Args:
            greeting: holds now.
            head: what comes before.
        """
        feed = self._feed = greeting.feed
        self._form = feed.form
        feed.members.add(self)
        feed.members.give(self, head + greeting.data)
        self._audience.stats.sent("", len(greeting.data), len(greeting.data))
        self._tail.progressed()

    def advance(self) -> None:
        """Write what there is, as long as the sink takes it; join the feed at the tail."""
        while (cursor := self._cursor) and not self.full_at and not self._hold and self._work is None:
            if self._tail.deleted:
                self._send(cursor.fail(StreamNotFound(f"the stream at {self._tail.path!r} was deleted")))
            elif cursor.state is State.LIVE and not self._tail.has_news(cursor.offset):
                self._go_live(cursor)
                break
            else:
                self._read(cursor)
        self._tail.progressed()

    def place(self) -> tuple[str | None, str] | None:
        """Its name and its offset; None: it has ended."""
        cursor = self._cursor if self._feed is None else self._feed.cursor
        return None if cursor is None else (self._peer.name, cursor.offset)

    def _go_live(self, cursor: Reader) -> None:
        assert self._encoder is not None
        feed = self._tail.feed_for(self._form, cursor, self._encoder)
        if feed is None:
            self._tail.parked.append(self)
            return
        self._feed, self._cursor, self._encoder = feed, None, None
        self._form = feed.form  # equal to its own, and one object for all
        self._body.join(feed.common)
        feed.members.add(self)

    @property
    def _piece(self) -> int:
        """Bytes of records to read at once: little for one that may never read, more as it takes more."""
        limits = self._audience.limits
        if self._lag is not None:
            return limits.read_bytes
        return min(limits.read_bytes, max(limits.buffer_bytes, min(self._taken // 8, MAX_PIECE)))

    def _read(self, cursor: Reader) -> None:
        batch = self._tail.read(cursor.offset, self._piece)
        if batch is None:
            self._work = asyncio.get_running_loop().create_task(self._read_store(cursor))
            return
        self._audience.stats.window_reads += 1
        self._take(cursor, batch)

    async def _read_store(self, cursor: Reader) -> None:
        self._audience.stats.store_reads += 1
        try:
            whole = self._audience.limits.read_bytes
            batch = await self._audience.store.read(self._tail.path, cursor.offset, limit=self._piece, whole=whole)
        except HeadwaterError as error:
            self._work = None
            self._send(cursor.fail(error))
            return
        self._work = None
        self._take(cursor, batch)
        self.advance()

    def _take(self, cursor: Reader, batch: Batch) -> None:
        self._taken += sum(map(len, data_of(batch.records)))
        if self._lag is None:
            self._send(cursor.receive(batch, time.monotonic()))
        else:
            for event in self._lag.feed(batch, time.monotonic()):
                self._lag = None
                self._send(event)

    def _send(self, event: Event, before: bytes = b"") -> bytes:
        """Write an event, behind other bytes; gives what was written for it."""
        assert self._encoder is not None
        assert self._cursor is not None
        if isinstance(event, Gap):
            self._audience.stats.gaps[self._slow.policy.value] += 1
        data = self._encoder.encode(event, time.time())
        frame = b""
        if data:
            frame = self._form.frame(self._body.own(data))
            self._audience.stats.sent(self._form.coding.token, len(data), len(frame))
            self.sink.write(before + frame if before else frame)
        elif before:
            self.sink.write(before)
        if self._cursor.state is State.ENDED:
            self.finish(cut=self._encoder.must_cut)
        return frame

    # From the feed and the hub.

    def fall_behind(self, cursor: Reader, encoder: Encoder) -> None:
        """Leave the feed, with a cursor of one's own."""
        self._feed, self._cursor, self._encoder = None, cursor, encoder
        self._body.leave()

    def heard(self, data: bytes) -> None:
        """The feed's heartbeat was written to the sink; these were its bytes before they were coded."""
        self._body.heard(data)

    def finish(self, *, cut: bool = False) -> None:
        """The reader was told its end: send the answer's last bytes, unless it is cut, and let everything go."""
        if not cut:
            if end := self._body.end():
                self.sink.write(self._form.frame(end))
            if self._form.last:
                self.sink.write(self._form.last)
        self._release()
        self.sink.finish()
        if self.sink.held():
            self._stall = self._audience.timers.after(self._audience.limits.write_seconds, self.sink.abort)

    def detach(self, retry_after: float, reason: str = "") -> None:
        """Tell the reader to come back after some seconds, and why, and end."""
        feed = self._feed
        if feed is not None:
            feed.members.discard(self)
            self.fall_behind(*feed.copies())
        if self._cursor is not None:
            self._send(self._cursor.detach(retry_after, reason))

    def shed(self, *, tell: bool) -> None:
        """End, because all readers together hold too much: told so behind what the sink holds, or cut."""
        if self._is_open:
            self._audience.stats.sheds += 1
        if tell and self._is_open:
            self.detach(self._audience.share(), "shed")
            self._cancel_timer("_stall")
            self._stall = self._audience.timers.after(self._audience.limits.slow_seconds, self.sink.abort)
        else:
            self.sink.abort()
            self.lost()

    def brief(self) -> tuple[str, str, int] | None:
        """See `Describable.brief`."""
        if self.full_at:
            state = "paused"
        elif self._feed is not None:
            state = "live"
        elif self._cursor is not None:
            state = self._cursor.state.value
        else:
            return None
        return self._peer.wire, state, self.sink.held()

    def describe(self, now: float) -> ReaderInfo | None:
        """See `Describable.describe`."""
        cursor = self._cursor if self._feed is None else self._feed.cursor
        if cursor is None:
            return None
        records, size = lag(self._tail, cursor.offset)
        return ReaderInfo(
            number=self._number,
            path=self._tail.path,
            wire=self._peer.wire,
            state="paused" if self.full_at else cursor.state.value,
            pushed=True,
            name=self._peer.name,
            address=self._peer.address,
            offset=cursor.offset,
            lag_records=records,
            lag_bytes=size,
            held=self.sink.held(),
            policy=format_slow(self._slow),
            connected_seconds=now - self._since,
            full_seconds=now - self.full_at if self.full_at else 0.0,
        )

    # From the sink.

    def paused(self) -> None:
        """See `SinkOwner.paused`."""
        if self.full_at or not self._is_open:
            return
        self.full_at = time.monotonic()
        self._audience.stats.pauses += 1
        self._audience.budget.full(self)
        limits, timers = self._audience.limits, self._audience.timers
        if self._slow.policy is Policy.DISCONNECT:
            self._stall = timers.after(limits.slow_seconds, self._let_go)
        else:
            self._stall = timers.after(limits.write_seconds, self._stalled)
        if self._feed is not None:
            self._feed.slow_down(self)

    def resumed(self) -> None:
        """See `SinkOwner.resumed`."""
        if time.monotonic() - self.full_at > FORGIVEN_SECONDS:
            self._taken = 0
        self.full_at = 0.0
        self._audience.budget.free(self)
        self._cancel_timer("_stall")
        cursor = self._cursor
        if cursor is not None and self._lag is None and self._tail.offset > cursor.offset and not self._tail.deleted:
            if self._slow.policy is Policy.LATEST:
                self._send(cursor.skip(self._tail.offset))
            elif self._slow.policy is Policy.CONFLATE:
                self._lag = Lag(self._slow.key, cursor)
        self.advance()

    def hold(self, *, on: bool) -> None:
        """See `SinkOwner.hold`."""
        self._hold = on
        if not on:
            self.advance()

    def lost(self) -> None:
        """See `SinkOwner.lost`."""
        self._audience.budget.free(self)
        self._cancel_timer("_stall")
        if self._is_open:
            self._audience.stats.disconnects += 1
            self._release()

    @property
    def _is_open(self) -> bool:
        return self._cursor is not None or self._feed is not None

    def _let_go(self) -> None:
        """Too slow for `slow=disconnect`: told so behind what the sink holds, and cut if it never takes that."""
        self.detach(0.0, "slow")

    def _stalled(self) -> None:
        self._audience.stats.stalls += 1
        self.sink.abort()
        self.lost()

    def _release(self) -> None:
        if self._feed is not None:
            self._feed.members.discard(self)
        self._feed = self._cursor = self._encoder = None
        self._cancel_timer("_stall")
        self._cancel_timer("_lifetime")
        if self._work is not None:
            self._work.cancel()
            self._work = None
        self._tail.subscriptions.discard(self)
        self._tail.progressed()
        self._audience.close_reader(self._tail)

    def _cancel_timer(self, name: str) -> None:
        timer: Timer | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)
