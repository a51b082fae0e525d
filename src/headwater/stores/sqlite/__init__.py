"""Logs in one SQLite file. One thread writes, with group commit; a few only read.

store     the async face             options   what can be set, with its limits
writer    the thread and its batches unit      one batch's changes, and the SQL that keeps them
committed what memory knows          reading   the readers' threads and their queries
upkeep    the steps of a sweep       rows      a stream's state as a row
database  the two drivers            schema    the SQL files: schema, migrations, queries
lock      one process a file
"""

from headwater.stores.sqlite.options import SqliteOptions, parse_options
from headwater.stores.sqlite.store import SqliteStore

__all__ = ["SqliteOptions", "SqliteStore", "parse_options"]
