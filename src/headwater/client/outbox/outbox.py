"""Appends that survive a restart of the program.

Rule 1: a record is in the file before it is sent, and leaves it when its fate is told.
Rule 2: of all processes over one file one sends; when it ends, the next one goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, Self
from uuid import uuid4

from headwater.client import requests
from headwater.client.codec import Codec
from headwater.client.doors import Door
from headwater.client.errors import OutboxExpired, OutboxFull, OutboxStorage, Stopped, UnknownOutcome
from headwater.client.http import settled
from headwater.client.outbox.fates import LAST, Fate, Kept, State
from headwater.client.outbox.lane import Lane
from headwater.client.outbox.store import Note, Store
from headwater.client.outbox.turns import Turn
from headwater.client.outbox.verdicts import Numbers
from headwater.client.problems import problem_of
from headwater.client.retry import Retry
from headwater.client.stream import Stream
from headwater.errors import HeadwaterError

Listener = Callable[[Fate], Awaitable[Any] | None]
#: A server forgets a producer after so many seconds.
_FORGETS: Final = 604_800.0
#: Seconds after which is looked for what other processes have appended and been told.
POLL: Final = 0.5
_OURS: Final[dict[str, type[HeadwaterError]]] = {
    "outbox-expired": OutboxExpired,
    "unknown-outcome": UnknownOutcome,
}


class Outbox:
    """What is appended to it is kept in a file until the server has it, or its fate is told.

    ::

        async with Outbox("notes.outbox") as outbox:
            outbox.on(lambda fate: print(fate.state, fate.data))
            await outbox.append(notes, {"text": "hi"}, queued=True)

    Args:
        path: of the file; one file for each user of the program.
        records: that are kept at most.
        size: bytes that are kept at most.
        age: seconds after which a record that was not sent expires. A server forgets a producer after seven days, or
            when it says so; then less.
        stream: how a stream of an earlier life is reached, by its URL, such as with headers or on a connection; None:
            by `Stream(url)`.
        retry: how trouble is met.

    Raises:
        ValueError: a bound is none.
    """

    def __init__(
        self,
        path: str,
        *,
        records: int = 10_000,
        size: int = 8 << 20,
        age: float = 518_400.0,
        stream: Callable[[str], Stream[Any]] | None = None,
        retry: Retry | None = None,
    ) -> None:
        if not path or records <= 0 or size <= 0 or not 0 < age < _FORGETS:
            raise ValueError("an outbox has a file and room, and expires within 7 days: age is below 604800")
        self.age = age
        self.id = ""
        self.retry = retry or Retry()
        self._path: Final = str(path)
        self._records: Final = records
        self._size: Final = size
        self._stream: Final = stream or Stream
        self._streams: dict[str, Stream[Any]] = {}
        self._opened: dict[str, Stream[Any]] = {}
        self._listeners: list[Listener] = []
        self._waiters: dict[int, asyncio.Future[str]] = {}
        self._lanes: dict[str, Lane] = {}
        self._seen = 0
        self._noted = 0
        self._version = 0
        self._thread: ThreadPoolExecutor | None = None
        self._store: Store | None = None
        self._turn: Final = Turn(f"{self._path}-sender")
        self._work: asyncio.Task[None] | None = None
        self._news: Final = asyncio.Event()
        self._has_new = True
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    def clock(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Open the file, and send what an earlier life has left.

        Raises:
            OutboxStorage: it cannot be opened.
        """
        if self._thread is not None:
            return
        self._thread = ThreadPoolExecutor(1, "headwater-outbox")
        try:
            self._store = await self._in_thread(lambda: Store(self._path))
            self._noted = await self.call(Store.newest_note)
            self._version = await self.call(Store.version)
        except BaseException:
            self._thread.shutdown(wait=False)
            self._thread = None
            raise
        self._work = asyncio.create_task(self._go_on())

    async def append(
        self,
        stream: Stream[Any],
        data: Any,
        /,
        *,
        queued: bool = False,
        content_type: str | None = None,
        create: bool | Mapping[str, Any] = False,
    ) -> str:
        """Keep a record, and send it, behind all that were appended to the stream before.

        Args:
            stream: where to.
            data: its value; bytes are taken as they are.
            queued: return when it is in the file; else when it is acknowledged.
            content_type: of the stream, where its handle does not say it; else JSON. Nobody may be there to be asked.
            create: make the stream, if there is none: True, or what `Stream.create` takes.

        Returns:
            The offset behind its batch; empty if it is only queued.

        Raises:
            OutboxFull: there is no room.
            OutboxStorage: the file cannot be written.
            HeadwaterError: its fate is another one.
        """
        if self._is_closed:
            raise Stopped("the outbox is closed")
        await self.open()
        kind = content_type or stream.content_type or "application/json"
        config = None if create is False else requests.config_headers({} if create is True else create)
        record = Kept(0, stream.url, kind, Codec[Any](kind).encode(data), self.clock(), config)
        if not record.body:
            raise ValueError("a record has at least one byte")
        try:
            record.key = await self.call(lambda store: store.add(record, self._records, self._size))
        except OutboxFull as error:
            self.tell("full", [record], error=error)
            raise
        self._streams[stream.url] = stream
        future: asyncio.Future[str] | None = None
        if not queued:
            future = self._waiters[record.key] = asyncio.get_running_loop().create_future()
        self.tell("stored", [record])
        self._has_new = True
        self._news.set()
        return "" if future is None else await future

    def on(self, listener: Listener) -> Callable[[], None]:
        """Call for what becomes of each record, in all processes over the file; gives what ends that.

        After a crash a fate may be told again, with the same key.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def waiting(self) -> tuple[int, int]:
        """How many records are kept, and their bytes."""
        await self.open()
        found: tuple[int, int] = await self.call(Store.totals)
        return found

    async def drained(self) -> None:
        """Wait until nothing is kept."""
        drained = asyncio.Event()
        off = self.on(lambda fate: drained.set() if fate.state in LAST else None)
        try:
            while (await self.waiting())[0]:
                drained.clear()
                if (await self.waiting())[0]:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL):
                            await drained.wait()
        finally:
            off()

    def reconnect(self) -> None:
        """Try again now, if it waits: the network is back."""
        for lane in self._lanes.values():
            lane.wake()

    async def clear(self) -> None:
        """Forget everything that is kept, and end it. What is under way may still arrive."""
        await self.open()
        await self.call(lambda store: store.clear(f"headwater-{uuid4().hex}"))
        self._forget()
        await self.aclose()

    async def aclose(self) -> None:
        """End it; what is kept is sent by the next one over the file."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        for lane in self._lanes.values():
            await lane.stop()
        if self._store is not None:
            await self._in_thread(self._store.close)
        self._turn.leave()
        for future in self._waiters.values():
            if not future.done():
                future.set_exception(Stopped("the outbox was closed; the record is kept"))
        self._waiters.clear()
        for stream in self._opened.values():
            await stream.aclose()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    # For its lanes.

    def forgets(self, seconds: float) -> None:
        """See `Seat.forgets`: what waits expires before it could be taken for new."""
        self.age = min(self.age, 0.9 * seconds)

    def door(self, url: str) -> Door:
        """See `Seat.door`."""
        stream = self._streams.get(url) or self._opened.get(url)
        if stream is None:
            stream = self._opened[url] = self._stream(url)
        return stream.door

    async def call(self, work: Callable[[Store], Any]) -> Any:
        """See `Seat.call`."""
        store = self._store
        if store is None:
            raise Stopped("the outbox is closed")
        return await self._in_thread(lambda: work(store))

    def tell(
        self, state: State, records: Sequence[Kept], offset: str = "", error: HeadwaterError | None = None
    ) -> None:
        """See `Seat.tell`."""
        for record in records:
            fate = Fate(state, record.key, record.url, _value(record.kind, record.body), offset, error)
            if state in LAST and (waiter := self._waiters.pop(record.key, None)) is not None and not waiter.done():
                if error is None:
                    waiter.set_result(offset)
                else:
                    waiter.set_exception(error)
                    waiter.exception()  # its fate is told by an event, too
            for listener in list(self._listeners):
                self._call(listener, fate)

    async def settle(
        self, state: State, records: Sequence[Kept], numbers: tuple[Numbers, Numbers], offset: str, error: Any
    ) -> None:
        """See `Seat.settle`."""
        code, message = ("", "") if error is None else (error.code, error.message)
        notes = [Note(state, each.key, each.url, each.kind, each.body, offset, code, message) for each in records]
        await self.call(lambda store: store.settle(self.id, records[0].url, *numbers, notes))
        self._noted = max(self._noted, await self.call(Store.newest_note))

    # Its own work.

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        if self._thread is None:
            raise Stopped("the outbox is closed")
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))

    async def _go_on(self) -> None:
        """Send while it is this one's turn, and hear of what others send."""
        leads = False
        while True:
            with suppress(OutboxStorage):
                leads = leads or await self._in_thread(self._turn.take)
                if not leads or not self.id:
                    await self._hear()
                if leads:
                    await self._send_new()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._news.wait()
            self._news.clear()

    async def _send_new(self) -> None:
        """Give what is new to its lanes: of this process, of others, and of an earlier life."""
        version = await self.call(Store.version)
        id = await self.call(lambda store: store.producer() or store.identify(f"headwater-{uuid4().hex}"))
        if self.id and id != self.id:  # another process has cleared it
            self._forget()
        self.id = id
        if version == self._version and not self._has_new:
            return
        self._has_new = False
        try:
            found = await self.call(lambda store: store.since(self._seen))
        except OutboxStorage:
            self._has_new = True
            raise
        self._version = version
        for record in found:
            self._seen = record.key
            if record.url not in self._lanes:
                self._lanes[record.url] = Lane(self, record.url)
            self._lanes[record.url].push(record)

    async def _hear(self) -> None:
        """What the sender has told."""
        number, notes = await self.call(lambda store: store.notes(self._noted))
        self._noted = number
        for note in notes:
            record = Kept(note.key, note.url, note.kind, note.body, 0.0)
            self.tell(note.state, [record], note.offset, _error(note))
        # The note of a record is written with its going: whose is neither there nor told was cleared.
        if self._waiters and not notes and await self.call(Store.totals) == (0, 0):
            late = (await self.call(lambda store: store.notes(self._noted)))[1]
            if not late:
                self._forget()

    def _forget(self) -> None:
        error = Stopped("the outbox was cleared")
        for future in self._waiters.values():
            if not future.done():
                future.set_exception(error)
        self._waiters.clear()
        self._lanes.clear()

    def _call(self, listener: Listener, fate: Fate) -> None:
        try:
            found = listener(fate)
        except Exception as error:
            context = {"message": "a listener of an outbox has failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            return
        if found is not None:
            task: asyncio.Task[Any] = asyncio.ensure_future(settled(found))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def _value(kind: str, body: bytes) -> Any:
    """A record as JSON, text or bytes have it; what cannot be read, as it is."""
    try:
        return Codec[Any](kind).value(body)
    except (ValueError, RecursionError):
        return body


def _error(note: Note) -> HeadwaterError | None:
    if not note.code:
        return None
    if note.code in _OURS:
        return _OURS[note.code](note.message)
    import msgspec

    return problem_of(0, msgspec.json.encode({"code": note.code, "detail": note.message}))
