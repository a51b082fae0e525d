"""Short ways to say what the tests of this folder say often."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headwater.model import Appended, Producer
from headwater.protocol.ledger import Append
from headwater.stores import Store
from headwater.stores.sqlite import SqliteStore


@asynccontextmanager
async def opened(store: SqliteStore) -> AsyncIterator[SqliteStore]:
    """The store, open for a while."""
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


async def append(store: Store, path: str, body: bytes, producer: Producer | None = None) -> Appended:
    """Append to a stream of bytes."""
    return await store.append(path, Append(body, producer=producer))


async def together(store: SqliteStore, *appends: tuple[str, bytes]) -> None:
    """Append to streams of bytes, in one batch."""
    outcomes: list[asyncio.Future[Appended | Exception]] = []
    for path, body in appends:
        outcomes.append(asyncio.get_running_loop().create_future())
        store.post(path, Append(body), outcomes[-1].set_result)
    for outcome in await asyncio.gather(*outcomes):
        assert isinstance(outcome, Appended), outcome


async def content(store: Store, path: str, offset: str = "-1") -> list[bytes]:
    """All records of a stream from an offset on, read in one go."""
    batch = await store.read(path, offset, limit=1 << 30)
    assert batch.up_to_date
    return [record.data for record in batch.records]


#: Another program that knows SQLite; without `site`, so that it starts at once and its coverage is not measured.
ANOTHER = [sys.executable, "-I", "-S", "-c"]
BACKUP = """
import sqlite3, sys
source, target = (sqlite3.connect(path) for path in sys.argv[1:])
source.backup(target)
target.close()
source.close()
"""


def backup(path: str) -> str:
    """SQLite's own backup of a database, by another process."""
    subprocess.run([*ANOTHER, BACKUP, path, f"{path}.backup"], check=True)
    return f"{path}.backup"


def restore_database(path: str) -> None:
    """As `.restore` of SQLite's shell does: a backup is written over it through SQLite, by another process."""
    subprocess.run([*ANOTHER, BACKUP, f"{path}.backup", path], check=True)


TRUNCATE = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], isolation_level=None).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
"""


def move_log(path: str) -> None:
    """The log is moved into the database and emptied, by another process and by the rules."""
    subprocess.run([*ANOTHER, TRUNCATE, path], check=True)
    assert os.stat(f"{path}-wal").st_size == 0


def empty_log(path: str) -> None:
    """As `> log.db-wal` does."""
    os.truncate(f"{path}-wal", 0)


def cut_log(path: str) -> None:
    """The end of the log is gone."""
    os.truncate(f"{path}-wal", 5_000)
