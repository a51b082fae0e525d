"""The thread that writes, with group commit.

Rule 1: all that waits when the thread comes back is one transaction. Commands run in the order they were given.
Rule 2: a refused command fails alone. When the file or the disk fails, every write of the batch fails and memory is
        as before; commands that only look up are run again without them. The next batch starts on a new connection.
Rule 3: watchers are told and callers answered in the event loop, after the commit; see `delivery`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Final, TypeVar

from headwater.errors import StoreUnavailable
from headwater.model import Change
from headwater.protocol.ledger import Append
from headwater.stores.base import Done, StoreFigures
from headwater.stores.sqlite.cache import Committed
from headwater.stores.sqlite.commands import COMMAND_BYTES, Batch, Command, Posted, Step, count_writes, sizes_of
from headwater.stores.sqlite.database import DRIVER_ERRORS, Database
from headwater.stores.sqlite.delivery import Delivery
from headwater.stores.sqlite.guard import Guard
from headwater.stores.sqlite.queue import Queue, run_bounded
from headwater.stores.sqlite.transaction import SqliteUnit
from headwater.stores.sqlite.troubles import database_failed
from headwater.stores.timekeeper import Moment
from headwater.stores.watchers import Watchers

T = TypeVar("T")

# The file or the disk, not the command.
_FAILURES: Final[tuple[type[Exception], ...]] = (*DRIVER_ERRORS, StoreUnavailable)

_logger: Final = logging.getLogger("headwater.sqlite")


class Writer:
    """The thread, its queue and its connection. The methods are the event loop's.

    What is posted in one turn of the loop is handed over at its end, in one piece: each time the thread is woken, the
    two contend for the interpreter lock. A step that is awaited goes at once, with what was posted before it.

    Args:
        connect: opens the connection that writes.
        guard: says whether the files are what they should be.
        committed: what memory knows; this thread's to change.
        watchers: are told each change.
        queue_bytes: data that may wait.
        checkpoint_bytes: size of the log at which it is moved into the database.

    Attributes:
        figures: of the commits; the thread adds to them.
        refusal: why nothing is taken.
    """

    def __init__(
        self,
        connect: Callable[[], Database],
        guard: Guard,
        committed: Committed,
        watchers: Watchers,
        *,
        queue_bytes: int,
        checkpoint_bytes: int,
    ) -> None:
        self._connect = connect
        self._guard = guard
        self._committed = committed
        self._watchers = watchers
        self._delivery = Delivery(watchers.tell, self._answer)
        self._queue_bytes = queue_bytes
        self._checkpoint_bytes = checkpoint_bytes
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._collected: Batch = []
        self._due = False
        #: Of what is posted until it is handed over.
        self._now: Moment = (0.0, 0.0)
        self._waiting = 0
        self._idle: list[asyncio.Future[None]] = []
        self._database: Database | None = None
        self._written = 0
        self._running = False
        # The thread's: what was handed over and is not in a batch yet, and whether more can come.
        self._todo = Queue()
        self._more = True
        self.figures = StoreFigures()
        self.refusal = "the store is not open"

    @property
    def fault(self) -> str | None:
        """What is wrong with the files, for as long as the store is open; None: nothing."""
        return None if self._guard.fault is None else self._guard.fault.message

    @property
    def reading_fault(self) -> str | None:
        """The same, if what the files have may be other data than what was written."""
        fault = self._guard.fault
        return None if fault is None or fault.is_readable else fault.message

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
        opened: Step[None] = Step(lambda unit: None, (0.0, 0.0), self._loop.create_future(), 0, True)
        Thread(target=self._main, args=(opened,), name="headwater-sqlite", daemon=True).start()
        try:
            await opened.future
        except asyncio.CancelledError:
            self._queue.put(None)
            raise
        self._running = True

    async def stop(self) -> None:
        """Finish what waits, fold the journal, move the log into the database and close it."""
        if self._running:
            self._running = False
            self._hand_over()
            self._queue.put(None)
        await self._stopped

    async def idle(self) -> None:
        """Wait until nothing waits and nothing is being written."""
        if self._waiting:
            idle: asyncio.Future[None] = self._loop.create_future()
            self._idle.append(idle)
            await idle

    async def is_lost(self, now: Moment) -> bool:
        """Look at the files, in turn with the commits; whether writes are refused from now on."""
        if self._guard.fault is None:
            try:
                await self.submit(self._look, now, reads=True)
            except StoreUnavailable:
                if self._guard.fault is None:
                    raise
        return self._guard.fault is not None

    def abandon(self, refusal: str) -> None:
        """Take nothing any more: the thread is not in this process."""
        self._running = False
        self.refusal = refusal

    def submit(
        self,
        run: Callable[[SqliteUnit], T],
        now: Moment,
        *,
        size: int = 0,
        reads: bool = False,
        paths: tuple[str, ...] = (),
        appends: Sequence[Append] = (),
    ) -> asyncio.Future[T]:
        """Queue a step; the future is its outcome.

        Raises:
            StoreUnavailable: the store is not open, or too much waits already.
        """
        fault = self.reading_fault if reads else self.fault
        if not self._running or fault is not None or self._waiting > self._queue_bytes:
            raise self._refusal(fault)
        future: asyncio.Future[T] = self._loop.create_future()
        step = Step(run, now, future, size, reads, paths, appends)
        self._waiting += step.size
        self._collected.append(step)
        self._hand_over()
        return future

    def post(self, path: str, request: Append, moment: Callable[[], Moment], done: Done) -> None:
        """Queue an append; see `Posting.post`.

        Args:
            path: the stream.
            request: what to append.
            moment: tells the time. What is posted in one turn of the loop has one time, that of the first.
            done: see there.

        Raises:
            StoreUnavailable: the store is not open, or too much waits already.
        """
        if not self._running or self._guard.fault is not None or self._waiting > self._queue_bytes:
            raise self._refusal(self.fault)
        size = len(request.body) + COMMAND_BYTES
        if not self._due:
            self._due = True
            self._now = moment()
            self._loop.call_soon(self._hand_over)
        self._waiting += size
        self._collected.append(Posted(path, request, self._now, done, size))

    def _refusal(self, fault: str | None) -> StoreUnavailable:
        if not self._running:
            return StoreUnavailable(self.refusal)
        if fault is not None:
            return StoreUnavailable(fault)
        return StoreUnavailable(f"{self._waiting} bytes wait to be written, and queue_bytes is {self._queue_bytes}")

    def _hand_over(self) -> None:
        self._due = False
        if self._collected:
            self._queue.put(self._collected)
            self._collected = []

    def _answer(self, batch: Batch) -> None:
        self._waiting -= sum(sizes_of(batch))
        for command in batch:
            command.resolve()
        if not self._waiting:
            for idle in self._idle:
                if not idle.done():
                    idle.set_result(None)
            self._idle.clear()

    # From here on: the thread.

    def _main(self, opened: Step[None]) -> None:
        try:
            database = self._connected()
            self._committed.load(database)
            self._guard.begin(database)
        except Exception as error:
            opened.error = _unavailable(error)
            self._disconnect()
            self._call(self._stopped.cancel)
        self._call(opened.resolve)
        if opened.error is None:
            self._work()
            self._close()
            self._call(self._delivery.end, self._stopped)

    def _work(self) -> None:
        postponed = False
        while batch := self._take():
            changes: list[Change] = []
            todo = batch
            while todo:
                todo = self._attempt(todo, changes)
            self._call(self._delivery.add, batch, changes)
            if self._committed.journal.is_full:
                self._fold()
            if self._written >= self._checkpoint_bytes:
                # Who waited for a large commit does not wait for the log to be moved as well.
                postponed = not postponed and (bool(self._todo) or not self._queue.empty())
                if not postponed:
                    self._checkpoint("PASSIVE")

    def _take(self) -> Batch:
        """Wait for a command, then take all that wait, up to the limits; none: there will be no more."""
        while self._more and not (self._todo and self._queue.empty()):
            handed = self._queue.get()
            if handed is None:
                self._more = False
            else:
                self._todo.add(handed)
        return self._todo.take()

    def _attempt(self, batch: Batch, changes: list[Change]) -> Batch:
        """Run a batch as one transaction and add what it changed; returns the commands that are to be run again."""
        if self._guard.is_lost(self._database) and not all(command.reads for command in batch):
            return _fail(batch, StoreUnavailable(self.fault or ""))
        try:
            unit = self._begin()
            self._todo.give_back(run_bounded(batch, unit))
            started = time.monotonic()
            unit.commit()
            if unit.written:
                self.figures.commit_seconds.add(time.monotonic() - started)
                self.figures.commit_sizes.add(count_writes(batch))
            self._written += unit.written
            changes += unit.changes(self._watchers.want)
            return []
        except _FAILURES as error:
            self.figures.failed_commits += 1
            self._disconnect()
            return _fail(batch, error)
        except Exception as error:
            # A mistake in the program or in a value, not in the file: the others need not suffer for it.
            self._disconnect()
            if len(batch) == 1:
                batch[0].fail(error)
            else:
                for command in batch:
                    self._settle_alone(command, changes)
            return []

    def _settle_alone(self, command: Command, changes: list[Change]) -> None:
        todo = [command]
        while todo:
            todo = self._attempt(todo, changes)

    def _look(self, unit: SqliteUnit) -> None:
        self._guard.look(self._database, within=True)

    def _fold(self) -> None:
        if self._guard.fault is not None:
            return
        try:
            unit = self._begin()
            unit.fold()
            unit.commit()
            self._written += unit.written
        except _FAILURES as error:
            # They stay in the journal; the next batch tries again.
            self.figures.failed_commits += 1
            _logger.warning("folding the journal: %s", error)
            self._disconnect()

    def _begin(self) -> SqliteUnit:
        return SqliteUnit(self._connected(), self._committed, self._guard.check)

    def _connected(self) -> Database:
        if self._database is None:
            # Not to what may lie at the path by now; the first time nothing is known yet.
            if self._guard.look(None):
                raise StoreUnavailable(self.fault or "")
            database = self._connect()
            try:
                self._guard.admit(database)
            except BaseException:
                database.close()
                raise
            self._database = database
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
            database = self._connected()
            # What was cut off would be moved as zeros.
            if self._guard.look(database) and not self._guard.may_move_log:
                return
            database.run(f"PRAGMA wal_checkpoint({mode})")
            self._guard.moved_log()
        except _FAILURES as error:
            # The log keeps what was committed; it grows until a checkpoint succeeds.
            _logger.warning("checkpoint: %s", error)

    def _close(self) -> None:
        if not self._guard.look(self._database, within=True):
            self._fold()
            self._checkpoint("TRUNCATE")
            if self._guard.fault is None:
                self._guard.end()
        elif self._database is not None and self._guard.may_move_log:
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
        command.fail(_unavailable(error))
    return lookups


def _unavailable(error: Exception) -> Exception:
    if isinstance(error, DRIVER_ERRORS):
        return database_failed(error)
    return StoreUnavailable(error.message) if isinstance(error, StoreUnavailable) else error
