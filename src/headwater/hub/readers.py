"""Live readers: `protocol.reading.Reader` driven by a tail, a store and a clock.

Rule: a reader pulls. It holds an offset and takes the next batch when its transport is ready for it; a slow one
costs what its transport buffers, and nothing here.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from headwater.errors import HeadwaterError, StreamNotFound
from headwater.hub.describing import NOBODY, Peer, ReaderInfo, lag
from headwater.hub.lagging import Lag
from headwater.model import Batch, Policy, SlowPolicy, StreamInfo
from headwater.protocol.reading import Data, Event, Failed, Reader, State
from headwater.protocol.slow import REPLAY, format_slow

if TYPE_CHECKING:
    from headwater.hub.audience import Audience
    from headwater.hub.tails import Tail


class LiveReader:
    """One live reader of a stream; made by `Engine.open_reader`, to be used as a context manager.

    Attributes:
        info: the stream when the reader came.
        slow: what the reader gets that took longer than `limits.slow_seconds` over an event.
        peer: who reads.
        number: counts the readers of this process.
        since: when it came, on the clock of timers.
        asked: the offset it came with.
    """

    def __init__(
        self,
        audience: Audience,
        tail: Tail,
        info: StreamInfo,
        offset: str,
        *,
        heartbeat: float,
        lifetime: float | None,
        slow: SlowPolicy = REPLAY,
        peer: Peer = NOBODY,
    ) -> None:
        self.info = info
        self.peer = peer
        self.number = audience.stats.readers_total
        self.since = time.monotonic()
        self.asked = offset
        self._audience = audience
        self._tail = tail
        self._cursor = Reader(offset, self.since, heartbeat=heartbeat, lifetime=lifetime)
        self._limit = audience.limits.read_bytes
        self._pending: Event | None = None
        self._cancelled = False
        self._released = False
        self._queue: list[Event] = []
        self._given_at: float | None = None
        self.slow = slow
        tail.pulled.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._released:
            self.close()

    def close(self) -> None:
        """Count the reader out."""
        self._tail.pulled.discard(self)
        self._tail.progressed()
        self._audience.close_reader(self._tail)

    @property
    def state(self) -> State:
        """Where the reader stands."""
        return self._cursor.state

    def cancel(self) -> None:
        """End the reader from outside, because its client is gone: `next` then gives None."""
        self._cancelled = True
        self._tail.wake()

    async def begin(self, limit: int) -> Self:
        """Read the first batch, so that a bad offset is an error and not the start of an answer.

        Args:
            limit: bytes of records in it; one record in any case.

        Raises:
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable: nothing can be read.
        """
        self._limit = limit
        event = await self.next()
        self._limit = self._audience.limits.read_bytes
        if isinstance(event, Failed):
            raise event.error
        self._pending = event
        return self

    def begin_with(self, batch: Batch) -> None:
        """Take the first batch, read already."""
        self._pending = self._cursor.receive(batch, self.since)

    def release(self) -> tuple[Event, Reader, Tail]:
        """Give up the reader to who pushes it: its first event, its cursor and its stream's tail."""
        assert self._pending is not None, "only a reader that was just opened can be pushed"
        first, self._pending, self._released = self._pending, None, True
        self._tail.pulled.discard(self)
        return first, self._cursor, self._tail

    def place(self) -> tuple[str | None, str] | None:
        """Its name and its offset; None: it has ended."""
        return None if self._cursor.state is State.ENDED else (self.peer.name, self._cursor.offset)

    def brief(self) -> tuple[str, str, int] | None:
        """See `Describable.brief`; what the server holds for it is not known."""
        state = self._cursor.state
        if state is State.ENDED:
            return None
        return self.peer.wire, "paused" if self._was_slow() else state.value, 0

    def describe(self, now: float) -> ReaderInfo | None:
        """See `Describable.describe`."""
        cursor = self._cursor
        if cursor.state is State.ENDED:
            return None
        full = 0.0 if self._given_at is None else now - self._given_at
        records, size = lag(self._tail, cursor.offset)
        return ReaderInfo(
            number=self.number,
            path=self._tail.path,
            wire=self.peer.wire,
            state="paused" if full > self._audience.limits.slow_seconds else cursor.state.value,
            pushed=False,
            name=self.peer.name,
            address=self.peer.address,
            offset=cursor.offset,
            lag_records=records,
            lag_bytes=size,
            held=None,
            policy=format_slow(self.slow),
            connected_seconds=now - self.since,
            full_seconds=full,
        )

    def peek(self) -> Event | None:
        """The first event, before `next` takes it."""
        return self._pending

    async def next(self) -> Event | None:
        """The next thing to tell, waiting for it; None: there is nothing more."""
        event, self._pending = self._pending, None
        slow, self._given_at = self._was_slow(), None
        if event is None and slow and not self._queue:
            event = await self._leave_out()
        while event is None and (self._queue or not (self._cancelled or self._cursor.state is State.ENDED)):
            event = self._queue.pop(0) if self._queue else await self._step()
        self._given_at = time.monotonic()
        self._tail.progressed()
        return event

    def _was_slow(self) -> bool:
        limit = self._audience.limits.slow_seconds
        return self._given_at is not None and time.monotonic() - self._given_at > limit

    async def _leave_out(self) -> Event | None:
        """What a reader gets first that took long over the last event; None: whatever comes next."""
        cursor, tail = self._cursor, self._tail
        if tail.deleted or tail.offset <= cursor.offset or cursor.state is State.ENDED:
            return None
        if self.slow.policy is Policy.DISCONNECT:
            return cursor.detach(0.0, "slow")
        if self.slow.policy is Policy.LATEST:
            self._audience.stats.gaps[self.slow.policy.value] += 1
            return cursor.skip(tail.offset)
        if self.slow.policy is Policy.CONFLATE:
            lag = Lag(self.slow.key, cursor)
            try:
                while not self._queue:
                    self._queue = list(lag.feed(await self._batch(), time.monotonic()))
            except HeadwaterError as error:
                return cursor.fail(error)
            if len(self._queue) > 1:
                self._audience.stats.gaps[self.slow.policy.value] += 1
        return None

    async def _step(self) -> Event | None:
        cursor, tail = self._cursor, self._tail
        if self._audience.draining:
            return cursor.detach(self._audience.share(), "stopping")
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
        try:
            batch = await self._batch()
        except HeadwaterError as error:
            return self._cursor.fail(error)
        return self._cursor.receive(batch, time.monotonic())

    async def _batch(self) -> Batch:
        batch = self._tail.read(self._cursor.offset, self._limit)
        if batch is not None:
            self._audience.stats.window_reads += 1
            return batch
        self._audience.stats.store_reads += 1
        whole = self._audience.limits.read_bytes
        return await self._audience.store.read(self._tail.path, self._cursor.offset, limit=self._limit, whole=whole)


def is_news(event: Event) -> bool:
    """Whether an event answers a long-poll: records, or the end of the stream."""
    return isinstance(event, Data) and bool(event.batch.records or event.batch.closed)
