"""A pulled reader: its caller takes the next event when it is ready for it.

Rule: it holds a place and nothing else. A slow one costs what its caller buffers, and nothing here.
"""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType
from typing import Self

from headwater.hub.access.end import AccessEnd
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.follower import Follower
from headwater.hub.live.stream import LiveStream
from headwater.model import Policy
from headwater.protocol.cursor import Cursor, Data, Event, State


class PulledReader(Follower):
    """One of them, to be used as a context manager; made by `LiveReaders.open_reader`.

    Args:
        arrival: it reads on.

    Attributes:
        info: the stream when the reader came.
    """

    __slots__ = ("_cancelled", "_ended", "_given_at", "_loop", "_place", "_queue", "_runtime", "info")

    _stream: LiveStream

    def __init__(self, arrival: Arrival) -> None:
        super().__init__(arrival.stream, arrival.number, arrival.since, arrival.slow, arrival.peer)
        self.info = arrival.info
        self._runtime = arrival.stream.runtime
        self._loop = self._runtime.gate.loop
        self._place = arrival.place
        self._queue: deque[Event] = deque([arrival.first])
        self._cancelled = False
        self._given_at: float | None = None
        #: Why and when to come back, when its access has ended.
        self._ended: tuple[float, str] | None = None
        arrival.take()
        self._stream.followers[self] = None
        self._runtime.principals.enter(self.peer.access, self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Count the reader out."""
        self._runtime.principals.leave(self.peer.access, self)
        self._stream.leave(self)

    @property
    def state(self) -> State:
        """Where the reader stands."""
        return self.stands.state

    def cancel(self) -> None:
        """End the reader from outside, because its client is gone: `next` then gives None."""
        self._cancelled = True
        self._stream.wake(self)

    def hush(self, end: AccessEnd) -> None:
        """See `Living.hush`: what it was given before, and did not take, it is not told any more."""
        self._ended = end.retry_after, end.reason
        self._queue.clear()

    def end_access(self, end: AccessEnd) -> None:
        """See `Living.end_access`: its caller is told."""
        self._stream.wake(self)

    def tell_expiring(self, at: float) -> None:
        """See `Living.tell_expiring`; who asks each time is refused in time."""

    async def next(self) -> Event | None:
        """The next thing to tell, waiting for it; None: there is nothing more.

        Raises:
            WrongLoop: it was opened in another event loop.
        """
        self._runtime.gate.check_same(self._loop)
        if self._given_at is not None and not self._queue and self.is_paused(time.monotonic()):
            self._leave_out()
        self._given_at = None
        queue = self._queue
        while not queue and not self._cancelled and self.state is not State.ENDED:
            queue.extend(await self._step())
        self._given_at = time.monotonic()
        self._stream.progressed()
        return queue.popleft() if queue else None

    async def ready(self) -> None:
        """Wait until `next` need not: for a caller that reads many streams and holds one batch at a time.

        Raises:
            WrongLoop: it was opened in another event loop.
        """
        self._runtime.gate.check_same(self._loop)
        while (
            not self._queue
            and not self._cancelled
            and self._place.is_at_tail
            and not self._is_let_go
            and not self._ended
        ):
            await self._stream.wait(self._runtime.limits.heartbeat_seconds, self)

    def _leave_out(self) -> None:
        """What a reader gets first that took long over the last event."""
        cursor, window = self.stands, self._stream.window
        if self.slow.policy is not Policy.DISCONNECT:
            self._queue.extend(self._place.leave_out(self.slow))
        elif cursor.state is not State.ENDED and not window.deleted and window.offset > cursor.offset:
            self._queue.append(cursor.detach(0.0, "slow"))

    @property
    def _is_let_go(self) -> bool:
        return self._runtime.draining and self._runtime.lets_go(self._stream.path)

    async def _step(self) -> tuple[Event, ...]:
        runtime, place, cursor = self._runtime, self._place, self.stands
        if self._ended is not None and cursor.state is not State.ENDED:
            return (cursor.detach(*self._ended),)
        if self._is_let_go:
            return (cursor.detach(runtime.share(), "stopping"),)
        if not place.is_at_tail:
            limit = runtime.limits.read_bytes
            events = place.at_once(limit)
            found = tuple(await place.from_store(limit) if events is None else events)
            return () if self._ended is not None else found
        now = time.monotonic()
        due = cursor.handle_timer(now)
        if due is not None:
            return (due,)
        await self._stream.wait(cursor.next_timer() - now, self)
        return ()

    # For introspection; what its caller holds for it is not known.

    @property
    def stands(self) -> Cursor:
        """See `Follower.stands`."""
        return self._place.cursor

    def full_seconds(self, now: float) -> float:
        """See `Follower.full_seconds`: how long its caller has the last event."""
        return 0.0 if self._given_at is None else now - self._given_at

    def is_paused(self, now: float) -> bool:
        """See `Follower.is_paused`."""
        return self._given_at is not None and self.full_seconds(now) >= self._runtime.limits.slow_seconds


def is_news(event: Event) -> bool:
    """Whether an event answers a long-poll: records, or the end of the stream."""
    return isinstance(event, Data) and bool(event.batch.records or event.batch.closed)
