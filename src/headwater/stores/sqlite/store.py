"""The SQLite store's async face."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final, TypeVar

from headwater.errors import HeadwaterError, StoreUnavailable
from headwater.model import Appended, Batch, Created, Extent, Last, Page, Principal, StreamConfig, StreamInfo
from headwater.protocol import ledger
from headwater.protocol.batches import extent_from
from headwater.protocol.framing import Split
from headwater.protocol.ledger import Append, StreamState, Watched
from headwater.protocol.offsets import locate
from headwater.protocol.preconditions import Condition
from headwater.stores import unit as steps
from headwater.stores.attendance import Attendance
from headwater.stores.base import DEFAULT_READ_LIMIT, Clock, Done, Found, StoreFigures, Wants, Watcher
from headwater.stores.sqlite import database, reads, schema, upkeep
from headwater.stores.sqlite.agreement import Agreement
from headwater.stores.sqlite.cache import Committed
from headwater.stores.sqlite.commands import COMMAND_BYTES, appends_together
from headwater.stores.sqlite.custody import Custody, check_files, file_size
from headwater.stores.sqlite.guard import Guard
from headwater.stores.sqlite.halt import Halt
from headwater.stores.sqlite.lock import FileLock
from headwater.stores.sqlite.options import SqliteOptions
from headwater.stores.sqlite.read_pool import Readers
from headwater.stores.sqlite.reads import Backwards, Forwards
from headwater.stores.sqlite.transaction import SqliteUnit
from headwater.stores.sqlite.writer import Writer
from headwater.stores.timekeeper import Timekeeper
from headwater.stores.watchers import Watchers

T = TypeVar("T")

# A read is repeated when its records are purged between two looks; more often than once in a row takes a broken file.
_READ_ATTEMPTS: Final = 5


class SqliteStore:
    """Streams in one SQLite file. See `Store` for the methods; opens the file in `open`, not before.

    Beside the file lie `-wal`, `-shm` and `.lock`. One process a file, whatever its name; a local file system. To copy
    a store that is in use, use SQLite's own backup (`sqlite3 app.db ".backup copy.db"`), not `cp`. When a file is
    removed or replaced while the store is open, writes are refused from then on, and reads go on as far as they can.

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
        self.keeps_by: Final = True
        self._given = self._path = path
        self._options = options or SqliteOptions()
        self._clock = clock
        self._time = Timekeeper(clock)
        self._attended = Attendance()
        self._halt = Halt()
        self._watchers = Watchers()
        self._resources = ExitStack()
        self._begun = self._open = False
        self._refusal = "the store is not open"

    async def open(self) -> None:
        """See `Store.open`."""
        if self._begun:
            raise StoreUnavailable("the store is open already: it belongs to who opened it, until that is closed")
        self._begun = True
        try:
            await self._begin()
        except BaseException:
            self._begun = False
            raise

    async def _begin(self) -> None:
        options = self._options
        self._path = path = await asyncio.to_thread(os.path.realpath, self._given)
        # A fold may need more pages than the journal gives back, which a limit of the file must not be in the way of.
        self._committed = Committed(
            options.cached_streams, journaling=options.max_bytes is None, watched=self._is_watched
        )
        self._time = Timekeeper(self._clock)
        lock = FileLock(path, check=partial(check_files, path), forked=self._abandon)
        self._writer = Writer(
            self._connect,
            Guard(Custody(path, lock), Agreement(self._committed), partial(database.open_reader, path, options)),
            self._committed,
            self._watchers,
            queue_bytes=options.queue_bytes,
            checkpoint_bytes=options.checkpoint_bytes,
        )
        self._readers = Readers(self._connect_reader, options.readers)
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, lock)
            await self._writer.start()
            self._time.drift = self._committed.drift
            try:
                await self._readers.open()
            except BaseException:
                await self._stop()
                raise
            self._resources = stack.pop_all()
        self._open = True

    def _abandon(self) -> None:
        # In a forked child: the lock, the connections and the threads are the parent's.
        self._open = False
        self._refusal = f"the store was opened by process {os.getppid()}, before a fork; open one after it"
        self._writer.abandon(self._refusal)

    def _connect(self) -> database.Database:
        connection = database.open_writer(self._path, self._options)
        try:
            schema.prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_reader(self) -> database.Database:
        if (fault := self._writer.fault) is not None:
            raise StoreUnavailable(fault)
        return database.open_reader(self._path, self._options)

    async def aclose(self) -> None:
        """See `Store.aclose`; writes down when streams were last read, and moves the log into the database file."""
        if not self._open:
            return
        self._open = False
        with suppress(StoreUnavailable):
            await self._write_touches()
        await self._stop()
        self._resources.close()
        self._begun = False

    async def _stop(self) -> None:
        await asyncio.to_thread(self._readers.close)
        await self._writer.stop()

    async def create(
        self,
        path: str,
        config: StreamConfig,
        body: bytes = b"",
        *,
        closed: bool = False,
        condition: Condition | None = None,
        max_records: int | None = None,
        split: Split | None = None,
        by: Principal | None = None,
    ) -> Created:
        """See `Attributing.create`."""
        step = partial(steps.create, path=path, config=config, body=body, closed=closed)
        step = partial(step, condition=condition, max_records=max_records, split=split, by=by)
        paths = (path,) if config.fork is None else (path, config.fork.source)
        return await self._write(step, len(body), paths, (Append(body, config.content_type),) if body else ())

    async def append(self, path: str, request: Append) -> Appended:
        """See `Store.append`."""
        step, size = partial(steps.append, path=path, request=request), len(request.body)
        return await self._write(step, size, (path,), (request,))

    async def append_all(
        self, appends: Sequence[tuple[str, Append]], *, max_records: int | None = None
    ) -> list[Appended]:
        """See `Atomic.append_all`."""
        size, paths = sum(len(each.body) + COMMAND_BYTES for _, each in appends), tuple({path for path, _ in appends})
        step = partial(appends_together, appends=appends, paths=paths, max_records=max_records)
        return await self._write(step, size, paths, [request for _, request in appends])

    def post(self, path: str, request: Append, done: Done) -> None:
        """See `Posting.post`."""
        if not self._open:
            raise StoreUnavailable(self._refusal)
        if self._halt.is_on:
            self._halt.hold(partial(self.post, path, request, done), done)
        else:
            self._writer.post(path, request, self._time.moment, done)

    async def delete(self, path: str, *, condition: Condition | None = None) -> None:
        """See `Store.delete`."""
        await self._write(lambda unit: steps.delete(unit, path, condition), 0, (path,))

    async def read(
        self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0, times: bool = True
    ) -> Batch:
        """See `Store.read`. What the journal has takes neither the file nor a thread."""
        return await self._find(path, Forwards(offset, limit, whole, times=times))

    async def page(self, path: str, last: Last, *, limit: int = DEFAULT_READ_LIMIT, times: bool = True) -> Page:
        """See `Store.page`."""
        return await self._find(path, Backwards(last, limit, times=times))

    async def _find(self, path: str, read: reads.Read[T]) -> T:
        for _ in range(_READ_ATTEMPTS):
            known = await self._state(path)
            now = self._time.now()  # after the wait, in which the clock may have been set
            state = ledger.check_usable(known, path, now, self._is_watched)
            place = read.place(state)
            self._committed.touch(state, now)
            found = reads.of_memory(self._committed.journal, read, state, place)
            if found is None:
                # Taken before the file is looked at: what is folded afterwards is here, what was before is there.
                logs = self._committed.journal.of([segment.incarnation for segment in state.lineage])
                found = await self._read(partial(read.of_file, state=state, logs=logs, place=place))
            if found is not None:
                return found
        raise StoreUnavailable(f"records of {path!r} are missing in the database")

    async def extent(self, path: str, offset: str) -> Extent:
        """See `Store.extent`."""
        known = await self._state(path)
        now = self._time.now()
        state = ledger.check_usable(known, path, now, self._is_watched)
        start = locate(state.lineage, offset, earliest=state.earliest, tail=state.tail)
        self._committed.touch(state, now)
        return extent_from(state, start)

    async def info(self, path: str) -> StreamInfo:
        """See `Store.info`."""
        return self._usable(await self._state(path), path).info()

    def info_at_once(self, path: str) -> StreamInfo | None:
        """See `AtOnce.info_at_once`; of streams whose state is in memory."""
        try:
            return self._usable(self._committed.states.get(path), path).info()
        except HeadwaterError:
            return None

    def read_at_once(self, path: str, offset: str, *, limit: int = DEFAULT_READ_LIMIT, whole: int = 0) -> Found | None:
        """See `AtOnce.read_at_once`; of what memory has, and at the tail."""
        now, read = self._time.now(), Forwards(offset, limit, whole, times=True)
        try:
            state = ledger.check_usable(self._committed.states.get(path), path, now, self._is_watched)
            place = read.place(state)
        except HeadwaterError:
            return None
        batch = reads.of_memory(self._committed.journal, read, state, place)
        if batch is not None:
            self._committed.touch(state, now)
        return None if batch is None else (state.info(), batch)

    async def list(self, *, prefix: str = "", after: str = "", limit: int = 100) -> list[StreamInfo]:
        """See `Store.list`."""
        now = self._time.now()
        found: list[StreamInfo] = []
        while (room := limit - len(found)) > 0:
            states = await self._read(partial(reads.list_states, prefix=prefix, after=after, count=room))
            newest = map(self._newest, states)
            found += [state.info() for state in newest if not ledger.is_expired(state, now, self._is_watched)]
            if len(states) < room:
                break
            after = states[-1].path
        return found

    def _newest(self, state: StreamState) -> StreamState:
        known = self._committed.states.get(state.path)
        if known is not None and known.incarnation == state.incarnation:
            return known
        return self._committed.as_touched(state)

    async def count(self) -> int:
        """See `Store.count`. Reads a row per stream, so it is a question for the start, not for every request."""
        return await self._read(reads.count_streams)

    def watch(self, watcher: Watcher, wants: Wants | None = None) -> Callable[[], None]:
        """See `Store.watch`."""
        return self._watchers.add(watcher, wants)

    def figures(self) -> StoreFigures:
        """See `Measured.figures`; the commits are those since `open`."""
        if not self._open:
            return StoreFigures()
        figures = self._writer.figures
        figures.queue_bytes = self._writer.waiting
        figures.file_bytes = file_size(self._path)
        figures.wal_bytes = file_size(f"{self._path}-wal")
        return figures

    def time(self) -> float:
        """See `Store.time`."""
        return self._time.now()

    def attend(self, watched: Watched) -> Callable[[], None]:
        """See `Store.attend`."""
        return self._attended.add(watched)

    def touch(self, times: Mapping[str, float]) -> None:
        """See `Store.touch`."""
        if not self._open:
            return
        now = self._time.now()
        for path, at in times.items():
            state = self._committed.states.get(path)
            if state is None:
                self._committed.touch_unknown(path, min(at, now), now)
            elif not ledger.is_expired(state, now, self._is_watched):
                self._committed.touch(state, min(at, now))

    def _is_watched(self, path: str) -> bool:
        return self._halt.is_on or self._attended(path)

    def fault(self) -> str | None:
        """See `Fallible.fault`; reads of what is known or open go on."""
        return self._writer.fault if self._open else None

    async def sweep(self) -> None:
        """See `Sweeping.sweep`. Bounded: a large backlog takes several sweeps.

        Looks first whether the files are still there; when they are lost, it does nothing. Folds the journal, if it is
        old or retention has a stream in it to look at.
        """
        if await self._writer.is_lost(self._time.moment()):
            return
        if jump := self._time.jump():
            await self._shift(jump)
        await self._write_touches()
        now, steady = self._time.moment()
        if self._committed.journal.is_due(now):
            await self._write(SqliteUnit.fold)
        agenda = await self._read(partial(upkeep.agenda, now=now, steady=steady))
        for paths in upkeep.slices(agenda.expired):
            await self._write(partial(upkeep.expire, paths=paths))
        for paths in upkeep.slices(agenda.looks):
            found = [state for path in paths if (state := await self._state(path)) is not None]
            states = [self._committed.journal.settled(state) for state in found]
            looks = await self._read(partial(upkeep.look, states=states, steady=steady))
            await self._write(partial(upkeep.trim, looks=looks))
        await self._purge()

    async def _write_touches(self) -> None:
        touched, told = self._committed.uses()
        if touched:
            await self._write(partial(upkeep.touch, touched=touched))
            self._committed.written(touched, told)

    async def _shift(self, seconds: float) -> None:
        """Go with a jump of the clock.

        Until all that is compared has gone with it, nothing with a TTL expires, and commands, with older times, wait.
        """
        with self._halt.on():
            await self._writer.idle()
            self._time.shift(seconds)
            self._committed.shift(seconds)
            try:
                await self._writer.submit(partial(upkeep.shift, seconds=seconds), self._time.moment())
            except StoreUnavailable:
                self._committed.shift(-seconds)
                self._time.shift(-seconds)
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
            if self._halt.is_on:
                await self._halt.over()
            state = await self._writer.submit(lambda unit: unit.find(path), self._time.moment(), reads=True)
        return state

    def _usable(self, state: StreamState | None, path: str) -> StreamState:
        return ledger.check_usable(state, path, self._time.now(), self._is_watched)

    async def _write(
        self,
        step: Callable[[SqliteUnit], T],
        size: int = 0,
        paths: tuple[str, ...] = (),
        appends: Sequence[Append] = (),
    ) -> T:
        if self._halt.is_on:
            await self._halt.over()
        return await self._writer.submit(step, self._time.moment(), size=size, paths=paths, appends=appends)

    async def _read(self, work: Callable[[database.Database], T]) -> T:
        fault = self._writer.reading_fault if self._open else self._refusal
        if fault is not None:
            raise StoreUnavailable(fault)
        return await self._readers.run(work)
