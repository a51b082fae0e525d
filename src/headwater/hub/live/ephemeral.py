"""Who is told ephemeral events of a stream: there is something of it only where a reader asked for them.

Rule 1: who is live is told, in its group, with bytes that are made once. Who catches up or is full is told nothing, and
        nothing waits for it.
Rule 2: what holds for a while, such as a kept signal, is told to a reader when it becomes live: all of it the first
        time, and later what came since it was live last. So nobody is told the same twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import msgspec

from headwater.hub.peers import Peer
from headwater.protocol.ephemeral import PRESENCE, Ephemeral

#: Kinds of which a reader is told all that it missed when it is live again, so that nobody counts what it missed.
_MADE_UP_FOR: Final = frozenset({PRESENCE})

#: Given a stream's path, the number of the last event that a reader was told, and the reader: what it is told first.
Greeter = Callable[[str, int, Peer], Iterable[Ephemeral]]


class Told(msgspec.Struct, frozen=True, gc=False):
    """How many readers were told an event, and how many asked for it and were not there to be told."""

    told: int = 0
    dropped: int = 0


class Ephemerals:
    """What the events of all streams have in common.

    Attributes:
        number: of the last event of the hub; that of the first is 1.
    """

    def __init__(self) -> None:
        self.number = 0
        self._greeters: dict[str, Greeter] = {}

    def greet_with(self, kind: str, greeter: Greeter) -> None:
        """Say what readers who ask for a kind are told when they become live."""
        self._greeters[kind] = greeter

    def greetings(self, kinds: frozenset[str], path: str, since: int, peer: Peer) -> list[Ephemeral]:
        """What a reader is told that becomes live; see `Greeter`."""
        greeters = [greeter for kind, greeter in self._greeters.items() if kind in kinds]
        return [event for greeter in greeters for event in greeter(path, since, peer)]


class Hears(Protocol):
    """A reader that is written to, and asked for events."""

    peer: Peer


class Takes(Hears, Protocol):
    """A loop in this process that asked for them."""

    kinds: frozenset[str]

    def take(self, event: Ephemeral) -> bool:
        """Take one; False: it has no room."""
        ...


class Hearing:
    """What one reader was told.

    Args:
        kinds: see below.
        count: of events to all, of these kinds, before it came.

    Attributes:
        kinds: that it asked for.
        since: number of the last event before it left its group; 0: it was in none.
        is_live: it is in a group.
    """

    __slots__ = ("_came_at", "_joined_at", "_told", "_told_alone", "_unheard_alone", "is_live", "kinds", "since")

    def __init__(self, kinds: frozenset[str], count: int) -> None:
        self.kinds = kinds
        self.since = 0
        self.is_live = False
        self._came_at = self._joined_at = count
        self._told = self._told_alone = self._unheard_alone = 0

    def join(self, count: int) -> None:
        """It is in a group from now on."""
        self.is_live, self._joined_at = True, count

    def leave(self, count: int, number: int) -> None:
        """It is in none any more, and was told all events up to a number."""
        if not self.is_live:  # it was full before it could be told what holds
            return
        self._told += count - self._joined_at
        self.is_live, self.since = False, number

    def alone(self) -> None:
        """There was an event for it, and not for all."""
        if self.is_live:
            self._told_alone += 1
        else:
            self._unheard_alone += 1

    def figures(self, count: int) -> Told:
        """What it was told and what not, after so many events to all."""
        told = self._told + (count - self._joined_at if self.is_live else 0)
        return Told(told + self._told_alone, count - self._came_at - told + self._unheard_alone)


class Listeners:
    """Those of one stream.

    Args:
        path: of the stream.
        ephemerals: of the hub.

    Attributes:
        loops: those in this process.
    """

    def __init__(self, path: str, ephemerals: Ephemerals) -> None:
        self.loops: Final[dict[Takes, None]] = {}
        self._path = path
        self._ephemerals = ephemerals
        self._readers: dict[Hears, Hearing] = {}
        self._asked = Counter[str]()
        self._counts = Counter[str]()

    def __bool__(self) -> bool:
        return bool(self._readers or self.loops)

    def come(self, reader: Hears, kinds: frozenset[str]) -> None:
        """A reader asked for kinds of events."""
        self._readers[reader] = Hearing(kinds, self._count(kinds))
        self._asked.update(kinds)

    def go(self, reader: Hears) -> None:
        """A reader or a loop has ended."""
        self.loops.pop(reader, None)  # type: ignore[call-overload]
        hearing = self._readers.pop(reader, None)
        if hearing is not None:
            self._asked.subtract(hearing.kinds)

    def join(self, reader: Hears) -> list[Ephemeral]:
        """A reader is live; gives what it is told first."""
        hearing = self._readers[reader]
        hearing.join(self._count(hearing.kinds))
        return self._ephemerals.greetings(hearing.kinds, self._path, hearing.since, reader.peer)

    def leave(self, reader: Hears) -> None:
        """It is not any more."""
        hearing = self._readers[reader]
        hearing.leave(self._count(hearing.kinds), self._ephemerals.number)

    def figures(self, reader: Hears) -> Told | None:
        """What a reader was told of events that do not come again; None: it asked for none of these."""
        hearing = self._readers.get(reader)
        return None if hearing is None or hearing.kinds <= _MADE_UP_FOR else hearing.figures(self._count(hearing.kinds))

    def _count(self, kinds: frozenset[str]) -> int:
        return sum(self._counts[kind] for kind in kinds)

    # An event.

    def to_all(self, event: Ephemeral) -> int:
        """Count an event; gives how many asked for it."""
        if event.kind not in _MADE_UP_FOR:
            self._counts[event.kind] += 1
        return self._asked[event.kind] + sum(event.kind in loop.kinds for loop in self.loops)

    def to_some(self, event: Ephemeral, name: str) -> int:
        """The same for an event that is for those of one name."""
        found = 0
        for reader, hearing in self._readers.items():
            if event.kind in hearing.kinds and reader.peer.is_called(name):
                hearing.alone()
                found += 1
        return found + sum(event.kind in loop.kinds and loop.peer.is_called(name) for loop in self.loops)

    def give_loops(self, event: Ephemeral, name: str | None) -> int:
        """Give an event to the loops; gives how many took it."""
        return sum(
            loop.take(event)
            for loop in list(self.loops)
            if event.kind in loop.kinds and (name is None or loop.peer.is_called(name))
        )
