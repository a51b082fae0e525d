"""What an error of the disk or of a driver means, and what to do about it, in one sentence."""

from __future__ import annotations

import errno
import os
from typing import Final

from headwater.errors import StoreUnavailable

_FULL: Final = "make room on the disk, or raise the quota"
_LIMIT: Final = "raise the limit of the process (`ulimit`)"
_RIGHTS: Final = "the user of this process must be allowed to read and write the file and its folder"

#: Advice by errno.
_ERRNO: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _LIMIT,
    errno.EMFILE: _LIMIT,
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOENT: "make the folder first; the store makes the file only",
    errno.ENOTDIR: "a part of the path is a file and no folder",
    errno.EISDIR: "the path is a folder; name a file in it",
    errno.ELOOP: "its symbolic links lead in a circle",
    errno.ENAMETOOLONG: "use a shorter path",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: "the file system is mounted read-only",
    errno.ENOLCK: "the file system has no locks; use a local one",
    errno.EIO: "the disk fails; look at the system's log",
}

#: Advice by a part of SQLite's message (https://sqlite.org/rescode.html).
_SQLITE: Final = (
    ("disk is full", f"{_FULL}, or raise max_bytes"),
    ("unable to open", _RIGHTS),
    ("readonly", _RIGHTS),
    ("read-only", _RIGHTS),
    ("disk I/O error", "the disk is full or fails; look at its free space and at the system's log"),
    ("not a database", "name another file, or restore this one from a backup"),
    ("malformed", "the file is damaged: restore it from a backup"),
    ("locked", "another program holds the file; end it, or raise busy_timeout"),
)


def cannot_open(path: str, error: OSError) -> StoreUnavailable:
    """The refusal of a file that the operating system refused.

    Args:
        path: the file.
        error: what the system said.
    """
    number = error.errno or 0
    said = os.strerror(number) if number else str(error)
    return StoreUnavailable(f"cannot open {path}: {said}" + _tail(_ERRNO.get(number, "")))


def database_failed(error: Exception) -> StoreUnavailable:
    """The refusal of what a driver failed at."""
    text = str(error)
    return StoreUnavailable(f"the database failed: {text}" + _tail(_advice(text)))


def _advice(text: str) -> str:
    return next((advice for part, advice in _SQLITE if part in text), "")


def _tail(advice: str) -> str:
    return f"; {advice}" if advice else ""
