"""A channel of a read of many streams: the read is told what happens to it."""

from __future__ import annotations

from typing import Protocol, cast

from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.cursors import Told
from headwater.hub.live.fanout import put_both
from headwater.hub.live.first_frames import FirstFrames
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.many.standing import Standing
from headwater.hub.live.owned import OwnedChannel, Owner, StreamEncoder
from headwater.protocol import vector
from headwater.protocol.wire import Encoder


class ReadsMany(Told, Protocol):
    """The read that a channel is of."""

    @property
    def standing(self) -> Standing:
        """In which groups its streams are."""
        ...

    def take_owed(self) -> bytes:
        """Its cursor, framed, if one is owed, to be written now; empty: none is."""
        ...


class ManyOwner(Owner, Protocol):
    """Whose channel it is: a stream's place in the read.

    Attributes:
        read: the read.
    """

    __slots__ = ()

    read: ReadsMany

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

    __slots__ = ("_counted",)

    _owner: ManyOwner
    #: The group that the read knows of.
    _counted: FanoutGroup | None

    def _belong_to(self, owner: Owner) -> None:
        super()._belong_to(owner)
        self._counted = None

    def _count(self) -> None:
        """Tell the read in which group this is."""
        if self._counted is not self._group:
            self._owner.read.standing.move(self._counted, self._group)
            self._counted = self._group

    def go_on_from(self, frames: FirstFrames) -> None:
        """The same as `go`, as another reader was told it."""
        self.start_from(frames, frames.data)
        self._count()
        self._stream.onlookers.add(self._owner.read)
        self._owner.moved()
        if self._group is None:  # that was more than the connection takes
            self._owner.left()
        else:
            self._owner.joined()

    def told(self) -> str | None:
        """The offset that was told last; None: it has ended."""
        group, place = self._group, self._place
        if group is not None:  # the usual case
            return cast(StreamEncoder, group.encoder).told(group.place.cursor.offset)
        return None if place is None else self.telling.told(place.cursor.offset)

    def piece(self) -> bytes | None:
        """Of the read's cursor, which the members of a group have in common; None: it has ended."""
        group = self._group
        if group is None:
            offset = self.told()
            return None if offset is None else vector.begun(offset)
        offset = group.place.cursor.offset
        if group.noted_at != offset:
            group.noted_at, group.noted = offset, vector.begun(cast(StreamEncoder, group.encoder).told(offset))
        return group.noted

    def _join_group(self, place: LogCursor) -> None:
        super()._join_group(place)
        self._count()
        if self._group is not None:
            self._stream.onlookers.add(self._owner.read)
            self._owner.joined()

    def fall_behind(self, place: LogCursor, encoder: Encoder) -> None:
        """See `Member.fall_behind`."""
        super().fall_behind(place, encoder)
        self._count()
        self._owner.left()

    def waits_for_flush(self) -> bool:
        """Whether its group is about to give it something; that then comes through `give`."""
        if self._group is None or not self._stream.changed_at:
            return False
        self._group.members.hold_back(self)
        return True

    def give(self, data: bytes | memoryview) -> None:
        """See `Member.give`. A cursor that is owed goes out in the same write, behind what it tells of."""
        if self._group is None:
            super().give(data)
            self._owner.moved()
        elif owed := self._owner.read.take_owed():
            self._give_both(data, owed)
        else:
            super().give(data)

    def _give_both(self, data: bytes | memoryview, more: bytes) -> None:
        connection, size = self._connection, len(data)
        descriptor = connection.direct(self)
        if descriptor is None:
            connection.write(b"".join((data, more)))
            return
        sent = put_both(descriptor, data, more)
        if sent < size:
            connection.write(memoryview(data)[sent:])
        if sent < size + len(more):
            connection.write(more[max(0, sent - size) :])

    def _release(self) -> None:
        super()._release()
        self._count()
        self._stream.onlookers.discard(self._owner.read)
