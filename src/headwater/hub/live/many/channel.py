"""A channel of a read of many streams: the read is told what happens to it."""

from __future__ import annotations

import time
from typing import Protocol, cast

from headwater.hub.live.arrival import Arrival
from headwater.hub.live.connection import Connection
from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.cursors import Told
from headwater.hub.live.join_cache import FROM_READERS, FirstFrames, may_be_told_again
from headwater.hub.live.owned import OwnedChannel, Owner, StreamEncoder
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.protocol.wire import Encoder


class ManyOwner(Owner, Protocol):
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


class ManyChannel(OwnedChannel):
    """One stream of a read: its owner is its place, and the read is told of what its group is given."""

    __slots__ = ("_read",)

    _owner: ManyOwner
    _read: Told

    @classmethod
    def of_arrival(
        cls, owner: ManyOwner, read: Told, arrival: Arrival, connection: Connection, form: WireFormat
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
        cls, owner: ManyOwner, read: Told, frames: FirstFrames, stream: LiveStream, connection: Connection, peer: Peer
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
            return cast(StreamEncoder, group.encoder).told(group.place.cursor.offset)
        return None if place is None else self.telling.told(place.cursor.offset)

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

    def _release(self) -> None:
        super()._release()
        self._stream.onlookers.discard(self._read)
