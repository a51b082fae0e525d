"""What readers are told of a room, and its bytes: the fields of a JSON object, which each wire puts in its own words.

A reader's list is what these rules make of the frames, in their order:

- `members` is the list, whatever was there before. It is null where there are too many: then there is no list, and
  `count` alone is told.
- `joined` and `changed` are members to put in by their ids, `left` are ids to take out.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Listing(msgspec.Struct, frozen=True, gc=False):
    """All members.

    Attributes:
        version: counts the frames that tell a change.
        count: of members.
        entries: JSON objects, by id.
    """

    version: int
    count: int
    entries: Sequence[bytes]

    def fields(self) -> bytes:
        """As fields of a JSON object."""
        return _head(self.version, self.count) + b',"members":[' + b",".join(self.entries) + b"]"


class Counted(msgspec.Struct, frozen=True, gc=False):
    """How many there are, where there is no list."""

    version: int
    count: int

    def fields(self) -> bytes:
        """As fields of a JSON object."""
        return _head(self.version, self.count) + b',"members":null'


class Changes(msgspec.Struct, frozen=True, gc=False):
    """What has changed in the list.

    Attributes:
        version: see `Listing`.
        count: see `Listing`.
        joined: JSON objects of those who were not there.
        changed: of those whose state is another one.
        left: ids of those who were.
    """

    version: int
    count: int
    joined: Sequence[bytes]
    changed: Sequence[bytes]
    left: Sequence[str]

    def fields(self) -> bytes:
        """As fields of a JSON object; without those that are empty."""
        parts = [_head(self.version, self.count)]
        for name, entries in ((b"joined", self.joined), (b"changed", self.changed)):
            if entries:
                parts.append(b',"' + name + b'":[' + b",".join(entries) + b"]")
        if self.left:
            parts.append(b',"left":' + msgspec.json.encode(self.left))
        return b"".join(parts)


Frame = Listing | Counted | Changes


def _head(version: int, count: int) -> bytes:
    return b'"version":%d,"count":%d' % (version, count)
