"""The newest records of busy streams, which the tables have too: what the last folds wrote.

A page of a stream's newest records is in memory as long as the journal has them. Behind a fold, which comes once a
second where retention looks at streams, they would be read from the file by a thread.

Rule 1: a log of here is used in front of what the journal has if the one begins where the other ends, and alone if it
        reaches to the stream's tail. So what was written past the journal is noticed.
Rule 2: the writer's thread puts logs here and never changes one again; others read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from headwater.protocol.ledger import StreamState
from headwater.stores.log import Log

#: Records of a fold from which on a stream is busy, and those that are kept of one.
BUSY_RECORDS: Final = 8
KEPT_RECORDS: Final = 128
#: Bytes that are kept of all, with so many for what a record costs beside its data.
KEPT_BYTES: Final = 4 * 1024 * 1024
_RECORD_BYTES: Final = 128


class Recent:
    """Those of one store."""

    def __init__(self) -> None:
        self._logs: dict[int, Log] = {}
        self._sizes: dict[int, int] = {}
        self._size = 0

    def folded(self, logs: Mapping[int, Log]) -> None:
        """Keep the ends of what was folded; those that were folded longest ago go when it is too much."""
        for incarnation, log in logs.items():
            before = self._logs.get(incarnation)
            if before is None and len(log.positions) < BUSY_RECORDS:
                continue
            kept = _end_of(log if before is None or _end(before) != log.positions[0] else _joined(before, log))
            self._drop(incarnation)
            self._logs[incarnation] = kept
            size = self._sizes[incarnation] = sum(map(len, kept.data)) + _RECORD_BYTES * len(kept.data)
            self._size += size
        while self._size > KEPT_BYTES:
            self._drop(next(iter(self._logs)))

    def _drop(self, incarnation: int) -> None:
        self._logs.pop(incarnation, None)
        self._size -= self._sizes.pop(incarnation, 0)

    def before(self, log: Log | None, state: StreamState) -> Log | None:
        """A stream's newest records, more of them than the journal has; None: there are no more, or not at hand.

        Args:
            log: what the journal has of it.
            state: the stream, which was looked at before.
        """
        kept = self._logs.get(state.incarnation)
        if kept is None:
            return None
        if log is None:
            return kept if _end(kept) >= state.tail else None
        return _joined(kept, log) if _end(kept) == log.positions[0] else None


def _end(log: Log) -> int:
    """The position behind the last record."""
    return log.positions[-1] + len(log.data[len(log.positions) - 1])


def _joined(log: Log, other: Log) -> Log:
    """One behind the other, which may grow meanwhile."""
    found, count = Log(), len(other.positions)
    found.positions = log.positions + other.positions[:count]
    found.data = log.data + other.data[:count]
    found.times = log.times + other.times[:count]
    found.told = log.told + other.told[:count]
    by = other.by[:count]
    if log.by or by:
        found.by = (log.by or [None] * len(log.positions)) + (by or [None] * count)
    return found


def _end_of(log: Log) -> Log:
    """The last records, as a log of its own."""
    found, first = Log(), -KEPT_RECORDS
    found.extend(log.positions[first:], log.times[first:], log.told[first:], log.data[first:], log.by[first:])
    return found
