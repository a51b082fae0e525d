"""A client that sends what it is told, segment by segment, and takes responses apart without forgiving anything.

Rule: nothing waits longer than `PATIENCE`, so that a server that does not answer is told as such.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

from tests.corpus.cases import Expected

#: Seconds for one response.
PATIENCE = 10.0
#: Seconds for a server to read a segment before the next is sent; it may be waiting for a commit and read no more.
TAKEN = 0.25

#: Type of a frame of HTTP/2.
HEADERS = 1


class Response(NamedTuple):
    """A whole response."""

    version: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def ends(self) -> bool:
        """The connection is over with it."""
        said = ",".join(self.values("connection")).lower()
        return "close" in said or self.version == "HTTP/1.0"


class Connection:
    """One connection.

    Args:
        port: on 127.0.0.1.
        tls: for a proxy, with the name it serves.

    Attributes:
        last: the last response.
    """

    def __init__(self, port: int, tls: tuple[ssl.SSLContext, str] | None = None) -> None:
        self._plain: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A copy, for the end of one direction: an ssl.SSLSocket forgets its encryption with it.
        self._half = self._plain.dup()
        self._socket = tls[0].wrap_socket(self._plain, server_hostname=tls[1]) if tls else self._plain
        self._names = (self._half.getsockname()[1], port)
        self._held = b""
        self.last: Response | None = None

    def send(self, segments: Iterable[bytes | None]) -> None:
        """Send the segments one by one; a server that has closed meanwhile has answered already."""
        first = True
        for segment in segments:
            if not first:
                self._wait_until_taken()
            first = False
            if segment is None:
                self.end()
            elif not self._sent(segment):
                return

    def _sent(self, segment: bytes) -> bool:
        try:
            self._socket.sendall(segment)
        except (ConnectionError, ssl.SSLError):
            return False
        return True

    def end(self) -> None:
        """Send no more."""
        with contextlib.suppress(OSError):
            self._half.shutdown(socket.SHUT_WR)

    def _wait_until_taken(self) -> None:
        deadline = time.monotonic() + TAKEN
        while unread(*self._names) and time.monotonic() < deadline:
            time.sleep(0.0005)

    def receive(self, expected: Expected) -> Response:
        """The next response.

        Raises:
            AssertionError: it is no whole response, or does not come.
        """
        head = self._until(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = lines[0].split(" ")
        assert version in ("HTTP/1.1", "HTTP/1.0"), head
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        found = Response(version, int(status), headers, b"")
        self.last = found._replace(body=self._body(found, no_body=expected.head))
        return self.last

    def receive_h2(self) -> None:
        """Behind a 101 to h2c: frames up to the head of a response (RFC 9113 sections 3.2 and 4.1)."""
        kind = -1
        while kind != HEADERS:
            head = self._take(9)
            kind = head[3]
            self._take(int.from_bytes(head[:3], "big"))

    def _body(self, head: Response, *, no_body: bool) -> bytes:
        lengths, codings = head.values("content-length"), head.values("transfer-encoding")
        assert len(lengths) + len(codings) <= 1, head
        if no_body or head.status < 200 or head.status in (204, 304):
            return b""
        if codings:
            assert codings == ["chunked"], head
            assert head.version == "HTTP/1.1", head
            return b"".join(iter(self._chunk, b""))
        if lengths:
            return self._take(int(lengths[0]))
        return self._rest()

    def _chunk(self) -> bytes:
        size = int(self._until(b"\r\n"), 16)
        data = self._take(size)
        assert self._take(2) == b"\r\n"
        return data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._held:
            assert self._more(), f"the connection ended in {self._held!r}"
        found, _, self._held = self._held.partition(mark)
        return found

    def _take(self, size: int) -> bytes:
        while len(self._held) < size:
            assert self._more(), f"the connection ended {size - len(self._held)} bytes before the end of a body"
        found, self._held = self._held[:size], self._held[size:]
        return found

    def _rest(self) -> bytes:
        while self._more():
            pass
        found, self._held = self._held, b""
        return found

    def _more(self) -> bool:
        try:
            data = self._socket.recv(256 * 1024)
        except TimeoutError:
            raise AssertionError(f"nothing came for {PATIENCE:g} s behind {self._held!r}") from None
        except (ConnectionError, ssl.SSLEOFError):
            return False
        self._held += data
        return bool(data)

    def is_over(self) -> bool:
        """Whether the server closes rather than to send more."""
        return not self._held and not self._more()

    def ended(self) -> bytes:
        """What comes until the server closes; the client sends no more."""
        self.end()
        return self._rest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._half.close()
        self._socket.close()


def unread(client: int, server: int) -> int:
    """Bytes that have arrived at a server and are not read by it (`rx_queue` of proc(5))."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if int(local[9:], 16) == server and int(remote[9:], 16) == client:
            return int(queues[9:], 16)
    return 0
