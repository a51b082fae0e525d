"""The live end of a stream: its newest records, and who waits for more.

Rule 1: one Tail per stream that has live readers, whatever their number; its window is theirs together.
Rule 2: a tail only ever learns of committed records, from the store's notifications, in commit order.
Rule 3: a tail is told before any of its readers reads the store, so that nothing committed after that read is missed.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from headwater.hub.feeds import Feed, Format
from headwater.hub.greetings import Greetings
from headwater.hub.heartbeats import Heartbeats
from headwater.hub.stats import Stats
from headwater.model import BEGINNING, Batch, Change, Failure, Record, StreamInfo
from headwater.protocol.offsets import distance
from headwater.protocol.reading import Reader
from headwater.protocol.wire import Encoder

if TYPE_CHECKING:
    from headwater.hub.readers import LiveReader
    from headwater.hub.subscriptions import Subscription


class Tail:
    """Newest records of one stream and the readers that wait at its end.

    Args:
        path: the stream.
        window_bytes: record data to keep at most.
        schedule: called when the feeds have news.
        stats: where deliveries are counted.
        heartbeats: keep the feeds' readers alive.

    Attributes:
        subscriptions: the pushed readers, in whatever state.
        pulled: the readers that take events at their own pace.
        parked: those that stand where the feed will stand after its next flush.
        readers: live readers of the stream.
        ttl: the stream's TTL in seconds, if it has one.
        deleted: the stream is gone; the tail is never used again.
        greetings: first events that may be told again until something changes.
        changed_at: when the oldest change came that no feed was given yet, on the clock of timers; 0: none.
        flushed_at: when its feeds were given something last, on the clock of timers; 0: never.
    """

    def __init__(
        self, path: str, window_bytes: int, schedule: Callable[[Tail], None], stats: Stats, heartbeats: Heartbeats
    ) -> None:
        self.path = path
        self.stats = stats
        self._heartbeats = heartbeats
        self.subscriptions: set[Subscription] = set()
        self.pulled: set[LiveReader] = set()
        self.parked: list[Subscription] = []
        self._feeds: dict[tuple[object, ...], Feed] = {}
        self._schedule = schedule
        self.ttl: int | None = None
        self.readers = 0
        self.deleted = False
        self.changed_at = 0.0
        self.flushed_at = 0.0
        self._content_type = ""
        self._offset: str | None = None
        self._closed = False
        self._failure: Failure | None = None
        self._limit = window_bytes
        self._waiters: set[asyncio.Future[None]] = set()
        self._pausing: set[asyncio.Future[None]] = set()
        self._clear("")
        self.greetings = Greetings()

    def seed(self, info: StreamInfo) -> None:
        """Take the stream's state, read after the tail was made; a change told meanwhile is newer."""
        self.ttl = info.expiry.ttl
        self._content_type = info.content_type
        if self._offset is None:
            self._offset = info.tail
            self._closed = info.closed
            self._failure = info.failure
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
            self.progressed()
        elif change.batch is None or change.batch.offset != self._offset:
            self._clear(change.tail)
        else:
            self._extend(change.batch.records)
        self.greetings.clear()
        self._offset = change.tail
        self._closed = change.closed
        self._failure = change.failure
        self.wake()
        if self.subscriptions:
            self.changed_at = self.changed_at or time.monotonic()
            self._schedule(self)
        if self._size > self._limit:
            self._make_room()

    def _extend(self, records: Sequence[Record]) -> None:
        if len(records) == 1:  # by far the most
            record = records[0]
            self._records.append(record)
            self._ends.append(record.offset)
            self._size += len(record.data)
            return
        self._records += records
        self._ends += [record.offset for record in records]
        self._size += sum(len(record.data) for record in records)

    def _make_room(self) -> None:
        """Drop the oldest records until half the limit is free, so that dropping is rare and cheap.

        The feeds are flushed before, so that nobody who is live has to read from the store what was just here.
        """
        self.flush(self._limit)
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
            failure=self._failure if up_to_date else None,
            content_type=self._content_type,
        )

    def records_after(self, offset: str) -> int | None:
        """How many records follow an offset; None: the window does not reach it."""
        first = self._index(offset)
        return None if first is None else len(self._records) - first

    def _index(self, offset: str) -> int | None:
        if offset == self._start:
            return 0
        if len(self._ends) > 1 and self._ends[-2] == offset:  # of who is live, by far the most
            return len(self._ends) - 1
        index = bisect_left(self._ends, offset)
        return index + 1 if index < len(self._ends) and self._ends[index] == offset else None

    def has_news(self, offset: str) -> bool:
        """Whether a reader that was up to date at `offset` has something to be told.

        A store shows a commit to reads before it tells of it, so a reader may stand beyond this tail for a moment.
        """
        return self.deleted or self._closed or self.offset > offset

    def feed_for(self, form: Format, cursor: Reader, encoder: Encoder) -> Feed | None:
        """The feed for a reader that is up to date; None: its feed is about to be flushed to where the reader stands.

        A reader who was told something else than the feed's members, such as a part of a character that they were
        given whole, gets a feed of its own.
        """
        key = form.key
        feed = self._feeds.get(key)
        if feed is not None and feed.members and not feed.admits(cursor, encoder):
            if feed.cursor.offset != cursor.offset:
                return None
            key, feed = (*key, id(encoder)), None
        if feed is None or not feed.members:
            self._drop(key)
            feed = self._feeds[key] = Feed(self, cursor, encoder, form)
            self._heartbeats.watch(feed, partial(self._drop, key))
        return feed

    def _drop(self, key: tuple[object, ...]) -> None:
        feed = self._feeds.pop(key, None)
        if feed is not None and feed.timer is not None:
            feed.timer.cancel()

    def flush(self, limit: int) -> int:
        """Give every live reader what is new, and let those go on who waited for that.

        Args:
            limit: bytes of records in one batch.

        Returns:
            How many times a sink was written to.
        """
        written = 0
        monotonic, now = time.monotonic(), time.time()
        for key, feed in list(self._feeds.items()):
            written += feed.flush(limit, monotonic, now)
            if not feed.members and self._feeds.get(key) is feed:
                self._drop(key)
        self.changed_at = 0.0
        parked, self.parked = self.parked, []
        for member in parked:
            member.advance()
        self.progressed()
        return written

    async def wait(self, seconds: float) -> None:
        """Wait until something changes, `wake` is called, or the time is over."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        timer = self._heartbeats.timers.after(seconds, partial(_finish, waiter))
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiters.discard(waiter)

    def wake(self) -> None:
        """Wake every reader that waits."""
        for waiter in self._waiters:
            _finish(waiter)

    # For writers that wait for readers; see pausing.py.

    def live_readers(self) -> Iterator[LiveReader | Subscription]:
        """Every live reader, pushed or pulled."""
        yield from self.subscriptions
        yield from self.pulled

    def bytes_after(self, offset: str) -> int:
        """Bytes of records from a reader's offset to the tail; 0 for one that has not begun."""
        return 0 if self.deleted else distance(offset, self.offset) or 0

    async def progress(self) -> None:
        """Wait until a reader has got on, or has gone."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pausing.add(waiter)
        try:
            await waiter
        finally:
            self._pausing.discard(waiter)

    def progressed(self) -> None:
        """A reader has got on, or has gone."""
        for waiter in self._pausing:
            _finish(waiter)


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
