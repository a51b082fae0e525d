"""What waits for one stream, and how it is sent: one batch at a time, in order.

Rule 1: a batch is frozen, and that is written down, before it is first sent; it is sent again byte for byte, under the
        same numbers, also after a restart.
Rule 2: a fate is told before its record is dropped. So after a crash, and while the file fails, a fate may be told
        twice; none is left out.
Rule 3: who finds that somebody else has written numbers meanwhile sends no more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from headwater.client import requests
from headwater.client.clock import Pause
from headwater.client.doors import Door
from headwater.client.errors import ClientError, OutboxExpired, OutboxStorage, Stopped, UnknownOutcome
from headwater.client.outbox.fates import Kept, State
from headwater.client.outbox.store import Store
from headwater.client.outbox.verdicts import Numbers, verdict
from headwater.client.retry import Backoff, Retry
from headwater.errors import Conflict, HeadwaterError, StreamNotFound
from headwater.protocol.framing import join_records, keeps_records

#: Bytes of a batch, beside those of its first record; and records.
BATCH_BYTES: Final = 1 << 20
BATCH_RECORDS: Final = 1000


class Seat(Protocol):
    """What a lane needs of its outbox.

    Attributes:
        id: the producer's name.
        age: seconds after which a record expires.
        retry: how trouble is met.
    """

    id: str
    age: float
    retry: Retry

    def door(self, url: str) -> Door:
        """The way to a stream."""
        ...

    def forgets(self, seconds: float) -> None:
        """A server forgets producers after so long."""
        ...

    def clock(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    async def call(self, work: Callable[[Store], Any]) -> Any:
        """What the store says."""
        ...

    def tell(
        self, state: State, records: Sequence[Kept], offset: str = "", error: HeadwaterError | None = None
    ) -> None:
        """What became of records."""
        ...

    async def settle(
        self, state: State, records: Sequence[Kept], numbers: tuple[Numbers, Numbers], offset: str, error: Any
    ) -> None:
        """Drop records whose fate was told."""
        ...


class Lane:
    """The records that wait for one stream.

    Args:
        seat: its outbox.
        url: of the stream.
    """

    def __init__(self, seat: Seat, url: str) -> None:
        self._seat: Final = seat
        self._url: Final = url
        self._queue: deque[Kept] = deque()
        self._next: Numbers | None = None
        self._is_lost = True  # one of an earlier life may have been sent
        self._apart_until = 0
        self._backoff: Backoff | None = None
        self._wait: Pause | None = None
        self._hint: float | None = None
        self._task: asyncio.Task[None] | None = None

    def push(self, record: Kept) -> None:
        """It waits, behind all others."""
        self._queue.append(record)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Something is better than before: the wait ends, unless the server asked for it."""
        if self._hint is None and self._wait is not None:
            if self._backoff is not None:
                self._backoff.reset()
            self._wait.wake()

    async def stop(self) -> None:
        """End what is under way; what is not acknowledged stays in the file."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._queue:
            try:
                if self._next is None:
                    self._next = await self._seat.call(lambda store: store.next(self._url))
                if await self._step():
                    continue
            except Stopped:
                return
            except OutboxStorage:
                self._hint = None  # it fails, and may not for long
            await self._pause()

    async def _step(self) -> bool:
        """Settle what is at the head; False: it is tried again after a while."""
        seat, head = self._seat, self._queue[0]
        batch = [each for each in self._queue if each.is_frozen] if head.is_frozen else [head]
        if head.at + seat.age <= seat.clock():
            return await self._expire(batch)
        if not head.is_frozen:
            batch = await self._freeze()
        assert batch[0].epoch is not None
        assert batch[0].seq is not None
        numbers = batch[0].epoch, batch[0].seq
        self._hint = None
        self._begin()
        try:
            offset = await self._send(batch, numbers)
        except HeadwaterError as error:
            return await self._failed(batch, numbers, error)
        assert self._backoff is not None
        self._backoff.moved()
        return await self._settle(batch, "acknowledged", offset=offset)

    def _begin(self) -> None:
        door = self._seat.door(self._url)
        self._backoff = self._backoff or Backoff(self._seat.retry, door.clock.draw)
        self._backoff.begin(door.clock.now())

    async def _send(self, batch: list[Kept], numbers: Numbers) -> str:
        first, seat = batch[0], self._seat
        door = seat.door(self._url)
        body = join_records(first.kind, [record.body for record in batch])
        headers = {
            "content-type": first.kind,
            "producer-id": seat.id,
            "producer-epoch": str(numbers[0]),
            "producer-seq": str(numbers[1]),
        }
        if first.create is not None:
            headers |= {**first.create, "stream-create": "true"}
        try:
            head, text = await door.ask("POST", self._url, headers, body)
            requests.check_written(head, text)
        except StreamNotFound:
            if first.create is None:
                raise
            # At a server that does not make a stream with its first record.
            made, told = await door.ask("PUT", self._url, {"content-type": first.kind, **first.create}, b"")
            with suppress(Conflict):
                requests.check(made, told)
            head, text = await door.ask("POST", self._url, headers, body)
            requests.check_written(head, text)
        if (kept := head.headers.get("stream-producer-age", "")).isdecimal():
            seat.forgets(float(kept))
        return head.headers.get(requests.NEXT, "")

    async def _failed(self, batch: list[Kept], numbers: Numbers, error: HeadwaterError) -> bool:
        if isinstance(error, Stopped):
            raise error
        found = verdict(error, numbers, is_lost=self._is_lost, size=len(batch))
        if found.state is not None:
            return await self._settle(batch, found.state, found.next, error=found.error)
        if found.thaw:
            assert found.next is not None
            if found.apart:
                self._apart_until = batch[-1].key
            await self._thaw(found.next)
            return found.apart  # a server that forgot again and again is not asked in a loop
        self._is_lost = found.is_lost
        self._hint = None if isinstance(error, ClientError) else error.retry_after or None
        return False

    async def _expire(self, batch: list[Kept]) -> bool:
        assert self._next is not None
        following = None
        age = self._seat.age
        if batch[0].is_frozen:
            following = (self._next[0] + 1, 0)  # its number is not used, or nobody knows
            if self._is_lost:
                error = UnknownOutcome(f"it was sent, and no answer came within age={age:g} seconds")
                return await self._settle(batch, "unknown", following, error=error)
        told = OutboxExpired(f"it was not sent within age={age:g} seconds")
        return await self._settle(batch, "expired", following, error=told)

    async def _freeze(self) -> list[Kept]:
        """Those at the head that go together."""
        first, size = self._queue[0], 0
        together = keeps_records(first.kind) and first.key > self._apart_until
        batch: list[Kept] = []
        for each in self._queue:
            size += len(each.body)
            is_same = (each.kind, each.create) == (first.kind, first.create)
            if batch and (not together or not is_same or size > BATCH_BYTES or len(batch) == BATCH_RECORDS):
                break
            batch.append(each)
        seat, url, last = self._seat, self._url, self._next
        assert last is not None
        keys = [each.key for each in batch]
        self._next = await seat.call(lambda store: store.freeze(seat.id, url, last, keys))
        for each in batch:
            each.epoch, each.seq = last
        self._is_lost = False
        seat.tell("sent", batch)
        return batch

    async def _thaw(self, following: Numbers) -> None:
        seat, url, last = self._seat, self._url, self._next
        assert last is not None
        await seat.call(lambda store: store.thaw(seat.id, url, last, following))
        self._next = following
        for each in self._queue:
            each.epoch = each.seq = None

    async def _settle(
        self,
        batch: list[Kept],
        state: State,
        following: Numbers | None = None,
        *,
        offset: str = "",
        error: HeadwaterError | None = None,
    ) -> bool:
        assert self._next is not None
        self._seat.tell(state, batch, offset, error)
        await self._seat.settle(state, batch, (self._next, following or self._next), offset, error)
        self._next = following or self._next
        for _ in batch:
            self._queue.popleft()
        self._is_lost = False
        return True

    async def _pause(self) -> None:
        """Until the next attempt, or until the head's time is over."""
        door = self._seat.door(self._url)
        self._begin_if_new()
        assert self._backoff is not None
        wait = self._backoff.wait(door.clock.now(), self._hint)
        cap = self._seat.retry.cap
        left = self._queue[0].at + self._seat.age - self._seat.clock()
        self._wait = door.clock.pause()
        await self._wait.wait(max(0.0, min(cap if wait is None else wait, max(left, 0.01))))
        self._wait = None

    def _begin_if_new(self) -> None:
        if self._backoff is None:
            self._begin()
