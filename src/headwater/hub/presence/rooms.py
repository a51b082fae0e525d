"""The rooms of a hub: each stream's members, and when its readers are told of them.

Rule 1: a room is there while it has members, or something of them is left to tell; so a stream without any has none.
Rule 2: what is asked for by a request is told in the same step, if readers were told nothing just before. A connection
        that is lost may be lost while a group is written to: nothing is told then but by the timer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from secrets import token_bytes
from typing import Final, Protocol

import msgspec

from headwater.errors import LimitReached, RateLimited
from headwater.hub.limits import Limits
from headwater.hub.peers import Peer
from headwater.hub.presence.attendance import Attendance
from headwater.hub.stats import Stats
from headwater.hub.wheel import Timer
from headwater.protocol.ephemeral import PRESENCE, Ephemeral
from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.frames import Counted, Frame, Listing
from headwater.protocol.presence.keys import SECRET_BYTES, make_key
from headwater.protocol.presence.members import Connection
from headwater.protocol.presence.requests import Entering
from headwater.protocol.presence.room import Page, Room
from headwater.protocol.presence.rules import Rules
from headwater.protocol.rates import Rates

#: That keeps the rooms; there is one so far.
PROCESS: Final = 0


class Events(Protocol):
    """What live readers are told; see `LiveEvents`."""

    @property
    def number(self) -> int:
        """Of the last event of all."""
        ...

    def flush(self, path: str) -> None:
        """See `LiveEvents.flush`."""
        ...

    def tell(self, path: str, event: Ephemeral) -> object:
        """See `LiveEvents.tell`."""
        ...


class Joined(msgspec.Struct, frozen=True, gc=False):
    """What a member is told that has joined by a request.

    Attributes:
        id: of the member.
        key: by which it is held.
        count: of all members.
    """

    id: str
    key: str
    count: int


class OpenRoom:
    """A room, and what the hub has of it.

    Args:
        path: of the stream.
        room: who is there.

    Attributes:
        path: as given.
        room: as given.
        told: number of the last event of it.
        first: what a reader was told last that came, which holds for the next one until something changes.
        timer: for what is due next; None: nothing is.
        timer_at: when it is called.
    """

    __slots__ = ("first", "path", "room", "timer", "timer_at", "told")

    def __init__(self, path: str, room: Room) -> None:
        self.path = path
        self.room = room
        self.told = 0
        self.first: Ephemeral | None = None
        self.timer: Timer | None = None
        self.timer_at = 0.0


class Rooms:
    """Those of a hub.

    Args:
        limits: the hub's.
        stats: where members are counted.
        after: has something called after some seconds.
        events: told to the readers of a stream.
        clock: seconds from any fixed origin.

    Attributes:
        lease: seconds for which a connection may be silent that is kept alive by requests or messages.
        grace: seconds for which a member is kept whose last connection was lost.
    """

    def __init__(
        self,
        limits: Limits,
        stats: Stats,
        after: Callable[[float, Callable[[], object]], Timer],
        events: Events,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules: Final = Rules(
            grace=limits.presence_grace,
            lease=limits.presence_lease,
            members=limits.max_presence_members,
            listed=limits.presence_listed,
            connections=limits.max_presence_connections,
            state_bytes=limits.max_presence_state_bytes,
            changes=limits.presence_changes,
        )
        self._total: Final = limits.max_presence_total
        self._most_joins: Final = limits.presence_joins
        self._joins: Final = Rates(limits.presence_joins)
        self._stats: Final = stats
        self._after: Final = after
        self._events: Final = events
        self._clock: Final = clock
        self._rooms: Final[dict[str, OpenRoom]] = {}
        #: The greatest version of all rooms that were closed, and the number of the last event of any of them.
        self._version = 0
        self._closed_told = 0

    def __len__(self) -> int:
        return len(self._rooms)

    @property
    def lease(self) -> float:
        """See above."""
        return self._rules.lease

    @property
    def grace(self) -> float:
        """See above."""
        return self._rules.grace

    # Who is there.

    def count(self, path: str) -> int:
        """How many members a stream has."""
        found = self._rooms.get(path)
        return 0 if found is None else len(found.room)

    def page(self, path: str, after: str, limit: int) -> Page:
        """Members of a stream, by id; see `Room.page`."""
        found = self._rooms.get(path)
        return (self._empty() if found is None else found.room).page(after, limit)

    def known(self, path: str) -> Listing | Counted:
        """What readers of a stream were told, all in one."""
        found = self._rooms.get(path)
        return (self._empty() if found is None else found.room).known()

    # What happens.

    def join(self, path: str, entering: Entering, *, leased: bool, owned: bool = True) -> tuple[OpenRoom, Connection]:
        """A connection of a member, new or heard again. The stream is there.

        Args:
            path: of the stream.
            entering: who, by which connection, and with which state.
            leased: it has to be heard from time to time.
            owned: see `Room.join`.

        Raises:
            MemberTaken, StateTooLarge, LimitReached: see `Room.join`.
            RateLimited: who enters adds too many members.
        """
        found = self._rooms.get(path)
        if found is None:
            found = OpenRoom(path, self._empty())
        before, is_there = len(found.room), found.room.member(entering.claim.id) is not None
        if self._stats.members >= self._total and not is_there:
            raise LimitReached(f"there are max_presence_total={self._total} members of all streams already")
        if not is_there and entering.by is not None and not self._joins.take(entering.by, self._clock()):
            raise RateLimited(f"one client may add presence_joins={self._most_joins} members a second")
        connection = found.room.join(
            entering.claim,
            make_key(PROCESS, token_bytes(SECRET_BYTES)),
            self._clock(),
            connection=entering.connection,
            state=None if entering.is_first and is_there else entering.state,
            leased=leased,
            owned=owned,
        )
        self._rooms[path] = found
        self._stats.members_joined += len(found.room) - before
        self._settle(found, before)
        return found, connection

    def enter(self, path: str, entering: Entering) -> Joined:
        """A member by a request: it joins, changes its state, or is heard.

        Args:
            path: of the stream.
            entering: see `join`.

        Raises:
            MemberTaken, StateTooLarge, LimitReached: see `Room.join`.
        """
        found, connection = self.join(path, entering, leased=True, owned=False)
        return Joined(connection.member.id, connection.member.key, len(found.room))

    def attend(self, path: str, entering: Entering, *, leased: bool) -> Attendance[OpenRoom]:
        """The attendance of a member by a connection that has an owner, which joins later.

        Args:
            path: of the stream.
            entering: see `join`.
            leased: see `join`.
        """
        return Attendance(self, path, entering, leased=leased)

    def change(self, path: str, claim: Claim, state: bytes) -> None:
        """A member has another state; see `Room.change`."""
        found = self._rooms.get(path)
        if found is not None:
            found.room.change(claim, state, self._clock())
            self._settle(found, len(found.room))

    def leave(self, path: str, claim: Claim, connection: str | None = None) -> None:
        """A member leaves; see `Room.leave`."""
        found = self._rooms.get(path)
        if found is not None:
            before = len(found.room)
            found.room.leave(claim, self._clock(), connection=connection)
            self._settle(found, before)

    def lost(self, found: OpenRoom, connection: Connection) -> None:
        """A connection is gone, and nobody has said why; see `Room.lost`."""
        found.room.lost(connection, self._clock())
        if self._rooms.get(found.path) is found:
            self._watch(found)

    def heard(self, connection: Connection, at: float | None = None) -> bool:
        """A connection was heard, then or now; False: it is its member's no more."""
        connection.heard_at = self._clock() if at is None else max(at, connection.heard_at)
        return connection.is_open

    def drop(self, path: str) -> None:
        """A stream was deleted: nobody is there any more, and no reader is left to be told."""
        found = self._rooms.get(path)
        if found is not None:
            self._stats.members -= len(found.room)
            found.room.dissolve()
            self._forget_timer(found)
            self._close(found)

    def clear(self) -> None:
        """Nobody is anywhere."""
        for path in list(self._rooms):
            self.drop(path)

    # What readers are told.

    def first(self, path: str, since: int, peer: Peer) -> tuple[Ephemeral, ...]:
        """What a reader is told that becomes live; see `Greeter`. One that has missed nothing knows it."""
        found = self._rooms.get(path)
        if since and (self._closed_told if found is None else found.told) <= since:
            return ()
        known = self.known(path)
        if found is None:
            return (_event(known),)
        if found.first is None or found.first.origin is not known:
            found.first = _event(known)
        return (found.first,)

    def _settle(self, found: OpenRoom, before: int) -> None:
        """Something has happened: tell it, if it may be told now, and have the timer set for what comes."""
        self._stats.members += len(found.room) - before
        now = self._clock()
        if found.room.may_tell(now):
            # Who becomes live by this is told the list, and then the frame that follows it.
            self._events.flush(found.path)
            frame = found.room.tell(now)
            if frame is not None:
                self._stats.presence_frames += 1
                self._events.tell(found.path, _event(frame))
                found.told = self._events.number
        self._watch(found)

    def _watch(self, found: OpenRoom) -> None:
        now = self._clock()
        due = found.room.next_due(now)
        if due is None:
            self._forget_timer(found)
            if found.room.is_idle():
                self._close(found)
        elif found.timer is None or due < found.timer_at:
            self._forget_timer(found)
            found.timer_at = due
            found.timer = self._after(due - now, partial(self._look, found))

    def _look(self, found: OpenRoom) -> None:
        found.timer = None
        before = len(found.room)
        found.room.advance(self._clock())
        self._settle(found, before)

    def _empty(self) -> Room:
        """A room that begins: its frames have greater versions than those of earlier ones of its stream."""
        return Room(self._rules, self._version)

    def _close(self, found: OpenRoom) -> None:
        self._version = max(self._version, found.room.version)
        self._closed_told = max(self._closed_told, found.told)
        if self._rooms.get(found.path) is found:
            del self._rooms[found.path]

    def _forget_timer(self, found: OpenRoom) -> None:
        timer, found.timer = found.timer, None
        if timer is not None:
            timer.cancel()


def _event(frame: Frame) -> Ephemeral:
    return Ephemeral(PRESENCE, b"{" + frame.fields() + b"}", frame)
