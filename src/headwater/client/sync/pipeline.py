"""Several requests under way on one connection, answered in their order (RFC 9112 section 9.3.2).

For requests that may be sent again: when the connection is cut, nobody knows which of them were done.

Rule: this is a shorter way and no other one. Whatever is not plain (no answer in time, an error, an answer that cannot
be told from the next one) ends it, and `http` is asked instead, which says what is wrong.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from headwater.client.wires.http1 import Answer

#: Requests and bytes of their bodies that are under way at once: less than a server's socket takes, answers unread.
MAX_REQUESTS: Final = 128
MAX_BYTES: Final = 256 * 1024
_PORTS: Final = {"http": 80, "https": 443}

Headers = Mapping[str, str]
Request = tuple[Headers, bytes]


class Pipeline:
    """A connection that is opened when it is needed.

    Args:
        url: of a stream, whose origin is connected to.
        timeout: seconds to connect, and without a byte of an answer.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = urlsplit(url)
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def post(self, common: Headers, requests: Sequence[Request]) -> Iterator[Answer]:
        """Send all requests at once, and give their answers as they come.

        Args:
            common: headers of all of them.
            requests: headers and body of each; at most `MAX_REQUESTS` and about `MAX_BYTES`.

        Raises:
            OSError, BadAnswer: the connection is of no use any more; what was not answered may be done or not.
            ValueError: a header has a line break.
        """
        url = self._url
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        head = f"POST {target} HTTP/1.1\r\n".encode() + _lines({"host": url.netloc, **common})
        data = [b"%b%bcontent-length: %d\r\n\r\n%b" % (head, _lines(own), len(body), body) for own, body in requests]
        if self._socket is None:
            self._socket = self._connect()
        self._socket.sendall(b"".join(data))
        rest = b""
        for _ in requests:
            answer = Answer()
            answer.feed(rest)
            while not answer.is_done:
                found = self._socket.recv(65_536)
                if not found:
                    raise ConnectionResetError("the connection was cut")
                answer.feed(found)
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


def can_pipeline(url: str) -> bool:
    """Whether a server is reached without a proxy of the environment or a password in its URL.

    Args:
        url: of a stream.
    """
    parts = urlsplit(url)
    return "@" not in parts.netloc and not {parts.scheme, "all"} & getproxies().keys()


def _lines(headers: Headers) -> bytes:
    for name, value in headers.items():
        if "\r" in value or "\n" in value:
            raise ValueError(f"the header {name} has a line break")
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
