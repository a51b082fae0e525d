"""One subscription, from when it is asked for to its end.

Rule 1: what goes wrong with it is told with its number, and touches no other.
Rule 2: a stream that is deleted ends it. A later one at the path is another stream, which the client asks for again.
Rule 3: a stream whose oldest records went while they were read goes on behind the gap.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from headwater.errors import Conflict, HeadwaterError, NotAuthorized, OffsetGone, Refused, StreamGone, StreamNotFound
from headwater.hub.live.admission import AdmitsOne, open_or_wait
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.first_frames import MAX_ANSWERS, FirstFrames
from headwater.hub.live.owned import Owner, WaitingChannel
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.shared_connection import DistinctConnection
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.subscriptions.channel import SubscribedChannel
from headwater.hub.live.subscriptions.wish import Tells, Wish, form_again, is_narrow
from headwater.hub.live.waiting import Awaiting
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.model import BEGINNING, Last
from headwater.protocol.cursor import Data, Failed, Gap

_log: Final = logging.getLogger("headwater")


#: Errors of streams that match a pattern which are not told.
_TO_NOBODY: Final = (Refused, NotAuthorized, StreamNotFound, StreamGone)

#: Why a subscription ends whose stream may not be read any more.
FORBIDDEN: Final = "forbidden"
#: What is told of one that ends before its stream has come.
_MAY_NOT: Final = "the stream may not be read any more, and was not there yet"
_LEFT: Final = "the subscription was left before its stream came"


class Group(Protocol):
    """All subscriptions of a connection, as one of them sees it."""

    live: LiveReaders
    tells: Tells

    @property
    def connection(self) -> DistinctConnection:
        """On which it is."""
        ...

    def began(self, subscription: Subscription) -> None:
        """It has its number."""
        ...

    def over(self, subscription: Subscription) -> None:
        """It has ended."""
        ...

    def later(self, call: Callable[[], None]) -> None:
        """Do something when the connection takes bytes again."""
        ...

    def stop(self) -> None:
        """The hub stops."""
        ...

    def spawn(self, subscription: Subscription) -> None:
        """Open it again."""
        ...

    def peer(self, wish: Wish) -> Peer | Awaitable[Peer]:
        """Who reads a stream that matches a pattern.

        Raises:
            HeadwaterError: it may not be read.
        """
        ...


class Subscription(Owner):
    """One of them.

    Args:
        all: that it is one of.
        wish: what is asked for.
        incarnation: of a stream that is there; 0: it is not known.
        peer: who reads; None: that is to be asked.

    Attributes:
        wish: as given.
        number: of the stream; 0: it is not known yet.
        channel: while it is read.
        incarnation: see `Place`.
        is_over: it has ended.
        next: see `Place`.
    """

    __slots__ = (
        "_all",
        "_peer",
        "_start",
        "_waiting",
        "channel",
        "incarnation",
        "is_over",
        "next",
        "number",
        "wish",
    )

    def __init__(self, all: Group, wish: Wish, incarnation: int = 0, peer: Peer | None = None) -> None:
        self.wish = wish
        self.number = 0
        self.incarnation = incarnation
        self.next = 0
        self.channel: SubscribedChannel | None = None
        self.is_over = False
        self._all = all
        self._peer = peer
        self._start = wish.start
        self._waiting: WaitingChannel | None = None

    @property
    def path(self) -> str:
        """Of the stream."""
        return self.wish.path

    @property
    def offset(self) -> str:
        """Where it stands, as far as it was told."""
        told = None if self.channel is None else self.channel.told()
        return told or (self._start if isinstance(self._start, str) else BEGINNING)

    @property
    def start(self) -> str | Last:
        """See `Place.start`."""
        return self._start

    # It comes.

    def begin(self) -> Coroutine[Any, Any, None] | None:
        """Open it now, as far as that takes no waiting; what is given does the rest."""
        peer = self._peer
        if peer is None:
            try:
                found = self._all.peer(self.wish)
            except Exception as error:
                self._fail(error)
                return None
            if not isinstance(found, Peer):
                return self.open(found)
            peer = self._peer = found
        wish, start, live = self.wish, self._start, self._all.live
        most = live.runtime.limits.buffer_bytes
        if is_narrow(wish, most) or not isinstance(start, str):
            return self.open()
        form = None if self.number else form_again(self._all.tells, wish, start, most)
        if form is not None and self.begin_again(peer, form):
            return None
        arrival = live.open_at_once(wish.path, start, slow=wish.terms.slow, peer=peer)
        if arrival is None:
            return self.open()
        with arrival:
            self.take(arrival)
        return None

    def begin_again(self, peer: Peer, form: WireFormat) -> bool:
        """`begin`, if another reader came to the same place just before: this one is told the same. False: none did.

        Args:
            peer: who reads.
            form: see `form_again`.
        """
        whole, wish, start = self._all, self.wish, self._start
        frames = whole.live.first_frames(wish.path, start, form) if isinstance(start, str) else None
        if frames is None:
            return False
        stream = whole.live.enter(wish.path)
        channel = self.come_again(stream, frames, whole.connection, peer)
        whole.began(self)
        channel.start_from(frames, self.told_again(frames))
        return True

    def come_again(
        self, stream: LiveStream, frames: FirstFrames, connection: DistinctConnection, peer: Peer
    ) -> SubscribedChannel:
        """Be one whose reader is told what another one was; what is told, and that it joins, are the caller's."""
        self.number, self.incarnation = stream.number, frames.info.incarnation
        window = self.wish.terms.window
        self.channel = found = SubscribedChannel.of_frames(self, frames, stream, connection, peer, window)
        return found

    def told_again(self, frames: FirstFrames) -> bytes:
        """The answer, with what others were told behind it."""
        wish = self.wish
        data = frames.answers.get(wish.id)
        if data is None:
            data = self._all.tells.subscribed(wish, self.number, frames.info, frames.start) + frames.data
            if len(frames.answers) < MAX_ANSWERS:
                frames.answers[wish.id] = data
        return data

    @property
    def _first_bytes(self) -> int:
        """Of its first batch, which its window must have room for."""
        most = self._all.live.runtime.limits.buffer_bytes
        return min(most, self.wish.terms.window or most)

    async def open(self, asked: Awaitable[Peer] | None = None) -> None:
        """Open it, or wait for it; an error is told.

        Args:
            asked: who reads, when that is known; None: it is.
        """
        try:
            if asked is not None:
                self._peer = await asked
            await self._open()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, HeadwaterError):
            _log.error("a subscription to %r", self.wish.path, exc_info=error)
            error = HeadwaterError.of_mistake()
        self.refuse(error)

    async def _open(self) -> None:
        wish, live = self.wish, self._all.live
        size, peer, slow = self._first_bytes, self._peer, wish.terms.slow
        assert peer is not None, "it was asked for"
        if not wish.waits or self.number:
            with await live.open(wish.path, self._start, slow=slow, peer=peer, first_bytes=size) as arrival:
                self._come(arrival)
            return
        admits = AdmitsOne(self.take, live)
        came = await open_or_wait(live, wish.path, self._start, slow=slow, peer=peer, first_bytes=size, admits=admits)
        with came:
            if isinstance(came, Arrival):
                self._come(came)
            elif not self.is_over:
                self._wait(came)

    def _come(self, arrival: Arrival) -> None:
        # It may have been let go meanwhile; then the arrival leaves by itself.
        if not self.is_over:
            self.take(arrival)

    def _wait(self, came: Awaiting) -> None:
        came.take()
        whole = self._all
        self._waiting = WaitingChannel(self, came, whole.connection, whole.tells.waiting_form(self.wish))
        self._waiting.start(b"")

    def take(self, arrival: Arrival) -> None:
        """Read a stream that is there, from now on."""
        whole, wish, stream = self._all, self.wish, arrival.stream
        waiting, self._waiting = self._waiting, None
        is_first, head = not self.number, b""
        # The one that reads on behind a gap keeps its number, though nobody may have read the stream meanwhile.
        self.number = self.number or stream.number
        form = whole.tells.form(self.number, envelope=wish.terms.envelope, kinds=wish.terms.kinds)
        if is_first:
            self.incarnation = arrival.info.incarnation
            whole.began(self)
            start = _start_of(arrival)
            head = whole.tells.subscribed(wish, self.number, arrival.info, start)
            if waiting is not None and waiting.asked is not None:
                head += form.encoder("").encode(Gap(waiting.asked, start, start, "recreated"), 0.0)
        self.channel = SubscribedChannel.of_arrival(self, arrival, whole.connection, form, wish.terms.window)
        self.channel.go(arrival, head)
        if whole.live.runtime.draining:
            whole.stop()

    # Its end.

    def refuse(self, error: HeadwaterError) -> None:
        """It cannot be had, or not be read on."""
        if self.is_over:
            return
        whole = self._all
        if self.wish.pattern and not self.number and isinstance(error, _TO_NOBODY):
            # What a pattern would match is not told of to whom it does not concern, nor is what went meanwhile.
            self.close()
            return
        whole.live.runtime.stats.errors[error.code] += 1
        if not self.number:
            whole.connection.write(whole.tells.refused(self.wish, error))
        else:
            form = whole.tells.form(self.number, envelope=False)
            whole.connection.write(form.encoder("").encode(Failed(self.offset, error), 0.0))
        self.close()

    def leave(self, why: str) -> None:
        """End it, and tell why: with its number, or to who waits for that."""
        if self.is_over:
            return
        number, offset, whole = self.number, self.offset, self._all
        self.close()
        if number:
            whole.connection.write(whole.tells.ended(number, offset, why))
        elif not self.wish.pattern:
            error = Refused(_MAY_NOT) if why == FORBIDDEN else Conflict(_LEFT)
            whole.connection.write(whole.tells.refused(self.wish, error))

    def close(self) -> None:
        """End it without a word."""
        if self.is_over:
            return
        self.is_over = True
        waiting, self._waiting = self._waiting, None
        channel, self.channel = self.channel, None
        for each in (waiting, channel):
            if each is not None:
                each.release()
                self._all.connection.drop(each)
        self._all.over(self)

    def lost(self) -> None:
        """The connection is gone, and its channels know by themselves."""
        self.is_over = True
        self.channel = self._waiting = None

    # From its channel; see `Owner`.

    def finished(self, offset: str, error: HeadwaterError | None) -> None:
        """See `Owner.finished`."""
        self.channel = None
        if isinstance(error, OffsetGone) and (earliest := error.details.get("earliest")):
            form = self._all.tells.form(self.number, envelope=self.wish.terms.envelope)
            gap = Gap(offset, str(earliest), str(earliest), "retention")
            self._all.connection.write(form.encoder("").encode(gap, 0.0))
            self._start = str(earliest)
            self._all.spawn(self)
            return
        if error is not None:
            self._all.live.runtime.stats.errors[error.code] += not isinstance(error, StreamNotFound | StreamGone)
        self._start = offset
        self.close()

    def failed(self) -> None:
        """See `Owner.failed`."""
        self._waiting = None
        self.close()

    def later(self, call: Callable[[], None]) -> None:
        """See `Owner.later`."""
        self._all.later(call)

    def detach(self, retry_after: float, reason: str) -> None:
        """See `Owner.detach`: this one alone."""
        channel = self.channel
        if channel is not None:
            channel.end(retry_after, reason)

    def let_go(self) -> None:
        """See `Owner.let_go`."""
        self._all.stop()


def _start_of(arrival: Arrival) -> str:
    """Where the records of a reader begin that has come."""
    first = arrival.first
    return first.batch.offset if isinstance(first, Data) else arrival.place.cursor.offset
