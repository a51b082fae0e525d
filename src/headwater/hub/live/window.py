"""The newest records of one stream, and where its log stands.

Rule 1: it only ever learns of committed records, from the store's notifications, in commit order.
Rule 2: it only goes forward: a notice that is late or comes twice changes nothing. A later stream at the path is
        another one, told by its offsets: this one is deleted.
Rule 3: it is told before any reader of the stream reads the store, so that nothing committed after that read is missed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from headwater.errors import StreamNotFound
from headwater.model import BEGINNING, Batch, Change, Failure, Record, StreamInfo
from headwater.protocol.batches import MAX_READ_RECORDS
from headwater.protocol.offsets import distance, same_stream


class Window:
    """What is in memory of a stream that has live readers.

    Args:
        path: the stream.
        limit: bytes of record data to keep at most.

    Attributes:
        path: as given.
        deleted: the stream is gone; what it had is not read any more.
        ttl: the stream's TTL in seconds, if it has one.
    """

    __slots__ = (
        "_closed",
        "_content_type",
        "_ends",
        "_failure",
        "_limit",
        "_offset",
        "_records",
        "_size",
        "_start",
        "deleted",
        "path",
        "ttl",
    )

    def __init__(self, path: str, limit: int) -> None:
        self.path = path
        self.deleted = False
        self.ttl: int | None = None
        self._limit = limit
        self._content_type = ""
        self._offset: str | None = None
        self._closed = False
        self._failure: Failure | None = None
        self._start = ""
        self._records: list[Record] = []
        self._ends: list[str] = []
        self._size = 0

    def _clear(self, start: str) -> None:
        self._start, self._records, self._ends, self._size = start, [], [], 0

    @property
    def offset(self) -> str:
        """The stream's tail, as far as the store has told."""
        return self._offset or BEGINNING

    @property
    def is_known(self) -> bool:
        """Whether a stream is there, as far as the store has told."""
        return self._offset is not None and not self.deleted

    @property
    def is_over(self) -> bool:
        """Whether it holds more than its limit; see `make_room`."""
        return self._size > self._limit

    @property
    def is_ended(self) -> bool:
        """Whether nothing follows: the stream is closed, or gone."""
        return self._closed or self.deleted

    def ends_at(self, offset: str) -> bool:
        """Whether the tail is there, as far as the store has told, and something may follow."""
        return self._offset == offset and not (self._closed or self.deleted)

    def is_of_earlier(self, tail: str) -> bool:
        """Whether all that it was told is of an earlier stream at the path than the one with this tail."""
        return self._offset is not None and self._offset < tail and not same_stream(self._offset, tail)

    def seed(self, info: StreamInfo) -> None:
        """Take the stream's state, read after this was made; a change told meanwhile is newer."""
        self.ttl = info.expiry.ttl
        self._content_type = info.content_type
        if self._offset is None:
            self._offset = info.tail
            self._closed = info.closed
            self._failure = info.failure
            self._start = info.tail  # nothing was told yet

    def apply(self, change: Change) -> bool:
        """Take a notification; False: it is no news."""
        before = self._offset
        if before is not None and change.tail <= before and not self._is_end(change, before):
            return False
        batch = change.batch
        if before is not None and not same_stream(before, change.tail):
            self.deleted = True
            return True
        if batch is not None and batch.offset == before:
            self._extend(batch.records)
        elif change.deleted:
            self.deleted = True
        else:
            self._clear(change.tail)
        self._offset = change.tail
        self._closed = change.closed
        self._failure = change.failure
        return True

    def _is_end(self, change: Change, tail: str) -> bool:
        """Whether a change without new records is news: at the same tail, that the stream ended there."""
        return change.tail == tail and (change.deleted or (change.closed and not self._closed))

    def _extend(self, records: Sequence[Record]) -> None:
        if len(records) == 1:  # most commits are one record
            record = records[0]
            self._records.append(record)
            self._ends.append(record.offset)
            self._size += len(record.data)
            return
        self._records += records
        self._ends += [record.offset for record in records]
        self._size += sum(len(record.data) for record in records)

    def make_room(self) -> None:
        """Drop the oldest records until half the limit is free, so that dropping is rare and cheap."""
        count = 0
        while self._size > self._limit // 2:
            self._size -= len(self._records[count].data)
            count += 1
        self._start = self._ends[count - 1]
        del self._records[:count], self._ends[:count]

    def read(self, offset: str, limit: int) -> Batch | None:
        """Records from an offset on, if they are here; None: read the store.

        Args:
            offset: an offset as batches give it, no sentinel.
            limit: bytes; at least one record is returned, if there is one, and `MAX_READ_RECORDS` at most.
        """
        first = self._index(offset)
        if first is None:
            return None
        last, size, end = first, 0, min(len(self._records), first + MAX_READ_RECORDS)
        while last < end and (last == first or size + len(self._records[last].data) <= limit):
            size += len(self._records[last].data)
            last += 1
        up_to_date = last == len(self._records)
        return Batch(
            offset=offset,
            records=tuple(self._records[first:last]),
            next_offset=self._ends[last - 1] if last else self._start,
            up_to_date=up_to_date,
            closed=up_to_date and self._closed,
            failure=self._failure if up_to_date else None,
            content_type=self._content_type,
        )

    def has_news(self, offset: str) -> bool:
        """Whether a reader that was up to date at `offset` has something to be told.

        A store shows a commit to reads before it tells of it, so a reader may stand beyond this window for a moment.
        """
        return self.deleted or self._closed or (self._offset or BEGINNING) > offset

    def lag(self, offset: str) -> tuple[int | None, int | None]:
        """Records and bytes from an offset to the tail, each None where it is not known."""
        if offset >= self.offset:
            return 0, 0
        first = self._index(offset)
        return None if first is None else len(self._records) - first, distance(offset, self.offset)

    def bytes_after(self, offset: str) -> int:
        """Bytes of records from a reader's offset to the tail; 0 for one that has not begun."""
        return 0 if self.deleted else distance(offset, self.offset) or 0

    def gone(self) -> StreamNotFound:
        """What every reader of a deleted stream is told, wherever it meets it."""
        return StreamNotFound(f"the stream at {self.path!r} was deleted or has expired")

    def _index(self, offset: str) -> int | None:
        if offset == self._start:
            return 0
        if len(self._ends) > 1 and self._ends[-2] == offset:  # where live readers stand
            return len(self._ends) - 1
        index = bisect_left(self._ends, offset)
        return index + 1 if index < len(self._ends) and self._ends[index] == offset else None
