"""The limits and times of a room."""

from __future__ import annotations

from typing import Final

import msgspec

#: Seconds between two frames. With the list that a reader is told when it comes, no second has more than four.
FRAME_SECONDS: Final = 0.34
#: Seconds that readers are told counts at least, before they are told the list again: a room whose size goes up and
#: down about the limit would tell its whole list each time.
COUNTED_SECONDS: Final = 1.0


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """All times in seconds.

    Attributes:
        grace: how long a member is kept whose last connection was lost.
        lease: how long a connection may be silent that is kept alive by requests or messages.
        members: in one room, at most.
        listed: readers are told the list of up to so many members; above it they are told the count.
        listed_bytes: the same for the bytes of the list.
        connections: of one member, at most.
        state_bytes: of a member's state, at most.
        changes: of a member's state, a second, at most, and a second's worth at once.
    """

    grace: float = 5.0
    lease: float = 30.0
    members: int = 10_000
    listed: int = 500
    listed_bytes: int = 128 * 1024
    connections: int = 32
    state_bytes: int = 1024
    changes: int = 10
