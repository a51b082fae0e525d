"""uvicorn's HTTP protocol, which lingers: what comes of a request behind its answer is read and thrown away.

A connection that is closed with unread data is reset, and a reset destroys the answer on its way: a proxy that is still
sending a body that is too large would say 502, and a browser that the network failed. So this side is closed, and the
other is read until its client has seen that (RFC 9112 section 9.6).

Rule: both have a limit, `linger_bytes` and `linger_seconds`, also where the connection goes on behind the request.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from headwater.asgi.app import LINGERING
from headwater.hub import Stats


class UnreadTransport:
    """What uvicorn's request cycle needs of a transport, until the request is read to its end: a close lingers.

    Args:
        protocol: of the connection.
    """

    __slots__ = ("_protocol",)

    def __init__(self, protocol: LingeringProtocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        """Pass it on."""
        self._protocol.transport.write(data)

    def is_closing(self) -> bool:
        """Nothing can be written any more."""
        return self._protocol.is_closing

    def close(self) -> None:
        """The answer is written."""
        self._protocol.linger()


class LingeringProtocol(HttpToolsProtocol):
    """One connection. Subclassed with its limits.

    Attributes:
        linger_bytes: of a request behind its answer.
        linger_seconds: time for them.
        stats: where connections that were cut are counted.
        lingers: the last answer is written, and this side of the connection is closed.
    """

    linger_bytes: int
    linger_seconds: float
    stats: Stats
    lingers = False

    #: The parser is in a request's body.
    _in_body = False
    #: Bytes that may still come behind the answer; None: the request is whole, or not answered.
    _left: int | None = None
    _deadline: asyncio.TimerHandle | None = None

    @property
    def is_closing(self) -> bool:
        """Nothing is read as a request any more, and nothing can be written."""
        return self.lingers or self.transport.is_closing()

    def linger(self) -> None:
        """Close this side behind the last answer, and throw away what comes until the client closes its own."""
        if self.is_closing:
            return
        if self.transport.can_write_eof():  # not with TLS
            self.transport.write_eof()
        self.lingers = True
        self._unset_keepalive_if_required()
        self._begin_to_linger()
        self.transport.resume_reading()

    def throw_away(self, size: int) -> bool:
        """Whether bytes that came are for nobody; the others go to the parser, which may find the request's end."""
        if self._left is None:
            return False
        self._left -= size
        if self._left < 0:
            self._cut()
        return self.is_closing

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what holds this object."""
        self._end_lingering()
        if self._in_body:
            self.cycle.transport = self.transport
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)["extensions"] = {LINGERING: {}}

    def on_headers_complete(self) -> None:
        """The head is there."""
        super().on_headers_complete()
        self._in_body = True
        self.cycle.transport = cast("Any", UnreadTransport(self))

    def on_message_complete(self) -> None:
        """A request is there."""
        self._in_body = False
        self.cycle.transport = self.transport
        if self._left is not None:
            # Its answer is written; now the client may be silent until the next one.
            self._end_lingering()
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is written, maybe before the end of its request."""
        if self.lingers:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self._in_body and self.cycle.response_complete and not self.is_closing:
            self._begin_to_linger()

    def _begin_to_linger(self) -> None:
        self._end_lingering()
        self._left = self.linger_bytes
        self._deadline = self.loop.call_later(self.linger_seconds, self._cut)

    def _end_lingering(self) -> None:
        self._left = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        self._end_lingering()
        self.stats.linger_cuts += 1
        self.transport.close()
