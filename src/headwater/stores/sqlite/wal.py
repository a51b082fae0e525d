"""The write-ahead log as it lies on the disk: whether somebody cut it off, or wrote over it, in place.

SQLite keeps in memory how long its log is, and does not look again: into a log that was emptied it writes its next
frame behind a hole, and after a restart all of it is passed over. So what was there at the last look has to be there
still (https://sqlite.org/fileformat2.html#the_write_ahead_log).

Rule 1: the file only grows, while this process's connection alone writes. When all of it is in the database, the
        connection begins again at its front, with a new header.
Rule 2: another program may empty it by the rules (`PRAGMA wal_checkpoint(TRUNCATE)`). SQLite knows of that, and has no
        frame any more.
"""

from __future__ import annotations

import os
from bisect import bisect
from typing import Final

import msgspec

from headwater.stores.sqlite.database import DRIVER_ERRORS, Database

_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
#: The first three bytes of both magic numbers; the fourth is the byte order of the checksums.
_MAGIC: Final = b"\x37\x7f\x06"
_PAGE_SIZE: Final = slice(8, 12)
_SALTS: Final = slice(16, 24)
_SALTS_OF_FRAME: Final = slice(8, 16)


class Log(msgspec.Struct, frozen=True):
    """What a look has found.

    Attributes:
        size: bytes.
        header: the first ones; empty: nothing was written yet.
        marks: (place, bytes) of headers of frames, which stay while the header does.
    """

    size: int = 0
    header: bytes = b""
    marks: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def found_at(cls, path: str) -> Log:
        """The log as it is, whatever it is.

        Raises:
            OSError: it cannot be read.
        """
        descriptor = os.open(path, os.O_RDONLY)
        try:
            size, header = os.fstat(descriptor).st_size, os.pread(descriptor, _HEADER_BYTES, 0)
            return cls() if size < _HEADER_BYTES else cls(size, header, _marks(descriptor, header, size))
        finally:
            os.close(descriptor)

    def is_kept_in(self, found: Log, path: str) -> bool:
        """Whether a later look has found what this one has, or the log begun again.

        Args:
            found: the later one; not empty.
            path: of the log.

        Raises:
            OSError: it cannot be read.
        """
        if found.size < self.size:
            return False
        if found.header != self.header:
            # Behind a header there is a frame: both are written by the first commit.
            return found.header.startswith(_MAGIC) and any(place == _HEADER_BYTES for place, _ in found.marks)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return all(os.pread(descriptor, len(mark), place) == mark for place, mark in self.marks)
        finally:
            os.close(descriptor)


def has_frames(connection: Database) -> bool:
    """Whether SQLite takes a log that is empty for one that is not.

    Args:
        connection: the one that writes, outside a transaction. Nothing can be moved out of an empty file.
    """
    try:
        [(_, frames, _)] = connection.run("PRAGMA wal_checkpoint(PASSIVE)")
    except DRIVER_ERRORS:
        return True
    return bool(frames > 0)


def _marks(descriptor: int, header: bytes, size: int) -> tuple[tuple[int, bytes], ...]:
    """The first and the last frame of this header; behind them the file may have frames from before it."""
    frame_bytes = _FRAME_HEADER_BYTES + int.from_bytes(header[_PAGE_SIZE], "big")

    def mark(number: int) -> tuple[int, bytes]:
        place = _HEADER_BYTES + number * frame_bytes
        return place, os.pread(descriptor, _FRAME_HEADER_BYTES, place)

    def is_older(number: int) -> bool:
        return mark(number)[1][_SALTS_OF_FRAME] != header[_SALTS]

    count = bisect(range((size - _HEADER_BYTES) // frame_bytes), False, key=is_older)
    return (mark(0), mark(count - 1)) if count else ()
