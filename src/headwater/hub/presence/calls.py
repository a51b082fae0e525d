"""What a program can ask of a stream's room: who is there, what changes, and to be there itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from headwater.hub.arguments import check_kind
from headwater.hub.live.events import LiveEvents
from headwater.hub.peers import Peer
from headwater.hub.presence.attendance import Attendance
from headwater.hub.presence.rooms import OpenRoom, Rooms
from headwater.model import JSON
from headwater.protocol.ephemeral import PRESENCE
from headwater.protocol.framing import encode_value
from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.frames import Changes, Counted, Frame, Listing
from headwater.protocol.presence.keys import check_key
from headwater.protocol.presence.members import check_connection, check_id
from headwater.protocol.presence.requests import MAX_LIMIT, Entering, state_of
from headwater.stores import Store
from headwater.surrogates import json_value

_PRESENCE: Final = frozenset({PRESENCE})


class Member(msgspec.Struct, frozen=True):
    """Somebody who is there.

    Attributes:
        id: of the member.
        state: as it says; None: nothing.
    """

    id: str
    state: Any = None


class PresenceChange(msgspec.Struct, frozen=True):
    """What has changed since the last one.

    Attributes:
        count: how many are there.
        members: all of them, in the first one and whenever what was told before does not hold; else None.
        joined: who came.
        changed: whose state is another one.
        left: ids of those who are no longer there.
        is_listed: they are few enough for a list; else `count` alone is told.
    """

    count: int
    members: list[Member] | None = None
    joined: list[Member] = []
    changed: list[Member] = []
    left: list[str] = []
    is_listed: bool = True


class Attending:
    """A member of a stream by this program; it leaves with its `with` block.

    Args:
        attendance: that has joined.
    """

    def __init__(self, attendance: Attendance[OpenRoom]) -> None:
        self._attendance = attendance

    @property
    def id(self) -> str:
        """Of the member."""
        return self._attendance.id

    @property
    def key(self) -> str:
        """By which the member is held: who is given it may add connections, change the state and leave."""
        return self._attendance.key

    @property
    def is_there(self) -> bool:
        """Whether it counts: it has not left, and its stream was not deleted."""
        return self._attendance.is_there

    def change(self, state: Any) -> None:
        """Have another state.

        Args:
            state: anything that msgspec writes as JSON; None: nothing.

        Raises:
            InvalidBody: it has no form in JSON.
            StateTooLarge, RateLimited: see `errors`.
        """
        self._attendance.change(_state(state))

    def leave(self) -> None:
        """Leave; told at once, if this was the member's last connection."""
        self._attendance.leave()

    def lost(self) -> None:
        """The connection for which the program joined was lost: the member leaves after the grace."""
        self._attendance.lost()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()


class Presence:
    """The room of one stream; see `Hub.presence`.

    Args:
        path: of the stream.
        rooms: of the hub.
        events: that are told to readers.
        store: where the stream is.
    """

    def __init__(self, path: str, rooms: Rooms, events: LiveEvents, store: Store) -> None:
        self.path = path
        self._rooms = rooms
        self._events = events
        self._store = store

    @property
    def count(self) -> int:
        """How many are there."""
        return self._rooms.count(self.path)

    def members(self, *, after: str = "", limit: int = MAX_LIMIT) -> list[Member]:
        """Who is there, by id: a page of at most `limit`, behind the id `after`."""
        return _members(self._rooms.page(self.path, after, limit).entries)

    async def join(
        self, id: str, state: Any = None, *, key: str | None = None, connection: str = "", proven: bool = True
    ) -> Attending:
        """Be a member: `with await hub.presence("rooms/7").join("bot") as me: me.change({"typing": True})`.

        Args:
            id: of the member.
            state: see `Attending.change`; of a member that is there already, None leaves it as it is.
            key: of the member.
            connection: a name for this connection: another one of the member's with this name is no more.
            proven: the program knows that this is the member, whatever its key; False: the key decides, as over HTTP.

        Raises:
            StreamNotFound, StreamGone, StoreUnavailable: there is no stream, or nobody can say.
            MemberTaken: with `proven=False`: somebody else is here by this id.
            BadRequest, InvalidBody, StateTooLarge, LimitReached, RateLimited: see `errors`.
            HubNotOpen, WrongLoop: see `errors`.
            TypeError: an argument has another type.
        """
        check_kind("id", id, str, optional=False)
        check_kind("key", key, str)
        check_kind("connection", connection, str, optional=False)
        claim = Claim(check_id(id), key if key is None else check_key(key), proven)
        entering = Entering(claim, check_connection(connection), None if state is None else _state(state))
        await self._store.info(self.path)
        attendance = self._rooms.attend(self.path, entering, leased=False)
        attendance.join()
        return Attending(attendance)

    async def changes(self) -> AsyncIterator[PresenceChange]:
        """Who is there, and what changes, until the stream ends or the hub is closed; at most four a second.

        A loop that is slow is told the whole again in place of what it missed.

        Raises:
            StreamNotFound, StreamGone, StoreUnavailable, LimitReached, ShuttingDown: see `errors`.
        """
        version: int | None = None
        with await self._events.open(self.path, _PRESENCE, Peer()) as reader:
            while (event := await reader.next()) is not None:
                frame: Frame = event.origin
                if version is not None and frame.version <= version:
                    continue
                if version is not None and isinstance(frame, Changes) and frame.version > version + 1:
                    frame = self._rooms.known(self.path)
                version = frame.version
                yield _change(frame)


def _change(frame: Frame) -> PresenceChange:
    match frame:
        case Listing(_, count, entries):
            return PresenceChange(count, _members(entries))
        case Counted(_, count):
            return PresenceChange(count, is_listed=False)
        case Changes(_, count, joined, changed, left):
            return PresenceChange(count, None, _members(joined), _members(changed), list(left))


def _members(entries: Any) -> list[Member]:
    return [Member(**json_value(entry)) for entry in entries]


def _state(value: Any) -> bytes:
    return state_of(encode_value(JSON, value)[1:-1])
