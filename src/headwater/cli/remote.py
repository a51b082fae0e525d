"""HTTP to the server: the one module that knows the HTTP client (httpx2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlsplit

import httpx2
import msgspec

from headwater import __version__
from headwater.cli.failures import Unreachable, refusal
from headwater.cli.pipeline import Pipeline, can_pipeline
from headwater.cli.telling_http import TellingHttp
from headwater.client.retry import Retry
from headwater.client.sync import Stream
from headwater.client.transports import Transport
from headwater.model import NOW
from headwater.protocol import names

if TYPE_CHECKING:
    from headwater.client import Connection

#: Where the server has its streams, unless the URL says otherwise; as the reference servers.
DEFAULT_PREFIX: Final = "/v1/stream/"
#: Silence after which a live answer counts as cut: three of the server's heartbeats.
LIVE_SECONDS: Final = 45.0
#: A proxy that compresses also holds back.
_FOR_MANY: Final = {
    names.ACCEPT_ENCODING: b"identity",
    names.ACCEPT: b"application/x-ndjson",
    names.CONTENT_TYPE: b"application/json",
}


class Address(msgspec.Struct, frozen=True):
    """Where a server is.

    Attributes:
        origin: scheme, host and port.
        prefix: path before a stream's own, with slashes around.
        introspection: path of the introspection routes, with slashes around.
    """

    origin: str
    prefix: str
    introspection: str


def parse_address(url: str) -> Address:
    """The address in a base URL; one with a path gives the full prefix of the streams.

    Raises:
        ValueError: it is no http or https URL, or has a query or a fragment.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("give the base URL of a server, such as http://127.0.0.1:4437 or https://example.org/streams/")
    _ = parts.port  # raises ValueError when it is no port
    prefix = parts.path.rstrip("/") + "/"
    if prefix == "/":
        prefix = DEFAULT_PREFIX
    introspection = prefix.removesuffix(DEFAULT_PREFIX).rstrip("/") + "/-/"
    return Address(f"{parts.scheme}://{parts.netloc}", prefix, introspection)


