"""uvicorn's HTTP protocol with limits on a request's head, its size and the time it may take, and with the fast lane.

uvicorn 0.54 has neither: a connection that sends nothing, or one header a minute, is kept for ever (`slowhttptest -H`).
Bodies are limited in `asgi.bodies`, where every server needs it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from headwater.errors import BadRequest, HeadersTooLarge, HeadwaterError, RequestTimeout, TooManyConnections
from headwater.hub import Stats
from headwater.protocol.responses import Answer, failed
from headwater.server.fastlane import FastLane, Pending, to_bytes


class LimitedProtocol(HttpToolsProtocol):
    """One connection. Subclassed by `limited_protocol`, which sets the limits.

    Attributes:
        max_connections: at the same time; one more is told so and closed.
        max_header_bytes: request line and headers.
        head_seconds: time for them to arrive.
        body_seconds: time for the body of a request in the fast lane.
        stats: where refused connections are counted.
        lane: takes plain appends; None: everything goes through ASGI.
    """

    max_connections: int
    max_header_bytes: int
    head_seconds: float
    body_seconds: float
    stats: Stats
    lane: FastLane | None

    _pending: Pending | None = None
    _head_size = 0
    _in_head = True
    _timer: asyncio.TimerHandle | None = None
    _refusal: HeadwaterError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is due from here."""
        super().connection_made(transport)
        if len(self.connections) + self.stats.pushed > self.max_connections:
            self._refuse(TooManyConnections(f"there are max_connections={self.max_connections} connections already"))
            return
        self._start_timer(self.head_seconds, "head")

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the timer go."""
        self._stop_timer()
        if self._pending is not None:
            self._pending = None
            self.stats.disconnects += 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and count what belongs to an unfinished head."""
        size_before = self._head_size
        super().data_received(data)
        if self._pending is not None and self._timer is None:
            self._start_timer(self.body_seconds, "body")
        if self._in_head and self.parser is not None:
            if self._timer is None:
                self._start_timer(self.head_seconds, "head")
            self._head_size = max(self._head_size, size_before + len(data))
            if self._head_size > self.max_header_bytes:
                self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0

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
        self._stop_timer()
        if self.lane is not None and (self.cycle is None or self.cycle.response_complete):
            self._pending = self.lane.admit(self.parser.get_method(), self.url, self.headers)
            if self._pending is not None and self.parser.get_http_version() == "1.1":
                self.cycle = self._pending  # type: ignore[assignment]
                return
            self._pending = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        if self._pending is None:
            super().on_body(body)
        else:
            self._pending.body += body

    def on_message_complete(self) -> None:
        """A request is there."""
        pending, self._pending = self._pending, None
        if pending is None or self.lane is None:
            super().on_message_complete()
            return
        self._stop_timer()
        task = self.loop.create_task(self.lane.append(pending))
        self.tasks.add(task)  # type: ignore[arg-type]
        task.add_done_callback(partial(self._answer, pending))

    def _answer(self, pending: Pending, task: asyncio.Task[Answer]) -> None:
        self.tasks.discard(task)
        pending.response_complete = True
        if task.cancelled() or self.transport.is_closing():
            return
        answer = task.result()
        self.transport.write(to_bytes(answer, self.server_state.default_headers, keep_alive=pending.keep_alive))
        if not pending.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self.max_header_bytes:
            self._refusal = self._too_large()
            raise self._refusal  # ends the parser's run; `send_400_response` answers

    def _too_large(self) -> HeadersTooLarge:
        return HeadersTooLarge(f"the head is larger than max_header_bytes={self.max_header_bytes}")

    def _start_timer(self, seconds: float, what: str) -> None:
        self._timer = self.loop.call_later(seconds, self._timed_out, seconds, what)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _timed_out(self, seconds: float, what: str) -> None:
        self._timer = None
        if self._pending is not None:
            self._pending.response_complete = True
            self._pending = None
        self._refuse(RequestTimeout(f"the {what} did not arrive within {what}_seconds={seconds:g}"))

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


def limited_protocol(
    stats: Stats,
    *,
    max_connections: int,
    max_header_bytes: int,
    head_seconds: float,
    body_seconds: float,
    lane: FastLane | None = None,
) -> type[LimitedProtocol]:
    """The protocol class with its limits, for `uvicorn.Config(http=…)`."""
    fields: dict[str, Any] = {
        "max_connections": max_connections,
        "max_header_bytes": max_header_bytes,
        "head_seconds": head_seconds,
        "body_seconds": body_seconds,
        "stats": stats,
        "lane": lane,
    }
    return type("ConfiguredProtocol", (LimitedProtocol,), fields)
