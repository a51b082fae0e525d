"""The steps of a sweep: write reads down, expire, apply retention, purge.

Rule 1: a reader finds out what is due, the writer checks it again and does it, in slices that block writers shortly.
Rule 2: what one sweep does not finish, the next one does: the work is in the file, in `expires`, `look_at`, `purges`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from headwater.protocol import ledger
from headwater.protocol.ledger import StreamState
from headwater.protocol.retention import retained_from
from headwater.stores import unit as steps
from headwater.stores.sqlite.database import Database
from headwater.stores.sqlite.schema import query
from headwater.stores.sqlite.transaction import EVERYTHING, SqliteUnit

#: Streams that one sweep expires or looks at, and slices that it purges, at most.
SWEEP_STREAMS: Final = 5_000
SWEEP_SLICES: Final = 200
#: Streams, rows and bytes of one command, so that appends wait some milliseconds at most.
SLICE_STREAMS: Final = 250
SLICE_ROWS: Final = 1_000
SLICE_BYTES: Final = 4 * 1024 * 1024

_EXPIRED: Final = query("expired")
_SHIFT: Final = query("shift")
_DRIFT: Final = query("drift")
_LOOKS_DUE: Final = query("looks_due")
_PURGES_READY: Final = query("purges_ready")
_NEWEST_EDGE: Final = query("newest_edge")
_EDGE_AT_OR_AFTER: Final = query("edge_at_or_after")
_YOUNGER_EDGE: Final = query("younger_edge")
_APPENDED_AT: Final = query("appended_at")
_FIRST_RECORD: Final = query("first_record")
_RECORD_AFTER: Final = query("record_after")
_PURGE_RECORDS: Final = query("purge_records")
_PURGE_LARGE: Final = query("purge_large")
_PRODUCER_AFTER: Final = query("producer_after")
_PURGE_PRODUCERS: Final = query("purge_producers")
_PURGE_ALL_PRODUCERS: Final = query("purge_all_producers")
_PURGE_DONE: Final = query("purge_done")


class Agenda(msgspec.Struct, frozen=True):
    """What is due.

    Attributes:
        expired: paths of streams whose time is over, as far as the file knows.
        looks: paths of streams that retention must look at.
    """

    expired: list[str]
    looks: list[str]


class Looked(msgspec.Struct, frozen=True):
    """What retention decided of a stream.

    Attributes:
        path: the stream, `incarnation` its number, and `tail` its tail at the time.
        earliest: the first position to keep.
        again: when to look next; None: after the next append.
    """

    path: str
    incarnation: int
    tail: int
    earliest: int
    again: float | None


class _FileEdges:
    """`Edges` by indexed queries; the one by count steps over as many index entries as it keeps."""

    def __init__(self, database: Database, state: StreamState) -> None:
        self._database = database
        self._incarnation = state.incarnation
        self._earliest = state.earliest

    def newest(self, count: int) -> int | None:
        """See `Edges.newest`."""
        return self._first(_NEWEST_EDGE, count - 1)

    def at_or_after(self, position: int) -> int | None:
        """See `Edges.at_or_after`."""
        return self._first(_EDGE_AT_OR_AFTER, position)

    def younger(self, time: float) -> int | None:
        """See `Edges.younger`."""
        return self._first(_YOUNGER_EDGE, self._earliest, time)

    def _first(self, sql: str, *values: float) -> int | None:
        rows = self._database.run(sql, (self._incarnation, *values))
        return rows[0][0] if rows else None


def agenda(database: Database, now: float, steady: float) -> Agenda:
    """What is due at a moment, in both counts."""
    return Agenda(
        expired=[path for (path,) in database.run(_EXPIRED, (now, SWEEP_STREAMS))],
        looks=[path for (path,) in database.run(_LOOKS_DUE, (steady, SWEEP_STREAMS))],
    )


def slices(paths: Sequence[str]) -> list[Sequence[str]]:
    """So many streams for one step each."""
    return [paths[start : start + SLICE_STREAMS] for start in range(0, len(paths), SLICE_STREAMS)]


def touch(unit: SqliteUnit, touched: dict[str, float]) -> None:
    """Write down when streams were in use."""
    for path, at in touched.items():
        state = unit.find(path)
        if state is not None and state.config.expiry.ttl is not None:
            ledger.touch(state, at)
            unit.save_append(state)


def shift(unit: SqliteUnit, seconds: float) -> None:
    """Go with a jump of the clock: what the tables have of streams with a TTL; what is in memory has gone already.

    One statement for all of them; the clock of a machine is not set often.
    """
    unit.fold()
    unit.write(_SHIFT, (seconds, seconds))
    unit.write(_DRIFT, (seconds,))


def expire(unit: SqliteUnit, paths: Iterable[str]) -> None:
    """Delete the streams whose time is over, now that everything is known."""
    for path in paths:
        steps.expire(unit, path)


def look(database: Database, states: Iterable[StreamState], steady: float) -> list[Looked]:
    """What retention keeps of streams."""
    return [_look(database, state, steady) for state in states]


def _look(database: Database, state: StreamState, steady: float) -> Looked:
    earliest = retained_from(state, _FileEdges(database, state), steady)
    age = state.config.retention.age
    rows = database.run(_APPENDED_AT, (state.incarnation, earliest)) if age is not None else []
    again = rows[0][0] + age if rows else None
    return Looked(state.path, state.incarnation, state.tail, earliest, again)


def trim(unit: SqliteUnit, looks: Iterable[Looked]) -> None:
    """Do what retention decided; more may have been appended since, which changes nothing of it."""
    for looked in looks:
        state = unit.find(looked.path)
        if state is None or state.incarnation != looked.incarnation:
            continue
        if looked.earliest > state.earliest:
            unit.trim(state, looked.earliest)
        if state.tail == looked.tail:
            unit.look_again(state, looked.again)


def purges(database: Database) -> list[tuple[int, int]]:
    """Records that nothing reads any more: (incarnation, position before which they lie)."""
    return [(incarnation, before) for incarnation, before in database.run(_PURGES_READY, (SWEEP_SLICES,))]


def purge_slice(unit: SqliteUnit, incarnation: int, before: int) -> bool:
    """Purge some rows of one entry; True: there are none left."""
    if not _purge_records(unit, incarnation, before):
        return False
    if before == EVERYTHING and not _purge_producers(unit, incarnation):
        return False
    unit.write(_PURGE_DONE, (incarnation, before))
    return True


def _purge_records(unit: SqliteUnit, incarnation: int, before: int) -> bool:
    first = unit.write(_FIRST_RECORD, (incarnation, before))
    if not first:
        return True
    # Positions count bytes, so they bound the size of a slice too.
    after = unit.write(_RECORD_AFTER, (incarnation, before, SLICE_ROWS))
    end: int = min(after[0][0] if after else before, first[0][0] + SLICE_BYTES)
    unit.write(_PURGE_RECORDS, (incarnation, end))
    unit.write(_PURGE_LARGE, (incarnation, end))
    return end == before


def _purge_producers(unit: SqliteUnit, incarnation: int) -> bool:
    after = unit.write(_PRODUCER_AFTER, (incarnation, SLICE_ROWS))
    if after:
        unit.write(_PURGE_PRODUCERS, (incarnation, after[0][0]))
        return False
    unit.write(_PURGE_ALL_PRODUCERS, (incarnation,))
    return True
