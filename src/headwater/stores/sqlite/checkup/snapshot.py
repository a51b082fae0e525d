"""The file to check, opened so that nothing of it can change: as it is at one moment.

Rule 1: the file itself is opened for reading alone. SQLite may make a `-shm` beside a `-wal` that has none.
Rule 2: with a log (`-wal`), what it holds belongs to the file. Without one nobody has the file open, so that SQLite
        needs no locks (`immutable`); whether that stayed so is looked at in the end.
Rule 3: where a change was cut in the middle, and where a log cannot be read in place, a copy is checked.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from headwater.errors import StoreUnavailable
from headwater.stores.sqlite.database import DRIVER_ERRORS, Database, connect, open_unchanged
from headwater.stores.sqlite.options import SqliteOptions
from headwater.stores.sqlite.troubles import cannot_open, database_failed

#: What follows the database's name: the log, its index, and the journal of SQLite's other mode.
_WAL: Final = "-wal"
_SHM: Final = "-shm"
_JOURNAL: Final = "-journal"
#: Parts of SQLite's messages: the file cannot be read where it is, without writing.
_NEEDS_COPY: Final = ("readonly", "read-only", "unable to open")
_BUSY: Final = "locked"


class Snapshot:
    """An open file; close it by the context.

    Args:
        path: the file.
        options: `driver` and `busy_timeout` count.
        still: take it for one that nobody has open, if it looks so.

    Attributes:
        path: as given.
        database: a connection in a transaction that reads.
        notes: what was done with what lies beside the file.
        fault: why not a row can be read; the connection is of no use then.

    Raises:
        StoreUnavailable: the file cannot be opened, or a copy cannot be made.
    """

    database: Database

    def __init__(self, path: str, options: SqliteOptions, *, still: bool = True) -> None:
        self.path = path
        self._options = options
        self._stack = ExitStack()
        self.notes: list[str] = []
        self.fault: str | None = None
        self._look = _look(path)
        try:
            self._open(still and not any(_size(path + suffix) is not None for suffix in (_WAL, _SHM, _JOURNAL)))
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _open(self, still: bool) -> None:
        self._still = still
        try:
            self._begin(self.path, immutable=still)
        except DRIVER_ERRORS as error:
            text = str(error)
            if _BUSY in text:
                raise database_failed(error) from None
            if still or not any(part in text for part in _NEEDS_COPY):
                self.fault = text
                return
            self._begin_copy()
        if size := _size(self.path + _WAL):
            self.notes.append(f"The log beside the file (-wal, {size} bytes) was read with it.")

    def _begin(self, path: str, *, immutable: bool) -> None:
        self.database = open_unchanged(path, self._options, immutable=immutable)
        self._stack.callback(self.database.close)
        self.database.run("BEGIN")
        self.database.run("SELECT count(*) FROM sqlite_schema")

    def _begin_copy(self) -> None:
        """Check a copy of the files, in which SQLite may do what it does at a start."""
        self._stack.close()
        try:
            folder = self._stack.enter_context(TemporaryDirectory(prefix="headwater-doctor-"))
            copy = str(Path(folder) / "copy.db")
            for suffix in ("", _WAL, _JOURNAL):
                if _size(self.path + suffix) is not None:
                    shutil.copyfile(self.path + suffix, copy + suffix)
        except OSError as error:
            raise StoreUnavailable(f"the file needs a copy to be checked, and there is none: {error}") from None
        if _size(self.path + _JOURNAL):
            self.notes.append(
                "A change was cut in the middle (-journal): it was rolled back in a copy, and that checked."
            )
        else:
            self.notes.append("The log beside the file (-wal) cannot be read in this folder: a copy was checked.")
        try:
            self._recover(copy)
            self._begin(copy, immutable=False)
        except DRIVER_ERRORS as error:
            self.fault = str(error)

    def _recover(self, copy: str) -> None:
        database = connect(copy, self._options)
        try:
            database.run("SELECT count(*) FROM sqlite_schema")
        finally:
            database.close()

    @property
    def was_changed(self) -> bool:
        """Whether somebody used a file that was taken for one that nobody has open."""
        return self._still and (_size(self.path + _WAL) is not None or _look(self.path) != self._look)

    @property
    def whole_size(self) -> int | None:
        """Bytes of the file; None: some of its pages may be in the log."""
        return self._look[0] if self._still else None


def _look(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError as error:
        raise cannot_open(path, error) from None
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None
