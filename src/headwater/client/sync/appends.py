"""What a stream's handle writes, for programs that are not asynchronous.

Rule: over HTTP a handle has one `headwater.publisher.Publisher`, which begins with the first record. On a connection
the stream of the loop writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from headwater.client import requests
from headwater.client.answers import Head
from headwater.client.codec import Codec
from headwater.client.errors import ClientError, OutboxFull, UnknownOutcome, Unsupported
from headwater.client.problems import problem_of
from headwater.client.retry import Retry
from headwater.client.sync.bridge import Bridge
from headwater.client.sync.doors import Door
from headwater.client.sync.http import Http
from headwater.client.sync.writer import StreamWriter
from headwater.errors import HeadwaterError
from headwater.publisher import GaveUp, Publisher, PublishError
from headwater.publisher import OutboxFull as Full

if TYPE_CHECKING:
    from headwater.client.stream import Stream as AsyncStream
    from headwater.client.sync.presence import Presence

#: Seconds until an append is given up, without `deadline` in the rules.
_PATIENCE = 60.0


class Appends:
    """The half of `Stream` that appends."""

    url: str
    _http: Door
    _retry: Retry
    _content_type: str | None
    _publisher: Publisher | None = None
    _far: AsyncStream[Any] | None = None

    def append(self, data: Any, /, *, create: bool | Mapping[str, Any] = False) -> str:
        """Append a record, exactly once in the life of this object; from any thread.

        Args:
            data: its value; bytes are taken as they are.
            create: make the stream, if there is none: True, or what `Stream.create` takes.

        Returns:
            The offset behind it, or behind others that were written with it.

        Raises:
            HeadwaterError: it is not written; or, `unknown-outcome`, nobody knows.
        """
        codec = self._codec(self._kind())
        if isinstance(self._http, Bridge):
            return self._http.portal.run(self._in_loop(self._http).append(codec.encode(data), create=create))
        config = None
        if create is not False:
            config = {"type": codec.content_type, **({} if create is True else create)}
        patience = self._retry.deadline or _PATIENCE
        try:
            return self.publisher().append(
                self._path(), codec.encode(data), create=config, is_json=codec.is_json, timeout=patience
            )
        except PublishError as error:
            raise as_ours(error) from None

    def append_once(self, data: Any, /, *, create: bool | Mapping[str, Any] = False) -> str:
        """Append a record by one request, without a producer: a lost answer is not asked for again.

        Raises:
            UnknownOutcome: the answer was lost; the record may be written, or not.
        """
        codec = self._codec(self._kind())
        headers = {"content-type": codec.content_type}
        if create is not False:
            headers |= {"stream-create": "true", **requests.config_headers({} if create is True else create)}
        head, _ = self._ask("POST", headers, codec.join([data]), is_safe=False)
        return str(head.headers.get(requests.NEXT, ""))

    def writer(
        self,
        id: str | None = None,
        *,
        epoch: int = 0,
        batch_bytes: int = 1 << 20,
        claim: bool = False,
        create: bool | Mapping[str, Any] = False,
    ) -> StreamWriter[Any]:
        """A writer for many records, with an idempotent producer of its own.

        Args:
            id: of the producer; None: a random one.
            epoch: of the producer; above that of the last process with this id.
            batch_bytes: of one request.
            claim: when another producer has this id, take the next epoch; else stop.
            create: make the stream, if there is none: True, or what `Stream.create` takes.
        """
        config = None if create is False else requests.config_headers({} if create is True else create)
        codec = self._codec(self._kind())
        return StreamWriter(
            self._http,
            self.url,
            codec,
            self._retry,
            id=id,
            epoch=epoch,
            batch_bytes=batch_bytes,
            claim=claim,
            create=config,
        )

    def presence(self, state: Any = msgspec.UNSET, *, member: str | None = None) -> Presence:
        """Who is at the stream; with a state this client is there, too, as long as the block lasts.

        Args:
            state: any JSON value; without one this client looks on.
            member: the member's id; without one the subject of the access, or else the connection's name.

        Raises:
            Unsupported: the stream is not on a connection.
        """
        if not isinstance(self._http, Bridge):
            raise Unsupported(
                "presence() is of a connection: Connection(url).stream(path).presence(); over HTTP "
                "read('now', presence=True).everything() tells who is there"
            )
        from headwater.client.sync.presence import Presence

        return Presence(self._http.portal, self._in_loop(self._http).presence(state, member=member))

    @property
    def content_type(self) -> str | None:
        """Of the stream, as far as it is known."""
        return self._content_type

    @property
    def door(self) -> Door:
        """The way to the server."""
        return self._http

    def publisher(self) -> Publisher:
        """What sends the records of this handle: `post` and `flush` of it append without waiting.

        Raises:
            Unsupported: the stream is on a connection.
        """
        if not isinstance(self._http, Http):
            raise Unsupported("a publisher sends over HTTP: use Stream(url)")
        if self._publisher is None:
            parts = urlsplit(self.url)
            folder = f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}/"
            self._publisher = Publisher(
                folder, headers=self._http.headers, timeout=self._retry.connect, retry_for=self._retry.deadline
            )
        return self._publisher

    def _path(self) -> str:
        return unquote(urlsplit(self.url).path.rpartition("/")[2])

    def _kind(self) -> str:
        if self._content_type is None:
            info = self.head()
            self._content_type = "application/json" if info is None else info.content_type
        return self._content_type

    def _in_loop(self, bridge: Bridge) -> AsyncStream[Any]:
        """The same stream in the loop of its connection."""
        if self._far is None:
            self._far = bridge.stream(self.url, self._content_type, self._retry)
        return self._far

    def _end(self, headers: dict[str, str], last: tuple[Any, ...]) -> str:
        if isinstance(self._http, Bridge):
            bodies = tuple(map(self._codec(self._kind()).encode, last)) if last else ()
            return self._http.portal.run(self._in_loop(self._http)._end(headers, bodies))
        if self._publisher is not None:
            self._publisher.flush()
        body = b""
        if last:
            codec = self._codec(self._kind())
            headers = {"content-type": codec.content_type, **headers}
            body = codec.join(last)
        head, _ = self._ask("POST", headers, body, is_safe=not last)
        return str(head.headers.get(requests.NEXT, ""))

    def _close_writer(self) -> None:
        if self._far is not None and isinstance(self._http, Bridge):
            far, self._far = self._far, None
            self._http.portal.run(far.aclose())
        if self._publisher is not None:
            publisher, self._publisher = self._publisher, None
            publisher.close()

    def head(self) -> Any:
        """See `Stream.head`."""
        raise NotImplementedError

    def _ask(self, method: str, headers: dict[str, str], body: bytes, *, is_safe: bool) -> tuple[Head, bytes]:
        raise NotImplementedError

    def _codec(self, content_type: str) -> Codec[Any]:
        raise NotImplementedError


def as_ours(error: PublishError) -> HeadwaterError:
    """What a publisher raises, as the same error of a client."""
    if isinstance(error, Full):
        return OutboxFull(str(error))
    if isinstance(error, GaveUp):
        return UnknownOutcome(str(error))
    if error.status:
        found = problem_of(error.status, b'{"code":"%b"}' % error.code.encode(), error.retry_after or None)
        found.message = str(error)
        found.args = (str(error),)
        return found
    return ClientError(str(error))
