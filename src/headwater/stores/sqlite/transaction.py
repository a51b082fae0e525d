"""One batch's unit of work: its own copies of what it changes, and the SQL that keeps them.

Rule 1: commands change the copies only; `commit` writes each stream, producer and record once, in one transaction:
        appends to the journal, where that costs less, all else to the tables.
Rule 2: a transaction begins with the first write, so that a batch that only looks up needs no lock on the file.
Rule 3: lookups see the batch's changes first, then the committed states, then the file.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import islice
from typing import Any, Final

from msgspec.json import encode
from msgspec.structs import replace

from headwater.model import Change, Record
from headwater.protocol import forks
from headwater.protocol.batches import Row
from headwater.protocol.ledger import StreamState
from headwater.protocol.principals import to_text
from headwater.protocol.producers import ProducerState
from headwater.protocol.spans import MILLIS
from headwater.stores import unit as steps
from headwater.stores.base import Wants
from headwater.stores.sqlite.cache import Committed
from headwater.stores.sqlite.database import Database, Rows
from headwater.stores.sqlite.journal import Entry, Grown, encode_entry
from headwater.stores.sqlite.reads import rows_between
from headwater.stores.sqlite.rows import from_row
from headwater.stores.sqlite.schema import query
from headwater.stores.sqlite.tables import ProducerKey, RecordRow, bytes_of, write_tables

#: In `purges`: a dropped stream, with everything.
EVERYTHING: Final = 2**63 - 1

_STREAM_AT: Final = query("stream_at")
_STREAMS_AT: Final = query("streams_at")
_PATH_OF: Final = query("path_of")
_PRODUCER: Final = query("producer")
_PRODUCERS: Final = query("producers_of")
_COUNT_PRODUCERS: Final = query("count_producers")
_DROP_PRODUCER: Final = query("drop_producer")
_DROP_STREAM: Final = query("drop_stream")
_ADD_PURGE: Final = query("add_purge")
_LOOK_AGAIN: Final = query("look_again")
_ADD_TO_JOURNAL: Final = query("add_to_journal")
_SET_LAST_INCARNATION: Final = query("set_last_incarnation")

#: Streams from which on they are looked up together.
_MANY: Final = 8

# What a change of a stream writes to the log at least: a page each for its row, its records and its producers.
_PAGES_OF_A_STREAM: Final = 3 * 4096
# The same of an entry of the journal: the last page of the table, begun and not full.
_PAGES_OF_AN_ENTRY: Final = 2 * 4096


#: The appends of a batch to one stream: the state behind them, where they begin, and their records. Bare, because each
#: append to a stream of its own has one.
_Growth = tuple[StreamState, int, list[Record]]


class SqliteUnit:
    """See `unit.Unit` for the methods that the shared steps use.

    Args:
        database: the writer's connection.
        committed: what memory knows; changed by `commit` alone.
        check: looks whether the file is still what memory knows; called in the transaction before its first statement,
            or behind the lookups of a batch that has none; told which. May raise.

    Attributes:
        now: time of the command that runs.
        steady: see `Moment`.
        records: the new ones so far.
        written: bytes added to the log by `commit`, estimated.
    """

    def __init__(self, database: Database, committed: Committed, check: Callable[[Database, bool], None]) -> None:
        self.now = self.steady = 0.0
        self.written = 0
        self._database = database
        self._check = check
        self._committed = committed
        self._begun = False
        self._last_incarnation = committed.last_incarnation
        self._states: dict[str, StreamState | None] = {}
        self._changed: dict[int, StreamState] = {}
        # Of the changed ones: those of which more has changed than an append changes.
        self._remade: set[int] = set()
        self._folds = False
        self._dropped: set[int] = set()
        self._producers: dict[ProducerKey, ProducerState] = {}
        self._forgotten: set[ProducerKey] = set()
        self._bounds: dict[int, int] = {}
        # What a batch finds out is not so if it fails.
        self._full: dict[int, float] = {}
        self.full_until: MutableMapping[int, float] = ChainMap(self._full, committed.full_until)
        self._told: list[Change | _Growth] = []
        self._growths: dict[int, _Growth] = {}
        self.records: list[RecordRow] = []
        self._purges: dict[int, int] = {}
        self._looks: dict[int, float | None] = {}

    @property
    def record_count(self) -> int:
        """See `Forgetful.record_count`."""
        return len(self.records)

    @property
    def is_empty(self) -> bool:
        """See `Forgetful.is_empty`; lookups do not count."""
        return not (self._begun or self._folds or self._looks or any(self._changes_kept()))

    def forget(self) -> None:
        """See `Forgetful.forget`."""
        for kept in (self._states, self._bounds, self._growths, *self._changes_kept()):
            kept.clear()
        self._last_incarnation = self._committed.last_incarnation

    def _changes_kept(self) -> tuple[dict[Any, Any] | set[Any] | list[Any], ...]:
        rows = (self.records, self._told, self._producers, self._forgotten, self._purges)
        return (self._changed, self._remade, self._dropped, *rows)

    def look_up(self, paths: Collection[str]) -> None:
        """Find many streams at once: what `find` gives for them is known then."""
        states, known = self._states, self._committed.states
        missing = [path for path in paths if path not in states and path not in known and path.isprintable()]
        if len(missing) < _MANY:
            return
        rows = self._database.run(_STREAMS_AT, (encode(missing).decode(),))
        states.update(dict.fromkeys(missing))
        for row in rows:
            state = self._committed.as_touched(from_row(row))
            states[state.path] = state

    def watched(self, path: str) -> bool:
        """See `Unit.watched`."""
        return self._committed.watched(path)

    def find(self, path: str) -> StreamState | None:
        """See `Unit.find`."""
        known = self._states.get(path)
        if known is not None or path in self._states:
            return known
        committed = self._committed.states.get(path)
        if committed is not None:
            state: StreamState | None = replace(committed)
        else:
            rows = self._database.run(_STREAM_AT, (path,))
            state = self._committed.as_touched(from_row(rows[0])) if rows else None
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
        self._states[state.path] = state
        self.save(state)

    def save(self, state: StreamState) -> None:
        """See `Unit.save`."""
        self._changed[state.incarnation] = state
        self._remade.add(state.incarnation)

    def save_append(self, state: StreamState) -> None:
        """See `Unit.save_append`."""
        self._changed[state.incarnation] = state

    def drop(self, state: StreamState) -> None:
        """See `Unit.drop`; the records and producers are left to the sweep."""
        self._states[state.path] = None
        self._changed.pop(state.incarnation, None)
        self._dropped.add(state.incarnation)
        self._remade.add(state.incarnation)
        self._purges[state.incarnation] = EVERYTHING

    def producer(self, incarnation: int, producer_id: str) -> ProducerState | None:
        """See `Unit.producer`."""
        key = (incarnation, producer_id)
        known = self._producers.get(key)
        if known is not None or key in self._forgotten:
            return known
        known = self._committed.producers.get(key)
        if known is None and (rows := self._database.run(_PRODUCER, key)):
            known = ProducerState(*rows[0])
        return known

    def save_producer(self, incarnation: int, producer_id: str, state: ProducerState) -> None:
        """See `Unit.save_producer`."""
        self._producers[incarnation, producer_id] = state

    def producer_bound(self, incarnation: int) -> int:
        """See `Unit.producer_bound`; counted once a batch, in which each producer is taken for a new one."""
        bound = self._bounds.get(incarnation)
        if bound is None:
            in_tables: int = self._database.run(_COUNT_PRODUCERS, (incarnation,))[0][0]
            bound = self._bounds[incarnation] = in_tables + self._committed.journal.producer_counts[incarnation]
        return bound + len(self._producers)

    def producers(self, incarnation: int) -> Mapping[str, ProducerState]:
        """See `Unit.producers`."""
        rows = self._database.run(_PRODUCERS, (incarnation,))
        found = {name: ProducerState(epoch, seq, used) for name, epoch, seq, used in rows}
        journaled = self._committed.journal.producers
        found |= {name: known for (number, name), known in journaled.items() if number == incarnation}
        for number, name in self._forgotten:
            if number == incarnation:
                found.pop(name, None)
        return found | {name: known for (number, name), known in self._producers.items() if number == incarnation}

    def drop_producer(self, incarnation: int, producer_id: str) -> None:
        """See `Unit.drop_producer`."""
        self._producers.pop((incarnation, producer_id), None)
        self._forgotten.add((incarnation, producer_id))
        self._remade.add(incarnation)

    def insert(self, incarnation: int, start: int, records: Sequence[Record]) -> None:
        """See `Unit.insert`."""
        if self._looks:
            self._looks.pop(incarnation, None)
        rows, steady = self.records, self.steady
        first = records[0]
        told, by = int(first.at * MILLIS + 0.5), None if first.by is None else to_text(first.by)
        if len(records) == 1:
            rows.append((incarnation, start, steady, first.data, told, by))
            return
        for record in records:
            data = record.data
            rows.append((incarnation, start, steady, data, told, by))
            start += len(data)

    def following(self, state: StreamState, position: int, count: int) -> tuple[bytes, ...]:
        """See `Unit.following`."""
        rows = islice(self._rows(state, position, count), count)
        return tuple(data[max(0, position - start) :] for start, data, *_ in rows)

    def _rows(self, state: StreamState, position: int, count: int) -> Iterator[Row]:
        logs = self._committed.journal.logs
        for incarnation, first, end in forks.segments_from(state, position):
            rows = rows_between(self._database, logs, incarnation, first, end, count, times=False)
            for start, data, told, by in rows:
                yield start, data[: end - start], told, by
            for number, start, _, data, told, by in self.records:
                if number == incarnation and start < end and start + len(data) > first:
                    yield start, data[: end - start], told, by

    def tell(self, change: Change) -> None:
        """See `Unit.tell`."""
        self._told.append(change)

    def tell_growth(self, state: StreamState, start: int, records: Sequence[Record]) -> None:
        """See `Unit.tell_growth`; the appends of a stream in one batch are told as one."""
        growth = self._growths.get(state.incarnation)
        if growth is None:
            growth = self._growths[state.incarnation] = (state, start, [*records])
            self._told.append(growth)
        else:
            growth[2].extend(records)

    def changes(self, want: Wants) -> list[Change]:
        """What to tell the watchers, in order; after the commit."""
        found: list[Change] = []
        for told in self._told:
            if not isinstance(told, tuple):
                found.append(told)
            elif want(told[0].path):
                found.append(steps.growth(*told))
        return found

    def trim(self, state: StreamState, earliest: int) -> None:
        """Move a stream's first position that is kept; the records before it are left to the sweep."""
        state.earliest = earliest
        self.save(state)
        self._purges.setdefault(state.incarnation, earliest)

    def look_again(self, state: StreamState, at: float | None) -> None:
        """Have retention look at a stream next at this time, unless something is appended to it before."""
        self._looks[state.incarnation] = at
        self._remade.add(state.incarnation)

    def fold(self) -> None:
        """Fold the journal into the tables."""
        self._folds = bool(self._committed.journal.states)

    def write(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Run a statement of the transaction at once."""
        self._begin()
        return self._database.run(sql, values)

    def commit(self) -> None:
        """Write what changed, then make it visible. On an error nothing is; the connection is to be closed."""
        journal = self._committed.journal
        appends = self._entry()
        size = appends.size
        entry = appends if journal.takes(appends, size) else None
        journaled = {grown.incarnation for grown in entry.streams} if entry else set()
        others = (
            (self._changed.keys() | self._remade) - journaled if len(journaled) < len(self._changed) else self._remade
        )
        folds = self._folds or journal.has_any(others)
        if folds:
            self._begin()
            self.written += journal.fold_into(self._database)
        self._flush(journaled)
        if entry:
            self.write(_ADD_TO_JOURNAL, (encode_entry(entry),))
            self.written += size + _PAGES_OF_AN_ENTRY
        if self._begun:
            self._database.commit()
        else:
            self._check(self._database, False)
        if folds:
            journal.clear()
        if entry:
            journal.add(entry, size, [self._changed[grown.incarnation] for grown in entry.streams], self.now)
        self._committed.publish(self._states, self._producers, self._forgotten, self._last_incarnation)
        self._committed.dropped.extend(self._dropped)
        if self._full:
            self._committed.remember_full(self._full)

    def _entry(self) -> Entry:
        """The appends to streams that nothing else changed."""
        states: Iterable[StreamState] = self._changed.values()
        producers = [(*key, known.epoch, known.seq) for key, known in self._producers.items()]
        records, remade = self.records, self._remade
        if remade:
            states = [state for state in states if state.incarnation not in remade]
            producers = [row for row in producers if row[0] not in remade]
            records = [row for row in records if row[0] not in remade]
        used = [self._producers[row[0], row[1]].used for row in producers]
        return Entry([Grown.of(state) for state in states], producers, records, used)

    def _flush(self, journaled: Collection[int]) -> None:
        """Write to the tables what is not of these streams."""
        if self._last_incarnation > self._committed.last_incarnation:
            self.write(_SET_LAST_INCARNATION, (self._last_incarnation,))
        for incarnation in self._dropped:
            self.write(_DROP_STREAM, (incarnation,))
        for purge in self._purges.items():
            self.write(_ADD_PURGE, purge)
        for key in self._forgotten:
            self.write(_DROP_PRODUCER, key)
        states = [state for number, state in self._changed.items() if number not in journaled]
        producers = {key: known for key, known in self._producers.items() if key[0] not in journaled}
        records = [row for row in self.records if row[0] not in journaled] if journaled else self.records
        size = bytes_of(records)
        if states or producers or records:
            self._begin()
            write_tables(self._database, states, producers, records, size)
        for incarnation, at in self._looks.items():
            self.write(_LOOK_AGAIN, (at, incarnation))
        self.written += _PAGES_OF_A_STREAM * (len(states) + len(self._dropped)) + size

    def _begin(self) -> None:
        if not self._begun:
            self._database.run("BEGIN IMMEDIATE")
            self._begun = True
            self._check(self._database, True)
