"""The thread that writes, with group commit.

Rule 1: all that waits when the thread comes back is one transaction. Commands run in the order they were given.
Rule 2: a refused command fails alone. When the file or the disk fails, every write of the batch fails and memory is
        as before; commands that only look up are run again without them. The next batch starts on a new connection.
Rule 3: watchers are told and callers answered in the event loop, after the commit, in order, once a batch.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, Generic, TypeVar

from headwater.errors import HeadwaterError, StoreUnavailable
from headwater.model import Change
from headwater.stores.base import StoreFigures
from headwater.stores.sqlite.committed import Committed
from headwater.stores.sqlite.database import DRIVER_ERRORS, Database
from headwater.stores.sqlite.schema import query
from headwater.stores.sqlite.unit import SqliteUnit

T = TypeVar("T")

#: A batch ends at so many commands or bytes: what one commit, and one step of the event loop after it, may hold.
MAX_COMMANDS: Final = 1024
MAX_BYTES: Final = 8 * 1024 * 1024
# What a command holds in memory beside its data.
_COMMAND_BYTES: Final = 1024

# The file or the disk, not the command.
_FAILURES: Final[tuple[type[Exception], ...]] = (*DRIVER_ERRORS, StoreUnavailable)

_logger: Final = logging.getLogger("headwater.sqlite")


class Command(Generic[T]):
    """One step for the writer, and its outcome.

    Args:
        run: the step; it may run again on a fresh unit, if its batch fails.
        now: time of the call.
        future: the caller's.
        size: bytes of data in it.
        reads: it changes nothing.
    """

    __slots__ = ("changes", "error", "future", "now", "reads", "result", "run", "size")

    def __init__(
        self, run: Callable[[SqliteUnit], T], now: float, future: asyncio.Future[T], size: int, reads: bool
    ) -> None:
        self.run = run
        self.now = now
        self.future = future
        self.size = size
        self.reads = reads
        self.result: T | None = None
        self.error: Exception | None = None
        self.changes: list[Change] = []

    def run_on(self, unit: SqliteUnit) -> None:
        """Run the step; a refusal becomes its outcome."""
        self.error = None
        unit.now = self.now
        unit.changes = self.changes = []
        try:
            self.result = self.run(unit)
        except HeadwaterError as error:
            self.error = error

    def resolve(self) -> None:
        """Answer the caller, unless it has gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


Batch = list[Command[Any]]


