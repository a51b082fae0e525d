"""A loop in this process that takes the ephemeral events of a stream, and none of its records.

Rule: it has room for a few events, as a connection has a buffer. What comes while that is full is dropped and counted.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

from headwater.hub.live.follower import Follower
from headwater.hub.live.stream import LiveStream
from headwater.hub.peers import Peer
from headwater.protocol.cursor import Cursor
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.slow import REPLAY

#: Events that wait for the loop, at most.
ROOM: Final = 64


class EventReader(Follower):
    """One of them; it leaves with its `with` block.

    Args:
        stream: where it was counted just before.
        kinds: of the events.
        peer: who reads.

    Attributes:
        kinds: as given.
    """

    __slots__ = ("_events", "_is_over", "_waiter", "kinds")

    _stream: LiveStream

    def __init__(self, stream: LiveStream, kinds: frozenset[str], peer: Peer) -> None:
        super().__init__(stream, stream.runtime.stats.readers_total, time.monotonic(), REPLAY, peer)
        self.kinds = kinds
        self._events: deque[Ephemeral] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._is_over = False
        stream.followers[self] = None
        stream.listen().loops[self] = None

    @property
    def stands(self) -> Cursor | None:
        """See `Follower.stands`; it reads no records."""
        return None

    async def next(self) -> Ephemeral | None:
        """The next event; None: there is none any more."""
        while not (self._events or self._is_over or self._stream.window.is_ended):
            self._waiter = asyncio.get_running_loop().create_future()
            await self._stream.wait_for(self._waiter, self)
        return self._events.popleft() if self._events else None

    # From the stream and the hub.

    def greet(self, events: Iterable[Ephemeral]) -> None:
        """Have what holds already come first, however much it is."""
        self._events.extend(events)

    def take(self, event: Ephemeral) -> bool:
        """See `Takes.take`."""
        if len(self._events) >= ROOM:
            return False
        self._events.append(event)
        self._wake()
        return True

    def let_go(self) -> None:
        """See `Follower.let_go`."""
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stream.unlisten(self)
        self._stream.leave(self)
