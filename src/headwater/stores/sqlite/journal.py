"""The appends of the last batches: a row each in the file, by stream in memory, until they are folded into the tables.

A batch that appends to a thousand streams changes a page of each one's own; as an entry of the journal it is a few
pages in a row. A fold writes what many entries have for a stream at once, to the same page (the idea of the
log-structured merge-tree: O'Neil, Cheng, Gawlick, O'Neil, Acta Informatica 33, 1996).

Rule 1: entries hold appends only, and what the tables have of a stream is older than its entries: whatever else changes
        a stream is written to the tables, and folds first.
Rule 2: what is committed comes into memory after the commit, and what is folded leaves it after that commit. Who looks
        here first and into the tables afterwards misses nothing, and finds some of it twice.
Rule 3: the writer's thread changes what is here; others read it. Logs only grow, and are let go of as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from headwater.errors import StoreUnavailable
from headwater.model import Failure, Producer, StreamConfig
from headwater.protocol.ledger import StreamState
from headwater.protocol.producers import ProducerState
from headwater.protocol.spans import MILLIS
from headwater.stores.log import Log
from headwater.stores.sqlite.database import Database
from headwater.stores.sqlite.recent import Recent
from headwater.stores.sqlite.schema import query
from headwater.stores.sqlite.tables import ProducerKey, RecordRow, bytes_of, write_tables

#: Records at which they are folded, at least and at most, and by stream: so few that a fold holds up the writer for
#: some ten milliseconds, and so many that it does not write a page for each.
FOLD_RECORDS: Final = 4096
MOST_RECORDS: Final = 32_768
STREAM_RECORDS: Final = 8
#: Bytes of entries at which they are folded; a restart reads them.
FOLD_BYTES: Final = 4 * 1024 * 1024
#: Seconds after which they are folded in any case, so that other programs find recent records in the tables.
FOLD_SECONDS: Final = 5.0
#: When folds fail, so many times as much is taken before appends fail too.
_MOST: Final = 4

_PAGE: Final = 4096
#: What a row costs beside its data, about.
_ROW_BYTES: Final = 32

#: What most streams have, and share.
_NO_RETENTION: Final = StreamConfig().retention

_ENTRIES: Final = query("journal_entries")
_CLEAR: Final = query("clear_journal")


class Grown(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What an append changes of a stream; see `StreamState`."""

    incarnation: int
    touched_at: float
    tail: int
    closed: bool
    closed_by: Producer | None
    last_seq: str | None
    failure: Failure | None
    appended_at: float = 0.0

    @classmethod
    def of(cls, state: StreamState) -> Grown:
        """It, after the append."""
        return cls(
            state.incarnation,
            state.touched_at,
            state.tail,
            state.closed,
            state.closed_by,
            state.last_seq,
            state.failure,
            state.appended_at,
        )

    def applied_to(self, state: StreamState) -> StreamState:
        """The state after the append, of the one before."""
        return msgspec.structs.replace(
            state,
            touched_at=self.touched_at,
            tail=self.tail,
            closed=self.closed,
            closed_by=self.closed_by,
            last_seq=self.last_seq,
            failure=self.failure,
            appended_at=max(self.appended_at, state.appended_at),
        )


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The appends of one batch, as MessagePack in the file.

    Attributes:
        streams: their streams.
        producers: (incarnation, id, epoch, sequence) of their producers.
        records: in the order of the appends.
        used: when each of the producers was; entries from before this was noted have none.
    """

    streams: list[Grown]
    producers: list[tuple[int, str, int, int]]
    records: list[RecordRow]
    used: list[float] = []  # msgspec copies it

    @property
    def size(self) -> int:
        """Bytes in the file, about."""
        rows = len(self.streams) + len(self.producers) + len(self.records)
        return _ROW_BYTES * rows + bytes_of(self.records)


class _Unnamed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An entry of a release that did not keep who appended a record."""

    streams: list[Grown]
    producers: list[tuple[int, str, int, int]]
    records: list[tuple[int, int, float, bytes, int]]
    used: list[float] = []  # msgspec copies it

    def renewed(self) -> Entry:
        """The same, with what a migration gives to what is in the tables."""
        return Entry(self.streams, self.producers, [(*row, None) for row in self.records], self.used)


