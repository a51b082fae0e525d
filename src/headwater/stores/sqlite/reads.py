"""What is read of the log: records, pages and lists, of what is committed.

Rule: a reader sees the file at one moment. A state taken before may be older: what was purged meanwhile is missing,
which `build_batch` notices, and what was added lies behind the state's tail. What the journal had at the time of the
state is read from memory, in the tables or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar

from headwater.model import Batch, Last, Page
from headwater.protocol import backwards, forks
from headwater.protocol.batches import MAX_READ_RECORDS, Row, build_batch, build_values, has_own_values
from headwater.protocol.ledger import StreamState
from headwater.protocol.offsets import locate
from headwater.stores.log import Log, read_log
from headwater.stores.sqlite.database import Database
from headwater.stores.sqlite.journal import Journal
from headwater.stores.sqlite.rows import from_row
from headwater.stores.sqlite.schema import query

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_RECORDS_FROM: Final = query("records_from")
_VALUES_FROM: Final = query("values_from")
_TIMED_RECORDS_FROM: Final = query("timed_records_from")
_TIMED_VALUES_FROM: Final = query("timed_values_from")
_STARTS_BEFORE: Final = query("starts_before")
_STREAMS_AFTER: Final = query("streams_after")
_COUNT_STREAMS: Final = query("count_streams")
_STRING: Final = r'"(?:[^"\\]|\\.)*"'
# A time, and the JSON text of a principal directly behind it.
_TOLD: Final = re.compile(rf"([0-9]+)({_STRING}|\[{_STRING},{_STRING}\]|)(?:,|$)")


class Read(Protocol[T_co]):
    """What may be asked of a log."""

    def place(self, state: StreamState) -> int:
        """The position that it is about.

        Raises:
            BadRequest, InvalidOffset, OffsetGone: there is none.
        """
        ...

    def of_memory(self, state: StreamState, log: Log | None, place: int) -> T_co | None:
        """The answer, if all of it is in memory.

        Args:
            state: the stream.
            log: what the journal has of it.
            place: as `place` gives it.
        """
        ...

    def of_file(self, database: Database, state: StreamState, logs: Mapping[int, Log], place: int) -> T_co | None:
        """The answer; None: the file has moved on since the state was taken.

        Args:
            database: a reader's connection.
            state: the stream.
            logs: what the journal had of it and of the sources of its forks.
            place: as `place` gives it.
        """
        ...


class Forwards:
    """`Store.read`.

    Args:
        offset: see there, and so are the others.
    """

    def __init__(self, offset: str, limit: int, whole: int, *, times: bool) -> None:
        self._offset = offset
        self._limit = limit
        self._whole = whole
        self._times = times

    def place(self, state: StreamState) -> int:
        """See `Read.place`."""
        return locate(state.lineage, self._offset, earliest=state.earliest, tail=state.tail)

    def of_memory(self, state: StreamState, log: Log | None, place: int) -> Batch | None:
        """See `Read.of_memory`."""
        return _recent(state, log, place, self._limit, self._whole, times=self._times)

    def of_file(self, database: Database, state: StreamState, logs: Mapping[int, Log], place: int) -> Batch | None:
        """See `Read.of_file`."""
        return _stored(database, state, logs, place, self._limit, self._whole, times=self._times)


class Backwards:
    """`Store.page`.

    Args:
        last: see there, and so are the others.
    """

    def __init__(self, last: Last, limit: int, *, times: bool) -> None:
        self._last = last
        self._limit = limit
        self._times = times

    def place(self, state: StreamState) -> int:
        """See `Read.place`."""
        return backwards.page_end(state, self._last)

    def of_memory(self, state: StreamState, log: Log | None, place: int) -> Page | None:
        """See `Read.of_memory`."""
        if log is None or place <= log.positions[0]:
            return None
        wanted = self._last.records
        if wanted is not None and len(log.starts(log.positions[0], place, wanted)) < wanted:
            return None  # the others are in the file, if there are any
        start = backwards.page_start(state, place, self._last, self._limit, partial(_starts_in, log))
        if start < log.positions[0]:
            return None
        return backwards.read_page(state, start, place, partial(_recent, state, log, whole=0, times=self._times))

    def of_file(self, database: Database, state: StreamState, logs: Mapping[int, Log], place: int) -> Page | None:
        """See `Read.of_file`."""
        starts = partial(_starts, database, logs)
        start = backwards.page_start(state, place, self._last, self._limit, starts)
        read = partial(_stored, database, state, logs, whole=0, times=self._times)
        return backwards.read_page(state, start, place, read)


def of_memory(journal: Journal, read: Read[T], state: StreamState, place: int) -> T | None:
    """The answer to a read, if all of it is in the journal, or was until the last folds.

    Args:
        journal: what memory has of the log.
        read: what is asked.
        state: the stream.
        place: as `read.place` gives it.
    """
    log = journal.logs.get(state.incarnation)
    found = read.of_memory(state, log, place)
    if found is None and (more := journal.recent.before(log, state)) is not None:
        found = read.of_memory(state, more, place)
    return found


def _recent(state: StreamState, log: Log | None, start: int, limit: int, whole: int, *, times: bool) -> Batch | None:
    if start == state.tail:
        return build_batch(state, start, (), limit)
    if log is None or start < log.positions[0]:
        return None
    rows = partial(log.rows, start, start + limit, MAX_READ_RECORDS)
    return read_log(state, log, rows, start, limit, whole, times=times)


def _stored(
    database: Database,
    state: StreamState,
    logs: Mapping[int, Log],
    start: int,
    limit: int,
    whole: int,
    *,
    times: bool,
) -> Batch | None:
    log = logs.get(state.incarnation)
    if has_own_values(state, start) and (log is None or min(state.tail, start + limit) <= log.positions[0]):
        lines, size, told, by = _values(database, state, start, limit, times=times)
        if lines:
            return build_values(state, start, lines, size, told, by)
    return build_batch(state, start, _rows(database, state, logs, start, limit, times=times), limit, whole)


def _starts_in(log: Log, _: int, first: int, end: int, count: int) -> Sequence[int]:
    return log.starts(first, end, count)


def _starts(
    database: Database, logs: Mapping[int, Log], incarnation: int, first: int, end: int, count: int
) -> Sequence[int]:
    log = logs.get(incarnation)
    if log is None or end <= log.positions[0]:
        return [position for (position,) in database.run(_STARTS_BEFORE, (incarnation, first, end, count))]
    recent = log.starts(first, end, count)
    if len(recent) == count or first >= log.positions[0]:
        return recent
    rows = database.run(_STARTS_BEFORE, (incarnation, first, log.positions[0], count - len(recent)))
    return [*recent, *(position for (position,) in rows)]


def _values(
    database: Database, state: StreamState, start: int, limit: int, *, times: bool
) -> tuple[bytes, int, str | None, list[str | None] | None]:
    """Values of a stream's own as lines, their bytes, times and who appended them.

    None, if none begins at the start, or one is missing.

    They come in one row, so that nothing is made for each, and the event loop has the interpreter meanwhile.
    """
    number = state.incarnation
    bound = min(state.tail, start + limit)
    sql = _TIMED_VALUES_FROM if times else _VALUES_FROM
    [(first, last, count, lines, told)] = database.run(sql, (number, number, start, bound, MAX_READ_RECORDS))
    if first != start:
        return b"", 0, None, None
    told, by = _told(told)
    if by and len(by) != count:  # something else than a principal is in the file
        return b"", 0, None, None
    size = len(lines) - (count - 1)
    cut = lines.rfind(b"\n")
    rest = len(lines) - (cut + 1)
    if last != start + size - rest:
        return b"", 0, None, None
    if size > limit and count > 1:  # by the last one, which begins below the limit
        return lines[:cut], size - rest, told and told[: told.rfind(",")], by and by[:-1]
    return lines, size, told, by


def _told(told: str | None) -> tuple[str | None, list[str | None] | None]:
    """The times, and who appended the records: None of one of whom it is not known, and altogether, if of none."""
    if told is None or '"' not in told:
        return told, None
    pairs = _TOLD.findall(told)
    return ",".join(time for time, _ in pairs), [principal or None for _, principal in pairs]


def _rows(
    database: Database, state: StreamState, logs: Mapping[int, Log], start: int, limit: int, *, times: bool
) -> Iterator[Row]:
    for incarnation, first, end in forks.segments_from(state, start):
        # Positions count bytes, so they say how many records fill the limit. Where the tables have more than that many,
        # what is in memory does not follow, and `build_batch` ends before it.
        bound = min(end, start + limit)
        rows = rows_between(database, logs, incarnation, first, bound, MAX_READ_RECORDS, times=times)
        if incarnation == state.incarnation:
            yield from rows  # whole ones: only a fork's source has more than is read of it
        else:
            for position, data, told, by in rows:
                yield position, data[: end - position], told, by


def rows_between(
    database: Database,
    logs: Mapping[int, Log],
    incarnation: int,
    first: int,
    bound: int,
    count: int,
    *,
    times: bool,
) -> Iterator[Row]:
    """A stream's own rows, from the tables and then from memory.

    Args:
        database: any connection.
        logs: what the journal has.
        incarnation: the stream.
        first: a position in the first record.
        bound: the last record begins before it.
        count: rows of the tables, and of memory, at most.
        times: see `Store.read`.
    """
    log = logs.get(incarnation)
    settled = bound if log is None else min(bound, log.positions[0])
    if first < settled:
        sql = _TIMED_RECORDS_FROM if times else _RECORDS_FROM
        yield from database.run(sql, (incarnation, incarnation, first, settled, count))
    if log is not None and settled < bound:
        yield from log.rows(max(first, log.positions[0]), bound, count)


def list_states(database: Database, prefix: str, after: str, count: int) -> list[StreamState]:
    """Streams in byte order of their paths, soft-deleted ones left out; fewer than `count`: there are no more."""
    states = [from_row(row) for row in database.run(_STREAMS_AFTER, (prefix, after, count))]
    return [state for state in states if state.path.startswith(prefix)]


def count_streams(database: Database) -> int:
    """How many streams there are, soft-deleted ones left out."""
    return int(database.run(_COUNT_STREAMS)[0][0])
