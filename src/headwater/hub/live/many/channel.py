"""The channels of a read of many streams: one whose stream is there, and one that waits for it.

Rule: what is about the connection as a whole, its end above all, is told once for the read and not for each stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, cast

from headwater.errors import HeadwaterError
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.connection import Connection
from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.cursors import Told
from headwater.hub.live.join_cache import FROM_READERS, FirstFrames, may_be_told_again
from headwater.hub.live.pushed import PushedReader
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.waiting import Awaiting, WaitingReader
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
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
        """Let the whole read go."""
        ...

    def let_go(self) -> None:
        """The hub stops."""
        ...


class ManyChannel(PushedReader):
    """One stream of a read: its owner is its place, and the read is told of what its group is given."""

    __slots__ = ("_owner", "_read")

    _owner: Owner
    _read: Told

    @classmethod
    def of_arrival(
        cls, owner: Owner, read: Told, arrival: Arrival, connection: Connection, form: WireFormat
    ) -> ManyChannel:
        """The channel of a reader that has come."""
        found = cls(
            arrival.stream,
            connection,
            form,
            number=arrival.number,
            since=arrival.since,
            slow=arrival.slow,
            peer=arrival.peer,
        )
        found._owner, found._read = owner, read
        return found

    @classmethod
    def of_frames(
        cls, owner: Owner, read: Told, frames: FirstFrames, stream: LiveStream, connection: Connection, peer: Peer
    ) -> ManyChannel:
        """The channel of a reader that is told what another one was told."""
        runtime = stream.runtime
        found = cls(
            stream,
            connection,
            frames.group.form,
            number=runtime.stats.readers_total,
            since=time.monotonic(),
            slow=frames.slow,
            peer=peer,
        )
        found._owner, found._read = owner, read
        return found

    def go(self, arrival: Arrival) -> None:
        """Tell what has come, and all that follows."""
        arrival.take()
        info, stream, form = arrival.info, self._stream, self._form
        told = self.start(arrival.place, arrival.first, form.encoder(info.content_type))
        asked, crowd = arrival.asked, stream.readers >= FROM_READERS
        if told is not None and asked is not None and crowd and may_be_told_again(form, info):
            stream.join_cache.keep((form.key, asked), FirstFrames(info.content_type, info.slow, *told))

    def go_on_from(self, frames: FirstFrames) -> None:
        """The same, as another reader was told it."""
        self.start_from(frames, b"")
        self._stream.onlookers.add(self._read)
        self._stream.runtime.stats.window_reads += 1
        self._owner.moved()
        self._owner.joined()

    def told(self) -> str | None:
        """The offset that was told last; None: it has ended."""
        group, place = self._group, self._place
        if group is not None:  # by far the most
            return cast(StreamOfMany, group.encoder).told(group.place.cursor.offset)
        return None if place is None else self._telling.told(place.cursor.offset)

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
        self._owner.finished(encoder.told(cursor.offset), encoder.error)

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

    def let_go(self) -> None:
        """See `Follower.let_go`."""
        self._owner.let_go()

    def lost(self) -> None:
        """See `Channel.lost`; the read counts it, once."""
        self.release()
