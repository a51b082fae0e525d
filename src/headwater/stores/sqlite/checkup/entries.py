"""The journal: entries that can be read, of streams that there are, each where the one before it ends."""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.protocol.ledger import StreamState
from headwater.stores.sqlite.checkup.report import Finding, Report
from headwater.stores.sqlite.checkup.walk import Gap, walk
from headwater.stores.sqlite.database import Database
from headwater.stores.sqlite.journal import Grown, decode_entry
from headwater.stores.sqlite.tables import RecordRow

#: The version of the schema that brought it.
SINCE: Final = 3
_ENTRIES: Final = "SELECT number, entry FROM journal WHERE number >= ? ORDER BY number LIMIT min(?, 16)"
_MAX: Final = 2**63 - 1


class Journaled(msgspec.Struct):
    """What the journal has of a stream.

    Attributes:
        grown: what its appends change, in their order.
        records: of them.
        producers: (id, epoch, sequence) of them.
    """

    grown: list[Grown] = []  # msgspec copies it
    records: list[RecordRow] = []  # msgspec copies it
    producers: list[tuple[str, int, int]] = []  # msgspec copies it

    def applied_to(self, state: StreamState) -> StreamState:
        """The stream as a start of the server would have it."""
        for grown in self.grown:
            state = grown.applied_to(state)
        return state


def load(database: Database, version: int, report: Report) -> dict[int, Journaled]:
    """The journal by stream; it is as small as that of a server, which has it in memory too."""
    found: dict[int, Journaled] = {}
    if version < SINCE:
        return found
    for row in walk(lambda key, count: database.run(_ENTRIES, (key, count)), 0, _MAX):
        if isinstance(row, Gap):
            _report(report, row.start, row.error)
            continue
        try:
            entry = decode_entry(row[1])
        except (msgspec.DecodeError, TypeError) as error:
            _report(report, row[0], str(error))
            continue
        for grown in entry.streams:
            found.setdefault(grown.incarnation, Journaled()).grown.append(grown)
        for record in entry.records:
            found.setdefault(record[0], Journaled()).records.append(record)
        for incarnation, name, epoch, seq in entry.producers:
            found.setdefault(incarnation, Journaled()).producers.append((name, epoch, seq))
    return found


def _report(report: Report, number: int, error: str) -> None:
    report.add(
        Finding(
            f"entry {number} of the journal cannot be read, so that no server starts with the file: {error}; "
            "what it has are the last appends to some streams"
        )
    )
