"""A naive room, and a reader's list as the frames' rules make it, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.frames import Frame
from headwater.protocol.presence.room import Room

KEYS = [f"0.{letter * 22}" for letter in "abc"]


@dataclass
class Reader:
    """What one reader has been told.

    Attributes:
        members: states by id; None: there is no list.
        count: of members.
        version: of the last frame.
        told: when it was told something.
        events: of others, as a page shows them: joined, changed, left.
    """

    members: dict[str, Any] | None = None
    count: int = -1
    version: int = -1
    told: list[float] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)

    def hear(self, frame: Frame, now: float) -> None:
        """Take a frame, from its bytes."""
        self.take(msgspec.json.decode(b"{" + frame.fields() + b"}"), now)

    def take(self, fields: dict[str, Any], now: float = 0.0) -> None:
        """Take a frame's fields, by the rules of `frames`."""
        assert fields["version"] >= self.version
        self.version, self.count = fields["version"], fields["count"]
        self.told.append(now)
        if "members" in fields:
            found = fields["members"]
            self.members = None if found is None else {each["id"]: each.get("state") for each in found}
            return
        assert self.members is not None
        for each in fields.get("joined", ()):
            assert each["id"] not in self.members
            self.members[each["id"]] = each.get("state")
            self.events.append(("joined", each["id"]))
        for each in fields.get("changed", ()):
            assert each["id"] in self.members
            self.members[each["id"]] = each.get("state")
            self.events.append(("changed", each["id"]))
        for id in fields.get("left", ()):
            del self.members[id]
            self.events.append(("left", id))


def join(room: Room, id: str, now: float, key: str | None = None, **options: Any) -> Any:
    """A join, with the key of this id's first letter."""
    options.setdefault("leased", False)
    return room.join(Claim(id, key or key_of(id)), key_of(id), now, **options)


def key_of(id: str) -> str:
    """A key for an id."""
    return "0." + (id + "x" * 22)[:22]