class Remote:
    """A server, over HTTP.

    Args:
        address: where it is.
        headers: sent with every request.
        timeout: seconds to connect, and to wait for any answer that is not live.

    Every method raises `Unreachable` when there is no answer, and `Failure` when it is an error.
    """

    def __init__(self, address: Address, headers: Sequence[tuple[str, str]] = (), timeout: float = 10.0) -> None:
        self._address = address
        self._timeout = timeout
        agent = ("User-Agent", f"headwater/{__version__}")
        self._headers = [agent, *headers]
        self._pipeline: Pipeline | None = None
        # Loading the certificates takes longer than most commands; plain http has no use for them.
        verify = address.origin.startswith("https:")
        self._client = httpx2.Client(headers=self._headers, timeout=timeout, verify=verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        if self._pipeline is not None:
            self._pipeline.close()

    def pipeline(self) -> Pipeline | None:
        """A connection for many small requests, closed with this object; None: the server is not reached directly."""
        origin = self._address.origin
        if self._pipeline is None and can_pipeline(origin):
            self._pipeline = Pipeline(origin, self._headers, self._timeout)
        return self._pipeline

    def path_of(self, stream: str) -> str:
        """The URL path of a stream, as `Stream-Forked-From` names one too."""
        return self._address.prefix + quote(stream, safe="/")

    def url(self, stream: str) -> str:
        """The URL of a stream."""
        return self._address.origin + self.path_of(stream)

    def request(
        self, method: str, stream: str, headers: Mapping[bytes, bytes] | None = None, body: bytes = b""
    ) -> httpx2.Response:
        """The answer to a request to a stream's URL."""
        return self._send(method, self.url(stream), headers=headers, content=body)

    def signal(self, stream: str, params: Mapping[str, str], content_type: str, body: bytes) -> None:
        """Tell the live readers of a stream something."""
        headers = {names.CONTENT_TYPE: content_type.encode()}
        self._send("POST", f"{self.url(stream)}/-/signal", headers=headers, params=params, content=body)

    def head(self, stream: str) -> httpx2.Response:
        """The answer to HEAD.

        An error to HEAD has no body; a GET at `now` reads nothing and says what is wrong.
        """
        with self._reaching():
            response = self._client.head(self.url(stream))
        if not response.is_success:
            self._send("GET", self.url(stream), params={names.QUERY_OFFSET: NOW})
            raise refusal(response.status_code, b"")
        return response

    def page(self, stream: str, params: Mapping[str, str]) -> httpx2.Response:
        """What there is of a stream now, as the query says."""
        return self._send("GET", self.url(stream), params=params)

    def introspect(self, route: str, params: Mapping[str, str]) -> Any:
        """The JSON document of an introspection route."""
        url = f"{self._address.origin}{self._address.introspection}{route}"
        response = self._send("GET", url, params=params)
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            raise refusal(response.status_code, b"") from None

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self._address.origin

    def stream(
        self, stream: str, content_type: str, wire: Transport, retry_for: float | None, *, compressed: bool = False
    ) -> Stream[bytes]:
        """A stream as the client reads it, which tells when it tries again.

        Args:
            stream: its path.
            content_type: of it.
            wire: the transport.
            retry_for: seconds of trouble after which to give up; None: never.
            compressed: accept every coding that the HTTP client decodes.
        """
        coding = {"accept-encoding": self._client.headers["accept-encoding"]} if compressed else {}
        retry = self._retry(retry_for)
        http = TellingHttp({**dict(self._headers), **coding}, self._client, retry.connect)
        return Stream(
            self.url(stream), type=bytes, content_type=content_type, transport=wire, retry=retry, http=http
        )  # fmt: skip

    def connection(self, retry_for: float | None) -> Connection:
        """The client's connection for many streams; see `stream`."""
        from headwater.cli.telling import TellingConnection

        headers = {name: value for name, value in self._headers if name != "User-Agent"}
        url = f"{self.origin}{self._address.prefix}"
        return TellingConnection(url, headers=headers, retry=self._retry(retry_for))

    def _retry(self, retry_for: float | None) -> Retry:
        return Retry(base=0.5, deadline=retry_for, connect=self._timeout, silence=max(self._timeout, LIVE_SECONDS))

    def page_of_many(self, body: bytes, params: Mapping[str, str]) -> httpx2.Response:
        """What there is of many streams now.

        Args:
            body: of `POST -/many`.
            params: its query.
        """
        return self._send("POST", self._many, headers=_FOR_MANY, content=body, params=params)

    @contextmanager
    def live_many(self, body: bytes, params: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """A live answer of many streams; see `live` and `page_of_many`."""
        with self._stream("POST", self._many, headers=_FOR_MANY, content=body, params=params) as response:
            yield response

    @property
    def _many(self) -> str:
        return f"{self._address.origin}{self._address.prefix}-/many"

    @contextmanager
    def _stream(self, method: str, url: str, **options: Any) -> Iterator[httpx2.Response]:
        timeout = httpx2.Timeout(self._timeout, read=max(self._timeout, LIVE_SECONDS))
        with self._reaching(), self._client.stream(method, url, timeout=timeout, **options) as response:
            if not response.is_success:
                raise refusal(response.status_code, response.read(), header(response, names.RETRY_AFTER))
            yield response

    def _send(self, method: str, url: str, **options: Any) -> httpx2.Response:
        with self._reaching():
            response = self._client.request(method, url, **options)
        if not response.is_success:
            raise refusal(response.status_code, response.content, header(response, names.RETRY_AFTER))
        return response

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except httpx2.TimeoutException:
            raise Unreachable(self._address.origin, "no answer in time") from None
        except httpx2.RequestError as error:
            raise Unreachable(self._address.origin, str(error) or type(error).__name__) from None


def header(response: httpx2.Response, name: bytes) -> str | None:
    """A header's value, by its name in protocol/names.py."""
    value: str | None = response.headers.get(name.decode())
    return value
