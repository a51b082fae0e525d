"""The SQLite store's async face."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final, TypeVar

from headwater.errors import HeadwaterError, StoreUnavailable
from headwater.model import Appended, Batch, Change, Created, StreamConfig, StreamInfo
from headwater.protocol import ledger
from headwater.protocol.ledger import Append, StreamState
from headwater.protocol.offsets import locate
from headwater.stores import unit as steps
from headwater.stores.base import DEFAULT_READ_LIMIT, Clock, Done, StoreFigures, Watcher
from headwater.stores.sqlite import database, reading, schema, upkeep
from headwater.stores.sqlite.committed import Committed
from headwater.stores.sqlite.lock import FileLock
from headwater.stores.sqlite.options import SqliteOptions
from headwater.stores.sqlite.reading import Readers
from headwater.stores.sqlite.unit import SqliteUnit
from headwater.stores.sqlite.writer import Writer

T = TypeVar("T")

# A read is repeated when its records are purged between two looks; more often than once in a row takes a broken file.
_READ_ATTEMPTS: Final = 5


class SqliteStore:
    """Streams in one SQLite file. See `Store` for the methods; opens the file in `open`, not before.

    Beside the file lie `-wal`, `-shm` and `.lock`. One process a file; a local file system. To copy a store that is
    in use, use SQLite's own backup (`sqlite3 app.db ".backup copy.db"`), not `cp`.

    Args:
        path: the database file; made if it is missing, its folder is not.
        options: see `SqliteOptions`.
        clock: seconds since the Unix epoch.

    Raises:
        ValueError: the path is empty or `:memory:`.
    """

    def __init__(self, path: str, options: SqliteOptions | None = None, *, clock: Clock = time.time) -> None:
        if not path or path == ":memory:":
            raise ValueError("sqlite: needs the path of a file; use memory: for a store in memory")
        self._path = path
        self._options = options or SqliteOptions()
        self._clock = clock
        self._watchers: list[Watcher] = []
        self._resources = ExitStack()
        self._open = False

    async def open(self) -> None:
        """See `Store.open`."""
        options = self._options
        # A fold may need more pages than the journal gives back, which a limit of the file must not be in the way of.
        self._committed = Committed(options.cached_streams, journaling=options.max_bytes is None)
        self._writer = Writer(
            self._connect,
            self._committed,
            self._tell,
            queue_bytes=options.queue_bytes,
            checkpoint_bytes=options.checkpoint_bytes,
        )
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, FileLock(f"{self._path}.lock"))
            await self._writer.start()
            self._resources = stack.pop_all()
        self._readers = Readers(partial(database.open_reader, self._path, options), options.readers)
        self._open = True

    def _connect(self) -> database.Database:
        connection = database.open_writer(self._path, self._options)
        try:
            schema.prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    async def aclose(self) -> None:
        """See `Store.aclose`; writes down when streams were last read, and moves the log into the database file."""
        if not self._open:
            return
        self._open = False
        with suppress(StoreUnavailable):
            await self._write_touches()
        await asyncio.to_thread(self._readers.close)
        await self._writer.stop()
        self._resources.close()

    async def create(self, path: str, config: StreamConfig, body: bytes = b"", *, closed: bool = False) -> Created:
        """See `Store.create`."""
        return await self._write(lambda unit: steps.create(unit, path, config, body, closed=closed), len(body))

    async def append(self, path: str, request: Append) -> Appended:
        """See `Store.append`."""
        return await self._write(lambda unit: steps.append(unit, path, request), len(request.body))

    def post(self, path: str, request: Append, done: Done) -> None:
        """See `Posting.post`."""
        if not self._open:
            raise StoreUnavailable("the store is not open")
        self._writer.post(path, request, self._clock(), done)

    async def delete(self, path: str) -> None:
        """See `Store.delete`."""
        await self._write(lambda unit: steps.delete(unit, path))

    async def read(self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0) -> Batch:
        """See `Store.read`. What the journal has takes neither the file nor a thread."""
        for _ in range(_READ_ATTEMPTS):
            now = self._clock()
            state = ledger.check_usable(await self._state(path), path, now)
            start = locate(state.lineage, offset, earliest=state.earliest, tail=state.tail)
            self._committed.touch(state, now)
            journal = self._committed.journal
            batch = reading.read_recent(state, journal.logs.get(state.incarnation), start, limit, whole)
            if batch is None:
                # Taken before the file is looked at: what is folded afterwards is here, what was before is there.
                logs = journal.of([segment.incarnation for segment in state.lineage])
                read = partial(reading.read_batch, state=state, logs=logs, start=start, limit=limit, whole=whole)
                batch = await self._read(read)
            if batch is not None:
                return batch
        raise StoreUnavailable(f"records of {path!r} are missing in the database")

    async def info(self, path: str) -> StreamInfo:
        """See `Store.info`."""
        return ledger.check_usable(await self._state(path), path, self._clock()).info()

    def info_at_once(self, path: str) -> StreamInfo | None:
        """See `Prompt.info_at_once`; of streams whose state is in memory."""
        try:
            return ledger.check_usable(self._committed.states.get(path), path, self._clock()).info()
        except HeadwaterError:
            return None

    def read_at_once(self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0) -> Batch | None:
        """See `Prompt.read_at_once`; of what the journal has, and at the tail."""
        now = self._clock()
        try:
            state = ledger.check_usable(self._committed.states.get(path), path, now)
            start = locate(state.lineage, offset, earliest=state.earliest, tail=state.tail)
        except HeadwaterError:
            return None
        batch = reading.read_recent(state, self._committed.journal.logs.get(state.incarnation), start, limit, whole)
        if batch is not None:
            self._committed.touch(state, now)
        return batch

    async def list(self, *, prefix: str = "", after: str = "", limit: int = 100) -> list[StreamInfo]:
        """See `Store.list`."""
        now = self._clock()
        found: list[StreamInfo] = []
        while (room := limit - len(found)) > 0:
            states = await self._read(partial(reading.list_states, prefix=prefix, after=after, count=room))
            found += [state.info() for state in map(self._newest, states) if not ledger.is_expired(state, now)]
            if len(states) < room:
                break
            after = states[-1].path
        return found

    def _newest(self, state: StreamState) -> StreamState:
        known = self._committed.states.get(state.path)
        return known if known is not None and known.incarnation == state.incarnation else state

    async def count(self) -> int:
        """See `Store.count`. Reads a row per stream, so it is a question for the start, not for every request."""
        return await self._read(reading.count_streams)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """See `Store.watch`."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def _tell(self, change: Change) -> None:
        for watcher in list(self._watchers):
            watcher(change)

    def figures(self) -> StoreFigures:
        """See `Measured.figures`; the commits are those since `open`."""
        if not self._open:
            return StoreFigures()
        figures = self._writer.figures
        figures.queue_bytes = self._writer.waiting
        figures.file_bytes = _size(self._path)
        figures.wal_bytes = _size(f"{self._path}-wal")
        return figures

    async def sweep(self) -> None:
        """See `Sweeping.sweep`. Bounded: a large backlog takes several sweeps.

        Folds the journal first, if it is old or retention has a stream in it to look at.
        """
        await self._write_touches()
        now = self._clock()
        if self._committed.journal.is_due(now):
            await self._write(SqliteUnit.fold)
        agenda = await self._read(partial(upkeep.agenda, now=now))
        for paths in _slices(agenda.expired):
            await self._write(partial(upkeep.expire, paths=paths))
        for paths in _slices(agenda.looks):
            found = [state for path in paths if (state := await self._state(path)) is not None]
            states = [self._committed.journal.settled(state) for state in found]
            looks = await self._read(partial(upkeep.look, states=states, now=now))
            await self._write(partial(upkeep.trim, looks=looks))
        await self._purge()

    async def _write_touches(self) -> None:
        touched = self._committed.take_touched()
        if not touched:
            return
        try:
            await self._write(partial(upkeep.touch, touched=touched))
        except StoreUnavailable:
            self._committed.touched = touched | self._committed.touched
            raise

    async def _purge(self) -> None:
        slices = upkeep.SWEEP_SLICES
        for incarnation, before in await self._read(upkeep.purges):
            done = False
            while not done and slices:
                done = await self._write(partial(upkeep.purge_slice, incarnation=incarnation, before=before))
                slices -= 1

    async def _state(self, path: str) -> StreamState | None:
        state = self._committed.states.get(path)
        if state is None:
            state = await self._writer.submit(lambda unit: unit.find(path), self._clock(), reads=True)
        return state

    async def _write(self, step: Callable[[SqliteUnit], T], size: int = 0) -> T:
        return await self._writer.submit(step, self._clock(), size=size)

    async def _read(self, work: Callable[[database.Database], T]) -> T:
        if not self._open:
            raise StoreUnavailable("the store is not open")
        return await self._readers.run(work)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _slices(paths: Sequence[str]) -> list[Sequence[str]]:
    return [paths[start : start + upkeep.SLICE_STREAMS] for start in range(0, len(paths), upkeep.SLICE_STREAMS)]
