"""uvicorn's HTTP protocol with limits on a request's head: its size, and the time it may take.

uvicorn 0.54 has neither: a connection that sends nothing, or one header a minute, is kept for ever (`slowhttptest -H`).
Bodies are limited in `asgi.bodies`, where every server needs it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from headwater.errors import BadRequest, HeadersTooLarge, HeadwaterError, RequestTimeout
from headwater.hub import Stats
from headwater.protocol.responses import failed


class LimitedProtocol(HttpToolsProtocol):
    """One connection. Subclassed by `limited_protocol`, which sets the limits.

    Attributes:
        max_header_bytes: request line and headers.
        head_seconds: time for them to arrive.
        stats: where refused connections are counted.
    """

    max_header_bytes: int
    head_seconds: float
    stats: Stats

    _head_size = 0
    _in_head = True
    _head_timer: asyncio.TimerHandle | None = None
    _refusal: HeadwaterError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is due from here."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the timer go."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and count what belongs to an unfinished head."""
        size_before = self._head_size
        super().data_received(data)
        if self._in_head and self.parser is not None:
            self._head_size = max(self._head_size, size_before + len(data))
            if self._head_size > self.max_header_bytes:
                self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0
        if self._head_timer is None:
            self._start_head_timer()

    def on_url(self, url: bytes) -> None:
        """A piece of the request line."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header."""
        super().on_header(name, value)
        self._count(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        self._head_size = 0
        self._stop_head_timer()
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self.max_header_bytes:
            self._refusal = self._too_large()
            raise self._refusal  # ends the parser's run; `send_400_response` answers

    def _too_large(self) -> HeadersTooLarge:
        return HeadersTooLarge(f"the head is larger than max_header_bytes={self.max_header_bytes}")

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self._head_timed_out)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_timed_out(self) -> None:
        self._head_timer = None
        self._refuse(RequestTimeout(f"the head did not arrive within head_seconds={self.head_seconds:g}"))

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser could not take."""
        self._refuse(self._refusal or BadRequest("the request is not valid HTTP/1.1"))

    def _refuse(self, error: HeadwaterError) -> None:
        """Answer with the problem and close; behind an answer under way, just close."""
        if self.transport.is_closing():
            return
        self.stats.errors[error.code] += 1
        if self.cycle is None or self.cycle.response_complete:
            answer = failed(error)
            head = [STATUS_LINE[answer.status]]
            head += [name + b": " + value + b"\r\n" for name, value in answer.headers]
            head.append(b"content-length: %d\r\nconnection: close\r\n\r\n" % len(answer.body))
            self.transport.write(b"".join(head) + answer.body)
        self.transport.close()


def limited_protocol(max_header_bytes: int, head_seconds: float, stats: Stats) -> type[LimitedProtocol]:
    """The protocol class with its limits, for `uvicorn.Config(http=…)`."""
    fields: dict[str, Any] = {
        "max_header_bytes": max_header_bytes,
        "head_seconds": head_seconds,
        "stats": stats,
    }
    return type("ConfiguredProtocol", (LimitedProtocol,), fields)
