"""The hub's engine: a store made live. Create, append and read streams in process; `asgi` adds HTTP on top."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from typing import Any, Final, Unpack

from headwater.errors import HeadwaterError, LimitReached, StoreUnavailable, TooLarge
from headwater.hub.audience import Audience
from headwater.hub.lifetime import Lifetime
from headwater.hub.limits import Limits
from headwater.hub.posting import posting
from headwater.hub.pulse import Pulse
from headwater.hub.readside import ReadSide
from headwater.hub.stats import Stats
from headwater.hub.sweeping import Sweeper
from headwater.hub.writing import PUMP_AHEAD, Writer, WriterOptions, pump
from headwater.model import (
    Appended,
    Change,
    Created,
    Failure,
    ForkPoint,
    Producer,
    Retention,
    StreamConfig,
    StreamInfo,
)
from headwater.protocol.expiry import make_expiry
from headwater.protocol.failure import check_failure
from headwater.protocol.framing import check_content_type, encode_value
from headwater.protocol.ledger import Append
from headwater.protocol.paths import RUNS, PrivatePaths, check_path
from headwater.protocol.slow import parse_slow
from headwater.stores import Store, open_store
from headwater.stores.base import Done


class Engine(Lifetime, ReadSide):
    """Streams in a store, live; `headwater.Hub` is this with HTTP.

    Open it before use, once per process: `async with hub:`, or `lifespan=hub.lifespan` in an ASGI framework.

    Args:
        store: a store, or its URL: `memory:`, `sqlite:app.db`.
        limits: what the hub allows and how long it waits.

    Attributes:
        store: where the logs live.
        limits: as given.
        stats: counters since the hub was made.
        audience: the live readers.
        private: streams that are not served over HTTP.
    """

    def __init__(self, store: str | Store = "memory:", *, limits: Limits | None = None) -> None:
        self.store = open_store(store) if isinstance(store, str) else store
        self.limits = limits or Limits()
        self.stats = Stats()
        self.audience = Audience(self.store, self.limits, self.stats)
        self.private: Final = PrivatePaths(*RUNS)
        self._pulse = Pulse(self.stats.loop_delay)
        self._post: Final = posting(self.store)
        self._streams = 0
        self._sweeper: Final = Sweeper(self.store, self.audience)
        self._unwatch: Callable[[], None] = _nothing

    # Life

    @property
    def draining(self) -> bool:
        """Whether readers are being let go; see `drain`."""
        return self.audience.draining

    @property
    def is_open(self) -> bool:
        """Whether the hub can be used."""
        return self._sweeper.running

    async def open(self) -> None:
        """Open the store and start.

        Raises:
            StoreUnavailable: the store cannot be used.
        """
        await self.store.open()
        self.audience.draining = False
        self._unwatch = self.store.watch(self._changed)
        self._streams = await self.store.count()
        self._sweeper.start()
        self._pulse.start()

    async def aclose(self) -> None:
        """Let the readers go, finish the writes and close the store. May be called twice."""
        self.drain()
        await self._sweeper.stop()
        self._pulse.stop()
        self.audience.stop()
        self._unwatch()
        self._unwatch = _nothing
        await self.store.aclose()

    def drain(self) -> None:
        """Tell every live reader to come back later, each after its own share of `limits.drain_seconds`."""
        self.audience.drain()

    # Writing

    async def create(
        self,
        path: str,
        *,
        content_type: str | None = None,
        ttl: int | None = None,
        expires_at: float | None = None,
        retention: Retention | None = None,
        slow: str = "replay",
        body: bytes = b"",
        closed: bool = False,
    ) -> StreamInfo:
        """Create a stream, or confirm that the same one exists.

        Args:
            path: without a leading slash: `jobs/7`.
            content_type: MIME type; None: application/octet-stream. `application/json` keeps values apart.
            ttl: seconds of idleness after which it expires.
            expires_at: seconds since the Unix epoch when it expires in any case.
            retention: how much of it is kept.
            slow: what its slow readers get that do not choose for themselves: `replay`, `latest`, `conflate:KEY`,
                `disconnect`.
            body: its first content.
            closed: create it closed, with `body` as all it will ever hold.

        Raises:
            StreamExists: another one is at the path.
            InvalidPath, InvalidBody, BadRequest, LimitReached, StoreUnavailable: see `errors`.
        """
        expiry = make_expiry(ttl, expires_at)
        config = StreamConfig(content_type, expiry, retention or Retention(), slow=parse_slow(slow))
        return (await self.create_stream(path, config, body, closed=closed)).info

    async def fork(self, path: str, source: str, *, offset: str | None = None, sub_offset: int = 0) -> StreamInfo:
        """Create a stream that shares another one's records up to an offset, without copying them.

        Args:
            path: the new stream.
            source: the stream to fork.
            offset: where they part; None: at the source's tail.
            sub_offset: records (JSON) or bytes to share beyond `offset`.

        Raises:
            StreamNotFound, SourceGone, InvalidOffset, StreamExists, BadRequest: see `errors`.
        """
        config = StreamConfig(fork=ForkPoint(check_path(source), offset, sub_offset))
        return (await self.create_stream(path, config)).info

    async def create_stream(
        self, path: str, config: StreamConfig, body: bytes = b"", *, closed: bool = False
    ) -> Created:
        """`create` and `fork` with everything spelled out."""
        self._check_writable(body)
        check_path(path, maximum=self.limits.max_path_bytes)
        if config.content_type is not None:
            check_content_type(config.content_type)
        if self._streams >= self.limits.max_streams:
            await self._check_room(path)
        created = await self.store.create(path, config, body, closed=closed)
        self._streams += created.created
        return created

    async def append(
        self, path: str, data: Any, *, producer: Producer | None = None, seq: str | None = None, close: bool = False
    ) -> Appended:
        """Append to a stream; returns when the store has it, as durable as the store is set to be.

        Args:
            path: the stream.
            data: one record. In a JSON stream any value that encodes as JSON, or bytes that are JSON, of which an
                array is many records; elsewhere bytes, or text as UTF-8.
            producer: makes the append idempotent.
            seq: must grow with every append that has one, in byte order.
            close: close the stream with this record.

        Raises:
            StreamNotFound, StreamGone, StreamClosed, InvalidBody, TooLarge, SequenceRegression, ProducerFenced,
            ProducerGap, InvalidProducer, StoreUnavailable: see `errors`; nothing was written.
        """
        info = await self.store.info(path)
        body = encode_value(info.content_type, data)
        return await self.write(path, Append(body, producer=producer, seq=seq, close=close))

    async def write(self, path: str, request: Append) -> Appended:
        """`append` with a body as HTTP has it."""
        self._check_writable(request.body)
        answer = await self.store.append(path, request)
        self.stats.acknowledged(len(request.body), answer)
        return answer

    def post(self, path: str, request: Append, done: Done) -> None:
        """`write`, answered by a call of `done` unless StoreUnavailable or TooLarge is raised; see `stores.Posting`.

        What `done` is called with is to be counted: `stats.acknowledged`.
        """
        self._check_writable(request.body)
        self._post(path, request, done)

    async def close(self, path: str) -> Appended:
        """Close a stream: its readers are told that it is complete. Closing it again changes nothing.

        Raises:
            StreamNotFound, StreamGone, StoreUnavailable: see `errors`.
        """
        return await self.write(path, Append(close=True))

    async def fail(self, path: str, code: str, message: str = "") -> Appended:
        """Close a stream that is not complete: its readers are told so, with the reason. Again with the same: nothing.

        Args:
            path: the stream.
            code: for programs: 1 to 64 lower-case letters, digits and hyphens.
            message: for people: up to 1,000 characters in one line.

        Raises:
            StreamNotFound, StreamGone, StreamClosed, BadRequest, StoreUnavailable: see `errors`.
        """
        return await self.write(path, Append(close=True, failure=check_failure(Failure(code, message))))

    def writer(self, path: str, **options: Unpack[WriterOptions]) -> Writer:
        """A stream to write from start to end: `async with hub.writer("jobs/7") as out: await out.write(...)`.

        It is created when the block is entered, closed when it is left, and failed when it is left with an exception.

        Args:
            path: the stream.
            **options: see `WriterOptions`.

        Raises:
            StreamExists, InvalidPath, BadRequest, LimitReached, StoreUnavailable: on entering, as `create`.
        """
        return Writer(self, path, options)

    async def pump(
        self, path: str, source: AsyncIterable[Any], *, ahead: int = PUMP_AHEAD, **options: Unpack[WriterOptions]
    ) -> Writer:
        """Write all that an asynchronous iterable gives, then close the stream; failed, if the iterable raises.

        While one commit runs, what the source gives meanwhile is gathered for the next, so a source may be faster than
        a disk. With `pause` it is asked for no more while the readers lag.

        Args:
            path: the stream.
            source: gives records, each as for `append`; an asynchronous generator is closed at the end.
            ahead: items taken from it before they are written, at most.
            **options: see `WriterOptions`.

        Returns:
            The writer, with the final offset.

        Raises:
            What the source raises, and what `writer` and `append` do.
        """
        return await pump(self.writer(path, **options), source, ahead=ahead)

    async def delete(self, path: str) -> None:
        """Delete a stream and its records; forks of it stay readable.

        Raises:
            StreamNotFound, StreamGone, StoreUnavailable: see `errors`.
        """
        self._check_writable(b"")
        await self.store.delete(path)

    @property
    def stream_count(self) -> int:
        """How many streams the store has, as far as this hub was told."""
        return self._streams

    # Inside

    def _check_writable(self, body: bytes) -> None:
        if not self._sweeper.running:
            raise StoreUnavailable("the hub is not open: use `async with hub` or `lifespan=hub.lifespan`")
        if len(body) > self.limits.max_body_bytes:
            raise TooLarge(f"the body has {len(body)} bytes, the limit is max_body_bytes={self.limits.max_body_bytes}")

    async def _check_room(self, path: str) -> None:
        """At the limit only what exists may be created again; a re-create must stay idempotent."""
        try:
            await self.store.info(path)
        except HeadwaterError:
            raise LimitReached(f"there are max_streams={self.limits.max_streams} streams already") from None

    def _changed(self, change: Change) -> None:
        if change.deleted:
            self._streams -= 1
        self.audience.apply(change)


def _nothing() -> None:
    """Stands for what there is nothing to do about."""
