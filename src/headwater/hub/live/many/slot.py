"""One stream of a read of many, from when it is wanted to its end.

Rule 1: what goes wrong with it is told with its name, and touches no other.
Rule 2: an exact name waits for its stream, and again when that is deleted. What a pattern matched is gone with it.
Rule 3: a stream whose oldest records are no longer kept goes on behind the gap: nobody who reads through a cursor
        could choose another offset.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable
from typing import Final, Protocol

from headwater.errors import HeadwaterError, NotAuthorized, OffsetGone, Refused, StreamGone, StreamNotFound
from headwater.hub.live.admission import AdmitsOne, open_or_wait
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.connection import Connection
from headwater.hub.live.many.channel import ManyChannel, ManyOwner, ReadsMany
from headwater.hub.live.owned import WaitingChannel
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.waiting import Awaiting
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.model import BEGINNING, Last, SlowPolicy
from headwater.protocol import vector
from headwater.protocol.cursor import Event, Failed, Gap
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE
from headwater.protocol.offsets import incarnation_of, is_offset

_log: Final = logging.getLogger("headwater")

#: Statuses of errors that pass, and the seconds after which a stream is tried again.
PASSING: Final = frozenset({429, 503})
RETRY_SECONDS: Final = 5.0


class Condition(enum.Enum):
    """Where a stream of a read stands."""

    QUEUED = enum.auto()
    WAITING = enum.auto()  # there is no stream yet
    READING = enum.auto()
    ENDED = enum.auto()  # told to its end
    TRYING = enum.auto()  # it cannot be read now; it is tried again
    FAILED = enum.auto()  # it cannot be read, and was told so
    GONE = enum.auto()  # it matched, and was deleted, or may not be read


class ReadOfMany(ReadsMany, Protocol):
    """What a stream's place asks of the read that it belongs to."""

    @property
    def live(self) -> LiveReaders:
        """The hub's readers."""
        ...

    @property
    def connection(self) -> Connection:
        """Of all."""
        ...

    @property
    def policy(self) -> SlowPolicy | None:
        """What the reader gets when it was slow; None: as each stream says."""
        ...

    @property
    def base(self) -> WireFormat:
        """What the forms of all streams have in common, their key above all."""
        ...

    def form(self, path: str) -> WireFormat:
        """In which a stream is told."""
        ...

    @property
    def peer(self) -> Peer | None:
        """Who reads any of them; None: ask `access`."""
        ...

    async def access(self, path: str) -> Peer:
        """Who reads one.

        Raises:
            HeadwaterError: the reader may not.
        """
        ...

    def settled(self, slot: Slot) -> None:
        """It is at the tail of its stream, waits for it, or is over."""
        ...

    def behind(self, slot: Slot) -> None:
        """It is not any more."""
        ...

    def again(self, slot: Slot, seconds: float = 0.0) -> None:
        """Open it once more, after so many seconds."""
        ...

    def later(self, call: Callable[[], None]) -> None:
        """Do something when the connection takes bytes again."""
        ...

    def moved(self) -> None:
        """The reader was told something."""
        ...

    def end(self, retry_after: float, reason: str) -> None:
        """Let the reader go, with all of its streams."""
        ...