class _Older(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An entry of a release that did not tell the times of records either."""

    streams: list[Grown]
    producers: list[tuple[int, str, int, int]]
    records: list[tuple[int, int, float, bytes]]
    used: list[float] = []  # msgspec copies it

    def renewed(self) -> Entry:
        """The same, with what a migration gives to what is in the tables."""
        records: list[RecordRow] = [(*row, round(row[2] * MILLIS), None) for row in self.records]
        last = {row[0]: row[4] / MILLIS for row in records}
        streams = [
            msgspec.structs.replace(grown, appended_at=last.get(grown.incarnation, 0.0)) for grown in self.streams
        ]
        return Entry(streams, self.producers, records, self.used)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode
_decode_unnamed = msgspec.msgpack.Decoder(_Unnamed).decode
_decode_older = msgspec.msgpack.Decoder(_Older).decode


def encode_entry(entry: Entry) -> bytes:
    """What `load_entries` reads."""
    return _encode(entry)


def decode_entry(data: bytes) -> Entry:
    """An entry of this release or of an older one.

    Raises:
        msgspec.DecodeError: it is damaged.
    """
    try:
        return _decode(data)
    except msgspec.ValidationError:
        pass
    try:
        return _decode_unnamed(data).renewed()
    except msgspec.ValidationError:
        return _decode_older(data).renewed()


def load_entries(database: Database) -> Iterable[Entry]:
    """What was not folded when the last process ended, in the order of the commits.

    Raises:
        StoreUnavailable: the file is damaged.
    """
    for (data,) in database.run(_ENTRIES):
        try:
            yield decode_entry(data)
        except msgspec.DecodeError as error:
            raise StoreUnavailable(f"the file is damaged: an entry of its journal cannot be read: {error}") from None


class Journal:
    """What memory has of the entries.

    Args:
        enabled: takes new entries. What it has is folded either way.

    Attributes:
        states: the streams in it by incarnation, as they are now.
        logs: their records that the tables do not have; only of streams that have any.
        recent: what the tables have of late.
        producers: as they are now.
        producer_counts: how many of them each stream has.
    """

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self.recent: Final = Recent()
        self.logs: dict[int, Log] = {}
        self.clear()

    def clear(self) -> None:
        """Forget all of it, once it is in the tables, but for the ends of busy streams."""
        self.recent.folded(self.logs)
        self.states: dict[int, StreamState] = {}
        self.logs = {}
        self.producers: dict[ProducerKey, ProducerState] = {}
        self.producer_counts: Counter[int] = Counter()
        self._records = 0
        self._size = 0
        self._retained = False
        self._since: float | None = None

    def takes(self, entry: Entry, size: int) -> bool:
        """Whether a batch costs less here: its bytes, which are written twice, against a page of each stream.

        Elsewhere it would also cost a fold, if one of its streams is here already.

        Args:
            entry: the batch.
            size: of it.
        """
        if not self._enabled or self._size >= _MOST * FOLD_BYTES or self._records >= _MOST * MOST_RECORDS:
            return False
        pages = len(entry.streams)
        if size < pages * _PAGE:
            return True
        if self.has_any([grown.incarnation for grown in entry.streams]):
            pages += len(self.states)
        return size < pages * _PAGE

    def has_any(self, incarnations: Collection[int]) -> bool:
        """Whether one of these streams is here."""
        return not self.states.keys().isdisjoint(incarnations)

    def add(self, entry: Entry, size: int, states: Sequence[StreamState], now: float) -> None:
        """Take what was committed.

        Args:
            entry: the batch.
            size: of it.
            states: its streams after it, in the same order.
            now: time of the commit.
        """
        if len(entry.streams) == 1 and entry.records:
            self._add_of_one(entry)
        else:
            self._add_records(entry.records)
        times = entry.used
        if len(times) < len(entry.producers):
            touched = {state.incarnation: state.touched_at for state in states}
            times = [touched[row[0]] for row in entry.producers]
        for (incarnation, producer_id, epoch, seq), used in zip(entry.producers, times, strict=True):
            key = (incarnation, producer_id)
            if key not in self.producers:
                self.producer_counts[incarnation] += 1
            self.producers[key] = ProducerState(epoch, seq, used)
        for state in states:
            self.states[state.incarnation] = state
            if state.config.retention is not _NO_RETENTION:
                self._retained = self._retained or _is_retained(state)
        self._records += len(entry.records)
        self._size += size
        if self._since is None:
            self._since = now

    def _add_of_one(self, entry: Entry) -> None:
        [incarnation, *_], positions, times, data, told, by = zip(*entry.records, strict=True)
        log = self.logs.get(incarnation)
        if log is None:
            log = Log()
            log.extend(positions, times, told, data, by)
            self.logs[incarnation] = log
        else:
            log.extend(positions, times, told, data, by)

    def _add_records(self, records: Iterable[RecordRow]) -> None:
        logs = self.logs
        for incarnation, position, steady, data, told, by in records:
            log = logs.get(incarnation)
            if log is None:
                log = Log()
                log.add(position, steady, told, data, by)
                logs[incarnation] = log
            else:
                log.add(position, steady, told, data, by)

    @property
    def is_full(self) -> bool:
        """Whether it is time to fold, for its size."""
        records = min(max(FOLD_RECORDS, STREAM_RECORDS * len(self.states)), MOST_RECORDS)
        return self._size >= FOLD_BYTES or self._records >= records

    def is_due(self, now: float) -> bool:
        """Whether a sweep should fold: it is old, or has streams that retention must look at."""
        return self._since is not None and (self._retained or not 0 <= now - self._since < FOLD_SECONDS)

    def settled(self, state: StreamState) -> StreamState:
        """A stream as far as the tables have its records."""
        log = self.logs.get(state.incarnation)
        return state if log is None else msgspec.structs.replace(state, tail=log.positions[0])

    def of(self, incarnations: Collection[int]) -> dict[int, Log]:
        """The logs of some streams, which stay whole when they are folded meanwhile."""
        return {number: log for number in incarnations if (log := self.logs.get(number)) is not None}

    def fold_into(self, database: Database) -> int:
        """Write all of it to the tables, in the transaction under way; returns how many bytes, estimated."""
        database.run(_CLEAR)
        rows = [row for number in sorted(self.logs) for row in _rows_of(number, self.logs[number])]
        write_tables(database, self.states.values(), self.producers, rows, self._size)
        return self._size + 2 * _PAGE * len(self.states)


def _rows_of(incarnation: int, log: Log) -> Iterable[RecordRow]:
    count = len(log.positions)
    by = log.by or [None] * count
    return zip([incarnation] * count, log.positions, log.times, log.data, log.told, by, strict=True)


def _is_retained(state: StreamState) -> bool:
    limits = state.config.retention
    return limits.age is not None or limits.size is not None or limits.count is not None