class Writer:
    """The thread, its queue and its connection. The methods are the event loop's.

    Args:
        connect: opens the connection that writes.
        committed: what memory knows; this thread's to change.
        tell: called with each change.
        queue_bytes: data that may wait.
        checkpoint_bytes: size of the log at which it is moved into the database.

    Attributes:
        figures: of the commits; the thread adds to them.
    """

    def __init__(
        self,
        connect: Callable[[], Database],
        committed: Committed,
        tell: Callable[[Change], None],
        *,
        queue_bytes: int,
        checkpoint_bytes: int,
    ) -> None:
        self._connect = connect
        self._committed = committed
        self._tell = tell
        self._queue_bytes = queue_bytes
        self._checkpoint_bytes = checkpoint_bytes
        self._queue: SimpleQueue[Command[Any] | None] = SimpleQueue()
        self._waiting = 0
        self._database: Database | None = None
        self._written = 0
        self._running = False
        self.figures = StoreFigures()

    @property
    def waiting(self) -> int:
        """Bytes that wait to be written, what is being written included."""
        return self._waiting

    async def start(self) -> None:
        """Start the thread; returns when it has opened the file.

        Raises:
            StoreUnavailable: it cannot.
        """
        self._loop = asyncio.get_running_loop()
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        opened: Command[None] = Command(lambda unit: None, 0.0, self._loop.create_future(), 0, True)
        Thread(target=self._main, args=(opened,), name="headwater-sqlite", daemon=True).start()
        try:
            await opened.future
        except asyncio.CancelledError:
            self._queue.put(None)
            raise
        self._running = True

    async def stop(self) -> None:
        """Finish what waits, move the log into the database and close it."""
        if self._running:
            self._running = False
            self._queue.put(None)
        await self._stopped

    def submit(
        self, run: Callable[[SqliteUnit], T], now: float, *, size: int = 0, reads: bool = False
    ) -> asyncio.Future[T]:
        """Queue a step; the future is its outcome.

        Raises:
            StoreUnavailable: the store is not open, or too much waits already.
        """
        if not self._running:
            raise StoreUnavailable("the store is not open")
        if self._waiting > self._queue_bytes:
            raise StoreUnavailable(f"{self._waiting} bytes wait to be written, and queue_bytes is {self._queue_bytes}")
        future: asyncio.Future[T] = self._loop.create_future()
        size += _COMMAND_BYTES
        self._waiting += size
        self._queue.put(Command(run, now, future, size, reads))
        return future

    def _deliver(self, batch: Batch) -> None:
        for command in batch:
            self._waiting -= command.size
            for change in command.changes:
                self._tell_safely(change)
            command.resolve()

    def _tell_safely(self, change: Change) -> None:
        # Watchers must not raise; if one does, the callers of this batch are still answered.
        try:
            self._tell(change)
        except Exception as error:
            self._loop.call_exception_handler({"message": "a watcher of the store raised", "exception": error})

    # From here on: the thread.

    def _main(self, opened: Command[None]) -> None:
        try:
            self._committed.last_incarnation = self._connected().run(query("last_incarnation"))[0][0]
        except Exception as error:
            opened.error = _unavailable(error)
            self._call(self._stopped.cancel)
        self._call(opened.resolve)
        if opened.error is None:
            self._work()
            self._close()
            self._call(self._stopped.set_result, None)

    def _work(self) -> None:
        running = True
        while running:
            batch, running = self._take()
            todo = batch
            while todo:
                todo = self._attempt(todo)
            self._call(self._deliver, batch)
            if self._written >= self._checkpoint_bytes:
                self._checkpoint("PASSIVE")

    def _take(self) -> tuple[Batch, bool]:
        """Wait for a command, then take all that wait; False: the last ones."""
        batch: Batch = []
        size = 0
        command = self._queue.get()
        try:
            while command is not None:
                batch.append(command)
                size += command.size
                if len(batch) >= MAX_COMMANDS or size >= MAX_BYTES:
                    return batch, True
                command = self._queue.get_nowait()
        except Empty:
            return batch, True
        return batch, False

    def _attempt(self, batch: Batch) -> Batch:
        """Run a batch as one transaction; returns the commands that are to be run again."""
        try:
            unit = SqliteUnit(self._connected(), self._committed)
            for command in batch:
                command.run_on(unit)
            started = time.monotonic()
            unit.commit()
            if unit.written:
                self.figures.commit_seconds.add(time.monotonic() - started)
                self.figures.commit_sizes.add(sum(not command.reads for command in batch))
            self._written += unit.written
            return []
        except _FAILURES as error:
            self.figures.failed_commits += 1
            self._disconnect()
            return _fail(batch, error)
        except Exception as error:
            # A mistake in the program or in a value, not in the file: the others need not suffer for it.
            self._disconnect()
            if len(batch) == 1:
                batch[0].error, batch[0].changes = error, []
            else:
                for command in batch:
                    self._settle_alone(command)
            return []

    def _settle_alone(self, command: Command[Any]) -> None:
        todo = [command]
        while todo:
            todo = self._attempt(todo)

    def _connected(self) -> Database:
        if self._database is None:
            self._database = self._connect()
        return self._database

    def _disconnect(self) -> None:
        # After a failed commit the connection's cache may hold what the file does not; closing rolls back.
        database, self._database = self._database, None
        if database is not None:
            try:
                database.close()
            except DRIVER_ERRORS as error:
                _logger.warning("closing after an error: %s", error)

    def _checkpoint(self, mode: str) -> None:
        self._written = 0
        try:
            self._connected().run(f"PRAGMA wal_checkpoint({mode})")
        except _FAILURES as error:
            # The log keeps what was committed; it grows until a checkpoint succeeds.
            _logger.warning("checkpoint: %s", error)

    def _close(self) -> None:
        self._checkpoint("TRUNCATE")
        self._disconnect()

    def _call(self, function: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            _logger.warning("the event loop was closed before the store")


def _fail(batch: Batch, error: Exception) -> Batch:
    """Fail the writes of a batch, or all of it, if it was only lookups; returns the lookups to run again."""
    lookups = [command for command in batch if command.reads]
    if len(lookups) == len(batch):
        lookups = []
    _logger.warning("%d commands failed: %s", len(batch) - len(lookups), error)
    for command in batch:
        command.error, command.changes = _unavailable(error), []
    return lookups


def _unavailable(error: Exception) -> Exception:
    if isinstance(error, DRIVER_ERRORS):
        return StoreUnavailable(f"the database failed: {error}")
    return StoreUnavailable(error.message) if isinstance(error, StoreUnavailable) else error
