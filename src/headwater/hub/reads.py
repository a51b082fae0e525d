"""What a hub can be asked: the state of streams, their records, and what comes."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Final, TypeVar, overload

from headwater.errors import HeadwaterError, ShuttingDown, StreamFailed
from headwater.hub import long_poll
from headwater.hub.arguments import start_of
from headwater.hub.formats import wire_format
from headwater.hub.limits import Limits
from headwater.hub.live.admission import await_stream
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import Sink
from headwater.hub.many import ManyLoop, OnError
from headwater.hub.peers import POLLING, Peer
from headwater.hub.stats import Stats
from headwater.hub.typed import Typed
from headwater.model import BEGINNING, NOW, Batch, Item, Last, Page, Record, SlowPolicy, StreamInfo
from headwater.protocol.backwards import make_last
from headwater.protocol.cursor import Data, Detached, Failed
from headwater.protocol.slow import REPLAY
from headwater.stores import Store

T = TypeVar("T")

#: Records of a page, unless told otherwise.
DEFAULT_LAST: Final = 50


class Reads:
    """The reading half of the engine.

    Attributes:
        store: where the logs live.
        limits: what the hub allows and how long it waits.
        stats: counters since the hub was made.
        live: the live readers.
    """

    store: Store
    limits: Limits
    stats: Stats
    live: LiveReaders
    runtime: Runtime

    async def info(self, path: str) -> StreamInfo:
        """A stream's state; does not count as use for its TTL.

        Raises:
            StreamNotFound, StreamGone: see `errors`.
        """
        self.runtime.gate.check()
        return await self.store.info(path)

    async def _exists(self, path: str) -> bool:
        try:
            await self.store.info(path)
        except HeadwaterError:
            return False
        return True

    async def list(self, *, prefix: str = "", after: str = "", limit: int = 100) -> list[StreamInfo]:
        """Streams in the order of their paths: a page of at most `limit`, after the path `after`."""
        self.runtime.gate.check()
        return await self.store.list(prefix=prefix, after=after, limit=limit)

    async def read_batch(self, path: str, offset: str = BEGINNING) -> Batch:
        """Records from an offset on, at most `limits.read_bytes` of them.

        Raises:
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable: see `errors`.
        """
        self.runtime.gate.check()
        self.stats.reads += 1
        return await self.store.read(path, offset, limit=self.limits.read_bytes)

    async def page(
        self, path: str, last: int | None = None, *, last_bytes: int | None = None, before: str | None = None
    ) -> Page:
        """The newest records, or those before an offset: for a page that shows the end first and scrolls back.

        At most `limits.read_bytes` of them; a page that is larger keeps its newest records, one in any case. It takes
        as long for a long stream as for a short one. Go on with `before=page.batch.offset` while `page.has_earlier`.

        Args:
            path: the stream.
            last: records of a stream that keeps them apart, from 1 to 1,000; None, without `last_bytes`: 50.
            last_bytes: bytes of any other stream; a text begins with a whole character.
            before: an offset; None: the tail.

        Raises:
            BadRequest: the stream is counted in the other way, or a number is out of range.
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable: see `errors`.
        """
        self.runtime.gate.check()
        self.stats.reads += 1
        if last is None and last_bytes is None:
            last = DEFAULT_LAST
        asked = make_last(last, last_bytes, NOW if before is None else before)
        return await self.store.page(path, asked, limit=self.limits.read_bytes)

    async def poll(self, path: str, offset: str | Last, *, peer: Peer = POLLING, wait: bool = False) -> Batch:
        """The same, waiting for up to `limits.long_poll_seconds` when there is nothing; may be empty then.

        Nothing is left out, whatever the stream's policy for slow readers: a page is what its offset says. With `wait`
        a stream that is not there is waited for as long, and read from its start.

        Raises:
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, LimitReached, StoreUnavailable: see `errors`.
            StreamAwaited: with `wait`: the stream is not there yet.
            NotAuthorized: the access of who asks ended meanwhile.
        """
        self.runtime.gate.check()
        return (await long_poll.poll(self.live, path, offset, peer=peer, wait=wait)).batch

    @overload
    def read(
        self,
        path: str,
        offset: str = BEGINNING,
        *,
        last: int | None = None,
        last_bytes: int | None = None,
        live: bool = False,
        wait: bool = False,
        type: None = None,
    ) -> AsyncIterator[Record]: ...

    @overload
    def read(
        self,
        path: str,
        offset: str = BEGINNING,
        *,
        last: int | None = None,
        last_bytes: int | None = None,
        live: bool = False,
        wait: bool = False,
        type: builtins.type[T],
    ) -> AsyncIterator[Item[T]]: ...

    @overload
    def read(
        self,
        path: str,
        offset: str = BEGINNING,
        *,
        last: int | None = None,
        last_bytes: int | None = None,
        live: bool = False,
        wait: bool = False,
        type: Any,
    ) -> AsyncIterator[Item[Any]]: ...

    async def read(
        self,
        path: str,
        offset: str = BEGINNING,
        *,
        last: int | None = None,
        last_bytes: int | None = None,
        live: bool = False,
        wait: bool = False,
        type: Any = None,
    ) -> AsyncIterator[Record | Item[Any]]:
        """Records from an offset on; with `live`, on and on until the stream is closed.

        Nothing is read ahead: the next batch is taken from the log when the loop asks for it. Nothing is left out,
        however long the loop takes and whatever the policy of the stream for slow readers.

        Args:
            path: the stream.
            offset: an offset, `-1` or `now`.
            last: in its place: so many of the newest records, where they are kept apart; see `page`.
            last_bytes: in its place: so many of the newest bytes of any other stream; see `page`.
            live: go on until the stream is closed.
            wait: wait for a stream that is not there, as long as it takes.
            type: read each record as a value of it, and give an `Item`: a type of msgspec or of pydantic, or a class of
                Protobuf's messages. `bytes`: as it is, of Protobuf without the length in front.

        Raises:
            SchemaMismatch: a record is none of the type; `details["next_offset"]` is the offset to go on from.
            TypeError: the type is none that records can have.
            BadRequest: more than one of the three says where to begin, or see `page`.
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, LimitReached, StoreUnavailable: see `errors`.
            ShuttingDown: the hub was closed while reading live.
            StreamFailed: after the last record of a stream that ended before it was complete.
        """
        begin = start_of(offset, last, last_bytes)
        typed = None if type is None else Typed(type)
        while wait and not await await_stream(self.live, path, self.limits.heartbeat_seconds):
            if self.runtime.draining:
                raise ShuttingDown("the hub was closed", offset=offset)
        with await self.live.open_reader(path, begin, slow=REPLAY) as reader:
            while (event := await reader.next()) is not None:
                match event:
                    case Data(batch):
                        for record in batch.records if typed is None else typed.items(path, batch):
                            yield record
                        if batch.failure is not None:
                            raise stream_failed(path, batch)
                        if batch.up_to_date and not live:
                            return
                    case Failed(_, error):
                        raise error
                    case Detached(at, _):
                        raise ShuttingDown("the hub was closed", offset=at)
                    case _:
                        pass

    @overload
    def read_many(
        self,
        streams: Mapping[str, str] | Iterable[str],
        *,
        last: int | None = None,
        live: bool = False,
        on_error: OnError | None = None,
        type: None = None,
    ) -> AsyncIterator[tuple[str, Record]]: ...

    @overload
    def read_many(
        self,
        streams: Mapping[str, str] | Iterable[str],
        *,
        last: int | None = None,
        live: bool = False,
        on_error: OnError | None = None,
        type: builtins.type[T],
    ) -> AsyncIterator[tuple[str, Item[T]]]: ...

    @overload
    def read_many(
        self,
        streams: Mapping[str, str] | Iterable[str],
        *,
        last: int | None = None,
        live: bool = False,
        on_error: OnError | None = None,
        type: Any,
    ) -> AsyncIterator[tuple[str, Item[Any]]]: ...

    async def read_many(
        self,
        streams: Mapping[str, str] | Iterable[str],
        *,
        last: int | None = None,
        live: bool = False,
        on_error: OnError | None = None,
        type: Any = None,
    ) -> AsyncIterator[tuple[str, Record | Item[Any]]]:
        """Records of many streams in one loop, each with the path of its stream, and in its stream's order.

        One batch is held at a time, whatever the number of streams. With `live` it goes on until all of them are
        closed; streams that are not there are waited for, and those that match a pattern come when they are made.

        Args:
            streams: paths and patterns (`rooms/*`, `jobs/**`); or a mapping, from each to its first offset.
            last: where all begin, without a mapping: so many of the newest records of JSON streams.
            live: go on until the streams are closed.
            on_error: called with the path and the error of a stream that cannot be read any more; the others go on.
                None: it is logged.
            type: read each record as a value of it; see `read`. A record that is none is an error of its stream.

        Raises:
            BadRequest: a pattern or a number is not as it should be.
            ShuttingDown: the hub was closed while reading live.
            TypeError: it is one path.
        """
        self.runtime.gate.check()
        if isinstance(streams, str):
            raise TypeError("read_many takes several paths: [path], or a mapping")
        default = BEGINNING if last is None else make_last(last, None, NOW)
        given = streams if isinstance(streams, Mapping) else dict.fromkeys(streams, default)
        loop = ManyLoop(self.live, dict(given), goes_on=live, on_error=on_error, type=type)
        async with aclosing(loop.records()) as records:
            async for found in records:
                yield found

    async def subscribe(
        self,
        path: str,
        sink: Sink,
        *,
        wire: str = "ndjson",
        offset: str = BEGINNING,
        slow: SlowPolicy | None = None,
        name: str | None = None,
        signals: bool = False,
        presence: bool = False,
    ) -> StreamInfo:
        """A reader that is pushed to: records go into a sink as they come, encoded once for all readers of a format.

        Args:
            path: the stream.
            sink: where the bytes go, such as a `BufferSink`. It is ended when the reader ends.
            wire: `ndjson`, `events` (plain SSE) or `sse`, as over HTTP.
            offset: an offset, `-1` or `now`.
            slow: what the reader gets when its sink was full; None: as the stream says.
            name: what it is called where readers are listed.
            signals: signals are told, too; of `ndjson` and `events`.
            presence: who is there is told, too; of the same.

        Raises:
            LimitReached, StreamNotFound, StreamGone, InvalidOffset, OffsetGone, BadRequest, StoreUnavailable,
            ShuttingDown: nothing was written to the sink.
        """
        form = wire_format(wire, signals=signals, presence=presence)
        first, peer = self.limits.buffer_bytes, Peer(wire, name)
        arrival = await self.live.open(path, offset, slow=slow, peer=peer, first_bytes=first)
        self.live.push(arrival, form, sink)
        return arrival.info

    def reader_count(self, path: str) -> int:
        """How many live readers a stream has in this process."""
        return self.live.reader_count(path)


def stream_failed(path: str, batch: Batch) -> StreamFailed:
    """The error that the last batch of a failed stream stands for."""
    failure = batch.failure
    assert failure is not None
    message = f"the stream at {path!r} failed: {failure.message or failure.code}"
    return StreamFailed(message, failure=failure.code, next_offset=batch.next_offset)
