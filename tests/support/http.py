"""Small HTTP calls to a server process, each on a connection of its own that is always closed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from tests.support.processes import ServerProcess


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)


def connect(server: ServerProcess) -> http.client.HTTPConnection:
    """A connection, over TLS if the server speaks it."""
    if server.tls is None:
        return http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    return http.client.HTTPSConnection("localhost", server.port, timeout=20, context=server.tls)


@contextmanager
def opened(
    server: ServerProcess, method: str, path: str, body: str | bytes = b"", **headers: str
) -> Iterator[http.client.HTTPResponse]:
    """An answer to be read as it comes; header names with underscores for dashes."""
    with closing(connect(server)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as answer:
            yield answer


def call(server: ServerProcess, method: str, path: str, body: str | bytes = b"", **headers: str) -> Reply:
    """A request and its whole answer."""
    with opened(server, method, path, body, **headers) as answer:
        return Reply(answer.status, answer.headers, answer.read())
