"""A connection of a member that has an owner: a live reader, a WebSocket, a program. It is lost with its owner.

::

    attendance = rooms.attend("rooms/7", Entering(Claim("ada", key)), leased=True)
    attendance.join()                # may be refused
    attendance.change(b'{"typing":true}')
    attendance.heard()               # a leased one, whenever something comes of its owner
    attendance.leave()               # told at once; or
    attendance.lost()                # told after the grace, unless another one comes
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from msgspec.structs import replace

from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.members import Connection
from headwater.protocol.presence.requests import Entering

R = TypeVar("R")


class Enters(Protocol[R]):
    """Where members are; see `Rooms`."""

    def join(self, path: str, entering: Entering, *, leased: bool) -> tuple[R, Connection]:
        """See `Rooms.join`."""
        ...

    def change(self, path: str, claim: Claim, state: bytes) -> None:
        """See `Rooms.change`."""
        ...

    def leave(self, path: str, claim: Claim, connection: str | None) -> None:
        """See `Rooms.leave`."""
        ...

    def lost(self, found: R, connection: Connection) -> None:
        """See `Rooms.lost`."""
        ...

    def heard(self, connection: Connection, at: float | None = None) -> bool:
        """See `Rooms.heard`."""
        ...


class Attendance(Generic[R]):
    """One of them; it is in the room from `join` on.

    Args:
        rooms: where it joins.
        path: of the stream.
        entering: who, by which connection, and with which state.
        leased: it has to be heard from time to time.

    Attributes:
        path: as given.
        is_owned: somebody will say when it is lost.
    """

    __slots__ = ("_connection", "_entering", "_leased", "_room", "_rooms", "is_owned", "path")

    def __init__(self, rooms: Enters[R], path: str, entering: Entering, *, leased: bool) -> None:
        self.path = path
        self.is_owned = False
        self._rooms = rooms
        self._entering = entering
        self._leased = leased
        self._room: R | None = None
        self._connection: Connection | None = None

    @property
    def id(self) -> str:
        """Of the member."""
        return self._entering.claim.id

    @property
    def key(self) -> str:
        """By which the member is held; empty before it has joined."""
        return "" if self._connection is None else self._connection.member.key

    @property
    def is_there(self) -> bool:
        """Whether it counts: it has joined, and neither left, nor been lost, nor been silent for too long."""
        return self._connection is not None and self._connection.is_open

    def join(self) -> None:
        """Be there; again, after it was silent for too long.

        Raises:
            MemberTaken, StateTooLarge, LimitReached: see `Room.join`.
        """
        self._room, self._connection = self._rooms.join(self.path, self._entering, leased=self._leased)
        claim = replace(self._entering.claim, key=self.key)
        self._entering = replace(self._entering, claim=claim, connection=self._connection.name)

    def change(self, state: bytes) -> None:
        """The member has another state.

        Args:
            state: JSON in one line; empty: none.

        Raises:
            MemberTaken, StateTooLarge, LimitReached: see `Room.change`.
        """
        self._rooms.change(self.path, self._entering.claim, state)
        self._entering = replace(self._entering, state=state)

    def heard(self, at: float | None = None) -> None:
        """Something came of its owner; one that was silent for too long is there again.

        Args:
            at: when, on the clock of rooms; None: now.

        Raises:
            MemberTaken, StateTooLarge, LimitReached: see `Room.join`.
        """
        if self._connection is not None and not self._rooms.heard(self._connection, at):
            self.join()

    def leave(self) -> None:
        """It leaves, and so does the member, if this was its last connection; nothing, if it is not there."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            self._rooms.leave(self.path, self._entering.claim, connection.name)

    def lost(self) -> None:
        """Its owner is gone; nothing, if it is not there."""
        connection, self._connection = self._connection, None
        if connection is not None and self._room is not None:
            self._rooms.lost(self._room, connection)
