"""Whether the files at the store's path are still those that it opened: the database, `-wal` and `-shm`.

A file that is removed, or replaced by another one, stays open: writes to it succeed, and are gone with the process.
Device and inode tell. A file that is overwritten in place keeps both; then the database has become shorter, or its
header is another one, of which this process's connection knows nothing: it sees what was done through SQLite, such as
another program's `VACUUM`, and not what was done to the bytes. Of the log, see `wal`; of what is done through SQLite,
`agreement`.

Rule 1: across a restart the inodes alone are compared: device numbers change with a reboot.
Rule 2: what is not known is no reason to refuse: no note, no file, nothing to compare.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import Final

import msgspec

from headwater.errors import StoreUnavailable
from headwater.stores.sqlite.database import DRIVER_ERRORS, Database
from headwater.stores.sqlite.lock import FileLock
from headwater.stores.sqlite.wal import Log, has_frames

_logger: Final = logging.getLogger("headwater.sqlite")


class _Found(msgspec.Struct, frozen=True):
    """A file: device and inode, bytes, and when it was changed last, in nanoseconds."""

    identity: tuple[int, int]
    size: int
    changed_at: int


#: What is at a path; None: nothing.
_Look = _Found | None

#: What follows the database's name.
_WAL: Final = "-wal"
_SHM: Final = "-shm"
_JOURNAL: Final = "-journal"
#: Parts of the header that only another schema, or another file, changes: magic string and page size, schema cookie
#: and format, encoding, user version, application id (https://sqlite.org/fileformat2.html#the_database_header).
_LASTING: Final = (slice(0, 18), slice(40, 48), slice(56, 64), slice(68, 72))
_COOKIE: Final = slice(40, 44)
_HEADER_BYTES: Final = 100

#: What to do about files that are lost while the store is open. Clients are told, so it names no path.
ADVICE: Final = "nothing is written any more: stop the server, put the right files in place and start it again"
#: The same, where what was written last may be in the open files alone.
_LAST_COPY: Final = (
    "nothing is written any more: read out what no backup has while the server runs, then stop it, put the right files "
    "in place and start it again"
)


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with the files.

    Attributes:
        message: with what to do; clients are told.
        is_readable: the open files have what was written to them, and are read. In the others there may be anything.
        is_of_names: of the log's name alone: the log that is open is whole, and may be moved into the database.
    """

    message: str
    is_readable: bool = True
    is_of_names: bool = False


_OVERWRITTEN: Final = Fault(f"the database file was overwritten; {ADVICE}", is_readable=False)


