"""Stores on one file, with each driver, and a way to look at or break what the writer does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from headwater.stores.sqlite import SqliteStore, database, parse_options
from headwater.stores.sqlite.database import Database, Rows
from headwater.testing import ManualClock

#: Called with each statement of the writer before it runs; may wait or raise.
Hook = Callable[[str], None]


class Spied:
    """A connection with a hook before each statement."""

    def __init__(self, inner: Database, hook: Hook) -> None:
        self._inner = inner
        self._hook = hook

    def run(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        self._hook(sql)
        return self._inner.run(sql, values)

    def script(self, sql: str) -> None:
        self._inner.script(sql)

    def commit(self) -> None:
        self._hook("COMMIT")
        self._inner.commit()

    def version(self, *, within: bool) -> int:
        self._hook("PRAGMA data_version")
        return self._inner.version(within=within)

    def close(self) -> None:
        self._inner.close()


class Place:
    """A database file, a driver and a clock."""

    def __init__(self, directory: Path, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = str(directory / "log.db")
        self.driver = driver
        self.clock = ManualClock()
        self._monkeypatch = monkeypatch
        self._connections: list[Database] = []
        self._copies = count()

    def store(self, **options: str) -> SqliteStore:
        """A store on the file, not yet opened; opening it again is a restart."""
        return SqliteStore(self.path, parse_options({"driver": self.driver, **options}), clock=self.clock)

    def killed(self, **options: str) -> SqliteStore:
        """A store on a copy of the files, not yet opened: what is left if the one that is open is killed now."""
        copy = f"{self.path}.{next(self._copies)}"
        for suffix in ("", "-wal"):
            shutil.copy(self.path + suffix, copy + suffix)
        return SqliteStore(copy, parse_options({"driver": self.driver, **options}), clock=self.clock)

    def connect(self) -> Database:
        """Another connection to the file, as another program's; of the same driver, see rule 3 of `database`."""
        connection = database.connect(self.path, parse_options({"driver": self.driver, "busy_timeout": "0"}))
        self._connections.append(connection)
        return connection

    def spy(self, hook: Hook) -> None:
        """Have every connection that writes, from now on, call the hook."""
        open_writer = database.open_writer
        self._monkeypatch.setattr(database, "open_writer", lambda *given: Spied(open_writer(*given), hook))

    def close(self) -> None:
        """Close the other connections."""
        for connection in self._connections:
            connection.close()


@pytest.fixture(params=["sqlite3", "apsw"])
def driver(request: pytest.FixtureRequest) -> str:
    """One of the two drivers."""
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path, driver: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A database file with each driver."""
    place = Place(tmp_path, driver, monkeypatch)
    yield place
    place.close()
