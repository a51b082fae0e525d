"""In which groups the streams of a read are, so that reads that stand at the same place share their cursor's text.

Rule 1: where all streams of a read are live, its cursor follows from its names, the groups and what its patterns have
        seen. Groups have random numbers, whose sum stands for the set: two sets with one sum would take 2**126 tries.
Rule 2: a text is shared within one round of cursors only, in which nobody is told anything else.
"""

from __future__ import annotations

from collections.abc import Sequence

from headwater.hub.live.group import FanoutGroup


class Standing:
    """That of one read.

    Attributes:
        count: streams that are live.
        groups: stands for the set of their groups.
    """

    __slots__ = ("count", "groups")

    def __init__(self) -> None:
        self.count = 0
        self.groups = 0

    def move(self, former: FanoutGroup | None, group: FanoutGroup | None) -> None:
        """A stream has left a group, or come into one, or both."""
        if former is not None:
            self.count -= 1
            self.groups -= former.number
        if group is not None:
            self.count += 1
            self.groups += group.number

    def place(self, streams: int, names: Sequence[str], seen: Sequence[object]) -> object:
        """What reads have in common that stand at the same place; None: it cannot be said in short.

        Args:
            streams: of the read.
            names: that it asks for.
            seen: what its patterns have seen; None: that is not all. Of two, either may have a stream that both match.
        """
        if self.count != streams or len(seen) > 1 or None in seen:
            return None
        return (names, self.groups, *seen)
