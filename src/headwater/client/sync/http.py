"""HTTP for programs that are not asynchronous: the twin of `headwater.client.http`, with the same words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR
from typing import Any, Final, TypeVar

import httpx2

from headwater.client.answers import MOST_REDIRECTS, Head, agent, head_of, is_plain, redirect, translated
from headwater.client.errors import BadAnswer, Silent, Unsupported
from headwater.client.sync.clock import Clock
from headwater.client.sync.pipeline import Pipeline, can_pipeline
from headwater.client.transports import NAMES

T = TypeVar("T")

Headers = Mapping[str, str]
#: Headers, or a function that is asked again for each request.
GivenHeaders = Headers | Callable[[], Headers] | None
Client = httpx2.Client

#: Bytes of an error's body that are looked at.
_ERROR_BYTES: Final = 65_536


def settled(value: Any) -> Any:
    """The value: nothing is awaited here."""
    return value


class Cut:
    """Ends nothing: a thread that waits for the head of an answer waits until it is there, or too late."""

    def of(self, value: T) -> T:
        """What was waited for."""
        return value

    def now(self) -> None:
        """See `headwater.client.http.Cut.now`."""


class Answer:
    """An answer whose body is read piece by piece."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.head: Final = head_of(response.status_code, response.headers)

    def read(self) -> bytes:
        """The body of an error, as far as it matters."""
        found = b""
        with translated(is_body=True):
            for chunk in self._response.iter_bytes():
                found += chunk
                if len(found) >= _ERROR_BYTES:
                    break
        return found

    def whole(self) -> bytes:
        """The whole body."""
        with translated(is_body=True):
            return self._response.read()

    def chunks(self, silence: float, first: float | None) -> Generator[bytes, None, None]:
        """The body as it comes.

        Args:
            silence: seconds without a byte after which the connection is dead.
            first: the same of the first piece; None: as any other.
        """
        timeouts = self._response.request.extensions.get("timeout")
        if timeouts is not None:
            timeouts["read"] = silence
        is_raw = is_plain(self.head) and not self._response.is_stream_consumed  # as a transport of a test may have it
        pieces = self._response.iter_raw() if is_raw else self._response.iter_bytes()
        with translated(is_body=True):
            if first is not None:
                piece = self._first(pieces, first)
                if piece is None:
                    return
                yield piece
            yield from pieces

    def _first(self, pieces: Iterator[bytes], seconds: float) -> bytes | None:
        """The first piece. A read cannot be told another limit than the rest, so a timer cuts the connection."""
        late = threading.Event()

        def cut() -> None:
            late.set()
            self.abort()

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            piece = next(pieces, None)
        except httpx2.RequestError:
            if not late.is_set():
                raise
            piece = None
        finally:
            timer.cancel()
        if late.is_set():
            raise Silent(f"nothing came for {seconds:g} s behind the head of the answer")
        return piece

    def abort(self) -> None:
        """End it from another thread, whatever waits for it."""
        stream = self._response.extensions.get("network_stream")
        found = None if stream is None else stream.get_extra_info("socket")
        if found is not None:
            with suppress(OSError):
                found.shutdown(SHUT_RDWR)


class Http:
    """Requests to streams; see `headwater.client.http.Http`."""

    ways = NAMES
    clock = Clock()

    def __init__(self, headers: GivenHeaders = None, client: Client | None = None, connect: float = 10.0) -> None:
        self._headers: Final = headers
        self._client = client
        self._own = client is None
        self._connect: Final = connect

    @property
    def can_refresh(self) -> bool:
        """Whether headers are asked for again."""
        return callable(self._headers)

    def headers(self) -> dict[str, str]:
        """What goes with a request now."""
        given = self._headers
        if callable(given):
            given = given()
        return {**agent(), **(given or {})}

    @contextmanager
    def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Headers,
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> Iterator[Answer]:
        """An answer to a request.

        Raises:
            HeadwaterError: there is none.
        """
        all_headers = {"accept-encoding": "identity", **self.headers(), **headers}
        with translated(is_body=False):
            client = self._of(url)
            wanted = client.build_request(
                method,
                url,
                params={**dict(httpx2.URL(url).params), **query} if query else None,
                headers=all_headers,
                content=body,
                timeout=httpx2.Timeout(self._connect, read=self._connect + hold, pool=None),
            )
            response = client.send(wanted, stream=True, follow_redirects=method in ("GET", "HEAD"))
        try:
            yield Answer(response)
        finally:
            response.close()

    def ask(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: bytes | None = None,
        query: Mapping[str, str] = {},
    ) -> tuple[Head, bytes]:
        """The head and the body of an answer.

        Raises:
            HeadwaterError: there is none.
        """
        for _ in range(MOST_REDIRECTS):
            with self.open(method, url, query, headers, body) as answer:
                target = redirect(url, answer.head)
                if target is None:
                    return answer.head, answer.whole()
                url = target
        raise BadAnswer("the answer is a redirect, again and again")

    def pipeline(self, url: str) -> Pipeline | None:
        """A connection for many small requests to a stream; None: it is not reached as directly as that takes."""
        if not self._own or not can_pipeline(url):
            return None
        return Pipeline(url, self._connect)

    def close(self) -> None:
        """Close what is its own."""
        if self._own and self._client is not None:
            client, self._client = self._client, None
            client.close()

    def _of(self, url: str) -> Client:
        if self._client is None:
            options: dict[str, Any] = {"verify": url.startswith("https:")}
            self._client = Client(limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20), **options)
        return self._client


def inner_door(hub: Any, limit: float) -> Any:
    """There is none: a hub is asynchronous."""
    raise Unsupported("a hub is asynchronous: use headwater.client.Stream(path, hub=hub), or hub.from_thread(...)")
