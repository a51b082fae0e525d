"""A stream of a server: a handle without I/O, and what can be asked of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Generic, Self
from weakref import WeakSet

from headwater.client import requests
from headwater.client.answers import Head
from headwater.client.appends import Appends
from headwater.client.attempts import ask
from headwater.client.checkpoint import Checkpoint
from headwater.client.codec import Codec
from headwater.client.http import Client, GivenHeaders, Http, inner_door
from headwater.client.items import Info, Item, Progress
from headwater.client.reader import Reader
from headwater.client.reading import Reading
from headwater.client.retry import NEVER, Retry
from headwater.client.told import Heard, Signal, signal_of
from headwater.client.transports import Transport, of_door
from headwater.client.ways import NdjsonWay, PageWay, Place, items_of
from headwater.errors import Gone, StreamGone, StreamNotFound
from headwater.model import BEGINNING
from headwater.protocol import names

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from headwater.client.doors import Door

    T = TypeVar("T", default=Any)  # of a handle that says nothing of its records
else:
    from typing import TypeVar

    T = TypeVar("T")


class Stream(Appends, Generic[T]):
    """A stream at a URL.

    ::

        async with Stream("http://127.0.0.1:4437/v1/stream/jobs/7") as jobs:
            async for item in jobs:  # history, then live; reconnects; ends when closed, raises when failed
                print(item.data)

    Args:
        url: of the stream.
        type: of its records: a msgspec struct or any type that msgspec decodes, a pydantic model, or `bytes`. None: as
            JSON, text or bytes have it.
        decode: makes a value of a record's bytes, in place of `type`.
        content_type: of the stream, if it is known or to be created; None: it is asked for.
        headers: of every request, or a function that is asked for them each time, so that tokens can change.
        retry: how trouble is met; False: not at all.
        transport: `auto`, or names in the order in which they are tried.
        http: an `httpx2` client of the application, or None for one of its own.
        hub: a hub in this process, in place of a server: `url` is the stream's path, no socket is opened, and nobody is
            asked who may do what.

    Raises:
        ValueError: the URL is none, or there is no such transport.
    """

    def __init__(
        self,
        url: str,
        *,
        type: type[T] | None = None,
        decode: Callable[[bytes], T] | None = None,
        content_type: str | None = None,
        headers: GivenHeaders = None,
        retry: Retry | bool = True,
        transport: Transport | Sequence[Transport] = "auto",
        http: Client | Door | None = None,
        hub: Any = None,
    ) -> None:
        self._type: Final = type
        self._decode: Final = decode
        self._content_type = content_type
        self._retry = retry if isinstance(retry, Retry) else Retry() if retry else NEVER
        self.url = url if hub is None else requests.inner_url(url)
        self._http: Door
        if hub is not None:
            self._http, self._owns_http = inner_door(hub, self._retry.connect), True
        elif http is None or isinstance(http, Client):
            requests.check_url(url)
            self._http, self._owns_http = Http(headers, http, self._retry.connect), True
        else:
            self._http, self._owns_http = http, False
        self._transport: Final[Any] = of_door(transport, self._http.ways)
        self._info: Info | None = None
        self._is_new = False
        self._readers: WeakSet[Reader[T]] = WeakSet()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Send what waits, and let connections go, those of readers too; the stream itself stays as it is."""
        await self._close_writer()
        for reader in list(self._readers):
            await reader.close()
        if self._owns_http:
            await self._http.close()

    def reconnect(self) -> None:
        """Try again now, where a reader waits: the network is back."""
        for reader in list(self._readers):
            reader.reconnect()

    def __aiter__(self) -> AsyncIterator[Item[T]]:
        return self.read().__aiter__()

    def read(
        self,
        start: str = "start",
        *,
        live: bool = True,
        slow: str | None = None,
        gone: str = "raise",
        missing: str = "raise",
        signals: bool = False,
        presence: bool = False,
        envelope: bool = False,
        checkpoint: Checkpoint | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Reader[T]:
        """A reader, which connects when it is iterated over.

        Args:
            start: an offset, `start`, or `now` for what comes next.
            live: go on at the tail; False: end there.
            slow: what the reader gets when it was slow: `replay`, `latest`, `conflate:KEY`, `disconnect`; None: as the
                stream has it.
            gone: when the server no longer keeps the offset: `raise`, or go on at the `earliest` record or `now`, with
                a gap in `batches()`.
            missing: when there is no stream: `raise`, or `wait` for it.
            signals: give signals in `everything()`.
            presence: give who is there in `everything()`.
            envelope: give each item `at`, when it was appended, and `by`, who appended it, as far as the server knows.
                Transports without envelopes, `long-poll` and `live-sse`, leave both out.
            checkpoint: keeps the place.
            progress: told how far the read is, after each batch, and with each heartbeat.
        """
        if gone not in ("raise", "earliest", "now") or missing not in ("raise", "wait"):
            raise ValueError("gone is raise, earliest or now; missing is raise or wait")
        reading = Reading(
            start=start,
            live=live,
            slow=slow,
            gone=gone,
            missing=missing,
            signals=signals,
            presence=presence,
            envelope=envelope,
            transport=self._transport,
        )
        return self._reader(reading, checkpoint, progress)

    def _reader(
        self,
        reading: Reading,
        checkpoint: Checkpoint | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Reader[T]:
        reader: Reader[T] = Reader(
            self._http,
            self.url,
            reading,
            self._codec,
            self._retry,
            info=self._info or self._guess(reading),
            is_new=self._is_new,
            checkpoint=checkpoint,
            progress=progress,
            learned=self._learn,
        )
        self._readers.add(reader)
        return reader

    async def all(self, start: str = "start", *, progress: Callable[[Progress], None] | None = None) -> list[T]:
        """The values of all records there are now, page after page."""
        found: list[T] = []
        reading = Reading(start=start, live=False, pages=True, transport=self._transport)
        async for batch in self._reader(reading, None, progress).batches():
            found += [item.data for item in getattr(batch, "items", ())]
        return found

    async def last(self, count: int, *, envelope: bool = False) -> list[Item[T]]:
        """The newest records, of a stream that keeps them apart (JSON, MessagePack, Protobuf with lengths).

        Args:
            count: how many, at most.
            envelope: give each item `at` and `by`, as in `read`, and its own offset.
        """
        found: list[Item[T]] = []
        before: str | None = None
        info = await self.head() if envelope else None  # a page of envelopes does not tell the type of the stream
        while count > 0:
            query = {names.QUERY_LAST: str(min(count, requests.MOST))}
            if before is not None:
                query[names.QUERY_BEFORE] = before
            if envelope:
                query[names.QUERY_ENVELOPE] = "1"
            head, body = await self._ask("GET", {}, query=query)
            if head.headers.get("content-type", "").startswith(NdjsonWay.accept) and info is not None:
                items = items_of(NdjsonWay(self._codec(info.content_type), envelope=True).feed(body))
            else:
                page = PageWay(self._codec(head.headers.get("content-type", "")), Place(before or ""), live=False)
                page.begin(head.status, head.headers)
                page.feed(body)
                items = page.items()
            found[:0] = items
            count -= len(items)
            before = head.headers.get(requests.PREVIOUS)
            if before is None or not items:
                break
        return found

    async def head(self) -> Info | None:
        """The stream's state; None: there is no stream."""
        try:
            head, _ = await self._ask("HEAD", {})
        except (StreamNotFound, Gone):
            return None
        return self._learn(requests.info_of(head.headers))

    async def create(
        self,
        *,
        content_type: str | None = None,
        first: Sequence[T] = (),
        closed: bool = False,
        exclusive: bool = False,
        **config: Any,
    ) -> Info:
        """Make the stream, or confirm that the same one is there.

        Args:
            content_type: of it; None: as the handle was made with, else JSON.
            first: its first records.
            closed: with these as all it will ever hold.
            exclusive: refuse when there is a stream already, also the same one.
            **config: `ttl`, `expires_at`, `retention`, `slow`, as the headers have them.

        Raises:
            StreamExists: another one is there.
            PreconditionFailed: one is there, and `exclusive` was asked for.
        """
        kind = content_type or self._content_type or "application/json"
        headers = {"content-type": kind, **requests.config_headers(config)}
        if closed:
            headers["stream-closed"] = "true"
        if exclusive:
            headers["if-none-match"] = "*"
        body = self._codec(kind).join(first) if first else b""
        # A body that was sent twice would still be there once: the second one finds the same stream.
        head, _ = await self._ask("PUT", headers, body, is_safe=not exclusive)
        created = head.status == 201
        self._is_new |= created
        self._content_type = kind
        return requests.info_of({"content-type": kind, **head.headers}, created=created)

    async def close_stream(self, *last: T) -> str:
        """Close the stream: it is complete. What was given to `append` before is written first.

        Args:
            *last: a record that is written in the same step.

        Returns:
            The offset of its end.
        """
        return await self._end({"stream-closed": "true"}, last)

    async def fail(self, code: str, message: str = "", *last: T) -> str:
        """End the stream before it is complete.

        Args:
            code: for programs: lower-case letters, digits and hyphens.
            message: for people.
            *last: a record that is written in the same step.
        """
        return await self._end(requests.failure_headers(code, message), last)

    async def fork(self, path: str, at: str | None = None, **config: Any) -> Stream[T]:
        """Make a stream that goes on from this one.

        Args:
            path: of the new one: beside this one's, or with a slash in front the path of a URL.
            at: the offset where it leaves; None: the tail.
            **config: see `create`.
        """
        url = requests.beside(self.url, path)
        headers = {"stream-forked-from": requests.path_of(self.url), **requests.config_headers(config)}
        if at is not None:
            headers["stream-fork-offset"] = at
        await self._ask("PUT", headers, url=url)
        fork: Stream[T] = Stream(
            url,
            type=self._type,
            decode=self._decode,
            content_type=self._content_type,
            retry=self._retry,
            transport=self._transport,
            http=self._http,
        )
        fork._is_new = True
        return fork

    async def delete(self) -> None:
        """Delete the stream; forks of it stay readable."""
        try:
            await self._ask("DELETE", {})
        except (StreamNotFound, StreamGone) as error:
            if not error.details.pop("again", False):
                raise

    async def signal(self, data: Any, *, topic: str | None = None, to: str | None = None) -> None:
        """Tell the live readers who asked for signals something; it is stored nowhere, and sent once.

        Args:
            data: any JSON value.
            topic: what it is about.
            to: only those readers are told who are this subject, or have this name.
        """
        query = {name: value for name, value in (("topic", topic), ("to", to)) if value is not None}
        body = Codec("application/json").encode(data)
        headers = {"content-type": "application/json"}
        await self._ask("POST", headers, body, url=f"{self.url}/-/signal", query=query, is_safe=False)

    async def signals(self) -> AsyncGenerator[Signal, None]:
        """What is told to who reads the stream live, from now on; what is told during a cut is lost."""
        async with aclosing(self._live(signals=True).everything()) as everything:
            async for given in everything:
                if isinstance(given, Heard) and (signal := signal_of(given)) is not None:
                    yield signal

    def _live(self, *, signals: bool = False, presence: bool = False) -> Reader[T]:
        """A reader of what is told and not stored."""
        asked = Reading(start="now", missing="wait", signals=signals, presence=presence, transport=self._transport)
        return self._reader(asked)

    def _guess(self, reading: Reading) -> Info | None:
        """Who says what the stream is and how it is read saves a request."""
        if self._content_type is None or reading.transport == "auto" or not reading.live:
            return None
        return Info(self._content_type, "", BEGINNING)

    def _codec(self, content_type: str) -> Codec[T]:
        return Codec(content_type, self._type, self._decode)

    def _learn(self, info: Info) -> Info:
        self._info = info
        self._content_type = self._content_type or info.content_type
        return info

    async def _ask(
        self,
        method: str,
        headers: dict[str, str],
        body: bytes | None = None,
        *,
        url: str | None = None,
        query: dict[str, str] = {},  # noqa: B006
        is_safe: bool = True,
    ) -> tuple[Head, bytes]:
        """See `attempts.ask`; `url` is that of the stream, if no other is given."""
        target = url or self.url
        return await ask(self._http, self._retry, method, target, headers, body, query, is_safe=is_safe)
