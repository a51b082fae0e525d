"""Whether the database says what memory knows, after another program wrote to it.

Another program may write as SQLite does: `VACUUM`, a table of its own, and a whole other database too (`.restore`,
`sqlite3_backup`). `Database.version` tells that it did, and not what. Then the file is compared with memory.

Rule 1: every transaction looks before its first statement, and what is looked up is told after a look: nothing is
        acknowledged on top of what another program put there.
Rule 2: an older state of this database differs in its last incarnation, its journal or the state of a stream of the
        last commits, or has a stream that was dropped since. These are in memory, however many streams the file has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec.json import encode

from headwater.errors import StoreUnavailable
from headwater.protocol.ledger import StreamState
from headwater.stores.sqlite.cache import Committed
from headwater.stores.sqlite.database import DRIVER_ERRORS, Database
from headwater.stores.sqlite.schema import query

#: Streams that are compared with one statement.
_TOGETHER: Final = 1000

# What another program's database may come to.
_UNREADABLE: Final[tuple[type[Exception], ...]] = (StoreUnavailable, IndexError, *DRIVER_ERRORS)

_STATES_NUMBERED: Final = query("states_numbered")


class Agreement:
    """The version of the file that memory goes with, as the connection that writes numbers them.

    Args:
        committed: what memory knows.

    """

    def __init__(self, committed: Committed) -> None:
        self._committed = committed
        self._version: int | None = None

    def adopt(self, database: Database) -> None:
        """Take the file as this connection sees it: memory is loaded from it, or compared with it."""
        self._version = database.version(within=False)

    def is_kept(self, database: Database, *, within: bool) -> bool:
        """Whether no other connection has committed anything since `adopt`.

        Args:
            database: the connection that `adopt` was called with.
            within: see `Database.version`.
        """
        return database.version(within=within) == self._version

    def difference(self, database: Database) -> str | None:
        """What is not as memory has it; None: nothing.

        Args:
            database: a connection of any kind.
        """
        known, found = self._committed, Committed(0, journaling=False)
        try:
            found.load(database)
            in_file = dict(self._rows(database))
        except _UNREADABLE as error:
            return f"it cannot be read as before ({error})"
        in_file |= {number: _facts(state) for number, state in found.journal.states.items()}
        if found.last_incarnation != known.last_incarnation:
            return f"{found.last_incarnation} streams were ever made in it, and {known.last_incarnation} in this store"
        if found.journal.states.keys() != known.journal.states.keys():
            return "its journal is another one"
        for state in known.states.values():
            if in_file.get(state.incarnation) != _facts(state):
                return f"{state.path!r} is not as it was written last"
        return "it has a stream that was deleted" if any(number in in_file for number in known.dropped) else None

    def _rows(self, database: Database) -> Iterator[tuple[int, tuple[Any, ...]]]:
        numbers = [*self._committed.dropped, *(state.incarnation for state in self._committed.states.values())]
        for start in range(0, len(numbers), _TOGETHER):
            for row in database.run(_STATES_NUMBERED, (encode(numbers[start : start + _TOGETHER]).decode(),)):
                yield row[0], row


def _facts(state: StreamState) -> tuple[Any, ...]:
    return (
        state.incarnation,
        state.path,
        state.earliest,
        state.tail,
        int(state.closed),
        int(state.deleted),
        state.forks,
    )
