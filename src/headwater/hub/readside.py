"""What a hub can be asked: the state of streams, their records, and what comes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from headwater.errors import ShuttingDown, StreamFailed
from headwater.hub.audience import Audience
from headwater.hub.describing import POLLING, Peer
from headwater.hub.formats import wire_format
from headwater.hub.limits import Limits
from headwater.hub.readers import is_news
from headwater.hub.sinks import Sink
from headwater.hub.stats import Stats
from headwater.model import BEGINNING, Batch, Record, SlowPolicy, StreamInfo
from headwater.protocol.reading import Data, Detached, Failed
from headwater.stores import Store


class ReadSide:
    """The reading half of the engine.

    Attributes:
        store: where the logs live.
        limits: what the hub allows and how long it waits.
        stats: counters since the hub was made.
        audience: the live readers.
    """

    store: Store
    limits: Limits
    stats: Stats
    audience: Audience

    async def info(self, path: str) -> StreamInfo:
        """A stream's state; does not count as use for its TTL.

        Raises:
            StreamNotFound, StreamGone: see `errors`.
        """
        return await self.store.info(path)

    async def list(self, *, prefix: str = "", after: str = "", limit: int = 100) -> list[StreamInfo]:
        """Streams in the order of their paths: a page of at most `limit`, after the path `after`."""
        return await self.store.list(prefix=prefix, after=after, limit=limit)

    async def read_batch(self, path: str, offset: str = BEGINNING) -> Batch:
        """Records from an offset on, at most `limits.read_bytes` of them.

        Raises:
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable: see `errors`.
        """
        self.stats.reads += 1
        return await self.store.read(path, offset, limit=self.limits.read_bytes)

    async def poll(self, path: str, offset: str, *, peer: Peer = POLLING) -> Batch:
        """The same, waiting for up to `limits.long_poll_seconds` when there is nothing; may be empty then.

        Raises:
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, LimitReached, StoreUnavailable: see `errors`.
        """
        self.stats.reads += 1
        with await self.audience.open_reader(
            path, offset, heartbeat=self.limits.long_poll_seconds, peer=peer
        ) as reader:
            batch: Batch | None = None
            while (event := await reader.next()) is not None:
                match event:
                    case Data(found):
                        batch = found
                        if is_news(event):
                            return found
                    case Failed(_, error):
                        raise error
                    case _:
                        break
        assert batch is not None, "a reader begins with a batch"
        return batch

    async def read(self, path: str, offset: str = BEGINNING, *, live: bool = False) -> AsyncIterator[Record]:
        """Records from an offset on; with `live`, on and on until the stream is closed.

        Nothing is read ahead: the next batch is taken from the log when the loop asks for it.

        Raises:
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, LimitReached, StoreUnavailable: see `errors`.
            ShuttingDown: the hub was closed while reading live.
            StreamFailed: after the last record of a stream that ended before it was complete.
        """
        with await self.audience.open_reader(path, offset) as reader:
            while (event := await reader.next()) is not None:
                match event:
                    case Data(batch):
                        for record in batch.records:
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

    async def subscribe(
        self,
        path: str,
        sink: Sink,
        *,
        wire: str = "ndjson",
        offset: str = BEGINNING,
        slow: SlowPolicy | None = None,
        name: str | None = None,
    ) -> StreamInfo:
        """A reader that is pushed to: records go into a sink as they come, encoded once for all readers of a format.

        Args:
            path: the stream.
            sink: where the bytes go, such as a `BufferSink`. It is ended when the reader ends.
            wire: `ndjson`, `events` (plain SSE) or `sse`, as over HTTP.
            offset: an offset, `-1` or `now`.
            slow: what the reader gets when its sink was full; None: as the stream says.
            name: what it is called where readers are listed.

        Raises:
            LimitReached, StreamNotFound, StreamGone, InvalidOffset, OffsetGone, BadRequest, StoreUnavailable,
            ShuttingDown: nothing was written to the sink.
        """
        form = wire_format(wire)
        return await self.audience.subscribe(path, offset, form, sink, slow=slow, peer=Peer(wire, name))

    def reader_count(self, path: str) -> int:
        """How many live readers a stream has in this process."""
        return self.audience.reader_count(path)


def stream_failed(path: str, batch: Batch) -> StreamFailed:
    """The error that the last batch of a failed stream stands for."""
    failure = batch.failure
    assert failure is not None
    message = f"the stream at {path!r} failed: {failure.message or failure.code}"
    return StreamFailed(message, failure=failure.code, next_offset=batch.next_offset)
