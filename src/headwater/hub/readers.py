"""Live readers: `protocol.reading.Reader` driven by a tail, a store and a clock.

Rule: a reader pulls. It holds an offset and takes the next batch when its transport is ready for it; a slow one
costs what its transport buffers, and nothing here.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from headwater.errors import HeadwaterError, StreamNotFound
from headwater.model import StreamInfo
from headwater.protocol.reading import Data, Event, Failed, Reader, State

if TYPE_CHECKING:
    from headwater.hub.audience import Audience
    from headwater.hub.tails import Tail


class LiveReader:
    """One live reader of a stream; made by `Engine.open_reader`, to be used as a context manager.

    Attributes:
        info: the stream when the reader came.
    """

    def __init__(
        self, audience: Audience, tail: Tail, info: StreamInfo, offset: str, *, heartbeat: float, lifetime: float | None
    ) -> None:
        self.info = info
        self._audience = audience
        self._tail = tail
        self._cursor = Reader(offset, time.monotonic(), heartbeat=heartbeat, lifetime=lifetime)
        self._pending: Event | None = None
        self._cancelled = False
        self._released = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._released:
            self._audience.close_reader(self._tail)

    @property
    def state(self) -> State:
        """Where the reader stands."""
        return self._cursor.state

    def cancel(self) -> None:
        """End the reader from outside, because its client is gone: `next` then gives None."""
        self._cancelled = True
        self._tail.wake()

    async def begin(self) -> Self:
        """Read the first batch, so that a bad offset is an error and not the start of an answer.

        Raises:
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable: nothing can be read.
        """
        event = await self.next()
        if isinstance(event, Failed):
            raise event.error
        self._pending = event
        return self

    def release(self) -> tuple[Event, Reader, Tail]:
        """Give up the reader to who pushes it: its first event, its cursor and its stream's tail."""
        assert self._pending is not None, "only a reader that was just opened can be pushed"
        first, self._pending, self._released = self._pending, None, True
        return first, self._cursor, self._tail

    def peek(self) -> Event | None:
        """The first event, before `next` takes it."""
        return self._pending

    async def next(self) -> Event | None:
        """The next thing to tell, waiting for it; None: there is nothing more."""
        event = self._pending
        if event is not None:
            self._pending = None
            return event
        while not self._cancelled and self._cursor.state is not State.ENDED:
            event = await self._step()
            if event is not None:
                return event
        return None

    async def _step(self) -> Event | None:
        cursor, tail = self._cursor, self._tail
        if self._audience.draining:
            return cursor.detach(self._audience.share())
        if tail.deleted:
            return cursor.fail(StreamNotFound(f"the stream at {tail.path!r} was deleted or has expired"))
        if cursor.state is State.CATCHING_UP or tail.has_news(cursor.offset):
            return await self._read()
        now = time.monotonic()
        due = cursor.handle_timer(now)
        if due is None:
            await tail.wait(cursor.next_timer() - now)
        return due

    async def _read(self) -> Event:
        limit = self._audience.limits.read_bytes
        batch = self._tail.read(self._cursor.offset, limit)
        if batch is not None:
            self._audience.stats.window_reads += 1
            return self._cursor.receive(batch, time.monotonic())
        self._audience.stats.store_reads += 1
        try:
            batch = await self._audience.store.read(self._tail.path, self._cursor.offset, limit=limit)
        except HeadwaterError as error:
            return self._cursor.fail(error)
        return self._cursor.receive(batch, time.monotonic())


def is_news(event: Event) -> bool:
    """Whether an event answers a long-poll: records, or the end of the stream."""
    return isinstance(event, Data) and bool(event.batch.records or event.batch.closed)