class Custody:
    """What the store opened.

    Args:
        path: the database, without symbolic links.
        lock: held from before `begin` until after `end`.

    Attributes:
        path: as given.
        begun: `begin` has looked.
    """

    def __init__(self, path: str, lock: FileLock) -> None:
        self.path = path
        self.begun = False
        self._lock = lock
        self._database: _Look = None
        self._wal: _Look = None
        self._shm: _Look = None
        self._log = Log()
        self._changed_at = 0
        self._header = b""

    def begin(self, database: Database) -> None:
        """Remember the files, now that they are open, and see to it that nobody removes the log but by hand.

        Moves the log into the database, so that the header there is the newest.

        Args:
            database: the connection that writes.

        Raises:
            StoreUnavailable: the database is not the file that was locked, or the note cannot be kept.
        """
        self._lock.hold_log()
        has_moved = _moved_log(database)
        self._database, self._wal, self._shm = (_look(self.path + suffix) for suffix in ("", _WAL, _SHM))
        self._header = self._read_header() if has_moved else b""
        self._changed_at = 0 if self._database is None else self._database.changed_at
        self.forget_log()
        if self._lock.descriptor >= 0:
            found = os.fstat(self._lock.descriptor)
            if found.st_nlink > 1:
                _logger.warning(
                    "%s has %d names (hard links): start it always by the same one, each has a log of its own",
                    self.path,
                    found.st_nlink,
                )
            if self._database is None or self._database.identity != (found.st_dev, found.st_ino):
                raise StoreUnavailable(f"{self.path} was replaced while it was opened; {ADVICE}")
        self._note(self._wal)
        self.begun = True

    def end(self) -> None:
        """Let SQLite remove the log when the last connection is closed, after an orderly stop."""
        self._note(None)
        self._lock.let_go_of_log()

    def fault(self, connection: Database | None) -> Fault | None:
        """What is wrong with the files; None: nothing. Three calls of `stat`, and a look at the log.

        Args:
            connection: the one that writes, outside a transaction; None: there is none now.
        """
        database = _look(self.path)
        if database is None or self._database is None:
            return Fault(f"the database file was removed; {_LAST_COPY}")
        if database.identity != self._database.identity:
            return Fault(f"the database file was replaced by another one; {_LAST_COPY}")
        if database.size < self._database.size and not self._is_seen(connection, database.size):
            return _OVERWRITTEN
        self._database = database
        return self._side_fault(_WAL, self._wal) or self._side_fault(_SHM, self._shm) or self._log_fault(connection)

    def fault_within(self, connection: Database | None) -> Fault | None:
        """The same, and what is wrong with the database's header."""
        fault = self.fault(connection)
        if fault is not None or self._has_header():
            return fault
        if self._database is None or not self._is_seen(connection, self._database.size):
            return _OVERWRITTEN
        self._header = self._read_header()
        return None

    @property
    def was_changed(self) -> bool:
        """Whether the last look found bytes of the database changed since `take_change`."""
        return self._database is not None and self._database.changed_at != self._changed_at

    def take_change(self) -> None:
        """The bytes were changed as they should: the log was moved into the database."""
        database = _look(self.path)
        if database is not None and self._database is not None and database.identity == self._database.identity:
            self._changed_at = database.changed_at

    def forget_log(self) -> None:
        """Take the log as it is now: another program may have begun it again, by the rules."""
        with suppress(OSError):
            self._log = Log.found_at(self.path + _WAL)

    def _log_fault(self, connection: Database | None) -> Fault | None:
        if self._wal is None:
            return None
        path, before = self.path + _WAL, self._log
        try:
            found = Log.found_at(path)
            if found.size:
                is_kept = before.is_kept_in(found, path)
            else:
                is_kept = not before.size or connection is None or not has_frames(connection)
        except OSError:
            return None  # the next look tells
        if not is_kept:
            return Fault(f"the database's {_WAL} file was cut off or overwritten; {ADVICE}", is_readable=False)
        if found.size or connection is not None:
            self._log = found
        return None

    def _is_seen(self, connection: Database | None, size: int) -> bool:
        """Whether the connection sees a database of the file's schema that fits into its size."""
        if connection is None:
            return False
        try:
            [(cookie,)] = connection.run("PRAGMA schema_version")
            [(pages,)] = connection.run("PRAGMA page_count")
            [(page,)] = connection.run("PRAGMA page_size")
        except DRIVER_ERRORS:
            return False
        header = os.pread(self._lock.descriptor, _HEADER_BYTES, 0)
        return bool(size >= pages * page and header[_COOKIE] == cookie.to_bytes(4, "big"))

    @property
    def keeps_database(self) -> bool:
        """Whether the database itself is the one that was opened, so that its log may still be moved into it."""
        database = _look(self.path)
        if database is None or self._database is None or database.identity != self._database.identity:
            return False
        return database.size >= self._database.size and self._has_header()

    def _side_fault(self, suffix: str, known: _Look) -> Fault | None:
        if known is None:
            return None
        found = _look(self.path + suffix)
        if found is not None and found.identity == known.identity:
            return None
        how = "removed" if found is None else "replaced by another one"
        return Fault(f"the database's {suffix} file was {how}; {ADVICE}", is_of_names=True)

    def _has_header(self) -> bool:
        return not self._header or self._read_header() == self._header

    def _read_header(self) -> bytes:
        if self._lock.descriptor < 0:
            return b""
        header = os.pread(self._lock.descriptor, _HEADER_BYTES, 0)
        return b"".join(header[part] for part in _LASTING)

    def _note(self, wal: _Look) -> None:
        if self._database is not None:
            log = "" if wal is None else f" wal {wal.identity[1]}"
            self._lock.note(f"database {self._database.identity[1]}{log}")


def check_files(path: str, note: str) -> None:
    """Refuse to begin anew where a store was, and to join a log to a database that it does not belong to.

    Args:
        path: the database, without symbolic links.
        note: what `Custody` kept when the store was open last; empty: nothing.

    Raises:
        StoreUnavailable: a file is missing, or another one than it was; the message says what to do.
    """
    database, wal, journal = (_look(path + suffix) for suffix in ("", _WAL, _JOURNAL))
    words = note.split()
    known = dict(zip(words[::2], words[1::2], strict=False))
    if database is None or not database.size:
        what = "is not there" if database is None else "is empty"
        anew = (
            f"to begin with an empty store, remove {path}.lock and, where they are, {path}, {_WAL}, {_SHM}, {_JOURNAL}"
        )
        # An empty file with a rollback journal and no note is what a kill in the middle of the first start leaves.
        is_first = database is not None and "database" not in known
        for suffix, found in ((_WAL, wal), (_JOURNAL, None if is_first else journal)):
            if found is not None and found.size:
                raise StoreUnavailable(f"{path} {what}, but its {suffix} is: put the database back, or, {anew}")
        if "database" in known:
            raise StoreUnavailable(f"{path} {what}, but a store was here: restore it from a backup, or, {anew}")
        return
    inode = str(database.identity[1])
    moved = known.get("database", inode) != inode
    if moved and wal is not None and wal.size and known.get("wal") == str(wal.identity[1]):
        raise StoreUnavailable(
            f"{path} is another file than the one that its {_WAL} was written for: if it is a backup, remove {_WAL} and"
            f" {_SHM}, which belong to the file before; if they do belong together, remove {path}.lock"
        )


def _moved_log(database: Database) -> bool:
    """Whether all of the log is in the database now; not while another program reads an older state."""
    try:
        _, there, moved = database.run("PRAGMA wal_checkpoint(PASSIVE)")[0]
    except DRIVER_ERRORS:
        return False
    return bool(there == moved)


def _look(path: str) -> _Look:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return _Found((found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns)


def file_size(path: str) -> int:
    """Bytes of a file; 0: it is not there."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
