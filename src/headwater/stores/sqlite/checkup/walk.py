"""Rows of a table in the order of its key, over places that cannot be read.

A page that is damaged takes the rows with it that it has, and often no others. So a walk that fails looks for the next
key behind the place from which reading works again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from headwater.stores.sqlite.database import DRIVER_ERRORS, Rows

#: What reading a damaged page may raise; texts may be no UTF-8.
READ_ERRORS: Final[tuple[type[Exception], ...]] = (*DRIVER_ERRORS, UnicodeDecodeError)
#: Rows of one read.
ROWS: Final = 500
#: Places that cannot be read after which a walk gives up.
_MOST_GAPS: Final = 200

#: Gives up to so many rows whose key, their first value, is this one or greater, in its order.
Read = Callable[[int, int], Rows]


class Gap(msgspec.Struct, frozen=True):
    """A place that cannot be read.

    Attributes:
        start: the first key that may be missing.
        end: the next one that is there; None: there is none.
        error: what SQLite says.
    """

    start: int
    end: int | None
    error: str


def walk(read: Read, start: int, end: int) -> Iterator[tuple[Any, ...] | Gap]:
    """The rows, and where some may be missing.

    Args:
        read: see `Read`.
        start: the first key to look for.
        end: no key is greater.
    """
    at, count, gaps = start, ROWS, 0
    while True:
        try:
            rows = _ascending(read(at, count), at)
        except READ_ERRORS as error:
            if count > 1:
                count = 1
                continue
            gaps += 1
            beyond = _beyond(read, at, end) if gaps < _MOST_GAPS else None
            yield Gap(at, beyond, str(error))
            if beyond is None:
                return
            at, count = beyond, ROWS
            continue
        if not rows:
            return
        yield from rows
        at = rows[-1][0] + 1


def _ascending(rows: Rows, start: int) -> Rows:
    """The rows up to where their keys do not ascend, as those of a damaged page may; all, if they do."""
    for number, row in enumerate(rows):
        if type(row[0]) is not int or row[0] < start:
            if number:
                return rows[:number]
            raise DRIVER_ERRORS[0](f"key {row[0]!r} is not in its place")
        start = row[0] + 1
    return rows


def _beyond(read: Read, at: int, end: int) -> int | None:
    """A key behind a place that cannot be read, the first one as far as can be told; None: there is none."""
    low, step = at, 1
    found: int | None = None
    while found is None:
        high = at + step
        if high > end:
            return None
        works, found = _try(read, high)
        if works and found is None:
            return None
        if not works:
            low, step = high, step * 2
    while high - low > 1:
        middle = (low + high) // 2
        works, key = _try(read, middle)
        if works and key is not None:
            high, found = middle, key
        else:
            low = middle
    return found


def _try(read: Read, key: int) -> tuple[bool, int | None]:
    try:
        rows = _ascending(read(key, 1), key)
    except READ_ERRORS:
        return False, None
    return True, rows[0][0] if rows else None
