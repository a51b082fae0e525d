"""The live end of a stream: its newest records, and who waits for more.

Rule 1: one Tail per stream that has live readers, whatever their number; its window is theirs together.
Rule 2: a tail only ever learns of committed records, from the store's notifications, in commit order.
Rule 3: a tail is told before any of its readers reads the store, so that nothing committed after that read is missed.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left

from headwater.model import BEGINNING, Batch, Change, Record, StreamInfo


class Tail:
    """Newest records of one stream and the readers that wait at its end.

    Args:
        path: the stream.
        window_bytes: record data to keep at most.

    Attributes:
        readers: live readers of the stream.
        ttl: the stream's TTL in seconds, if it has one.
        deleted: the stream is gone; the tail is never used again.
    """

    def __init__(self, path: str, window_bytes: int) -> None:
        self.path = path
        self.ttl: int | None = None
        self.readers = 0
        self.deleted = False
        self._content_type = ""
        self._offset: str | None = None
        self._closed = False
        self._limit = window_bytes
        self._waiters: set[asyncio.Future[None]] = set()
        self._clear("")

    def seed(self, info: StreamInfo) -> None:
        """Take the stream's state, read after the tail was made; a change told meanwhile is newer."""
        self.ttl = info.expiry.ttl
        self._content_type = info.content_type
        if self._offset is None:
            self._offset = info.tail
            self._closed = info.closed
            self._clear(info.tail)

    def _clear(self, start: str) -> None:
        self._start = start
        self._records: list[Record] = []
        self._ends: list[str] = []
        self._size = 0

    @property
    def offset(self) -> str:
        """The stream's tail, as far as the store has told."""
        return self._offset or BEGINNING

    def apply(self, change: Change) -> None:
        """Take a notification and wake the readers."""
        if change.deleted:
            self.deleted = True
        elif change.batch is None or change.batch.offset != self._offset:
            self._clear(change.tail)
        else:
            self._extend(change.batch.records)
        self._offset = change.tail
        self._closed = change.closed
        self.wake()

    def _extend(self, records: tuple[Record, ...]) -> None:
        self._records += records
        self._ends += [record.offset for record in records]
        self._size += sum(len(record.data) for record in records)
        if self._size > self._limit:
            self._shrink()

    def _shrink(self) -> None:
        """Drop the oldest records until half the limit is free, so that dropping is rare and cheap."""
        count = 0
        while self._size > self._limit // 2:
            self._size -= len(self._records[count].data)
            count += 1
        self._start = self._ends[count - 1]
        del self._records[:count], self._ends[:count]

    def read(self, offset: str, limit: int) -> Batch | None:
        """Records from an offset on, if the window holds them; None: read the store.

        Args:
            offset: an offset as batches give it, no sentinel.
            limit: bytes; at least one record is returned, if there is one.
        """
        first = self._index(offset)
        if first is None:
            return None
        last, size = first, 0
        while last < len(self._records) and (last == first or size + len(self._records[last].data) <= limit):
            size += len(self._records[last].data)
            last += 1
        up_to_date = last == len(self._records)
        return Batch(
            offset=offset,
            records=tuple(self._records[first:last]),
            next_offset=self._ends[last - 1] if last else self._start,
            up_to_date=up_to_date,
            closed=up_to_date and self._closed,
            content_type=self._content_type,
        )

    def _index(self, offset: str) -> int | None:
        if offset == self._start:
            return 0
        index = bisect_left(self._ends, offset)
        return index + 1 if index < len(self._ends) and self._ends[index] == offset else None

    def has_news(self, offset: str) -> bool:
        """Whether a reader that was up to date at `offset` has something to be told.

        A store shows a commit to reads before it tells of it, so a reader may stand beyond this tail for a moment.
        """
        return self.deleted or self._closed or self.offset > offset

    async def wait(self, seconds: float) -> None:
        """Wait until something changes, `wake` is called, or the time is over."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.add(waiter)
        timer = loop.call_later(seconds, _finish, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiters.discard(waiter)

    def wake(self) -> None:
        """Wake every reader that waits."""
        for waiter in self._waiters:
            _finish(waiter)


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
