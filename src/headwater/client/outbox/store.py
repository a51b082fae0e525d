"""Records in a file of SQLite.

Rule 1: every call is one transaction, on the disk before it returns.
Rule 2: who changes a batch says under which numbers it believes to be. Where the file has others, somebody else has
        sent, and nothing is done.
Rule 3: what became of a record is written down with its going, for other processes over the file; of these notes the
        newest `NOTES` are kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from headwater.client.errors import OutboxFull, OutboxStorage, Stopped
from headwater.client.outbox.fates import Kept
from headwater.client.outbox.verdicts import Numbers

#: Of this layout.
VERSION: Final = 1
#: What became of the newest so many records is kept for others.
NOTES: Final = 10_000
#: Seconds that another process may take with the file.
_BUSY: Final = 10.0

_LAYOUT: Final = """
CREATE TABLE IF NOT EXISTS records (
  key INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, at REAL NOT NULL,
  made TEXT, epoch INTEGER, seq INTEGER);
CREATE TABLE IF NOT EXISTS producers (url TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS totals (count INTEGER NOT NULL, size INTEGER NOT NULL);
INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (SELECT * FROM totals);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON records
  BEGIN UPDATE totals SET count = count + 1, size = size + length(new.body); END;
CREATE TRIGGER IF NOT EXISTS dropped AFTER DELETE ON records
  BEGIN UPDATE totals SET count = count - 1, size = size - length(old.body); END;
CREATE TABLE IF NOT EXISTS notes (number INTEGER PRIMARY KEY AUTOINCREMENT, note BLOB NOT NULL);
"""


class Note(msgspec.Struct):
    """What became of a record, for other processes.

    Attributes:
        state: see `Fate`.
        key: of the record.
        url: its stream.
        kind: the stream's content type.
        body: its bytes.
        offset: see `Fate`.
        code: of the error; empty: there is none.
        message: of the same.
    """

    state: str
    key: int
    url: str
    kind: str
    body: bytes
    offset: str = ""
    code: str = ""
    message: str = ""


_note: Final = msgspec.msgpack.Decoder(Note).decode
_pack: Final = msgspec.msgpack.Encoder().encode


class Store:
    """An open file. All calls are of one thread.

    Args:
        path: of the file.

    Raises:
        OutboxStorage: it cannot be opened, or is something else.
    """

    def __init__(self, path: str) -> None:
        with _guarded():
            self._db = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
            found = self._db.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, VERSION):
                raise OutboxStorage(f"{path} is of layout {found}, and {VERSION} is known here")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(f"BEGIN IMMEDIATE; {_LAYOUT} PRAGMA user_version={VERSION}; COMMIT")

    def identify(self, id: str) -> str:
        """The producer's name: that which is kept, else this one."""
        with self._step() as db:
            db.execute("INSERT OR IGNORE INTO settings VALUES ('id', ?)", (id,))
            found: str = db.execute("SELECT value FROM settings WHERE name = 'id'").fetchone()[0]
            return found

    def add(self, record: Kept, records: int, size: int) -> int:
        """Keep a record; gives its key.

        Raises:
            OutboxFull: there would be more than so many records, or bytes.
        """
        with self._step() as db:
            count, held = db.execute("SELECT count, size FROM totals").fetchone()
            if count + 1 > records or held + len(record.body) > size:
                raise OutboxFull(f"{count} records of {held} bytes wait; records={records}, size={size} are the most")
            made = None if record.create is None else msgspec.json.encode(record.create).decode()
            row = (record.url, record.kind, record.body, record.at, made)
            return (
                db.execute("INSERT INTO records (url, kind, body, at, made) VALUES (?, ?, ?, ?, ?)", row).lastrowid or 0
            )

    def since(self, key: int) -> list[Kept]:
        """What is kept behind this key, in order."""
        columns = "key, url, kind, body, at, made, epoch, seq"
        with _guarded():
            rows = self._db.execute(f"SELECT {columns} FROM records WHERE key > ? ORDER BY key", (key,)).fetchall()
        return [_kept(row) for row in rows]

    def totals(self) -> tuple[int, int]:
        """How many records are kept, and their bytes."""
        with _guarded():
            found: tuple[int, int] = self._db.execute("SELECT count, size FROM totals").fetchone()
            return found

    def next(self, url: str) -> Numbers:
        """The numbers of the next batch of a stream."""
        with _guarded():
            return self._numbers(url)

    def freeze(self, id: str, url: str, last: Numbers, keys: Sequence[int]) -> Numbers:
        """Give numbers to a batch; gives those of the next one.

        Raises:
            Stopped: another one has sent, or it was cleared.
        """
        following = (last[0], last[1] + 1)
        with self._step() as db:
            self._check(id, url, last)
            db.execute("INSERT OR REPLACE INTO producers VALUES (?, ?, ?)", (url, *following))
            db.executemany("UPDATE records SET epoch = ?, seq = ? WHERE key = ?", [(*last, key) for key in keys])
        return following

    def thaw(self, id: str, url: str, last: Numbers, following: Numbers) -> None:
        """Take their numbers from all records of a stream; see `freeze`."""
        with self._step() as db:
            self._check(id, url, last)
            db.execute("INSERT OR REPLACE INTO producers VALUES (?, ?, ?)", (url, *following))
            db.execute("UPDATE records SET epoch = NULL, seq = NULL WHERE url = ?", (url,))

    def settle(self, id: str, url: str, last: Numbers, following: Numbers, notes: Sequence[Note]) -> None:
        """Drop the records of a batch, whose fate is known; see `freeze`."""
        with self._step() as db:
            self._check(id, url, last)
            db.execute("INSERT OR REPLACE INTO producers VALUES (?, ?, ?)", (url, *following))
            db.executemany("DELETE FROM records WHERE key = ?", [(note.key,) for note in notes])
            db.executemany("INSERT INTO notes (note) VALUES (?)", [(_pack(note),) for note in notes])
            db.execute("DELETE FROM notes WHERE number <= (SELECT max(number) FROM notes) - ?", (NOTES,))

    def clear(self, id: str) -> None:
        """Forget everything; from now on there is another producer."""
        with self._step() as db:
            for table in ("records", "producers", "notes", "settings"):
                db.execute(f"DELETE FROM {table}")
            db.execute("INSERT INTO settings VALUES ('id', ?)", (id,))

    def newest_note(self) -> int:
        """The number of the newest note."""
        with _guarded():
            found: int = self._db.execute("SELECT coalesce(max(number), 0) FROM notes").fetchone()[0]
            return found

    def notes(self, number: int) -> tuple[int, list[Note]]:
        """The notes behind this one, and the number of the last."""
        with _guarded():
            rows = self._db.execute(
                "SELECT number, note FROM notes WHERE number > ? ORDER BY number", (number,)
            ).fetchall()
        return (rows[-1][0] if rows else number), [_note(row[1]) for row in rows]

    def version(self) -> int:
        """Another number when another process has written."""
        with _guarded():
            found: int = self._db.execute("PRAGMA data_version").fetchone()[0]
            return found

    def producer(self) -> str:
        """The name that is kept."""
        with _guarded():
            row = self._db.execute("SELECT value FROM settings WHERE name = 'id'").fetchone()
            return "" if row is None else str(row[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _numbers(self, url: str) -> Numbers:
        row = self._db.execute("SELECT epoch, seq FROM producers WHERE url = ?", (url,)).fetchone()
        return (0, 0) if row is None else (row[0], row[1])

    def _check(self, id: str, url: str, last: Numbers) -> None:
        row = self._db.execute("SELECT value FROM settings WHERE name = 'id'").fetchone()
        if row is None or row[0] != id or self._numbers(url) != last:
            raise Stopped("the outbox was cleared, or somebody else sends its records")

    @contextmanager
    def _step(self) -> Iterator[sqlite3.Connection]:
        with _guarded():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            try:
                self._db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _kept(row: tuple[Any, ...]) -> Kept:
    key, url, kind, body, at, made, epoch, seq = row
    create = None if made is None else msgspec.json.decode(made, type=dict[str, str])
    return Kept(key, url, kind, bytes(body), at, create, epoch, seq)


@contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise OutboxStorage(f"the outbox's file cannot be used: {error}") from error
