"""A member of a room, and its connections."""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.errors import BadRequest

#: Characters of a member's id.
MAX_ID: Final = 128
#: Characters of the name of a connection.
MAX_CONNECTION: Final = 64


class Connection:
    """One connection of a member: a tab, a device.

    Args:
        member: whose it is.
        name: by which its member knows it.
        heard_at: when it was heard last.
        leased: it is over when it was silent for too long.

    Attributes:
        member: as given.
        name: as given.
        heard_at: as given, and later.
        leased: as given.
        is_queued: its lease is among what is due.
    """

    __slots__ = ("heard_at", "is_queued", "leased", "member", "name")

    def __init__(self, member: Member, name: str, heard_at: float, *, leased: bool) -> None:
        self.member = member
        self.name = name
        self.heard_at = heard_at
        self.leased = leased
        self.is_queued = False

    @property
    def is_open(self) -> bool:
        """Whether it is its member's still."""
        return self.member.connections.get(self.name) is self


class Member:
    """Somebody who is there.

    Args:
        id: by which all know it.
        key: by which it is held.
        state: JSON, in one line; empty: none.

    Attributes:
        id: as given.
        key: as given.
        state: as it is now.
        entry: what is told of it, a JSON object.
        connections: by name.
        issuer: of the proof that it is this one; None: nobody has one.
        lost_at: when its last connection was lost; None: it has some.
        is_queued: its grace is among what is due.
    """

    __slots__ = ("connections", "entry", "id", "is_queued", "issuer", "key", "lost_at", "state")

    def __init__(self, id: str, key: str, state: bytes) -> None:
        self.id = id
        self.key = key
        self.connections: dict[str, Connection] = {}
        self.issuer: str | None = None
        self.lost_at: float | None = None
        self.is_queued = False
        self.state = state
        self.entry = entry_of(id, state)

    def change(self, state: bytes) -> None:
        """Take another state."""
        self.state = state
        self.entry = entry_of(self.id, state)


def entry_of(id: str, state: bytes) -> bytes:
    """A member as a JSON object."""
    head = b'{"id":' + msgspec.json.encode(id)
    return head + b',"state":' + state + b"}" if state else head + b"}"


def check_id(id: str) -> str:
    """Refuse what no member can be called.

    Raises:
        BadRequest: it is empty, too long, or has characters that are not printable.
    """
    if not 0 < len(id) <= MAX_ID or not id.isprintable():
        raise BadRequest(f"a member's id has 1 to {MAX_ID} printable characters")
    return id


def check_connection(name: str) -> str:
    """Refuse what no connection can be called.

    Raises:
        BadRequest: it is too long, or has characters that are not printable.
    """
    if len(name) > MAX_CONNECTION or not name.isprintable():
        raise BadRequest(f"a member's connection has up to {MAX_CONNECTION} printable characters")
    return name