class Slot(ManyOwner):
    """One of them.

    Args:
        read: that it belongs to.
        path: of the stream.
        start: where it begins.
        is_exact: it was asked for by its name.

    Attributes:
        read: as given.
        path: as given.
        is_exact: as given.
        condition: see `Condition`.
        incarnation: of the stream that was told; 0: none was.
        next: of a later stream at the path, that the pattern it matched was told of meanwhile; 0: there is none.
    """

    __slots__ = (
        "_channel",
        "_ended",
        "_offset",
        "_start",
        "_waiting",
        "condition",
        "incarnation",
        "is_exact",
        "next",
        "path",
        "read",
    )

    def __init__(self, read: ReadOfMany, path: str, start: str | Last, *, is_exact: bool, incarnation: int = 0) -> None:
        self.path = path
        self.is_exact = is_exact
        self.condition = Condition.QUEUED
        self.incarnation = incarnation
        self.next = 0
        self.read: ReadOfMany = read
        self._start = start
        self._offset: str | None = start if isinstance(start, str) and is_offset(start) else None
        self._ended = 0
        self._channel: ManyChannel | None = None
        self._waiting: WaitingChannel | None = None

    # Where it stands.

    @property
    def offset(self) -> str | None:
        """That was told last; None: nothing was."""
        return self._offset if self._channel is None else self._channel.told()

    @property
    def start(self) -> str | Last:
        """Where it begins, if nothing was told."""
        return self._start

    def waits_for_flush(self) -> bool:
        """Whether the reader is about to be given something of it, with which a cursor can go."""
        return self._channel is not None and self._channel.waits_for_flush()

    def piece(self) -> bytes:
        """Of the read's cursor."""
        channel = self._channel
        if channel is not None and (piece := channel.piece()) is not None:
            return piece
        if self.condition is Condition.ENDED or (self._ended and channel is None):
            return vector.ended(self._ended)
        if channel is None and self._offset is not None:
            return vector.begun(self._offset)
        # One that a cursor says was waited for before is again from its start, also before it is opened.
        is_waited_for = self._waiting is not None or self._start == BEGINNING
        return vector.WAITED_FOR if is_waited_for else vector.NOT_BEGUN

    def resume(self, stood: vector.Stood) -> None:
        """Go on where a cursor says."""
        if stood.offset is not None:
            self._start = self._offset = stood.offset
        elif stood.incarnation:
            self._end(stood.incarnation)
        else:
            self._start = BEGINNING

    def _end(self, incarnation: int) -> None:
        self.condition, self.incarnation, self._ended = Condition.ENDED, incarnation, incarnation

    # It comes.

    def open_now(self) -> bool:
        """Open it without waiting; False: `open` must, and nothing was done."""
        read, peer = self.read, self.read.peer
        if peer is None or not isinstance(self._start, str) or self.condition is Condition.ENDED:
            return False
        if read.policy is None and self.incarnation and self._told_again(read, self._start, peer):
            return True
        arrival = read.live.open_at_once(self.path, self._start, slow=read.policy, peer=peer)
        if arrival is None:
            return False
        with arrival:
            self.take(arrival)
        return True

    def _told_again(self, read: ReadOfMany, start: str, peer: Peer) -> bool:
        """Whether another reader came to the same place just before, so that this one is told the same."""
        frames = read.live.first_frames(self.path, start, read.base)
        if frames is None:
            return False
        stream = read.live.enter(self.path)
        self.condition, self.incarnation = Condition.READING, incarnation_of(stream.window.offset)
        self._channel = ManyChannel.of_frames(self, frames, stream, read.connection, peer)
        self._channel.go_on_from(frames)
        return True

    async def open(self) -> None:
        """Open it, or wait for it."""
        try:
            await self._open(self.read.peer or await self.read.access(self.path))
        except HeadwaterError as error:
            self._fail(error)
        except Exception as error:
            _log.error("the stream at %r, one of many on a read", self.path, exc_info=error)
            self._fail(HeadwaterError.of_mistake())

    async def _open(self, peer: Peer) -> None:
        read, live = self.read, self.read.live
        if self.condition is Condition.ENDED and await self._is_over():
            read.settled(self)
            return
        size = live.runtime.limits.buffer_bytes
        try:
            came = await open_or_wait(
                live,
                self.path,
                self._start,
                slow=read.policy,
                peer=peer,
                first_bytes=size,
                admits=AdmitsOne(self.take, live),
            )
        except OffsetGone as error:
            await self._skip(error, peer)
            return
        with came:
            if isinstance(came, Arrival):
                self.take(came)
            elif self.is_exact:
                self._wait(came)
            elif came.stream.window.is_known:
                # It matched, was deleted and is made anew; what was told of is another one.
                self.next = incarnation_of(came.stream.window.offset)
                self._gone()
            else:
                self._gone()

    def _wait(self, came: Awaiting) -> None:
        read, self.condition = self.read, Condition.WAITING
        came.take()
        self._waiting = WaitingChannel(self, came, read.connection, read.form(self.path))
        self._waiting.start(b"")
        read.settled(self)

    def _gone(self) -> None:
        self.condition = Condition.GONE
        self.read.settled(self)

    async def _is_over(self) -> bool:
        """Whether the stream that was told to its end is the last one at its path."""
        try:
            info = await self.read.live.runtime.store.info(self.path)
        except (StreamNotFound, StreamGone):
            return True
        if info.incarnation == self.incarnation:
            return True
        self._start, self.condition = BEGINNING, Condition.QUEUED
        return False

    async def _skip(self, error: OffsetGone, peer: Peer) -> None:
        earliest, start = error.details.get("earliest"), self._start
        if not isinstance(earliest, str) or not isinstance(start, str):
            raise error
        self.tell(Gap(start, earliest, earliest, "retention"))
        self._start = self._offset = earliest
        await self._open(peer)

    def take(self, arrival: Arrival) -> None:
        """Read a stream that is there, from now on."""
        read, self._waiting, self._ended = self.read, None, 0
        self.condition, self.incarnation = Condition.READING, arrival.info.incarnation
        self._channel = ManyChannel.of_arrival(self, arrival, read.connection, read.form(self.path))
        read.behind(self)
        self._channel.go(arrival)
        if read.live.runtime.draining:
            self.let_go()

    # From its channel; see `Owner`.

    def moved(self) -> None:
        """See `Owner.moved`."""
        self.read.moved()

    def joined(self) -> None:
        """See `Owner.joined`."""
        self.read.settled(self)

    def left(self) -> None:
        """See `Owner.left`."""
        self.read.behind(self)

    def let_go(self) -> None:
        """See `Owner.let_go`."""
        self.read.end(self.read.live.runtime.share(), "stopping")

    def detach(self, retry_after: float, reason: str) -> None:
        """See `Owner.detach`."""
        self.read.end(retry_after, reason)

    def later(self, call: Callable[[], None]) -> None:
        """See `Owner.later`."""
        self.read.later(call)

    def finished(self, offset: str, error: HeadwaterError | None) -> None:
        """See `Owner.finished`."""
        self._offset = self._start = offset
        self._channel = None
        if error is None:
            self._end(self.incarnation)
            self.read.settled(self)
        elif isinstance(error, OffsetGone) or (_is_gone(error) and self.is_exact):
            self.condition = Condition.QUEUED
            self.read.again(self)
        elif _is_gone(error):
            self._gone()
        else:
            self._failed(error)

    def failed(self) -> None:
        """See `Owner.failed`."""
        self.condition, self._waiting = Condition.FAILED, None
        self.read.settled(self)

    def close(self) -> None:
        """Let it go without a word: the read has ended."""
        if self._waiting is not None:
            self._waiting.release()
            self._waiting = None
        if self._channel is not None:
            self._offset = self._channel.told()
            self._channel.release()
            self._channel = None

    # What is told.

    def _fail(self, error: HeadwaterError) -> None:
        if not self.is_exact and isinstance(error, (Refused, NotAuthorized)):
            # What a pattern would match is not told of to whom it does not concern.
            self._gone()
            return
        self.tell(Failed(self._offset or BEGINNING, error))
        self._failed(error)

    def _failed(self, error: HeadwaterError) -> None:
        self.read.live.runtime.stats.errors[error.code] += 1
        passes = error.status in PASSING
        self.condition = Condition.TRYING if passes else Condition.FAILED
        if passes:
            self.read.again(self, RETRY_SECONDS)
        self.read.settled(self)

    def tell(self, event: Event) -> None:
        """Tell something of the stream while it has no channel."""
        form = self.read.form(self.path)
        data = form.encoder(DEFAULT_CONTENT_TYPE).encode(event, 0.0)
        if data:
            self.read.connection.write(form.frame(data))
            self.read.moved()


def _is_gone(error: HeadwaterError) -> bool:
    return isinstance(error, StreamNotFound | StreamGone)
