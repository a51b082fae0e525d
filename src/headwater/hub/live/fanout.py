"""Who is given the same bytes, and the loop that gives them: the hottest lines of the program.

Rule 1: a member whose connection has a socket of its own, and holds nothing, is written to by one `write(2)` from
        here. That costs a tenth less than the way through a transport, whose objects lie all over memory, and lets the
        store's thread run meanwhile.
Rule 2: what such a write does not take goes to the connection, in order; so does an error, which the connection meets
        by itself. From then on the member is given everything through its connection, until that holds nothing.
Rule 3: a connection's bytes have one order. As soon as it holds some, none of its channels is written to from here
        (`hold_back`), and of two channels in one fan-out only one is.
Rule 4: a descriptor is written to only while its member is one. The loop closes a socket after it has told the sink,
        and its channels leave then; so nobody is written to whose number went to another connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import write, writev
from typing import Generic, Protocol, TypeVar


class Member(Protocol):
    """Who is given bytes."""

    def direct(self) -> int | None:
        """The descriptor to which may be written now; None: only `give` may be used."""
        ...

    def give(self, data: bytes | memoryview) -> None:
        """Take bytes, in order; never blocks or raises."""
        ...


M = TypeVar("M", bound=Member)


def put_both(descriptor: int, data: bytes | memoryview, more: bytes) -> int:
    """`put` for bytes of all and bytes of one behind them, in one system call and without a copy."""
    try:
        return writev(descriptor, (data, more))
    except OSError:
        return 0


def put(descriptor: int, data: bytes) -> int:
    """Write past a connection that holds nothing; gives what was taken. An error is the connection's to meet."""
    try:
        return write(descriptor, data)
    except OSError:
        return 0


class Fanout(Generic[M]):
    """The members; in no order."""

    __slots__ = ("_direct", "_giving", "_late", "_through")

    def __init__(self) -> None:
        self._direct: dict[M, int] = {}
        self._through: dict[M, None] = {}
        self._giving = False
        self._late: list[M] = []

    def __len__(self) -> int:
        return len(self._direct) + len(self._through)

    def __contains__(self, member: M) -> bool:
        return member in self._direct or member in self._through

    def __iter__(self) -> Iterator[M]:
        yield from self._direct
        yield from self._through

    def add(self, member: M, descriptor: int | None = None) -> None:
        """Take one in.

        Args:
            member: who comes.
            descriptor: that `member.direct` gives now; None: it is asked.
        """
        if descriptor is None:
            descriptor = member.direct()
        if descriptor is not None:
            self._direct[member] = descriptor
        else:
            self._through[member] = None

    def discard(self, member: M) -> bool:
        """Let one go; False: it was none."""
        if self._direct.pop(member, None) is not None:
            return True
        if member not in self._through:
            return False
        del self._through[member]
        return True

    def hold_back(self, member: M) -> None:
        """Its connection holds bytes: it stays a member, and is written to through its connection until it does not."""
        if self._giving:
            self._late.append(member)
        elif self._direct.pop(member, None) is not None:
            self._through[member] = None

    def give(self, member: M, data: bytes) -> bool:
        """Give bytes to one; False: it is no member."""
        if member not in self:
            return False
        member.give(data)
        if member in self._direct and member.direct() is None:
            self.hold_back(member)
        return True

    def give_all(self, data: bytes) -> int:
        """Give bytes to each; gives how many there are. Nobody is added or let go from inside a member's `give`."""
        count, size = len(self), len(data)
        short: dict[int, int] = {}
        for descriptor in self._direct.values():
            try:
                sent = write(descriptor, data)
            except OSError:
                sent = 0
            if sent != size:
                short[descriptor] = sent
        if short or self._through:
            self._giving = True
            self._give_rest(data, short)
            drained = self._give_through(data)
            self._giving = False
            self._move(drained)
        return count

    def _give_rest(self, data: bytes, short: dict[int, int]) -> None:
        if short:
            view = memoryview(data)
            for member, descriptor in self._direct.items():
                if descriptor in short:
                    self._late.append(member)
                    # A view, not a copy: a hundred stalled readers hold the rest of one frame together.
                    member.give(view[short[descriptor] :])

    def _give_through(self, data: bytes) -> list[M]:
        drained = []
        for member in self._through:
            member.give(data)
            if member.direct() is not None:
                drained.append(member)
        return drained

    def _move(self, drained: list[M]) -> None:
        late, self._late = self._late, []
        for member in late:
            self.hold_back(member)
        for member in drained:
            if member in self._through and member.direct() is not None:
                del self._through[member]
                self.add(member)
