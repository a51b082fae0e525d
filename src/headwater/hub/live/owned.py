"""Channels of a connection with many: one whose stream is there, and one that waits for it.

Rule: what is about the connection as a whole, its end above all, is told once for it and not for each stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, Self, cast

from headwater.errors import HeadwaterError
from headwater.hub.access.end import AccessEnd
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.connection import Connection
from headwater.hub.live.first_frames import FirstFrames, keep
from headwater.hub.live.pushed import PushedReader
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.waiting import Awaiting, WaitingReader
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.protocol.cursor import Event
from headwater.protocol.offsets import position_of
from headwater.protocol.wire import Encoder


class Owner(Protocol):
    """Whose channel it is: a stream's place in what is read on the connection."""

    __slots__ = ()

    def finished(self, offset: str, error: HeadwaterError | None) -> None:
        """The stream has ended there, or, with an error, cannot be read on."""
        ...

    def later(self, call: Callable[[], None]) -> None:
        """Do something when the connection takes bytes again."""
        ...

    def failed(self) -> None:
        """The stream that was waited for cannot be read, and this was told."""
        ...

    def detach(self, retry_after: float, reason: str) -> None:
        """The reader is to come back after some seconds."""
        ...

    def let_go(self) -> None:
        """The hub stops."""
        ...


class StreamEncoder(Encoder, Protocol):
    """The encoder of one stream among others.

    Attributes:
        error: with which reading ended; None: it did not, or the stream is complete.
    """

    error: HeadwaterError | None

    def told(self, offset: str) -> str:
        """The offset to tell for a reader that stands at `offset`: before what is held back."""
        ...


class OwnedChannel(PushedReader):
    """One stream; its encoder is a `StreamEncoder`."""

    __slots__ = ("_owner",)

    _owner: Owner

    @classmethod
    def of_arrival(
        cls, owner: Owner, arrival: Arrival, connection: Connection, form: WireFormat, window: int | None = None
    ) -> Self:
        """The channel of a reader that has come; see `PushedReader`."""
        found = cls(
            arrival.stream,
            connection,
            form,
            arrival.number,
            arrival.since,
            arrival.slow,
            arrival.peer,
            window,
        )
        found._belong_to(owner)
        return found

    @classmethod
    def of_frames(
        cls,
        owner: Owner,
        frames: FirstFrames,
        stream: LiveStream,
        connection: Connection,
        peer: Peer,
        window: int | None = None,
    ) -> Self:
        """The channel of a reader that is told what another one was told; it was counted just before."""
        stats = stream.runtime.stats
        stats.window_reads += 1
        found = cls(
            stream,
            connection,
            frames.group.form,
            stats.readers_total,
            time.monotonic(),
            frames.info.slow,
            peer,
            window,
        )
        found._belong_to(owner)
        return found

    def _belong_to(self, owner: Owner) -> None:
        self._owner = owner

    def go(self, arrival: Arrival, head: bytes = b"") -> None:
        """Tell what has come, and all that follows.

        Args:
            arrival: whose channel it is.
            head: what comes before.
        """
        arrival.take()
        info, first = arrival.info, arrival.first
        told = self.start(arrival.place, first, self._form.encoder(info.content_type), head=head)
        if told is not None:
            keep(self._stream, info, arrival.asked, first, told)

    def join_others(self, frames: FirstFrames, descriptor: int | None) -> None:
        """`start_from`, where the caller writes, right behind this: nothing that is told comes in between.

        Args:
            frames: what is written.
            descriptor: that `direct` gives behind them, as far as is known; None: it is asked.
        """
        group = self._group = frames.group
        self._form = group.form
        if self._window is not None:
            self.allowed = position_of(frames.start) + self._window
        group.join(self, descriptor)
        self._stream.runtime.stats.bytes_out += len(frames.data)
        self._stream.progressed()

    @property
    def telling(self) -> StreamEncoder:
        """What it was told so far."""
        return cast(StreamEncoder, self._encoder if self._group is None else self._group.encoder)

    def release(self) -> None:
        """End without a word."""
        self._release()

    def finish(self, *, cut: bool) -> None:
        """See `Member.finish`: the others go on."""
        cursor = self.stands
        assert cursor is not None, "it ends once"
        encoder = self.telling
        super().finish(cut=cut)
        self._owner.finished(encoder.told(cursor.offset), encoder.error)

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`."""
        self._owner.detach(retry_after, reason)

    def end_access(self, end: AccessEnd) -> None:
        """See `Channel.end_access`; the whole tells it, once."""

    def tell_expiring(self, at: float) -> None:
        """See `Channel.tell_expiring`; the whole tells it, once."""

    def let_go(self) -> None:
        """See `Follower.let_go`."""
        self._owner.let_go()

    def lost(self) -> None:
        """See `Channel.lost`; the whole counts it, once."""
        self._release()


class WaitingChannel(WaitingReader):
    """A stream that is not there yet.

    Args:
        owner: its place.
        came: as it came.
        connection: of all.
        form: in which it will be told.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: Owner, came: Awaiting, connection: Connection, form: WireFormat) -> None:
        super().__init__(came, connection, form)
        self._owner = owner

    def release(self) -> None:
        """End without a word."""
        self._cancel()
        self._release()

    def admit(self) -> None:
        """See `Awaits.admit`; a full connection is given nothing, and the stream waits for it."""
        if self._connection.is_stopped:
            self._owner.later(self._admit_now)
        else:
            super().admit()

    def _admit_now(self) -> None:
        super().admit()

    def _end(self, event: Event) -> None:
        super()._end(event)
        self._owner.failed()

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`."""
        self._owner.detach(retry_after, reason)

    def end_access(self, end: AccessEnd) -> None:
        """See `Channel.end_access`; the whole tells it, once."""

    def tell_expiring(self, at: float) -> None:
        """See `Channel.tell_expiring`; the whole tells it, once."""

    def let_go(self) -> None:
        """See `Follower.let_go`."""
        self._owner.let_go()

    def lost(self) -> None:
        """See `Channel.lost`; the whole counts it, once."""
        self.release()
