"""What the tables have of each stream, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from headwater.stores.sqlite.checkup.entries import Journaled
from headwater.stores.sqlite.checkup.forks import Sources
from headwater.stores.sqlite.checkup.producers import check_producers
from headwater.stores.sqlite.checkup.records import RecordCheck
from headwater.stores.sqlite.checkup.report import Finding, Progress, Report
from headwater.stores.sqlite.checkup.streams import StreamRow, Unreadable, parse_row, problems_of, streams_from
from headwater.stores.sqlite.checkup.walk import READ_ERRORS, ROWS, Gap, walk
from headwater.stores.sqlite.database import Database, Rows

_MAX: Final = 2**63 - 1
#: Bytes of records of one read, about.
_BYTES: Final = 1024 * 1024
#: The versions of the schema that brought `told` and `principal`.
_TOLD: Final = 6
_PRINCIPAL: Final = 7
#: The version that brought a table for the data of large records, and the data of either.
LARGE_SINCE: Final = 8
_DATA: Final = """CASE length(data) WHEN 0 THEN coalesce((
    SELECT large.data FROM large WHERE large.incarnation = records.incarnation AND large.position = records.position
), data) ELSE data END"""
_NAMES: Final = f"""
    SELECT path, incarnation FROM streams WHERE path > CAST(? AS TEXT) ORDER BY path LIMIT {ROWS}
"""


class Contents:
    """Checks all streams.

    Args:
        database: a snapshot.
        version: of its schema.
        journal: what it has in the journal.
        report: gets the findings.
        progress: gets the bytes.

    Attributes:
        lost: places of the table of streams that cannot be read, by number.
        highest: the greatest number of a stream.
    """

    def __init__(
        self, database: Database, version: int, journal: dict[int, Journaled], report: Report, progress: Progress
    ) -> None:
        self.lost: list[Gap] = []
        self.highest = 0
        self._database = database
        self._journal = journal
        self._report = report
        self._progress = progress
        self._sources = Sources(database)
        self._streams = streams_from(version)
        told = "told" if version >= _TOLD else "NULL"
        data = _DATA if version >= LARGE_SINCE else "data"
        by = "principal" if version >= _PRINCIPAL else "NULL"
        select = f"SELECT position, at, {told}, {by}, {data} FROM records WHERE incarnation = ? AND position >= ?"
        self._near = f"{select} AND position < ? ORDER BY position LIMIT ?"
        self._far = f"{select} ORDER BY position LIMIT 1"

    def check(self) -> None:
        """Look at every stream."""
        seen: set[int] = set()
        for row in walk(self._read_streams, -_MAX, _MAX):
            if isinstance(row, Gap):
                self.lost.append(row)
                continue
            self._report.streams += 1
            self.highest = max(self.highest, row[0])
            if row[0] in self._journal:
                seen.add(row[0])
            self._check_stream(row)
        for number in sorted(self._journal.keys() - seen):
            if not any(_is_within(number, gap) for gap in self.lost):
                self._report.add(
                    Finding(
                        f"the journal has stream number {number}, which is not in the file: no server starts with it"
                    )
                )
        for gap in self.lost:
            self._report_lost(gap)

    def _read_streams(self, key: int, count: int) -> Rows:
        return self._database.run(self._streams, (key, count))

    def _check_stream(self, row: tuple[Any, ...]) -> None:
        try:
            parsed = parse_row(row)
        except Unreadable as error:
            text = f"stream number {row[0]} cannot be read: {error}"
            self._report.add(Finding(text, error.path))
            return
        number, journaled = row[0], self._journal.get(row[0])
        state = parsed.state if journaled is None else journaled.applied_to(parsed.state)
        stream = RecordCheck(state, self._report, self._progress)
        problems = list(problems_of(parsed))
        for text in problems:
            stream.problem(text)
        if any(segment.start < 0 for segment in state.lineage):
            stream.end(None)
            return
        self._check_records(parsed, journaled, stream)
        for position, text in self._sources.problems_of(state):
            stream.problem(text, position)
        check_producers(self._database, number, journaled, stream)
        stream.end(None if parsed.appended_at is None else state.appended_at)

    def _check_records(self, row: StreamRow, journaled: Journaled | None, stream: RecordCheck) -> None:
        state = row.state
        for record in walk(lambda key, count: self._read_records(state.incarnation, key, count), -_MAX, _MAX):
            if isinstance(record, Gap):
                stream.gap(record)
            else:
                stream.take(*record)
        for _, position, at, data, told, by in journaled.records if journaled else ():
            stream.take(position, at, told, by, data)

    def _read_records(self, incarnation: int, position: int, count: int) -> Rows:
        values = (incarnation, position, min(position + _BYTES, _MAX), count)
        return self._database.run(self._near, values) or self._database.run(self._far, values[:2])

    def _report_lost(self, gap: Gap) -> None:
        upto = "on" if gap.end is None else f"up to {gap.end - 1}"
        text = f"of the streams numbered {gap.start} {upto}, some cannot be read: {gap.error}"
        names = list(self._names_in(gap))
        for path, number in names:
            self._report.add(Finding(f"{text}; this is number {number}", path))
        if not names:
            self._report.add(Finding(text))

    def _names_in(self, gap: Gap) -> Iterator[tuple[str, int]]:
        """The paths of lost streams, which the index may still have."""
        last: Any = b""
        try:
            while rows := self._database.run(_NAMES, (last,)):
                for path, number in rows:
                    if _is_within(number, gap):
                        yield path, number
                last = rows[-1][0]
        except READ_ERRORS:
            return


def _is_within(number: int, gap: Gap) -> bool:
    return gap.start <= number and (gap.end is None or number < gap.end)
