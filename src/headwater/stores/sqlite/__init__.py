"""Logs in one SQLite file. One thread writes, with group commit; a few only read.

store      the async face
options    what can be set, with its limits
address    the path in a store URL
writer     the thread and its batches
commands   what the writer is asked to do
delivery   what is told and answered behind a commit
halt       commands that wait while the clock is gone with
queue      which commands are the next batch
transaction  one batch's changes, and the SQL that keeps them
cache      what memory knows
journal    the last batches' appends
recent     the ends of what was folded
tables     rows into the tables
rows       a stream's state as a row
read_pool  the readers' threads
reads      what they look up
upkeep     the steps of a sweep
database   the two drivers
schema     the SQL files: schema, migrations, queries
checkup    whether a file is whole
lock       one process a file
custody    whether the files are still those that were opened
wal        whether the log is still what it was
agreement  whether the database says what memory knows
guard      whether the store can go on with them
troubles   what errors of the disk mean
"""

from __future__ import annotations

from headwater.stores.base import Clock
from headwater.stores.sqlite.address import parse_path
from headwater.stores.sqlite.options import SqliteOptions, parse_options
from headwater.stores.sqlite.store import SqliteStore

__all__ = ["SqliteOptions", "SqliteStore", "from_url", "parse_options"]


def from_url(location: str, options: dict[str, str], clock: Clock) -> SqliteStore:
    """The store of `sqlite:PATH?OPTIONS`; see `address`.

    Raises:
        ValueError: the path may mean two files, there is no such option, or its value is none.
    """
    return SqliteStore(parse_path(location), parse_options(options), clock=clock)
