"""What streams have of each other: forks and their sources; and rows that belong to no stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from headwater.protocol.forks import segments_from
from headwater.protocol.ledger import StreamState
from headwater.stores.sqlite.checkup.report import Finding, Report
from headwater.stores.sqlite.checkup.walk import READ_ERRORS, Gap, walk
from headwater.stores.sqlite.database import Database, Rows
from headwater.stores.sqlite.transaction import EVERYTHING

#: (path, first record, tail) of a stream; None: there is none.
_Bounds = tuple[str, int | None, int] | None

_BOUNDS: Final = """
    SELECT CAST(path AS BLOB), (SELECT min(position) FROM records WHERE incarnation = ?1), tail
    FROM streams WHERE incarnation = ?1
"""
_COUNTED: Final = """
    SELECT CAST(path AS BLOB), forks, counted FROM streams
    JOIN (SELECT source AS number, count(*) AS counted FROM streams WHERE source <> 0 GROUP BY source)
    ON incarnation = number WHERE forks <> counted
    UNION ALL
    SELECT CAST(path AS BLOB), forks, 0 FROM streams
    WHERE forks <> 0 AND incarnation NOT IN (SELECT source FROM streams)
    LIMIT 1000
"""
_OVERDUE: Final = """
    SELECT CAST(path AS BLOB), before FROM purges JOIN streams USING (incarnation) WHERE before > earliest LIMIT 1000
"""
_KNOWN: Final = "SELECT 1 FROM streams WHERE incarnation = ?1 UNION ALL SELECT 1 FROM purges WHERE incarnation = ?1"
_NEXT_OF: Final = "SELECT incarnation FROM {} WHERE incarnation >= ? ORDER BY incarnation LIMIT min(?, 1)"
_MAX: Final = 2**63 - 1


class Sources:
    """What forks ask of the streams that they were forked from; remembers what it looked up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bounds: Callable[[int], _Bounds] = lru_cache(16 * 1024)(self._look_up)

    def _look_up(self, incarnation: int) -> _Bounds:
        rows = self._database.run(_BOUNDS, (incarnation,))
        return (rows[0][0].decode("utf-8", "replace"), rows[0][1], rows[0][2]) if rows else None

    def problems_of(self, state: StreamState) -> Iterator[tuple[int | None, str]]:
        """What a fork misses: (position, sentence)."""
        if state.config.fork is None:
            return
        try:
            source = self._bounds(state.source)
            if source is None:
                yield None, f"its source, stream number {state.source}, is not in the file"
            elif source[0] != state.config.fork.source:
                yield None, f"its source is {source[0]!r}, and by its configuration {state.config.fork.source!r}"
            for incarnation, start, end in segments_from(state, state.earliest):
                if incarnation != state.incarnation and not self._has(incarnation, start, end):
                    yield start, f"records that it shares, of stream number {incarnation}, are missing up to {end}"
        except READ_ERRORS as error:
            yield None, f"its sources cannot be read: {error}"

    def _has(self, incarnation: int, start: int, end: int) -> bool:
        bounds = self._bounds(incarnation)
        return bounds is not None and bounds[1] is not None and bounds[1] <= start and end <= bounds[2]


def check_counts(database: Database, report: Report) -> None:
    """Whether each stream knows how many forks it has, and what is purged is not to be read any more."""
    try:
        for path, forks, counted in database.run(_COUNTED):
            report.add(Finding(f"it says that it has {forks} forks, and there are {counted}", _text(path)))
        for path, before in database.run(_OVERDUE):
            what = "all of it" if before == EVERYTHING else f"its records before position {before}"
            report.add(Finding(f"{what} will be purged, though it is to be read", _text(path)))
    except READ_ERRORS as error:
        report.add(Finding(f"forks and purges cannot be compared with their streams: {error}"))


def check_orphans(database: Database, lost: list[Gap], report: Report) -> None:
    """Whether all records and producers belong to a stream, or are left to the sweep."""
    for table in ("records", "producers"):
        sql = _NEXT_OF.format(table)

        def read(key: int, count: int, sql: str = sql) -> Rows:
            return database.run(sql, (key, count))

        for row in walk(read, -_MAX, _MAX):
            if isinstance(row, Gap):
                report.add(Finding(f"{table} cannot be read in places: {row.error}"))
                continue
            number = row[0]
            if any(gap.start <= number and (gap.end is None or number < gap.end) for gap in lost):
                continue
            try:
                if not database.run(_KNOWN, (number,)):
                    report.add(Finding(f"there are {table} of stream number {number}, which is not in the file"))
            except READ_ERRORS as error:
                report.add(Finding(f"whose {table} those of stream number {number} are cannot be read: {error}"))


def _text(path: object) -> str | None:
    return path.decode("utf-8", "replace") if isinstance(path, bytes) else None
