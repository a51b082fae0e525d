"""Writing a stream from start to end: it is closed when the work is done, and failed when the work breaks off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypedDict

from headwater.errors import HeadwaterError, StoreUnavailable, StreamNotFound
from headwater.hub.arguments import principal_of
from headwater.hub.backpressure import Pacer, Pause
from headwater.hub.batching import Batches
from headwater.hub.writes import Writes
from headwater.model import Appended, Failure, Principal, Retention, StreamInfo
from headwater.protocol.failure import check_failure
from headwater.protocol.framing import encode_value, is_json, lies_in_line
from headwater.protocol.ledger import Append
from headwater.protocol.without_body import check_append

#: Bytes of records that are put together into one append.
GROUP_BYTES: Final = 1024 * 1024
#: Items that `pump` takes ahead of what is written.
PUMP_AHEAD: Final = 1000

_log: Final = logging.getLogger("headwater")


def describe_error(error: BaseException) -> Failure:
    """What readers are told of an exception: its kind, and not its text, which may hold what is not for them."""
    if isinstance(error, asyncio.CancelledError):
        return Failure("cancelled", "the writer was cancelled")
    return Failure("writer-failed", f"the writer raised {type(error).__name__}")


class WriterOptions(TypedDict, total=False):
    """How a stream is written; each may be left out.

    Without `content_type`, `ttl` and `retention` a stream that is there is taken as it is.

    Attributes:
        content_type: as for `Hub.create`.
        ttl: as for `Hub.create`.
        retention: as for `Hub.create`.
        pause: when writes wait for readers; left out: never.
        close: False: leaving the block without an exception leaves the stream open.
        on_error: what readers are told of an exception; left out: its kind alone.
        by: who appends, as for `Hub.append`; left out: nobody is named.
    """

    content_type: str | None
    ttl: int | None
    retention: Retention | None
    pause: Pause | None
    close: bool
    on_error: Callable[[BaseException], Failure]
    by: str | Principal | None


class Writer:
    """A stream while it is written; made by `Hub.writer`, to be used as an asynchronous context manager.

    Entering creates the stream, or takes the one that is there. Leaving closes it; leaving with an exception closes it
    as failed, and the exception goes on.

    Attributes:
        path: the stream.
        offset: its tail after the last write; None: nothing was written.
        waits: writes that had to wait for readers.
    """

    def __init__(self, hub: Writes, path: str, options: WriterOptions) -> None:
        self.path: Final = path
        self.offset: str | None = None
        self._hub: Final = hub
        self._options: Final = options
        self._content_type: str | None = None
        by = options.get("by")
        self._by = None if by is None else principal_of(by)
        pause = options.get("pause")
        self._pacer = None if pause is None else Pacer(pause)
        self._ended = False

    @property
    def waits(self) -> int:
        """See the class."""
        return 0 if self._pacer is None else self._pacer.waits

    async def __aenter__(self) -> Self:
        self._content_type = (await self._take()).content_type
        return self

    async def _take(self) -> StreamInfo:
        options = self._options
        if not options.keys() & {"content_type", "ttl", "retention"}:
            with contextlib.suppress(StreamNotFound):
                return await self._hub.info(self.path)
        return await self._hub.create(
            self.path,
            content_type=options.get("content_type"),
            ttl=options.get("ttl"),
            retention=options.get("retention"),
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._ended:
            return
        if error is None:
            if self._options.get("close", True):
                await self.close()
            return
        failure = self._options.get("on_error", describe_error)(error)
        try:
            await self.fail(failure.code, failure.message)
        except HeadwaterError as refusal:
            # The stream is gone or closed, or the store is: the exception under way says more.
            _log.warning("the stream at %r could not be failed: %s", self.path, refusal.message)

    async def write(self, data: Any) -> Appended:
        """Append one record, as `Hub.append` does; returns when it is durable and the readers are near enough.

        Empty bytes or text write nothing: models that stream send them. In a JSON stream text is a value.

        Raises:
            StreamClosed, StreamNotFound, StreamGone, InvalidBody, TooLarge, StoreUnavailable: see `errors`.
        """
        return await self.write_all((data,))

    async def write_all(self, items: Sequence[Any]) -> Appended:
        """Append records in order, in one commit where it can be.

        Where a body may have several records they are one append; elsewhere each is its own, and when one is refused
        those before it are written.

        Args:
            items: at least one, each as for `write`.

        Raises:
            StreamClosed, StreamNotFound, StreamGone, InvalidBody, TooLarge, StoreUnavailable: see `errors`.
        """
        bodies = self._bodies(items)
        if not bodies:
            return await self._nothing()
        writes = (self._hub.write(self.path, Append(body, by=self._by)) for body in bodies)
        answers = await asyncio.gather(*writes)
        answer: Appended = answers[-1]
        self.offset = answer.next_offset
        if self._pacer is not None:
            await self._pacer.wait(self._hub.live.stream(self.path), sum(map(len, bodies)))
        return answer

    async def close(self) -> Appended:
        """Close the stream: it is complete."""
        self._ended = True
        return await self._hub.close(self.path)

    async def fail(self, code: str, message: str = "") -> Appended:
        """Close the stream as not complete; see `Hub.fail`."""
        self._ended = True
        failure = check_failure(Failure(code, message))
        return await self._hub.fail(self.path, failure.code, failure.message)

    def _bodies(self, items: Sequence[Any]) -> list[bytes]:
        if not items:
            raise ValueError("write_all needs at least one item")
        if self._content_type is None:
            raise StoreUnavailable("the writer is not open: use `async with hub.writer(...)`")
        kind, most = self._content_type, self._hub.limits.max_append_records
        if len(items) > 1 and lies_in_line(kind):
            # Of bytes it is not known how many records they are; each has a byte at least.
            sizes = [0 if isinstance(item, bytes | bytearray | memoryview) else 1 for item in items]
            parts = [encode_value(kind, item) for item in items]
            return join_parts(
                [(part, size or len(part)) for part, size in zip(parts, sizes, strict=True) if part], most
            )
        bodies = [body for item in items if (body := encode_value(kind, item))]
        return join_bodies(bodies, most) if len(bodies) > 1 and is_json(kind) else bodies

    async def _nothing(self) -> Appended:
        info = await self._hub.info(self.path)
        check_append(info, None)
        self.offset = info.tail
        return Appended(info.tail, closed=False)


def join_bodies(bodies: Iterable[bytes], max_records: int) -> list[bytes]:
    """JSON bodies as few larger ones with the same records.

    Args:
        bodies: in order.
        max_records: of one body, at most, unless one that is given has more; and about `GROUP_BYTES`.
    """
    groups: list[list[bytes]] = [[]]
    size = count = 0
    for body in bodies:
        body = body.strip(b" \t\r\n")
        values = body.count(b",") + 1  # at most: those of its parts are among them
        if size and (size + len(body) > GROUP_BYTES or count + values > max_records):
            groups.append([])
            size = count = 0
        count += values
        groups[-1].append(body[1:-1] if body[:1] == b"[" else body)
        size += len(body)
    return [b"[" + b",".join(group) + b"]" for group in groups]


def join_parts(bodies: Iterable[tuple[bytes, int]], max_records: int) -> list[bytes]:
    """Bodies whose records lie one behind the other as few larger ones with the same records.

    Args:
        bodies: in order, each with how many records it has at most.
        max_records: see `join_bodies`.
    """
    groups: list[list[bytes]] = [[]]
    size = count = 0
    for body, records in bodies:
        if size and (size + len(body) > GROUP_BYTES or count + records > max_records):
            groups.append([])
            size = count = 0
        groups[-1].append(body)
        size += len(body)
        count += records
    return [b"".join(group) for group in groups]


async def pump(writer: Writer, source: AsyncIterable[Any], *, ahead: int) -> Writer:
    """Write all that a source gives; while one commit runs, what the source gives meanwhile is the next one.

    Args:
        writer: not yet entered.
        source: gives records, each as for `Writer.write`.
        ahead: items taken from the source before they are written, at most.

    Raises:
        What the source or a write raises; the stream is failed then, behind what was given before.
    """
    async with writer, contextlib.aclosing(Batches(source, ahead)) as groups:
        async for items in groups:
            await writer.write_all(items)
    return writer
