"""A pushed reader: a channel of a connection, which is written records as they come.

It is in one of these conditions; the states of its cursor are those of `protocol.cursor`.

- catching up: it has a place and an encoder of its own, and takes turns with the connection's other channels.
- live: it is a member of a group, and has neither.
- paused: its connection is full, or it has no credit. It is given nothing; when it goes on it catches up.
- ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from headwater.errors import InvalidOffset
from headwater.hub.live import expiry_notice
from headwater.hub.live.access_end import EndsWithAccess
from headwater.hub.live.connection import Connection
from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.ephemeral import Told
from headwater.hub.live.fanout import put
from headwater.hub.live.first_frames import FirstFrames
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.hub.wheel import Timer
from headwater.model import SlowPolicy
from headwater.protocol.cursor import Cursor, Data, Event, Gap, ends
from headwater.protocol.offsets import distance, parse_offset, position_of
from headwater.protocol.wire import Encoder

#: Bytes of records that are read at once, at most, for a reader that catches up.
MAX_PIECE: Final = 256 * 1024
#: A reader that was full for longer is read for in small pieces again.
FORGIVEN_SECONDS: Final = 1.0


class PushedReader(EndsWithAccess):
    """One channel.

    Args:
        stream: that is read.
        connection: where the bytes go.
        form: the wire format.
        number: see `Follower`.
        since: see `Follower`.
        slow: see `Follower`.
        peer: see `Follower`.
        window: bytes of records that may be told and not acknowledged; None: no limit.

    Attributes:
        allowed: see `Member.allowed`.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_encoder",
        "_form",
        "_group",
        "_lifetime",
        "_place",
        "_taken",
        "_window",
        "_work",
        "allowed",
    )

    _stream: LiveStream

    def __init__(
        self,
        stream: LiveStream,
        connection: Connection,
        form: WireFormat,
        number: int,
        since: float,
        slow: SlowPolicy,
        peer: Peer,
        window: int | None = None,
    ) -> None:
        super().__init__(stream, number, since, slow, peer)
        self._connection = connection
        self._form = form
        self._body = form.coding.body()
        self._window = window
        self.allowed: int | None = None
        self._place: LogCursor | None = None
        self._encoder: Encoder | None = None
        self._group: FanoutGroup | None = None
        self._work: asyncio.Task[None] | None = None
        self._lifetime: Timer | None = None
        self._taken = 0
        stream.followers[self] = None
        if form.kinds:
            stream.listen(self, form.kinds)
        connection.add(self)

    def start(
        self, place: LogCursor, first: Event, encoder: Encoder, *, lifetime: float | None = None, head: bytes = b""
    ) -> tuple[FanoutGroup, bytes] | None:
        """Send the opening and the first event at once, then all that follows.

        Args:
            place: behind the first event.
            first: what was read when the reader came.
            encoder: of the format, that has told nothing yet.
            lifetime: seconds after which the reader is let go; None: never.
            head: what comes before.

        Returns:
            The group that it joined, and what it was told until then; None: it was told more.
        """
        self._place, self._encoder = place, encoder
        if self._window is not None and isinstance(first, Data):
            self.allowed = position_of(first.batch.offset) + self._window
        told_to = place.cursor.offset
        told = self._send(first, head, self._body.begin(encoder.opening()))
        if lifetime is not None and self._place is not None:
            self._lifetime = self._stream.runtime.timers.after(lifetime, lambda: self.detach(0.0))
        self._connection.go_on(self)
        group = self._group
        # What came since the first event was read was told behind it.
        return (group, told) if group is not None and group.place.cursor.offset == told_to else None

    def start_from(self, frames: FirstFrames, data: bytes) -> None:
        """Be live as another reader is that came to the same place; send what it was told, behind a head: `data`."""
        group = self._group = frames.group
        self._form = group.form
        if self._window is not None:
            self.allowed = position_of(frames.start) + self._window
        connection = self._connection
        descriptor = connection.direct(self)
        rest = data if descriptor is None else data[put(descriptor, data) :]
        group.join(self, None if rest else descriptor)
        if rest:
            connection.write(rest)
            if self._group is not None and self.direct() is None:
                group.members.hold_back(self)
        self._stream.runtime.stats.bytes_out += len(frames.data)
        if self._form.kinds and self._group is not None:  # it is not full already
            self._greet(group)
        self._stream.progressed()

    # Its turns.

    def step(self) -> bool:
        """See `Channel.step`."""
        place = self._place
        if place is None or self._work is not None or (self.allowed is not None and self._is_spent):
            return False
        if place.is_at_tail:
            self._join_group(place)
            return False
        events = place.at_once(self._piece)
        if events is None:
            self._work = asyncio.get_running_loop().create_task(self._read_store(place))
            return False
        self._tell(events)
        return self._place is not None

    def advance(self) -> None:
        """See `Member.advance`."""
        self._connection.go_on(self)

    async def _read_store(self, place: LogCursor) -> None:
        events = await place.from_store(self._piece, times=self._form.timed)
        self._work = None
        self._tell(events)
        self._connection.go_on(self)

    @property
    def _piece(self) -> int:
        """Bytes of records to read at once: little for one that may never read, more as it takes more."""
        limits = self._stream.runtime.limits
        if self._place is not None and self._place.is_conflating:
            return limits.read_bytes
        piece = min(limits.read_bytes, max(limits.buffer_bytes, min(self._taken // 8, MAX_PIECE)))
        if self.allowed is not None and self._place is not None:
            piece = min(piece, self.allowed - position_of(self._place.cursor.offset))
        return piece

    def _join_group(self, place: LogCursor) -> None:
        assert self._encoder is not None
        group = self._stream.group_for(self._form, place, self._encoder)
        if group is None:
            self._stream.parked.append(self)
            return
        self._group, self._place, self._encoder = group, None, None
        self._form = group.form  # equal to its own, and one object for all
        self._body.join(group.common)
        group.join(self, self._connection.direct(self))
        if self._form.kinds:
            self._greet(group)
        self._stream.progressed()

    def _greet(self, group: FanoutGroup) -> None:
        assert self._stream.listeners is not None, "this reader asked"
        group.greet(self, self._stream.listeners.join(self))

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._send(event)
        self._stream.progressed()

    def _send(self, event: Event, head: bytes = b"", opening: bytes = b"") -> bytes:
        """Write an event, behind a head, its frame with a coded opening; gives the frame, which may be empty."""
        assert self._encoder is not None
        if self.allowed is not None and isinstance(event, Gap):  # what is left out takes no credit
            self.allowed += distance(event.start, event.end) or 0
        frame = self._say(self._encoder.encode(event, time.time()), head, opening)
        if ends(event):
            self.finish(cut=self._encoder.must_cut)
        return frame

    def _say(self, data: bytes, head: bytes = b"", opening: bytes = b"") -> bytes:
        """Write what is not coded yet; see `_send`."""
        piece = opening + self._body.own(data) if data else opening
        frame = self._form.frame(piece) if piece else b""
        if data:
            self._taken += len(data)
            self._stream.runtime.stats.sent(self._form.coding.token, len(data), len(frame))
        if head or frame:
            self.give(head + frame)
        return frame

    # From the group and the hub.

    def direct(self) -> int | None:
        """See `Member.direct`."""
        return self._connection.direct(self)

    def give(self, data: bytes | memoryview) -> None:
        """See `Member.give`."""
        self._connection.write(data)

    def fall_behind(self, place: LogCursor, encoder: Encoder) -> None:
        """See `Member.fall_behind`."""
        self._group, self._place, self._encoder = None, place, encoder
        self._body.leave()
        if self._form.kinds and self._stream.listeners is not None:
            self._stream.listeners.leave(self)

    def heard(self, data: bytes) -> None:
        """See `Member.heard`."""
        self._body.heard(data)

    def finish(self, *, cut: bool) -> None:
        """See `Member.finish`: send the last bytes, unless it is cut, and let everything go."""
        connection = self._connection
        if not cut:
            if end := self._body.end():
                connection.write(self._form.frame(end))
            if self._form.last:
                connection.write(self._form.last)
        self._release()
        connection.remove(self)

    def detach(self, retry_after: float, reason: str = "") -> None:
        """Tell the reader to come back after some seconds, and why, and end; unless it is about to be told so."""
        if self._connection.is_over:
            return
        if self._group is not None:
            self._group.leave(self)
        if self._place is not None:
            self._send(self._place.cursor.detach(retry_after, reason))

    def tell_expiring(self, at: float) -> None:
        """See `Channel.tell_expiring`."""
        expiry_notice.tell(self._form, self._group, self, self._body.own, at)

    def let_go(self) -> None:
        """See `Follower.let_go`."""
        self.detach(self._stream.runtime.share(), "stopping")

    @property
    def _is_spent(self) -> bool:
        """Whether it has no credit; a member of a group has some, or would have left."""
        place, allowed = self._place, self.allowed
        return allowed is not None and place is not None and position_of(place.cursor.offset) >= allowed

    def acknowledge(self, offset: str) -> None:
        """Its reader is done with all up to an offset; one that had no credit left goes on.

        Args:
            offset: that was told. An earlier one than before changes nothing.

        Raises:
            InvalidOffset: it was not told, or is none of this stream.
        """
        stands = self.stands
        if stands is None:
            return
        position = parse_offset(offset)[1]
        if position > position_of(stands.offset):
            raise InvalidOffset(f"{offset} was not told: the reader stands at {stands.offset}")
        if self._window is None or self.allowed is None or position + self._window <= self.allowed:
            return
        was_spent = self._is_spent
        self.allowed = position + self._window
        if was_spent and not self._is_spent and not self._connection.is_stopped:
            self.resume(0.0)
            self._connection.go_on(self)

    @property
    def credit(self) -> int | None:
        """See `Follower.credit`."""
        return self._window

    @property
    def unacknowledged(self) -> int | None:
        """See `Follower.unacknowledged`."""
        stands = self.stands
        if stands is None or self.allowed is None or self._window is None:
            return None
        return max(0, position_of(stands.offset) - (self.allowed - self._window))

    # From the connection.

    def pause(self) -> None:
        """See `Channel.pause`. What is being read is read again."""
        if self._group is not None:
            self._group.take_out(self)
        self._stop_reading()

    def resume(self, paused: float) -> None:
        """See `Channel.resume`."""
        if paused > FORGIVEN_SECONDS:
            self._taken = 0
        if self._place is not None and not self._is_spent:
            self._tell(self._place.leave_out(self.slow))

    def hold_back(self) -> None:
        """See `Channel.hold_back`."""
        if self._group is not None:
            self._group.members.hold_back(self)

    def shares_group(self, other: object) -> bool:
        """See `Channel.shares_group`."""
        return isinstance(other, PushedReader) and self._group is not None and other._group is self._group

    def lost(self) -> None:
        """See `Channel.lost`."""
        self._stream.runtime.stats.disconnects += 1
        self._release()

    def _release(self) -> None:
        if self._group is not None:
            self._group.members.discard(self)
        self._group = self._place = self._encoder = None
        if self._form.kinds:
            self._stream.unlisten(self)
        if self._lifetime is not None:
            self._lifetime.cancel()
            self._lifetime = None
        self._stop_reading()
        self._stream.leave(self)

    def _stop_reading(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work.cancel()

    @property
    def stands(self) -> Cursor | None:
        """See `Follower.stands`."""
        place = self._place if self._group is None else self._group.place
        return None if place is None else place.cursor

    @property
    def address(self) -> str | None:
        """See `Follower.address`."""
        return self.peer.address or self._connection.sink.address()

    @property
    def held(self) -> int:
        """See `Follower.held`."""
        return self._connection.sink.held()

    @property
    def heard_of(self) -> Told | None:
        """See `Follower.heard_of`."""
        listeners = self._stream.listeners if self._form.kinds else None
        return None if listeners is None else listeners.figures(self)

    def full_seconds(self, now: float) -> float:
        """See `Follower.full_seconds`."""
        return self._connection.full_seconds(now)

    def is_paused(self, now: float) -> bool:
        """See `Follower.is_paused`."""
        return bool(self._connection.full_at) or self._is_spent
