"""What is due next, earliest first. What was put off meanwhile is found when its first moment comes."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from headwater.protocol.presence.members import Connection, Member


class Due:
    """Members in their grace, and connections with a lease; each once."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Member | Connection]] = []
        self._count = 0

    def put(self, target: Member | Connection, at: float) -> None:
        """Look at one at a time, unless it will be looked at anyway."""
        if not target.is_queued:
            target.is_queued = True
            self._count += 1
            heappush(self._heap, (at, self._count, target))

    def next(self) -> float | None:
        """When to look; None: never."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Iterator[Member | Connection]:
        """Those whose time has come."""
        while self._heap and self._heap[0][0] <= now:
            target = heappop(self._heap)[2]
            target.is_queued = False
            yield target
