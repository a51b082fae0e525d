"""The threads that read, each with a connection to the file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from headwater.errors import StoreUnavailable
from headwater.stores.sqlite.database import DRIVER_ERRORS, Database

T = TypeVar("T")


class Readers:
    """A few threads, each with a connection while it works. One that failed is opened anew by the next read.

    Args:
        connect: opens a connection that only reads.
        count: threads, and connections at most.
    """

    def __init__(self, connect: Callable[[], Database], count: int) -> None:
        self._connect = connect
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="headwater-sqlite-read")
        self._idle: SimpleQueue[Database | None] = SimpleQueue()
        for _ in range(count):
            self._idle.put(None)
        self._count = count

    async def open(self) -> None:
        """Connect all of them, so that reads go on when the files are removed.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        await asyncio.gather(*(self.run(_nothing) for _ in range(self._count)))

    async def run(self, work: Callable[[Database], T]) -> T:
        """Run a function with a connection, in a thread.

        Raises:
            StoreUnavailable: the read failed.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._work, work)

    def close(self) -> None:
        """Finish the reads under way and let go of the file; blocks."""
        self._executor.shutdown()
        for _ in range(self._count):
            if (database := self._idle.get()) is not None:
                database.close()

    def _work(self, work: Callable[[Database], T]) -> T:
        database = self._idle.get()
        try:
            if database is None:
                database = self._connect()
            return work(database)
        except DRIVER_ERRORS as error:
            if database is not None:
                database.close()
                database = None
            raise StoreUnavailable(f"the read failed: {error}") from error
        finally:
            self._idle.put(database)


def _nothing(database: Database) -> None:
    """Connecting is all."""
