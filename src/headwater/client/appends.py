"""What a stream's handle writes, asynchronously; `sync/appends.py` has the same words and `headwater.publisher`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from headwater.client import requests
from headwater.client.answers import Head
from headwater.client.codec import Codec
from headwater.client.errors import Unsupported
from headwater.client.retry import Retry

if TYPE_CHECKING:
    from headwater.client.doors import Door
    from headwater.client.presence import Presence
    from headwater.client.reader import Reader
    from headwater.client.writer import StreamWriter


class Appends:
    """The half of `Stream` that appends."""

    url: str
    _http: Door
    _retry: Retry
    _content_type: str | None
    _writer: StreamWriter[Any] | None = None

    async def append(self, data: Any, /, *, create: bool | Mapping[str, Any] = False) -> str:
        """Append a record, exactly once in the life of this object; what is appended at the same time goes together.

        Args:
            data: its value; bytes are taken as they are.
            create: make the stream, if there is none: True, or what `Stream.create` takes.

        Returns:
            The offset behind it, or behind others that were written with it.

        Raises:
            HeadwaterError: it is not written; or, `unknown-outcome`, nobody knows.
        """
        if self._writer is None or self._writer.is_over:
            kind = await self._kind()
            if self._writer is None or self._writer.is_over:  # nobody else was quicker
                self._writer = self._make_writer(kind, create=create)
        return await self._writer.append(data)

    async def append_once(self, data: Any, /, *, create: bool | Mapping[str, Any] = False) -> str:
        """Append a record by one request, without a producer: a lost answer is not asked for again.

        Raises:
            UnknownOutcome: the answer was lost; the record may be written, or not.
        """
        codec = self._codec(await self._kind())
        headers = {"content-type": codec.content_type}
        if create is not False:
            headers |= {"stream-create": "true", **requests.config_headers({} if create is True else create)}
        head, _ = await self._ask("POST", headers, codec.join([data]), is_safe=False)
        return str(head.headers.get(requests.NEXT, ""))

    async def writer(
        self,
        id: str | None = None,
        *,
        epoch: int = 0,
        linger: float = 0.005,
        batch_bytes: int = 1 << 20,
        in_flight: int = 5,
        buffer_bytes: int = 8 << 20,
        claim: bool = False,
        create: bool | Mapping[str, Any] = False,
    ) -> StreamWriter[Any]:
        """A writer, with an idempotent producer of its own.

        Args:
            id: of the producer; None: a random one.
            epoch: of the producer; above that of the last process with this id.
            linger: seconds that a record waits for others.
            batch_bytes: of one request.
            in_flight: requests that are under way at once, where each is a record.
            buffer_bytes: that may wait; above it `write` and `append` wait.
            claim: when another producer has this id, take the next epoch; else stop.
            create: make the stream, if there is none: True, or what `Stream.create` takes.
        """
        return self._make_writer(
            await self._kind(),
            id=id,
            epoch=epoch,
            linger=linger,
            batch_bytes=batch_bytes,
            in_flight=in_flight,
            buffer_bytes=buffer_bytes,
            claim=claim,
            create=create,
        )

    @property
    def content_type(self) -> str | None:
        """Of the stream, as far as it is known."""
        return self._content_type

    @property
    def door(self) -> Door:
        """The way to the server."""
        return self._http

    def _make_writer(
        self, kind: str, *, linger: float = 0.005, create: bool | Mapping[str, Any] = False, **options: Any
    ) -> StreamWriter[Any]:
        from headwater.client.writer import StreamWriter  # who only reads needs none

        config = None if create is False else requests.config_headers({} if create is True else create)
        codec = self._codec(kind)
        return StreamWriter(self._http, self.url, codec, self._retry, linger=linger, create=config, **options)

    def presence(self, state: Any = msgspec.UNSET, *, member: str | None = None) -> Presence:
        """Who is at the stream; with a state this client is there, too, as long as the block lasts.

        ::

            async with room.presence({"typing": False}) as presence:
                async for members in presence:
                    print(members)

        Args:
            state: any JSON value; without one this client looks on.
            member: the member's id; without one the subject of the access, or else the connection's name.

        Raises:
            Unsupported: it is to be there, and the stream is not on a connection.
        """
        if state is not msgspec.UNSET and "websocket" not in self._http.ways:
            raise Unsupported("being at a stream needs a connection: Connection(url).stream(path).presence(state)")
        from headwater.client.presence import Presence  # few need it

        return Presence(self._http, self.url, self._live(presence=True), self._retry, state, member)

    async def _kind(self) -> str:
        if self._content_type is None:
            info = await self.head()
            self._content_type = "application/json" if info is None else info.content_type
        return self._content_type

    async def _end(self, headers: dict[str, str], last: tuple[Any, ...]) -> str:
        if self._writer is None:
            self._writer = await self.writer(linger=0)
        return await self._writer.end(headers, last)

    async def _close_writer(self) -> None:
        if self._writer is not None:
            await self._writer.aclose()

    def _live(self, *, signals: bool = False, presence: bool = False) -> Reader[Any]:
        raise NotImplementedError

    async def head(self) -> Any:
        """See `Stream.head`."""
        raise NotImplementedError

    async def _ask(self, method: str, headers: dict[str, str], body: bytes, *, is_safe: bool) -> tuple[Head, bytes]:
        raise NotImplementedError

    def _codec(self, content_type: str) -> Codec[Any]:
        raise NotImplementedError
