"""The channels of a read of many streams: one whose stream is there, and one that waits for it.

Rule: what is about the connection as a whole, its end above all, is told once for the read and not for each stream.
"""

from __future__ import annotations

from typing import Protocol, cast

from headwater.hub.live.arrival import Arrival
from headwater.hub.live.connection import Connection
from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.cursors import Told
from headwater.hub.live.pushed import PushedReader
from headwater.hub.live.waiting import Awaiting, WaitingReader
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.cursor import Event
from headwater.protocol.many_events import StreamOfMany
from headwater.protocol.wire import Encoder


class Owner(Protocol):
    """Whose channel it is: a stream's place in the read."""

    def moved(self) -> None:
        """Something was written."""
        ...

    def joined(self) -> None:
        """It is live."""
        ...

    def left(self) -> None:
        """It is behind."""
        ...

    def finished(self, offset: str, *, closed: bool, deleted: bool) -> None:
        """The stream has ended there, is deleted, or cannot be read."""
        ...

    def failed(self) -> None:
        """The stream that was waited for cannot be read, and this was told."""
        ...

    def detach(self, retry_after: float, reason: str) -> None:
        """Let the whole read go."""
        ...

    def let_go(self) -> None:
        """The hub stops."""
        ...


class ManyChannel(PushedReader):
    """One stream of a read.

    Args:
        owner: its place.
        read: told of what its group is given.
        arrival: that it reads on.
        connection: of the read.
        form: in which it is told.
    """

    __slots__ = ("_owner", "_read")

    def __init__(self, owner: Owner, read: Told, arrival: Arrival, connection: Connection, form: WireFormat) -> None:
        super().__init__(
            arrival.stream,
            connection,
            form,
            number=arrival.number,
            since=arrival.since,
            slow=arrival.slow,
            peer=arrival.peer,
        )
        self._owner = owner
        self._read = read

    def go(self, arrival: Arrival) -> None:
        """Tell what has come, and all that follows."""
        arrival.take()
        self.start(arrival.place, arrival.first, self._form.encoder(arrival.info.content_type))

    def told(self) -> str | None:
        """The offset that was told last; None: it has ended."""
        cursor = self.stands
        return None if cursor is None else self._telling.told(cursor.offset)

    @property
    def _telling(self) -> StreamOfMany:
        return cast(StreamOfMany, self._encoder if self._group is None else self._group.encoder)

    def release(self) -> None:
        """End without a word."""
        self._release()

    def _join_group(self, place: LogCursor) -> None:
        super()._join_group(place)
        if self._group is not None:
            self._stream.onlookers.add(self._read)
            self._owner.joined()

    def fall_behind(self, place: LogCursor, encoder: Encoder) -> None:
        """See `Member.fall_behind`."""
        super().fall_behind(place, encoder)
        self._owner.left()

    def give(self, data: bytes | memoryview) -> None:
        """See `Member.give`."""
        super().give(data)
        if self._group is None:
            self._owner.moved()

    def finish(self, *, cut: bool) -> None:
        """See `Member.finish`: the others go on."""
        cursor = self.stands
        assert cursor is not None, "it ends once"
        encoder = self._telling
        super().finish(cut=cut)
        self._owner.finished(encoder.told(cursor.offset), closed=encoder.is_over, deleted=encoder.is_gone)

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`."""
        self._owner.detach(retry_after, reason)

    def let_go(self) -> None:
        """See `Follower.let_go`."""
        self._owner.let_go()

    def lost(self) -> None:
        """See `Channel.lost`; the read counts it, once."""
        self._release()

    def _release(self) -> None:
        super()._release()
        self._stream.onlookers.discard(self._read)


class WaitingChannel(WaitingReader):
    """A stream of a read that is not there yet.

    Args:
        owner: its place.
        came: as it came.
        connection: of the read.
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

    def _end(self, event: Event) -> None:
        super()._end(event)
        self._owner.failed()

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`."""
        self._owner.detach(retry_after, reason)

    def let_go(self) -> None:
        """See `Follower.let_go`."""
        self._owner.let_go()

    def lost(self) -> None:
        """See `Channel.lost`; the read counts it, once."""
        self.release()
