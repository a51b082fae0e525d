"""A server, by the client: `headwater.client.sync` makes all requests of the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Self
from urllib.parse import quote

import msgspec

from headwater.cli.address import Address
from headwater.cli.telling import TellingConnection, TellingHttp
from headwater.client.answers import Head
from headwater.client.errors import BadAnswer
from headwater.client.items import Info
from headwater.client.requests import info_of
from headwater.client.retry import NEVER, Retry
from headwater.client.sync import Stream, attempts
from headwater.client.sync.http import Answer
from headwater.client.transports import Transport
from headwater.errors import HeadwaterError
from headwater.model import NOW
from headwater.protocol import names

#: Silence after which a live answer counts as cut: three of the server's heartbeats.
LIVE_SECONDS: Final = 45.0
_FOR_MANY: Final = {"accept": "application/x-ndjson", "content-type": "application/json"}


class Remote:
    """A server, over HTTP.

    Args:
        address: where it is.
        headers: sent with every request.
        timeout: seconds to connect, and to wait for any answer that is not live.

    Every method that asks raises a `HeadwaterError`, which the commands show as it is; see `failures.failure_of`.
    """

    def __init__(self, address: Address, headers: Sequence[tuple[str, str]] = (), timeout: float = 10.0) -> None:
        self._address: Final = address
        self._timeout: Final = timeout
        self._headers: Final[dict[str, str]] = {}
        for name, value in headers:  # one name twice is one list (RFC 9110 section 5.3)
            before = self._headers.get(name.lower())
            self._headers[name.lower()] = value if before is None else f"{before}, {value}"
        self.http: Final = TellingHttp(self._headers, None, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self._address.origin

    def path_of(self, stream: str) -> str:
        """The URL path of a stream, as `Stream-Forked-From` names one too."""
        return self._address.prefix + quote(stream, safe="/")

    def url(self, stream: str) -> str:
        """The URL of a stream."""
        return self._address.origin + self.path_of(stream)

    def patience(self, retry_for: float | None) -> Retry:
        """The rules of a command that outlives a connection.

        Args:
            retry_for: seconds of trouble after which to give up; None: never.
        """
        return Retry(base=0.5, deadline=retry_for, connect=self._timeout, silence=max(self._timeout, LIVE_SECONDS))

    def stream(
        self,
        stream: str,
        *,
        content_type: str | None = None,
        transport: Transport = "auto",
        retry: Retry = NEVER,
        compressed: bool = False,
    ) -> Stream[bytes]:
        """A stream.

        Args:
            stream: its path.
            content_type: of it, if it is known.
            transport: how it is read.
            retry: the rules; without, everything is asked once.
            compressed: accept every coding that the HTTP client decodes.
        """
        url = self.url(stream)
        http = self.http.compressed(url) if compressed else self.http
        return Stream(url, type=bytes, content_type=content_type, transport=transport, retry=retry, http=http)

    def connection(self, retry: Retry) -> TellingConnection:
        """The client's connection, for a stream that is read on a WebSocket."""
        return TellingConnection(f"{self.origin}{self._address.prefix}", headers=self._headers, retry=retry)

    def ask(
        self,
        method: str,
        stream: str,
        headers: Mapping[str, str] = {},
        *,
        query: Mapping[str, str] = {},
        body: bytes | None = None,
        retry: Retry = NEVER,
    ) -> tuple[Head, bytes]:
        """The answer to a request to a stream's URL."""
        return attempts.ask(self.http, retry, method, self.url(stream), headers, body, query)

    def head(self, stream: str, retry: Retry = NEVER) -> Info:
        """A stream's state.

        A refusal of HEAD has no body; a GET at `now` reads nothing and says what is wrong.
        """
        try:
            found, _ = self.ask("HEAD", stream, retry=retry)
        except HeadwaterError as error:
            if not error.retryable and error.status:
                self.ask("GET", stream, query={names.QUERY_OFFSET: NOW}, retry=retry)
            raise
        return info_of(found.headers)

    def introspect(self, route: str, params: Mapping[str, str]) -> Any:
        """The JSON document of an introspection route."""
        url = f"{self._address.origin}{self._address.introspection}{route}"
        _, body = attempts.ask(self.http, NEVER, "GET", url, {}, None, params)
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            raise BadAnswer(f"the answer of {url} is not JSON") from None

    def page_of_many(self, body: bytes, query: Mapping[str, str], retry: Retry) -> bytes:
        """What there is of many streams now.

        Args:
            body: of `POST -/many`.
            query: its parameters.
            retry: the rules.
        """
        return self.ask("POST", "-/many", _FOR_MANY, query=query, body=body, retry=retry)[1]

    def live_many(self, body: bytes, query: Mapping[str, str]) -> AbstractContextManager[Answer]:
        """A live answer of many streams, or a refusal; see `page_of_many`."""
        return self.http.open("POST", self.url("-/many"), query, _FOR_MANY, body)
