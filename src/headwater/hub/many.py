"""Many streams in one loop, in this process.

Rule 1: one batch is held at a time, whatever the number of streams: a stream that has news waits for its turn, and is
        read when the loop asks for it.
Rule 2: one stream's error ends no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Final

from headwater.errors import HeadwaterError, OffsetGone, ShuttingDown, StreamFailed, StreamGone, StreamNotFound
from headwater.hub.live.admission import await_stream
from headwater.hub.live.readers import LiveReaders
from headwater.hub.typed import Typed
from headwater.model import BEGINNING, Batch, Item, Last
from headwater.protocol.cursor import Data, Detached, Failed
from headwater.protocol.patterns import check_pattern, is_pattern, literal_prefix, matches
from headwater.protocol.slow import REPLAY

_log: Final = logging.getLogger("headwater")
_LISTED: Final = 200
#: Seconds after which a loop that has no stream looks whether the hub stops.
LOOK_SECONDS: Final = 0.5

#: Told of a stream that cannot be read any more, and why.
OnError = Callable[[str, HeadwaterError], None]


class ManyLoop:
    """One of them; iterate over it once.

    Args:
        live: the hub's readers.
        streams: paths and patterns, and where each begins.
        goes_on: wait for what comes, and for streams that are not there.
        on_error: told of streams that cannot be read; None: it is logged.
        type: of the values that records are read as; None: they are records.
    """

    def __init__(
        self,
        live: LiveReaders,
        streams: Mapping[str, str | Last],
        *,
        goes_on: bool,
        on_error: OnError | None,
        type: Any = None,
    ) -> None:
        self._live = live
        self._streams = streams
        self._goes_on = goes_on
        self._on_error = on_error or _logged
        self._typed = None if type is None else Typed(type)
        self._found: asyncio.Queue[tuple[str, Sequence[Any]] | None] = asyncio.Queue(1)
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        #: That were begun, so that two patterns give a stream once; and that are made anew while they are read.
        self._seen: set[str] = set()
        self._again: set[str] = set()
        self._mistake: Exception | None = None
        self._is_stopped = False

    async def records(self) -> AsyncGenerator[tuple[str, Any]]:
        """A path and a record, or an `Item`, at a time; in the order of each stream."""
        patterns = [name for name in self._streams if is_pattern(name)]
        if self._goes_on and self._live.runtime.draining:
            raise ShuttingDown("the hub was closed")
        try:
            if self._goes_on:
                for pattern in patterns:
                    self._live.patterns.watch(check_pattern(pattern), self)
            for name, start in self._streams.items():
                if not is_pattern(name):
                    self._begin(name, start, is_exact=True)
            for pattern in patterns:
                await self._list(pattern)
            while not self._found.empty() or self._tasks or (patterns and self._waits_for_more()):
                found = await self._next()
                if found is not None:
                    for record in found[1]:
                        yield found[0], record
            if self._mistake is not None:
                raise self._mistake
            if self._is_stopped:
                raise ShuttingDown("the hub was closed")
        finally:
            for pattern in patterns:
                self._live.patterns.unwatch(pattern, self)
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _waits_for_more(self) -> bool:
        self._is_stopped |= self._live.runtime.draining
        return self._goes_on and not self._is_stopped and self._mistake is None

    async def _next(self) -> tuple[str, Sequence[Any]] | None:
        """The next batch; None: there may be none, look again. A stop of the hub wakes nobody who has no stream."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._found.get()
        except TimeoutError:
            return None

    def made(self, path: str, incarnation: int) -> None:
        """See `Listener.made`."""
        if path in self._tasks:
            self._again.add(path)
        else:
            self._seen.discard(path)
            self._begin(path, BEGINNING, is_exact=False)

    async def _list(self, pattern: str) -> None:
        after, store = "", self._live.runtime.store
        while page := await store.list(prefix=literal_prefix(pattern), after=after, limit=_LISTED):
            for info in page:
                if matches(pattern, info.path):
                    self._begin(info.path, self._streams[pattern], is_exact=False)
            after = page[-1].path

    def _begin(self, path: str, start: str | Last, *, is_exact: bool) -> None:
        if path not in self._seen and (is_exact or path not in self._streams):
            self._seen.add(path)
            self._tasks[path] = asyncio.get_running_loop().create_task(self._follow(path, start, is_exact))

    async def _follow(self, path: str, start: str | Last, is_exact: bool) -> None:
        begin: str | Last | None = start
        try:
            while begin is not None:
                if self._goes_on and is_exact and not await self._is_there(path):
                    return
                begin = await self._read(path, begin, is_exact=is_exact)
        except HeadwaterError as error:
            self._tell(path, error)
        except Exception as error:
            self._mistake = error
        finally:
            self._tasks.pop(path, None)
            if path in self._again:
                self._again.discard(path)
                self.made(path, 0)
            self._wake()

    def _tell(self, path: str, error: HeadwaterError) -> None:
        try:
            self._on_error(path, error)
        except Exception as mistake:
            self._mistake = mistake

    async def _is_there(self, path: str) -> bool:
        while not await await_stream(self._live, path, self._live.runtime.limits.heartbeat_seconds):
            if self._live.runtime.draining:
                self._is_stopped = True
                return False
        return True

    async def _read(self, path: str, start: str | Last, *, is_exact: bool) -> str | None:
        """Read a stream to its end; gives where the next one at the path begins, if that is wanted."""
        try:
            with await self._live.open_reader(path, start, slow=REPLAY) as reader:
                while True:
                    await reader.ready()
                    async with self._turn:
                        event = await reader.next()
                        if isinstance(event, Data) and event.batch.records:
                            await self._give(path, event.batch)
                    match event:
                        case Data(batch) if batch.failure is not None:
                            raise StreamFailed(
                                f"the stream at {path!r} failed: {batch.failure.message or batch.failure.code}",
                                failure=batch.failure.code,
                                next_offset=batch.next_offset,
                            )
                        case Data(batch) if batch.closed or (batch.up_to_date and not self._goes_on):
                            return None
                        case Failed(_, error):
                            raise error
                        case Detached():
                            self._is_stopped = True
                            return None
                        case None:
                            return None
        except (StreamNotFound, StreamGone):
            return BEGINNING if self._goes_on and is_exact else None
        except OffsetGone:
            # Of an earlier stream at the path, or no longer kept: all that is kept comes.
            return BEGINNING

    async def _give(self, path: str, batch: Batch) -> None:
        """Hand a batch to the loop; of one with a record that is no value of the type what comes before it."""
        if self._typed is None:
            await self._found.put((path, batch.records))
            return
        items: list[Item[Any]] = []
        try:
            items.extend(self._typed.items(path, batch))
        finally:
            await self._found.put((path, items))

    def _wake(self) -> None:
        if self._found.empty():
            self._found.put_nowait(None)


def _logged(path: str, error: HeadwaterError) -> None:
    _log.warning("the stream at %r is not read any more: %s", path, error.message)
