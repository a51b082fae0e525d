"""One batch's unit of work: its own copies of what it changes, and the SQL that keeps them.

Rule 1: commands change the copies only; `commit` writes each stream, producer and record once, in one transaction.
Rule 2: a transaction begins with the first write, so that a batch that only looks up needs no lock on the file.
Rule 3: lookups see the batch's changes first, then the committed states, then the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import islice
from typing import Any, Final

from headwater.model import Change, Record
from headwater.protocol import forking
from headwater.protocol.batches import Row
from headwater.protocol.ledger import StreamState
from headwater.protocol.producing import ProducerState
from headwater.stores import unit as steps
from headwater.stores.sqlite.committed import Committed, ProducerKey
from headwater.stores.sqlite.database import Database, Rows
from headwater.stores.sqlite.rows import from_row, to_row
from headwater.stores.sqlite.schema import Many, query

#: In `purges`: a dropped stream, with everything.
EVERYTHING: Final = 2**63 - 1

_STREAM_AT: Final = query("stream_at")
_PATH_OF: Final = query("path_of")
_PRODUCER: Final = query("producer")
_RECORDS_FROM: Final = query("records_from")
_DROP_STREAM: Final = query("drop_stream")
_ADD_PURGE: Final = query("add_purge")
_LOOK_AGAIN: Final = query("look_again")
_SET_LAST_INCARNATION: Final = query("set_last_incarnation")
_SAVE_STREAMS: Final = Many("save_streams", 32)
_SAVE_PRODUCERS: Final = Many("save_producers", 64)
_INSERT_RECORDS: Final = Many("insert_records", 128)

# What a change of a stream writes to the log at least: a page each for its row, its records and its producers.
_PAGES_OF_A_STREAM: Final = 3 * 4096


class _Growth:
    """The appends of a batch to one stream."""

    __slots__ = ("_start", "_state", "records")

    def __init__(self, state: StreamState, start: int) -> None:
        self._state = state
        self._start = start
        self.records: list[Record] = []

    def change(self) -> Change:
        return steps.growth(self._state, self._start, self.records)


class SqliteUnit:
    """See `unit.Unit` for the methods that the shared steps use.

    Args:
        database: the writer's connection.
        committed: what memory knows; changed by `commit` alone.

    Attributes:
        now: time of the command that runs.
        written: bytes added to the log by `commit`, estimated.
    """

    def __init__(self, database: Database, committed: Committed) -> None:
        self.now = 0.0
        self.written = 0
        self._database = database
        self._committed = committed
        self._begun = False
        self._last_incarnation = committed.last_incarnation
        self._states: dict[str, StreamState | None] = {}
        self._changed: dict[int, StreamState] = {}
        self._dropped: set[int] = set()
        self._producers: dict[ProducerKey, ProducerState] = {}
        self._told: list[Change | _Growth] = []
        self._growths: dict[int, _Growth] = {}
        self._records: list[tuple[int, int, float, bytes]] = []
        self._purges: dict[int, int] = {}
        self._looks: dict[int, float | None] = {}

    def find(self, path: str) -> StreamState | None:
        """See `Unit.find`."""
        if path in self._states:
            return self._states[path]
        committed = self._committed.states.get(path)
        if committed is not None:
            state: StreamState | None = copy(committed)
        else:
            rows = self._database.run(_STREAM_AT, (path,))
            state = from_row(rows[0]) if rows else None
        self._states[path] = state
        return state

    def find_incarnation(self, incarnation: int) -> StreamState | None:
        """See `Unit.find_incarnation`."""
        if incarnation in self._changed:
            return self._changed[incarnation]
        if incarnation in self._dropped:
            return None
        rows = self._database.run(_PATH_OF, (incarnation,))
        return self.find(rows[0][0]) if rows else None

    def next_incarnation(self) -> int:
        """See `Unit.next_incarnation`."""
        self._last_incarnation += 1
        return self._last_incarnation

    def add(self, state: StreamState) -> None:
        """See `Unit.add`."""
        self._states[state.path] = self._changed[state.incarnation] = state

    def save(self, state: StreamState) -> None:
        """See `Unit.save`."""
        self._changed[state.incarnation] = state

    def drop(self, state: StreamState) -> None:
        """See `Unit.drop`; the records and producers are left to the sweep."""
        self._states[state.path] = None
        self._changed.pop(state.incarnation, None)
        self._dropped.add(state.incarnation)
        self._purges[state.incarnation] = EVERYTHING

    def producer(self, incarnation: int, producer_id: str) -> ProducerState | None:
        """See `Unit.producer`."""
        key = (incarnation, producer_id)
        known = self._producers.get(key) or self._committed.producers.get(key)
        if known is None and (rows := self._database.run(_PRODUCER, key)):
            known = ProducerState(*rows[0])
        return known

    def save_producer(self, incarnation: int, producer_id: str, state: ProducerState) -> None:
        """See `Unit.save_producer`."""
        self._producers[incarnation, producer_id] = state

    def insert(self, incarnation: int, start: int, records: Sequence[Record]) -> None:
        """See `Unit.insert`."""
        self._looks.pop(incarnation, None)
        for record in records:
            self._records.append((incarnation, start, self.now, record.data))
            start += len(record.data)

    def following(self, state: StreamState, position: int, count: int) -> tuple[bytes, ...]:
        """See `Unit.following`."""
        self._flush_records()
        rows = islice(self._rows(state, position, count), count)
        return tuple(data[max(0, position - start) :] for start, data in rows)

    def _rows(self, state: StreamState, position: int, count: int) -> Iterator[Row]:
        for incarnation, first, end in forking.segments_from(state, position):
            for start, data in self._database.run(_RECORDS_FROM, (incarnation, incarnation, first, end, count)):
                yield start, data[: end - start]

    def tell(self, change: Change) -> None:
        """See `Unit.tell`."""
        self._told.append(change)

    def tell_growth(self, state: StreamState, start: int, records: Sequence[Record]) -> None:
        """See `Unit.tell_growth`; the appends of a stream in one batch are told as one."""
        growth = self._growths.get(state.incarnation)
        if growth is None:
            growth = self._growths[state.incarnation] = _Growth(state, start)
            self._told.append(growth)
        growth.records += records

    def changes(self) -> list[Change]:
        """What to tell the watchers, in order; after the commit."""
        return [told if isinstance(told, Change) else told.change() for told in self._told]

    def trim(self, state: StreamState, earliest: int) -> None:
        """Move a stream's first position that is kept; the records before it are left to the sweep."""
        state.earliest = earliest
        self.save(state)
        self._purges.setdefault(state.incarnation, earliest)

    def look_again(self, state: StreamState, at: float | None) -> None:
        """Have retention look at a stream next at this time, unless something is appended to it before."""
        self._looks[state.incarnation] = at

    def write(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Run a statement of the transaction at once."""
        if not self._begun:
            self._database.run("BEGIN IMMEDIATE")
            self._begun = True
        return self._database.run(sql, values)

    def commit(self) -> None:
        """Write what changed, then make it visible. On an error nothing is; the connection is to be closed."""
        self._flush_streams()
        self._flush_records()
        if self._begun:
            self._database.run("COMMIT")
        self._committed.publish(self._states, self._producers, self._last_incarnation)

    def _flush_streams(self) -> None:
        if self._last_incarnation > self._committed.last_incarnation:
            self.write(_SET_LAST_INCARNATION, (self._last_incarnation,))
        for incarnation in self._dropped:
            self.write(_DROP_STREAM, (incarnation,))
        for purge in self._purges.items():
            self.write(_ADD_PURGE, purge)
        self._write_many(_SAVE_STREAMS, [to_row(state) for state in self._changed.values()])
        self._write_many(_SAVE_PRODUCERS, [(*key, known.epoch, known.seq) for key, known in self._producers.items()])
        for incarnation, at in self._looks.items():
            self.write(_LOOK_AGAIN, (at, incarnation))
        self.written += _PAGES_OF_A_STREAM * (len(self._changed) + len(self._dropped))

    def _flush_records(self) -> None:
        self._write_many(_INSERT_RECORDS, self._records)
        self.written += sum(len(row[3]) for row in self._records)
        self._records.clear()

    def _write_many(self, many: Many, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            if not self._begun:
                self.write("SELECT 1")
            many.run(self._database, rows)
