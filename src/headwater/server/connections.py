"""uvicorn's HTTP protocol with limits on a request's head: its size, and the time it may take.

uvicorn 0.54 has neither: a connection that sends nothing, or one header a minute, is kept for ever (`slowhttptest -H`).
Bodies are limited in `asgi.bodies`, where every server needs it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from headwater.errors import BadRequest, HeadersTooLarge, HeadwaterError, RequestTimeout, TooManyConnections
from headwater.hub import Limits, Stats
from headwater.protocol.responses import failed
from headwater.server.lingering import LingeringProtocol

#: The parser takes no more at once: of the smallest requests some hundred, which are kept until they are answered.
SLICE_BYTES: Final = 16 * 1024


class PatientFlow(FlowControl):
    """uvicorn's flow control, which can also hold: the `receive` of every application resumes reading."""

    held = False

    def hold(self) -> None:
        """Read no more."""
        self.held = True
        self.pause_reading()

    def let_go(self) -> None:
        """Read on."""
        self.held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        """Read on, unless held."""
        if not self.held:
            super().resume_reading()


class LimitedProtocol(LingeringProtocol):
    """One connection. Subclassed by `limited_protocol`, which sets the limits.

    Attributes:
        max_connections: at the same time; one more is told so and closed.
        max_header_bytes: request line and headers.
        head_seconds: time for them to arrive.
        stats: where refused connections are counted, too.
        admitted: it was let in at the door, and is not counted again.
    """

    max_connections: int
    max_header_bytes: int
    head_seconds: float
    admitted = False
    flow: PatientFlow

    #: Bytes of the head that the parser has told of, and that came.
    _counted = 0
    _arrived = 0
    _in_head = True
    #: What was read behind the requests under way, not parsed yet.
    _rest = b""
    #: A request ended within the data that is being parsed.
    _ended = False
    _timer: asyncio.TimerHandle | None = None
    _refusal: HeadwaterError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is due from here."""
        super().connection_made(transport)
        self.flow = PatientFlow(transport)
        if not self.admitted and len(self.connections) + self.stats.pushed > self.max_connections:
            self._refuse(TooManyConnections(f"there are max_connections={self.max_connections} connections already"))
            return
        self._start_timer(self.head_seconds, "head")

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the timer go."""
        self._stop_timer()
        self._rest = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser in slices; what is left when requests queue up waits for them, and no more is read."""
        if self.throw_away(len(data)):
            return
        if self._rest:
            self._rest += data
            return
        start = 0
        while start < len(data) and not self.is_closing:
            if self.pipeline:
                self._rest = data[start:]
                break
            self._feed(data[start : start + SLICE_BYTES])
            start += SLICE_BYTES
        if self.pipeline:
            self.flow.hold()

    def _feed(self, data: bytes) -> None:
        """Feed the parser, and count what belongs to an unfinished head."""
        self._ended = False
        super().data_received(data)
        if self._in_head and self.parser is not None:
            if self._timer is None:
                self._start_timer(self.head_seconds, "head")
            # Behind the end of another request not all of the data is this one's; the next data will be.
            if not self._ended:
                self._arrived += len(data)
            if self._arrived > self.max_header_bytes:
                self._refuse(self._too_large())

    def on_response_complete(self) -> None:
        """An answer is written. Unlike uvicorn, read no more while there are requests that were read already."""
        super().on_response_complete()
        if self.flow.held and not self.pipeline and not self.is_closing:
            self._take_rest()

    def _take_rest(self) -> None:
        """Read on; first what was read before, in another turn of the loop."""
        if self._rest:
            self.loop.call_soon(self._go_on)
        else:
            self.flow.let_go()

    def _go_on(self) -> None:
        rest, self._rest = self._rest, b""
        if not self.is_closing:
            self.flow.let_go()
            self.data_received(rest)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True
        self._counted = self._arrived = 0

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
        self._counted = self._arrived = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is there."""
        self._ended = True
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._counted += size
        if self._counted > self.max_header_bytes:
            self._refusal = self._too_large()
            raise self._refusal  # ends the parser's run; `send_400_response` answers

    def _too_large(self) -> HeadersTooLarge:
        return HeadersTooLarge(f"the head is larger than max_header_bytes={self.max_header_bytes}")

    def _start_timer(self, seconds: float, what: str) -> None:
        self._timer = self.loop.call_later(seconds, self._timed_out, seconds, what)

    def was_silent(self, seconds: float) -> None:
        """The connection was made so long before `connection_made`: there is less time for the first head."""
        if self._timer is not None:
            self._stop_timer()
            left = max(0.0, self.head_seconds - seconds)
            self._timer = self.loop.call_later(left, self._timed_out, self.head_seconds, "head")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _timed_out(self, seconds: float, what: str) -> None:
        self._timer = None
        self._refuse(RequestTimeout(f"the {what} did not arrive within {what}_seconds={seconds:g}"))

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser could not take."""
        self._refuse(self._refusal or BadRequest("the request is not valid HTTP/1.1"))

    def _refuse(self, error: HeadwaterError) -> None:
        """Answer with the problem and close; behind an answer under way, just close."""
        if self.is_closing:
            return
        self.stats.errors[error.code] += 1
        answers = self.cycle is None or self.cycle.response_complete
        if answers:
            answer = failed(error)
            head = [STATUS_LINE[answer.status]]
            head += [name + b": " + value + b"\r\n" for name, value in answer.headers]
            head.append(b"content-length: %d\r\nconnection: close\r\n\r\n" % len(answer.body))
            self.transport.write(b"".join(head) + answer.body)
        # A connection too many, and one that is silent in its head, are not kept a moment longer: others need the room.
        if (
            answers
            and not isinstance(error, TooManyConnections)
            and not (self._in_head and isinstance(error, RequestTimeout))
        ):
            self.linger()
        else:
            self.transport.close()


def limited_protocol(
    stats: Stats, limits: Limits, *, max_connections: int, max_header_bytes: int, head_seconds: float
) -> type[LimitedProtocol]:
    """The protocol class with its limits, for `uvicorn.Config(http=…)`."""
    fields: dict[str, Any] = {
        "linger_bytes": limits.linger_bytes,
        "linger_seconds": limits.linger_seconds,
        "max_connections": max_connections,
        "max_header_bytes": max_header_bytes,
        "head_seconds": head_seconds,
        "stats": stats,
    }
    return type("ConfiguredProtocol", (LimitedProtocol,), fields)
