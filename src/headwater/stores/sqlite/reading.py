"""The threads that read, and what they read: committed records and lists.

Rule: a reader sees the file at one moment. A state taken before may be older: what was purged meanwhile is missing,
which `build_batch` notices, and what was added lies behind the state's tail. What the journal had at the time of the
state is read from memory, in the tables or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Final, TypeVar

from headwater.errors import StoreUnavailable
from headwater.model import Batch
from headwater.protocol import forking
from headwater.protocol.batches import Row, build_batch, build_values, has_own_values
from headwater.protocol.ledger import StreamState
from headwater.stores.log import Log, read_log
from headwater.stores.sqlite.database import DRIVER_ERRORS, Database
from headwater.stores.sqlite.rows import from_row
from headwater.stores.sqlite.schema import query

T = TypeVar("T")

_RECORDS_FROM: Final = query("records_from")
_VALUES_FROM: Final = query("values_from")
_TIMED_RECORDS_FROM: Final = query("timed_records_from")
_TIMED_VALUES_FROM: Final = query("timed_values_from")
_STREAMS_AFTER: Final = query("streams_after")
_COUNT_STREAMS: Final = query("count_streams")
_NO_LIMIT: Final = -1


class Readers:
    """A few threads, each with a connection while it works. One that failed is opened anew by the next read.

    Args:
        connect: opens a connection that only reads.
        count: threads, and connections at most.
    """

    def __init__(self, connect: Callable[[], Database], count: int) -> None:
        self._connect = connect
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="headwater-sqlite-read")
        self._idle: SimpleQueue[Database | None] = SimpleQueue()
        for _ in range(count):
            self._idle.put(None)
        self._count = count

    async def open(self) -> None:
        """Connect all of them, so that reads go on when the files are removed.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        await asyncio.gather(*(self.run(_nothing) for _ in range(self._count)))

    async def run(self, work: Callable[[Database], T]) -> T:
        """Run a function with a connection, in a thread.

        Raises:
            StoreUnavailable: the read failed.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._work, work)

    def close(self) -> None:
        """Finish the reads under way and let go of the file; blocks."""
        self._executor.shutdown()
        for _ in range(self._count):
            if (database := self._idle.get()) is not None:
                database.close()

    def _work(self, work: Callable[[Database], T]) -> T:
        database = self._idle.get()
        try:
            if database is None:
                database = self._connect()
            return work(database)
        except DRIVER_ERRORS as error:
            if database is not None:
                database.close()
                database = None
            raise StoreUnavailable(f"the read failed: {error}") from error
        finally:
            self._idle.put(database)


def _nothing(database: Database) -> None:
    """Connecting is all."""


def read_recent(
    state: StreamState, log: Log | None, start: int, limit: int, whole: int, *, times: bool
) -> Batch | None:
    """The batch of a read of what is in memory; None: it begins before.

    Args:
        state: the stream.
        log: what the journal has of it.
        start: see `build_batch`.
        limit: see `build_batch`.
        whole: see `build_batch`.
        times: see `Store.read`.
    """
    if start == state.tail:
        return build_batch(state, start, (), limit)
    if log is None or start < log.positions[0]:
        return None
    return read_log(state, log, log.rows(start, start + limit), start, limit, whole, times=times)


def read_batch(
    database: Database,
    state: StreamState,
    logs: Mapping[int, Log],
    start: int,
    limit: int,
    whole: int,
    *,
    times: bool,
) -> Batch | None:
    """The batch of a read; None: the file has moved on since the state was taken.

    Args:
        database: a reader's connection.
        state: the stream.
        logs: what the journal had of it and of the sources of its forks.
        start: see `build_batch`.
        limit: see `build_batch`.
        whole: see `build_batch`.
        times: see `Store.read`.
    """
    log = logs.get(state.incarnation)
    if has_own_values(state, start) and (log is None or min(state.tail, start + limit) <= log.positions[0]):
        lines, size, told = _values(database, state, start, limit, times=times)
        if lines:
            return build_values(state, start, lines, size, told)
    return build_batch(state, start, _rows(database, state, logs, start, limit, times=times), limit, whole)


def _values(
    database: Database, state: StreamState, start: int, limit: int, *, times: bool
) -> tuple[bytes, int, str | None]:
    """Values of a stream's own as lines, their bytes and times; none, if none begins at the start, or one is missing.

    They come in one row, so that nothing is made for each, and the event loop has the interpreter meanwhile.
    """
    number = state.incarnation
    bound = min(state.tail, start + limit)
    sql = _TIMED_VALUES_FROM if times else _VALUES_FROM
    [(first, last, count, lines, told)] = database.run(sql, (number, number, start, bound))
    if first != start:
        return b"", 0, None
    size = len(lines) - (count - 1)
    cut = lines.rfind(b"\n")
    rest = len(lines) - (cut + 1)
    if last != start + size - rest:
        return b"", 0, None
    if size > limit and count > 1:  # by the last one, which begins below the limit
        return lines[:cut], size - rest, told and told[: told.rfind(",")]
    return lines, size, told


def _rows(
    database: Database, state: StreamState, logs: Mapping[int, Log], start: int, limit: int, *, times: bool
) -> Iterator[Row]:
    for incarnation, first, end in forking.segments_from(state, start):
        # Positions count bytes, so they say how many records fill the limit.
        bound = min(end, start + limit)
        rows = rows_between(database, logs, incarnation, first, bound, _NO_LIMIT, times=times)
        if incarnation == state.incarnation:
            yield from rows  # whole ones: only a fork's source has more than is read of it
        else:
            for position, data, told in rows:
                yield position, data[: end - position], told


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
        count: rows of the tables, at most; negative: all.
        times: see `Store.read`.
    """
    log = logs.get(incarnation)
    settled = bound if log is None else min(bound, log.positions[0])
    if first < settled:
        sql = _TIMED_RECORDS_FROM if times else _RECORDS_FROM
        yield from database.run(sql, (incarnation, incarnation, first, settled, count))
    if log is not None and settled < bound:
        yield from log.rows(max(first, log.positions[0]), bound)


def list_states(database: Database, prefix: str, after: str, count: int) -> list[StreamState]:
    """Streams in byte order of their paths, soft-deleted ones left out; fewer than `count`: there are no more."""
    states = [from_row(row) for row in database.run(_STREAMS_AFTER, (prefix, after, count))]
    return [state for state in states if state.path.startswith(prefix)]


def count_streams(database: Database) -> int:
    """How many streams there are, soft-deleted ones left out."""
    return int(database.run(_COUNT_STREAMS)[0][0])
