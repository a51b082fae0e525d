"""The two drivers behind one small face: Python's own sqlite3, and apsw, which bundles a newer SQLite.

Rule 1: nothing outside this file imports a driver.
Rule 2: no implicit transactions: statements commit by themselves, between BEGIN and COMMIT together.
Rule 3: never both drivers on one file in one process. They are two copies of SQLite, and POSIX locks, which belong to
        the process, would not keep them apart (https://sqlite.org/howtocorrupt.html, section 2.2.1).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from headwater.errors import MissingExtra, StoreUnavailable
from headwater.stores.sqlite.options import SqliteOptions

try:
    import apsw
except ImportError:  # pragma: no cover
    apsw = None  # type: ignore[assignment]

Rows = list[tuple[Any, ...]]

#: What a driver raises: the file, the disk or the statement is at fault, not the command.
DRIVER_ERRORS: Final[tuple[type[Exception], ...]] = (sqlite3.Error, *((apsw.Error,) if apsw else ()))
# Every statement of queries.sql, the repeated ones in each of their sizes.
_STATEMENTS: Final = 256
_PAGE: Final = 4096
#: Looks at the file, unless a transaction is under way; own commits do not count.
_VERSION: Final = "PRAGMA data_version"


class Database(Protocol):
    """One connection, used by one thread at a time."""

    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Run one statement to its end and return its rows."""
        ...

    def script(self, sql: str) -> None:
        """Run several statements, without values."""
        ...

    def commit(self) -> None:
        """Commit the transaction under way."""
        ...

    def version(self, *, within: bool) -> int:
        """A number that changes when another connection commits, and by no `commit` of this one.

        Args:
            within: a transaction is under way, so that the file need not be looked at: what this connection sees is
                what it saw when it began.
        """
        ...

    def close(self) -> None:
        """Let go of the file; an open transaction is rolled back."""
        ...


class Sqlite3Database:
    """Python's own sqlite3."""

    def __init__(self, path: str, *, uri: bool = False) -> None:
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS, uri=uri
        )

    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """See `Database.run`."""
        return self._connection.execute(sql, values).fetchall()

    def script(self, sql: str) -> None:
        """See `Database.script`."""
        self._connection.executescript(sql)

    def commit(self) -> None:
        """See `Database.commit`."""
        self.run("COMMIT")

    def version(self, *, within: bool) -> int:
        """See `Database.version`."""
        return int(self.run(_VERSION)[0][0])

    def close(self) -> None:
        """See `Database.close`."""
        self._connection.close()


class ApswDatabase:
    """The apsw package."""

    def __init__(self, path: str, *, uri: bool = False) -> None:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        if uri:
            flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        self._connection = apsw.Connection(path, flags=flags, statementcachesize=_STATEMENTS)
        #: What this connection's own commits have added to SQLite's number, which is read without a statement
        #: (SQLITE_FCNTL_DATA_VERSION) and counts them too. A statement takes a twentieth of a small commit's time.
        self._own = 0

    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """See `Database.run`."""
        return self._connection.execute(sql, values).fetchall()

    def script(self, sql: str) -> None:
        """See `Database.script`."""
        self._connection.execute(sql).fetchall()

    def commit(self) -> None:
        """See `Database.commit`."""
        before = self._connection.data_version()
        self.run("COMMIT")
        self._own += self._connection.data_version() - before

    def version(self, *, within: bool) -> int:
        """See `Database.version`."""
        if within:
            return int(self._connection.data_version() - self._own)
        version = int(self.run(_VERSION)[0][0])
        self._own = self._connection.data_version() - version
        return version

    def close(self) -> None:
        """See `Database.close`."""
        self._connection.close(True)


def connect(path: str, options: SqliteOptions, *, uri: bool = False) -> Database:
    """A plain connection with the chosen driver.

    Args:
        path: the file; with `uri` a URI as SQLite has them, which is opened for reading only.
        options: `driver` and `busy_timeout` count.
        uri: see `path`.

    Raises:
        MissingExtra: apsw was asked for and is not installed.
    """
    if options.driver == "apsw" and apsw is None:
        raise MissingExtra.of("driver=apsw", "sqlite")
    use_apsw = apsw is not None and options.driver != "sqlite3"
    database: Database = ApswDatabase(path, uri=uri) if use_apsw else Sqlite3Database(path, uri=uri)
    database.run(f"PRAGMA busy_timeout = {round(options.busy_timeout * 1000)}")
    return database


def open_writer(path: str, options: SqliteOptions) -> Database:
    """The one connection that writes and checkpoints.

    SQLite before 3.51.3 can corrupt a database in WAL mode when two connections write or checkpoint at the same
    moment (the WAL-reset bug, https://sqlite.org/wal.html#walresetbug). Debian 12 has 3.40.1. That moment cannot
    come here: this connection alone does both, the others are `query_only`, and `lock` keeps other processes out.

    Raises:
        StoreUnavailable: the file system cannot do WAL.
    """
    database = connect(path, options)
    try:
        mode = database.run("PRAGMA journal_mode = WAL")[0][0]
        if mode != "wal":
            raise StoreUnavailable(f"{path} cannot be used in WAL mode, only in mode {mode}; use a local file system")
        database.run("PRAGMA wal_autocheckpoint = 0")
        database.run(f"PRAGMA synchronous = {options.synchronous}")
        database.run(f"PRAGMA cache_size = {-16 * 1024}")
        if options.max_bytes is not None:
            database.run(f"PRAGMA max_page_count = {options.max_bytes // _PAGE}")
    except BaseException:
        database.close()
        raise
    return database


def open_reader(path: str, options: SqliteOptions) -> Database:
    """A connection that never writes."""
    database = connect(path, options)
    try:
        database.run("PRAGMA query_only = ON")
        # Opens the log beside the file too, which SQLite leaves to the first read.
        database.run("PRAGMA user_version")
    except BaseException:
        database.close()
        raise
    return database


def open_unchanged(path: str, options: SqliteOptions, *, immutable: bool) -> Database:
    """A connection that cannot write, to a file that may be damaged.

    Args:
        path: the file.
        options: see `connect`.
        immutable: nobody changes the file meanwhile, and it has no log; then SQLite needs nothing beside it.
    """
    mode = "mode=ro&immutable=1" if immutable else "mode=ro"
    database = connect(f"{Path(path).absolute().as_uri()}?{mode}", options, uri=True)
    try:
        # Here it changes nothing; it has SQLite read files that are shorter than their header says.
        database.run("PRAGMA writable_schema = ON")
        database.run("PRAGMA query_only = ON")
        database.run(f"PRAGMA cache_size = {-16 * 1024}")
    except BaseException:
        database.close()
        raise
    return database
