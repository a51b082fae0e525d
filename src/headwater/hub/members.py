"""The members of a feed, and the loop in which all of them are given the same bytes: the hottest lines of the program.

Rule 1: a member whose sink has a socket of its own, and holds nothing, is written to by one `write(2)` from here. That
        costs a tenth less than the way through a transport, whose objects lie all over memory, and lets the store's
        thread run meanwhile.
Rule 2: what such a write does not take goes to the sink, in order; so does an error, which the sink meets by itself.
        From then on the member is given everything through its sink, until that holds nothing.
Rule 3: a descriptor is written to only while its member is one. The loop closes a socket after it has told the sink,
        and the sink's owner leaves then; so nobody is written to whose number went to another connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import write
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwater.hub.subscriptions import Subscription


class Members:
    """Who is to be given the same; in no order."""

    __slots__ = ("_direct", "_through")

    def __init__(self) -> None:
        self._direct: dict[Subscription, int] = {}
        self._through: dict[Subscription, None] = {}

    def __len__(self) -> int:
        return len(self._direct) + len(self._through)

    def __contains__(self, member: Subscription) -> bool:
        return member in self._direct or member in self._through

    def __iter__(self) -> Iterator[Subscription]:
        yield from self._direct
        yield from self._through

    def add(self, member: Subscription) -> None:
        """One more."""
        sink = member.sink
        if sink.descriptor is not None and not sink.held():
            self._direct[member] = sink.descriptor
        else:
            self._through[member] = None

    def discard(self, member: Subscription) -> bool:
        """Let one go; False: it was none."""
        if self._direct.pop(member, None) is not None:
            return True
        if member not in self._through:
            return False
        del self._through[member]
        return True

    def give(self, member: Subscription, data: bytes) -> bool:
        """Give bytes to one; False: it is no member."""
        if member not in self:
            return False
        member.sink.write(data)
        if member in self._direct and member.sink.held():
            self._hold_back(member)
        return True

    def give_all(self, data: bytes) -> int:
        """Give bytes to each; gives how many there are. Nobody may be added or let go from inside a sink's `write`."""
        count, size = len(self), len(data)
        short: dict[int, int] = {}
        for descriptor in self._direct.values():
            try:
                sent = write(descriptor, data)
            except OSError:
                sent = 0
            if sent != size:
                short[descriptor] = sent
        if self._through:
            self._give_through(data)
        if short:
            for member in [member for member, descriptor in self._direct.items() if descriptor in short]:
                sent = short[self._direct[member]]
                self._hold_back(member)
                # A view, not a copy: a hundred stalled readers hold the rest of one frame together.
                member.sink.write(memoryview(data)[sent:])
        return count

    def _give_through(self, data: bytes) -> None:
        drained = []
        for member in self._through:
            sink = member.sink
            sink.write(data)
            if sink.descriptor is not None and not sink.held():
                drained.append(member)
        for member in drained:
            del self._through[member]
            self.add(member)

    def _hold_back(self, member: Subscription) -> None:
        del self._direct[member]
        self._through[member] = None
