"""Responses as bytes of HTTP/1 (RFC 9112)."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from headwater.protocol.responses import Answer, HeaderList

#: Begins a response, by its status.
STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
#: The chunk that ends a body.
LAST_CHUNK: Final = b"0\r\n\r\n"
#: Asks for a body (RFC 9110 section 10.1.1).
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
#: In a head: the body comes in chunks.
CHUNKED: Final = (b"transfer-encoding", b"chunked")
#: In a head: the connection ends with this response.
CLOSE: Final = (b"connection", b"close")

#: Statuses without a body, and without a word of its length.
_BODILESS: Final = (204, 304)


class Clock:
    """The `Date` of responses, made once a second.

    Attributes:
        second: of the date, since the Unix epoch; tells whether what was made of it still holds.
    """

    __slots__ = ("_begin", "_end", "_line", "second")

    def __init__(self) -> None:
        self.second = 0
        self._line = b""
        #: As numbers of the kind that `time` gives: each response asks.
        self._begin = self._end = 0.0

    def line(self) -> bytes:
        """The header line, with its end."""
        if not self._begin <= (now := time.time()) < self._end:
            self.second = second = int(now)
            self._begin, self._end = float(second), second + 1.0
            self._line = f"date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._line

    def holds(self, second: int) -> bool:
        """Whether it is still a second of which a line was given."""
        return second == self.second and self._begin <= time.time() < self._end


def head_bytes(status: int, date: bytes, *lists: HeaderList | tuple[tuple[bytes, bytes], ...]) -> bytes:
    """A response's head, with its empty line.

    Args:
        status: of HTTP.
        date: its line; empty: none.
        lists: of headers, one after the other.
    """
    parts = [STATUS_LINES[status] if status in STATUS_LINES else b"HTTP/1.1 %d \r\n" % status, date]
    for headers in lists:
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
    parts.append(b"\r\n")
    return b"".join(parts)


def response_bytes(
    answer: Answer, date: bytes, extra: HeaderList, *, head_only: bool = False, keep_alive: bool = True
) -> bytes:
    """A whole response.

    Args:
        answer: what to send.
        date: its line; empty: none.
        extra: further headers.
        head_only: to HEAD, which gets no body.
        keep_alive: the connection goes on.
    """
    framing: HeaderList = []
    body = b"" if head_only or answer.status in _BODILESS else answer.body
    if answer.status not in _BODILESS and not head_only:
        framing.append((b"content-length", b"%d" % len(body)))
    if not keep_alive:
        framing.append(CLOSE)
    return head_bytes(answer.status, date, answer.headers, extra, framing) + body


def chunk(data: bytes) -> bytes:
    """Bytes as one chunk of HTTP/1.1 (section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)
