"""A writer: appends in order, each once, however often a request has to be sent.

Rule: what has come while a request was under way goes out together. Of a stream that keeps records apart one request
takes many; elsewhere each is its own, and up to `in_flight` are under way at once.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from headwater.client import requests
from headwater.client.codec import Codec
from headwater.client.errors import NetworkError, Stopped
from headwater.client.producer import Frozen, Numbers, Outcome
from headwater.client.retry import Backoff, Retry
from headwater.errors import Conflict, HeadwaterError, NotAuthorized, StreamNotFound
from headwater.protocol.framing import keeps_records

if TYPE_CHECKING:
    from headwater.client.doors import Door

T = TypeVar("T")

#: Values of one request, which every server takes.
MAX_VALUES: Final = 1000
#: What a record costs beside its bytes.
_OVERHEAD: Final = 200

Future = asyncio.Future[str]


class StreamWriter(Generic[T]):
    """See `Stream.writer`.

    Attributes:
        id: the producer id.
    """

    def __init__(
        self,
        http: Door,
        url: str,
        codec: Codec[T],
        retry: Retry,
        *,
        id: str | None = None,
        epoch: int = 0,
        linger: float = 0.0,
        batch_bytes: int = 1 << 20,
        in_flight: int = 5,
        buffer_bytes: int = 8 << 20,
        claim: bool = False,
        create: dict[str, str] | None = None,
    ) -> None:
        if epoch < 0 or batch_bytes <= 0 or buffer_bytes <= 0 or in_flight <= 0:
            raise ValueError("epoch is 0 or more; batch_bytes, buffer_bytes and in_flight are more than 0")
        self.id: Final = id or f"headwater-{os.urandom(16).hex()}"
        self._http: Final[Door] = http
        self._url: Final = url
        self._codec: Final = codec
        self._backoff: Final = Backoff(retry, http.clock.draw)
        self._numbers: Final = Numbers(self.id, epoch, claim=claim)
        self._linger: Final = linger
        self._batch_bytes: Final = batch_bytes
        self._buffer_bytes: Final = buffer_bytes
        self._create: Final = create
        self._together: Final = keeps_records(codec.content_type)
        self._slots: Final = 1 if self._together else max(1, in_flight)
        self._waiting: deque[tuple[bytes, Future | None]] = deque()
        self._bytes = 0
        self._tail = ""
        self._close: dict[str, str] | None = None
        self._closing: Future | None = None
        self._error: HeadwaterError | None = None
        self._is_stopped = False
        self._changed: Final = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sender: asyncio.Task[None] | None = None
        self._pause: Final = http.clock.pause()

    @property
    def pending(self) -> int:
        """Records that are not acknowledged."""
        return len(self._waiting) + sum(len(batch.tokens) for batch in self._numbers.batches)

    @property
    def is_over(self) -> bool:
        """Whether it takes nothing more."""
        return self._is_stopped

    async def append(self, data: T) -> str:
        """Append a record; returns when it is written.

        Returns:
            The offset behind it, or behind others that were written with it.

        Raises:
            HeadwaterError: it is not written; or, `unknown-outcome`, nobody knows.
        """
        future: Future = asyncio.get_running_loop().create_future()
        await self._put(data, future)
        return await future

    async def write(self, data: T) -> None:
        """Append a record; returns when there is room for it. What goes wrong later is raised by the next call.

        Raises:
            HeadwaterError: an earlier record was not written.
        """
        self._check()
        await self._put(data, None)

    async def flush(self) -> str:
        """Wait until everything is written; gives the tail.

        Raises:
            HeadwaterError: something was not written.
        """
        while self.pending:
            self._changed.clear()
            await self._changed.wait()
        self._check()
        return self._tail

    async def close(self, *last: T) -> str:
        """Write what waits, and close the stream with the last record, or without one."""
        return await self.end({"stream-closed": "true"}, last)

    async def fail(self, code: str, message: str = "", *last: T) -> str:
        """Write what waits, and end the stream before it is complete."""
        return await self.end(requests.failure_headers(code, message), last)

    async def end(self, headers: dict[str, str], last: tuple[T, ...]) -> str:
        """Close the stream by these headers."""
        self._closing = asyncio.get_running_loop().create_future()
        for data in last:
            await self._put(data, None)
        self._close = headers
        self._start()
        return await self._closing

    async def aclose(self) -> None:
        """Write what waits, and let go; the stream stays open."""
        if not self._is_stopped:
            with suppress(HeadwaterError):
                await self.flush()
        self.stop()
        if self._tasks or self._sender is not None:
            await asyncio.gather(*self._tasks, *([self._sender] if self._sender else []), return_exceptions=True)

    def stop(self, error: HeadwaterError | None = None) -> None:
        """Give up what waits."""
        self._is_stopped = True
        error = error or Stopped("the writer was closed before this was written")
        self._settle(self._numbers.stop(error))
        while self._waiting:
            body, future = self._waiting.popleft()
            self._done(body, future, error)
        for task in self._tasks:
            task.cancel()
        self._pause.wake()
        self._changed.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.stop()
        await self.aclose()

    def _check(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    async def _put(self, data: T, future: Future | None) -> None:
        body = self._codec.encode(data)
        if not body:
            raise ValueError("a record has at least one byte")
        while self._bytes and self._bytes + len(body) > self._buffer_bytes and not self._is_stopped:
            self._changed.clear()
            await self._changed.wait()
        if self._is_stopped:
            raise Stopped("the writer is closed")
        self._waiting.append((body, future))
        self._bytes += len(body) + _OVERHEAD
        self._start()

    def _start(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all())

    async def _send_all(self) -> None:
        """Freeze what waits and send it, while there is something."""
        if self._linger:
            await asyncio.sleep(self._linger)
        else:
            await asyncio.sleep(0)  # what is appended in this turn of the loop goes together
        while self._waiting or self._close is not None:
            while len(self._tasks) >= self._slots:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            if self._waiting or self._close is not None:
                batch = self._freeze()
                batch.is_sent = True
                task = asyncio.create_task(self._send(batch))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                await asyncio.sleep(0)

    def _freeze(self) -> Frozen:
        parts: list[bytes] = []
        tokens: list[Any] = []
        size = 0
        most = MAX_VALUES if self._together else 1
        while self._waiting and len(parts) < most:
            if parts and size + len(self._waiting[0][0]) > self._batch_bytes:
                break
            body, future = self._waiting.popleft()
            parts.append(body)
            tokens.append((body, future))
            size += len(body)
        close: dict[str, str] = {}
        if self._close is not None and not self._waiting:
            close, self._close = self._close, None
            tokens.append((b"", self._closing))
        return self._numbers.freeze(self._codec.joined(parts) if parts else b"", tokens, parts, close)

    async def _send(self, batch: Frozen) -> None:
        """Send a batch, and whatever its refusal made of it, until it is settled."""
        refreshed = False
        while batch in self._numbers.batches:
            self._backoff.begin(self._http.clock.now())
            try:
                outcomes = await self._request(batch)
            except NotAuthorized as error:
                if refreshed or not self._http.can_refresh:
                    outcomes = self._numbers.refused(batch, error)
                else:
                    refreshed = True
                    continue
            except HeadwaterError as error:
                if isinstance(error, NetworkError) or error.status >= 500:
                    self._numbers.lost(batch)
                if not self._numbers.is_next(batch):  # one of those under way asks whether the server is back
                    self._backoff.spent(self._http.clock.now())
                    await self._turn_of(batch)
                    continue
                wait = self._backoff.wait(self._http.clock.now(), error.retry_after or None)
                if wait is None:
                    outcomes = self._numbers.stop(error)
                else:
                    await self._pause.wait(wait)
                    continue
            self._settle(outcomes)
            if batch in self._numbers.batches and not self._numbers.is_next(batch):
                await self._turn_of(batch)
        await self._rest()

    async def _rest(self) -> None:
        """Batches that were split off a refused one have no task of their own."""
        for batch in list(self._numbers.batches):
            if not batch.is_sent and batch in self._numbers.batches:
                batch.is_sent = True
                await self._send(batch)

    async def _turn_of(self, batch: Frozen) -> None:
        """Wait until the batches before it are settled: the server refuses it until then."""
        while batch in self._numbers.batches and not self._numbers.is_next(batch):
            self._changed.clear()
            await self._changed.wait()

    async def _request(self, batch: Frozen) -> list[Outcome]:
        """One attempt; what the server refuses for good is an outcome.

        Raises:
            HeadwaterError: it passes.
        """
        batch.is_sent = True
        headers = self._numbers.headers(batch)
        if batch.body:
            headers["content-type"] = self._codec.content_type
        if self._create is not None:
            headers = {**self._create, "stream-create": "true", **headers}
        try:
            head, body = await self._http.ask("POST", self._url, headers, batch.body)
            requests.check_written(head, body)
        except StreamNotFound as error:
            if self._create is None:
                return self._numbers.refused(batch, error)
            await self._make()
            raise
        except NotAuthorized:
            raise
        except HeadwaterError as error:
            if error.retryable:
                raise
            return self._numbers.refused(batch, error)
        self._backoff.whole()
        self._tail = head.headers.get(requests.NEXT, self._tail)
        return self._numbers.accepted(batch)

    async def _make(self) -> None:
        """Make the stream, at a server that does not do so with the first record."""
        headers = {"content-type": self._codec.content_type, **(self._create or {})}
        head, body = await self._http.ask("PUT", self._url, headers, b"")
        with suppress(Conflict):
            requests.check(head, body)

    def _settle(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            for body, future in outcome.batch.tokens:
                self._done(body, future, outcome.error)
        if outcomes:
            self._changed.set()

    def _done(self, body: bytes, future: Future | None, error: HeadwaterError | None) -> None:
        if body:
            self._bytes -= len(body) + _OVERHEAD
        if future is not None and not future.done():
            if error is None:
                future.set_result(self._tail)
            else:
                future.set_exception(error)
        elif error is not None and future is None:
            self._error = error
