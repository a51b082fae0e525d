"""What a stream's handle writes, for programs that are not asynchronous: `headwater.publisher.Publisher` sends it.

Rule: a handle has one publisher, which begins with the first record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from headwater.client import requests
from headwater.client.answers import Head
from headwater.client.codec import Codec
from headwater.client.errors import ClientError, OutboxFull, UnknownOutcome
from headwater.client.problems import problem_of
from headwater.client.retry import Retry
from headwater.errors import HeadwaterError
from headwater.publisher import GaveUp, Publisher, PublishError
from headwater.publisher import OutboxFull as Full

#: Seconds until an append is given up, without `deadline` in the rules.
_PATIENCE = 60.0


class Appends:
    """The half of `Stream` that appends."""

    url: str
    _http: Any  # `Http`, and nothing else
    _retry: Retry
    _content_type: str | None
    _publisher: Publisher | None = None

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

    def publisher(self) -> Publisher:
        """What sends the records of this handle: `post` and `flush` of it append without waiting."""
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

    def _end(self, headers: dict[str, str], last: tuple[Any, ...]) -> str:
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
