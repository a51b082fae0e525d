"""Logs in one SQLite file. One thread writes, with group commit; a few only read.

store     the async face             options   what can be set, with its limits
writer    the thread and its batches unit      one batch's changes, and the SQL that keeps them
committed what memory knows          reading   the readers' threads and their queries
journal   the last batches' appends  rows      a stream's state as a row
upkeep    the steps of a sweep       tables    rows into the tables
database  the two drivers            schema    the SQL files: schema, migrations, queries
lock      one process a file
"""

from __future__ import annotations

from headwater.stores.base import Clock
from headwater.stores.sqlite.options import SqliteOptions, parse_options
from headwater.stores.sqlite.store import SqliteStore

__all__ = ["SqliteOptions", "SqliteStore", "from_url", "parse_options"]


def from_url(location: str, options: dict[str, str], clock: Clock) -> SqliteStore:
    """The store of `sqlite:PATH?OPTIONS`.

    Raises:
        ValueError: there is no such option, or its value is none.
    """
    return SqliteStore(location.removeprefix("//"), parse_options(options), clock=clock)
