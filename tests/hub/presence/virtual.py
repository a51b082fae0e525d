"""Rooms in virtual time: a clock that is moved by hand calls the timers that are due on the way."""

from __future__ import annotations

from collections.abc import Callable

from tests.protocol.presence.room_model import Reader, key_of

from headwater.hub.limits import Limits
from headwater.hub.peers import NOBODY
from headwater.hub.presence.rooms import Rooms
from headwater.hub.stats import Stats
from headwater.hub.wheel import Timer, Wheel
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.requests import Entering

PATH = "rooms/7"


class VirtualRooms:
    """Rooms, their readers, and the time.

    Attributes:
        now: the time.
        number: of the last event.
        rooms: of the limits.
        stats: of the rooms.
        readers: of `PATH`, live.
    """

    def __init__(self, limits: Limits) -> None:
        self.now = 0.0
        self.stats = Stats()
        self.readers: list[Reader] = []
        self._wheel = Wheel(0.0)
        self.number = 0
        self.rooms = Rooms(limits, self.stats, self._after, self, lambda: self.now)

    def _after(self, seconds: float, call: Callable[[], object]) -> Timer:
        return self._wheel.set(self.now + seconds, call)

    def flush(self, path: str) -> None:
        """See `Events.flush`."""

    def tell(self, path: str, event: Ephemeral) -> None:
        """See `Events.tell`."""
        self.number += 1
        if path == PATH:
            for reader in self.readers:
                reader.hear(event.origin, self.now)

    def move(self, seconds: float) -> None:
        """Let time pass, a tick at a time."""
        until = self.now + seconds
        while (due := self._wheel.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            for call in self._wheel.advance(self.now, 10_000):
                call()
        self.now = until
        for call in self._wheel.advance(self.now, 10_000):
            call()

    def come(self, since: int = 0, reader: Reader | None = None) -> Reader:
        """A reader becomes live.

        Args:
            since: number of the last event that it was told.
            reader: that was live before; None: a new one.
        """
        found = reader or Reader()
        for event in self.rooms.first(PATH, since, NOBODY):
            found.hear(event.origin, self.now)
        self.readers.append(found)
        return found


def entering(id: str, connection: str = "", state: bytes | None = None) -> Entering:
    """A member that comes with its own key."""
    return Entering(Claim(id, key_of(id)), connection, state)
