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
from headwater.model import NOW
from headwater.protocol import names

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

#: Where the server has its streams, unless the URL says otherwise; as the reference servers.
DEFAULT_PREFIX: Final = "/v1/stream/"
#: Silence after which a live answer counts as cut: three of the server's heartbeats.
LIVE_SECONDS: Final = 45.0
#: A proxy that compresses also holds back.
_AS_IT_IS: Final = {names.ACCEPT_ENCODING: b"identity"}
_FOR_MANY: Final = {**_AS_IT_IS, names.ACCEPT: b"application/x-ndjson", names.CONTENT_TYPE: b"application/json"}


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

    @contextmanager
    def live(
        self, stream: str, headers: Mapping[bytes, bytes], params: Mapping[str, str], *, compressed: bool = False
    ) -> Iterator[httpx2.Response]:
        """A live answer, to be read with `iter_bytes()`.

        Args:
            stream: its path.
            headers: of the request.
            params: its query.
            compressed: accept every coding that the HTTP client decodes.
        """
        if not compressed:
            headers = {**headers, **_AS_IT_IS}
        with self._stream("GET", self.url(stream), headers=headers, params=params) as response:
            yield response

    @contextmanager
    def socket(self, protocol: str) -> Iterator[ClientConnection]:
        """A connection of many streams, which ends with an iteration over it when it is cut."""
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect
        from websockets.typing import Subprotocol

        origin = self._address.origin
        url = f"ws{origin.removeprefix('http')}{self._address.prefix}-/connect"
        headers = [(name, value) for name, value in self._headers if name != "User-Agent"]
        try:
            with connect(
                url,
                subprotocols=[Subprotocol(protocol)],
                additional_headers=headers,
                user_agent_header=self._headers[0][1],
                open_timeout=self._timeout,
                max_size=None,
            ) as found:
                yield found
        except InvalidStatus as error:
            raise refusal(error.response.status_code, bytes(error.response.body or b"")) from None
        except ConnectionClosed:
            raise Unreachable(origin, "the connection was cut") from None
        except (OSError, InvalidHandshake) as error:
            raise Unreachable(origin, str(error) or type(error).__name__) from None

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
