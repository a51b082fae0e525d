"""The reference store: everything in memory, nothing durable. Shortest, and what the others are compared with."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from functools import partial
from itertools import islice
from typing import Final

from headwater.errors import HeadwaterError
from headwater.model import (
    Appended,
    Batch,
    Change,
    Created,
    Expiry,
    Extent,
    Last,
    Page,
    Principal,
    Record,
    Retention,
    StreamConfig,
    StreamInfo,
)
from headwater.protocol import backwards, forks, ledger
from headwater.protocol.batches import MAX_READ_RECORDS, Row, extent_from
from headwater.protocol.framing import Split
from headwater.protocol.ledger import Append, StreamState, Watched
from headwater.protocol.offsets import locate
from headwater.protocol.preconditions import Condition
from headwater.protocol.principals import to_text
from headwater.protocol.producers import ProducerState
from headwater.protocol.retention import retained_from
from headwater.protocol.spans import MILLIS
from headwater.stores import unit
from headwater.stores.attendance import Attendance
from headwater.stores.base import DEFAULT_READ_LIMIT, Clock, Done, Found, Wants, Watcher
from headwater.stores.draft import append_all
from headwater.stores.log import Log, read_log
from headwater.stores.timekeeper import Timekeeper
from headwater.stores.watchers import Watchers

#: Of most streams, which no sweep looks at.
_NEVER: Final = Expiry()
_ALL: Final = Retention()


class MemoryStore:
    """Streams in memory, gone with the process. See `Store` for the methods.

    Args:
        clock: seconds since the Unix epoch.
    """

    keeps_by: Final = True

    def __init__(self, *, clock: Clock = time.time) -> None:
        self._time = Timekeeper(clock)
        self._attended = Attendance()
        self._streams: dict[str, StreamState] = {}
        self._paths: list[str] = []
        self._incarnations: dict[int, StreamState] = {}
        self._logs: dict[int, Log] = {}
        self._producers: dict[int, dict[str, ProducerState]] = {}
        self._last_incarnation = 0
        self._watchers = Watchers()
        self.now = self.steady = 0.0
        self.full_until: MutableMapping[int, float] = {}

    async def open(self) -> None:
        """Nothing to do."""

    async def aclose(self) -> None:
        """Nothing to do; the records stay until the object goes."""

    async def create(
        self,
        path: str,
        config: StreamConfig,
        body: bytes = b"",
        *,
        closed: bool = False,
        condition: Condition | None = None,
        max_records: int | None = None,
        split: Split | None = None,
        by: Principal | None = None,
    ) -> Created:
        """See `Attributing.create`."""
        self.now, self.steady = self._time.moment()
        how = partial(unit.create, closed=closed, condition=condition, max_records=max_records, split=split, by=by)
        return how(self, path, config, body)

    async def append(self, path: str, request: Append) -> Appended:
        """See `Store.append`."""
        self.now, self.steady = self._time.moment()
        return unit.append(self, path, request)

    async def append_all(
        self, appends: Sequence[tuple[str, Append]], *, max_records: int | None = None
    ) -> list[Appended]:
        """See `Atomic.append_all`."""
        self.now, self.steady = self._time.moment()
        return append_all(self, appends, max_records)

    def post(self, path: str, request: Append, done: Done) -> None:
        """See `Posting.post`."""
        self.now, self.steady = self._time.moment()
        try:
            answer: Appended | Exception = unit.append(self, path, request)
        except HeadwaterError as error:
            answer = error
        done(answer)

    async def read(
        self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0, times: bool = True
    ) -> Batch:
        """See `Store.read`."""
        return self._batch(*self._place(path, offset), limit, whole, times=times)

    def read_at_once(self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0) -> Found | None:
        """See `AtOnce.read_at_once`."""
        try:
            state, start = self._place(path, offset)
            return state.info(), self._batch(state, start, limit, whole, times=True)
        except HeadwaterError:
            return None

    def _place(self, path: str, offset: str) -> tuple[StreamState, int]:
        """A stream that is read now, and the position at which."""
        now = self._time.now()
        state = ledger.check_usable(self._streams.get(path), path, now, self._attended)
        start = locate(state.lineage, offset, earliest=state.earliest, tail=state.tail)
        ledger.touch(state, now)
        return state, start

    def _batch(self, state: StreamState, start: int, limit: int, whole: int, *, times: bool) -> Batch:
        rows = partial(self._rows, state, start, limit, MAX_READ_RECORDS)
        batch = read_log(state, self._logs[state.incarnation], rows, start, limit, whole, times=times)
        assert batch is not None, "memory cannot lose rows between two lines"
        return batch

    async def page(self, path: str, last: Last, *, limit: int = DEFAULT_READ_LIMIT, times: bool = True) -> Page:
        """See `Store.page`."""
        now = self._time.now()
        state = ledger.check_usable(self._streams.get(path), path, now, self._attended)
        end = backwards.page_end(state, last)
        ledger.touch(state, now)
        start = backwards.page_start(state, end, last, limit, self._starts)
        page = backwards.read_page(state, start, end, partial(self._batch, state, whole=0, times=times))
        assert page is not None, "memory cannot lose rows between two lines"
        return page

    def _starts(self, incarnation: int, first: int, end: int, count: int) -> Sequence[int]:
        return self._logs[incarnation].starts(first, end, count)

    async def extent(self, path: str, offset: str) -> Extent:
        """See `Store.extent`."""
        return extent_from(*self._place(path, offset))

    async def info(self, path: str) -> StreamInfo:
        """See `Store.info`."""
        return ledger.check_usable(self._streams.get(path), path, self._time.now(), self._attended).info()

    def info_at_once(self, path: str) -> StreamInfo | None:
        """See `AtOnce.info_at_once`."""
        try:
            return ledger.check_usable(self._streams.get(path), path, self._time.now(), self._attended).info()
        except HeadwaterError:
            return None

    async def delete(self, path: str, *, condition: Condition | None = None) -> None:
        """See `Store.delete`."""
        self.now, self.steady = self._time.moment()
        unit.delete(self, path, condition)

    async def list(self, *, prefix: str = "", after: str = "", limit: int = 100) -> list[StreamInfo]:
        """See `Store.list`."""
        now = self._time.now()
        first = max(bisect_right(self._paths, after) if after else 0, bisect_left(self._paths, prefix))
        found: list[StreamInfo] = []
        for path in islice(self._paths, first, None):
            if len(found) >= limit or not path.startswith(prefix):
                break
            state = self._streams[path]
            if not state.deleted and not ledger.is_expired(state, now, self._attended):
                found.append(state.info())
        return found

    async def count(self) -> int:
        """See `Store.count`."""
        return sum(not state.deleted for state in self._streams.values())

    def watch(self, watcher: Watcher, wants: Wants | None = None) -> Callable[[], None]:
        """See `Store.watch`."""
        return self._watchers.add(watcher, wants)

    async def sweep(self) -> None:
        """See `Sweeping.sweep`; goes with jumps of the clock."""
        if jump := self._time.jump():
            for state in self._streams.values():
                state.touched_at += jump
            self._time.shift(jump)
        self.now, self.steady = self._time.moment()
        for state in list(self._streams.values()):
            if state.config.expiry != _NEVER:
                unit.expire(self, state.path)
        for state in self._streams.values():
            if state.config.retention != _ALL:
                self._retain(state)

    def _retain(self, state: StreamState) -> None:
        log = self._logs[state.incarnation]
        earliest = retained_from(state, log, self.steady)
        if earliest > state.earliest:
            state.earliest = earliest
            if not state.forks:
                log.trim(earliest)

    def _rows(self, state: StreamState, start: int, size: int, most: int | None = None) -> Iterator[Row]:
        """Rows from the one that contains `start` on, of so many bytes or a little more."""
        for incarnation, first, end in forks.segments_from(state, start):
            rows = self._logs[incarnation].rows(first, min(end, start + size), most)
            for position, data, told, by in rows:
                yield position, data[: end - position], told, by

    def time(self) -> float:
        """See `Store.time`."""
        return self._time.now()

    def attend(self, watched: Watched) -> Callable[[], None]:
        """See `Store.attend`."""
        return self._attended.add(watched)

    def touch(self, times: Mapping[str, float]) -> None:
        """See `Store.touch`."""
        now = self._time.now()
        for path, at in times.items():
            state = self._streams.get(path)
            if state is not None and not ledger.is_expired(state, now, self._attended):
                ledger.touch(state, min(at, now))

    # The unit of work: nothing can fail half-way in memory, so changes are made in place.

    def watched(self, path: str) -> bool:
        """See `Unit.watched`."""
        return self._attended(path)

    def find(self, path: str) -> StreamState | None:
        """See `Unit.find`."""
        return self._streams.get(path)

    def find_incarnation(self, incarnation: int) -> StreamState | None:
        """See `Unit.find_incarnation`."""
        return self._incarnations.get(incarnation)

    def next_incarnation(self) -> int:
        """See `Unit.next_incarnation`."""
        self._last_incarnation += 1
        return self._last_incarnation

    def add(self, state: StreamState) -> None:
        """See `Unit.add`."""
        self._streams[state.path] = state
        insort(self._paths, state.path)
        self._incarnations[state.incarnation] = state
        self._logs[state.incarnation] = Log()
        self._producers[state.incarnation] = {}

    def save(self, state: StreamState) -> None:
        """See `Unit.save`."""

    def save_append(self, state: StreamState) -> None:
        """See `Unit.save_append`."""

    def drop(self, state: StreamState) -> None:
        """See `Unit.drop`."""
        number = state.incarnation
        del self._streams[state.path], self._incarnations[number], self._logs[number], self._producers[number]
        del self._paths[bisect_left(self._paths, state.path)]
        self.full_until.pop(number, None)

    def producer(self, incarnation: int, producer_id: str) -> ProducerState | None:
        """See `Unit.producer`."""
        return self._producers[incarnation].get(producer_id)

    def save_producer(self, incarnation: int, producer_id: str, state: ProducerState) -> None:
        """See `Unit.save_producer`."""
        self._producers[incarnation][producer_id] = state

    def producer_bound(self, incarnation: int) -> int:
        """See `Unit.producer_bound`."""
        return len(self._producers[incarnation])

    def producers(self, incarnation: int) -> Mapping[str, ProducerState]:
        """See `Unit.producers`."""
        return self._producers[incarnation]

    def drop_producer(self, incarnation: int, producer_id: str) -> None:
        """See `Unit.drop_producer`."""
        del self._producers[incarnation][producer_id]

    def insert(self, incarnation: int, start: int, records: Sequence[Record]) -> None:
        """See `Unit.insert`."""
        log = self._logs[incarnation]
        first = records[0]
        told, by = int(first.at * MILLIS + 0.5), None if first.by is None else to_text(first.by)
        if len(records) == 1:
            log.add(start, self.steady, told, first.data, by)
            return
        for record in records:
            log.add(start, self.steady, told, record.data, by)
            start += len(record.data)

    def following(self, state: StreamState, position: int, count: int) -> tuple[bytes, ...]:
        """See `Unit.following`."""
        rows = self._rows(state, position, state.tail - position)
        return tuple(data[max(0, position - start) :] for start, data, *_ in islice(rows, count))

    def tell(self, change: Change) -> None:
        """See `Unit.tell`."""
        self._watchers.tell(change)

    def tell_growth(self, state: StreamState, start: int, records: Sequence[Record]) -> None:
        """See `Unit.tell_growth`."""
        if self._watchers.want(state.path):
            self.tell(unit.growth(state, start, records))


def from_url(location: str, options: dict[str, str], clock: Clock) -> MemoryStore:
    """The store of `memory:`.

    Raises:
        ValueError: there is more to the URL.
    """
    if location or options:
        raise ValueError("memory: takes no path and no options")
    return MemoryStore(clock=clock)
