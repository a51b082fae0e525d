"""Several requests under way on one connection, answered in their order (RFC 9112 section 9.3.2).

For requests that may be sent again: when the connection is cut, nobody knows which of them were done.

Rule: this is a shorter way and no other one. Whatever is not plain (no answer in time, an error, an answer that cannot
be told from the next one) ends it, and the HTTP client of remote.py is asked instead, which says what is wrong.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from headwater.cli.failures import Failure
from headwater.cli.load.answers import Answer

#: Requests and bytes of their bodies that are under way at once: less than a server's socket takes, answers unread.
MAX_REQUESTS: Final = 128
MAX_BYTES: Final = 256 * 1024
_PORTS: Final = {"http": 80, "https": 443}

Request = tuple[Mapping[bytes, bytes], bytes]


class Pipeline:
    """A connection that is opened when it is needed.

    Args:
        origin: scheme, host and port.
        headers: sent with every request.
        timeout: seconds to connect, and without a byte of an answer.
    """

    def __init__(self, origin: str, headers: Sequence[tuple[str, str]], timeout: float) -> None:
        self._url = urlsplit(origin)
        self._timeout = timeout
        self._headers = b"".join(_line(name.encode(), value.encode()) for name, value in headers)
        self._socket: socket.socket | None = None

    def post(self, path: str, requests: Sequence[Request]) -> Iterator[Answer]:
        """Send all requests at once, and give their answers as they come.

        Args:
            path: URL path of all of them.
            requests: headers and body of each; at most `MAX_REQUESTS` and about `MAX_BYTES`.

        Raises:
            OSError, Failure: the connection is of no use any more; what was not answered may be done or not.
        """
        if self._socket is None:
            self._socket = self._connect()
        head = b"POST %b HTTP/1.1\r\n" % path.encode() + _line(b"Host", self._url.netloc.encode()) + self._headers
        self._socket.sendall(b"".join([self._request(head, *request) for request in requests]))
        rest = b""
        for _ in requests:
            answer = Answer()
            answer.feed(rest)
            while not answer.is_done:
                data = self._socket.recv(65_536)
                if not data:
                    raise ConnectionResetError("the connection was cut")
                answer.feed(data)
            rest = answer.rest
            yield answer

    def close(self) -> None:
        """Disconnect."""
        connection, self._socket = self._socket, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _connect(self) -> socket.socket:
        host = self._url.hostname or ""
        raw = socket.create_connection((host, self._url.port or _PORTS[self._url.scheme]), self._timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._url.scheme == "http":
            return raw
        try:
            return ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise

    def _request(self, head: bytes, headers: Mapping[bytes, bytes], body: bytes) -> bytes:
        lines = [_line(name, value) for name, value in headers.items()]
        return b"".join([head, *lines, b"Content-Length: %d\r\n\r\n" % len(body), body])


def can_pipeline(origin: str) -> bool:
    """Whether a server is reached without a proxy of the environment or a password in its URL.

    Args:
        origin: scheme, host and port.
    """
    proxies = getproxies()
    return "@" not in origin and not {urlsplit(origin).scheme, "all"} & proxies.keys()


def _line(name: bytes, value: bytes) -> bytes:
    if b"\r" in value or b"\n" in value:
        raise Failure("bad-request", f"the header {name.decode()} has a line break")
    return b"%b: %b\r\n" % (name, value)
