"""Whether the store can go on with its files: looks at them, says once what is wrong, and saves what can be saved.

Rule 1: a fault stays for as long as the store is open.
Rule 2: what another program committed is found inside the next transaction. What was done to the files by other means
        is found by a look, `LOOK_SECONDS` after the last one at the next commit, and by the sweep.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from headwater.errors import StoreUnavailable
from headwater.stores.sqlite.agreement import Agreement
from headwater.stores.sqlite.custody import ADVICE, Custody, Fault
from headwater.stores.sqlite.database import DRIVER_ERRORS, Database

#: Seconds between two looks at the files, at least: each lets go of the interpreter lock, for which a busy loop waits.
LOOK_SECONDS: Final = 0.25

_FOREIGN: Final = Fault(f"another program put other data into the database file; {ADVICE}", is_readable=False)

_logger: Final = logging.getLogger("headwater.sqlite")


class Guard:
    """The writer's thread's; `fault` is read by others.

    Args:
        custody: of the files.
        agreement: of the database with memory.
        connect: opens a connection that only reads, to the database as it lies on the disk.

    Attributes:
        fault: what is wrong; None: nothing.
    """

    def __init__(self, custody: Custody, agreement: Agreement, connect: Callable[[], Database]) -> None:
        self.fault: Fault | None = None
        self._custody = custody
        self._agreement = agreement
        self._connect = connect
        self._looked_at = 0.0

    def begin(self, database: Database) -> None:
        """See `Custody.begin`; memory is loaded."""
        self._custody.begin(database)

    def end(self) -> None:
        """See `Custody.end`."""
        self._custody.end()

    def admit(self, database: Database) -> None:
        """Go on with a new connection of the writer.

        Raises:
            StoreUnavailable: what it sees is not what memory knows.
        """
        self._agreement.adopt(database)
        if self._custody.begun:
            self._compare(database)

    def check(self, database: Database, within: bool) -> None:
        """Look whether another program has written to the database.

        Args:
            database: the writer's connection.
            within: in a transaction that has begun; else behind lookups.

        Raises:
            StoreUnavailable: it has put other data there.
        """
        if not self._agreement.is_kept(database, within=within):
            self._compare(database)
            self._agreement.adopt(database)
            self._custody.forget_log()

    def is_lost(self, connection: Database | None) -> bool:
        """Whether writes have to be refused; looks at the files now and then."""
        now = time.monotonic()
        if self.fault is None and now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self.look(connection)
        return self.fault is not None

    def look(self, connection: Database | None, *, within: bool = False) -> bool:
        """Look at the files.

        Args:
            connection: the one that writes, outside a transaction; None: there is none now.
            within: look at the header of the database too.

        Returns:
            Whether writes have to be refused.
        """
        if self.fault is None and self._custody.begun:
            fault = self._custody.fault_within(connection) if within else self._custody.fault(connection)
            if fault is not None:
                self._tell(fault)
                if connection is not None and self.may_move_log:
                    _move_log(connection)
            elif self._custody.was_changed:
                self._compare_on_disk()
        return self.fault is not None

    def moved_log(self) -> None:
        """The log was moved into the database by this process."""
        self._custody.take_change()

    @property
    def may_move_log(self) -> bool:
        """Whether the log may be moved into the database: it and the database are those that were opened, and whole."""
        return self.fault is None or (self.fault.is_of_names and self._custody.keeps_database)

    def _compare(self, database: Database) -> None:
        if (difference := self._agreement.difference(database)) is not None:
            self._tell(_FOREIGN, difference)
            raise StoreUnavailable(_FOREIGN.message)

    def _compare_on_disk(self) -> None:
        """The connection that writes knows pages that are not on the disk any more."""
        try:
            database = self._connect()
        except DRIVER_ERRORS:
            return  # the next look tries again
        with closing(database):
            if (difference := self._agreement.difference(database)) is None:
                self._custody.take_change()
            else:
                self._tell(_FOREIGN, difference)

    def _tell(self, fault: Fault, detail: str = "") -> None:
        self.fault = fault
        _logger.error("%s: %s%s", self._custody.path, fault.message, f" ({detail})" if detail else "")


def _move_log(connection: Database) -> None:
    try:
        connection.run("PRAGMA wal_checkpoint(PASSIVE)")
    except DRIVER_ERRORS as error:
        _logger.warning("checkpoint: %s", error)
