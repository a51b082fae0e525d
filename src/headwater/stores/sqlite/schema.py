"""The SQL files: the schema, its migrations, and the named queries. Loaded once, at import.

Rule: `PRAGMA user_version` is the version of the file's schema. A file is upgraded when it is opened, never downgraded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from itertools import chain
from typing import Any, Final

import msgspec

from headwater.errors import StoreUnavailable
from headwater.stores.sqlite.database import Database

#: "Hdwr", so that `file` and other people's tools can tell whose database it is.
APPLICATION_ID: Final = 0x48647772

_HERE: Final = files("headwater.stores.sqlite")
_QUERY: Final = re.compile(r"-- name: (\w+)\n-- .+\n((?:.+\n)+)")
_GROUP: Final = re.compile(r"(?<=VALUES )\([?, ]+\)")


class Schema(msgspec.Struct, frozen=True):
    """A schema and the way to it.

    Attributes:
        create: the newest schema, for a new file.
        migrations: (version it leads to, script), ascending; the first one leads from version 1 to 2.
    """

    create: str
    migrations: tuple[tuple[int, str], ...] = ()

    @property
    def version(self) -> int:
        """The newest version."""
        return self.migrations[-1][0] if self.migrations else 1


def load_schema() -> Schema:
    """The schema of this release."""
    scripts = sorted(entry.name for entry in (_HERE / "migrations").iterdir() if entry.name.endswith(".sql"))
    migrations = tuple((int(name[:4]), (_HERE / "migrations" / name).read_text("utf-8")) for name in scripts)
    return Schema((_HERE / "schema.sql").read_text("utf-8"), migrations)


SCHEMA: Final = load_schema()
#: The named queries.
QUERIES: Final[dict[str, str]] = dict(_QUERY.findall((_HERE / "queries.sql").read_text("utf-8")))


def prepare(database: Database, schema: Schema = SCHEMA) -> None:
    """Make a new file's schema, or bring an older one to the newest version; each step is one transaction.

    Raises:
        StoreUnavailable: another program's file, or a newer version than this release knows.
    """
    version, application = _pragma(database, "user_version"), _pragma(database, "application_id")
    if version == 0 and application == 0 and not database.run("SELECT 1 FROM sqlite_schema LIMIT 1"):
        _upgrade(database, schema.create, schema.version)
        return
    if application != APPLICATION_ID:
        raise StoreUnavailable("the file is another program's database")
    if version > schema.version:
        raise StoreUnavailable(
            f"the file has schema version {version}, this release knows {schema.version}: use a newer release"
        )
    for target, script in schema.migrations:
        if target > version:
            _upgrade(database, script, target)


def _pragma(database: Database, name: str) -> int:
    return int(database.run(f"PRAGMA {name}")[0][0])


def _upgrade(database: Database, script: str, version: int) -> None:
    database.script(
        f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {version};\n"
        f"PRAGMA application_id = {APPLICATION_ID};\nCOMMIT;"
    )


def query(name: str) -> str:
    """The text of a named query."""
    return QUERIES[name]


class Many:
    """A query that keeps many rows with few statements.

    Sizes are powers of two, so that each text stays in the driver's statement cache. One statement for many rows
    also lets go of the interpreter lock once and not per row: with a busy event loop, each time costs the writer up
    to the switch interval of 5 ms before it has the lock back.

    Args:
        name: a query with one group of placeholders after VALUES.
        largest: rows of the largest statement, a power of two.
    """

    def __init__(self, name: str, largest: int) -> None:
        sql = query(name)
        match = _GROUP.search(sql)
        assert match is not None, name
        head, group, tail = sql[: match.start()], match[0], sql[match.end() :]
        sizes = [1 << exponent for exponent in reversed(range(largest.bit_length()))]
        # The driver looks each statement up by its text, so that this is short.
        group = group.replace(" ", "")
        self._statements = [(size, head + ",".join([group] * size) + tail) for size in sizes]

    def run(self, database: Database, rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep the rows, in order."""
        start, left = 0, len(rows)
        for size, sql in self._statements:
            while left >= size:
                database.run(sql, tuple(chain.from_iterable(rows[start : start + size])))
                start += size
                left -= size
