"""A socket's transport as a WebSocket: frames of the hub go out, messages of the client come in.

Rule 1: pings are answered at once, where the connection takes bytes; one that does not gets none, and is cut as any
        other that takes nothing.
Rule 2: whoever ends the connection, the other side's close frame is waited for, for `CLOSE_SECONDS`: a socket that is
        closed with unread data is reset, and a reset destroys what is on its way (RFC 6455 section 7.1.1).
Rule 3: what has come of a message that is not whole counts as a request's body does.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from headwater.errors import MessageTooLarge, TooManyBodies
from headwater.http.duplex import Receiver
from headwater.http.socket_sink import TransportSink
from headwater.hub.intake import Body, Intake
from headwater.hub.live.runtime import Runtime
from headwater.hub.wheel import Timer
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.agreed import Deflate
from headwater.protocol.websocket.assembly import (
    NO_CODE,
    TOO_BIG,
    Assembler,
    Broken,
    Closing,
    Event,
    Message,
    Ping,
    whole_messages,
)
from headwater.protocol.websocket.closes import NO_CLOSE, NORMAL

#: Seconds for a client to end its side.
CLOSE_SECONDS: Final = 2.0


class MessageSink(TransportSink):
    """See `Duplex`.

    Args:
        transport: of the connection.
        runtime: of the hub.
        intake: where what has come of messages counts.
        max_bytes: of a message.
        is_restrained: see `TransportSink`.
    """

    __slots__ = (
        "_assembler",
        "_body",
        "_code",
        "_intake",
        "_is_closing",
        "_linger",
        "_max_bytes",
        "_receiver",
        "_runtime",
        "heard_at",
        "partial_since",
        "unproven_bytes",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        runtime: Runtime,
        intake: Intake,
        max_bytes: int,
        is_restrained: bool = False,
    ) -> None:
        TransportSink.__init__(self, transport, runtime, is_restrained)  # `super` makes an object each time
        self._runtime = runtime
        self._intake = intake
        self._max_bytes = max_bytes
        #: Of a message that is not whole, or of what broke the protocol.
        self._assembler: Assembler | None = None
        self._receiver: Receiver | None = None
        self._body: Body | None = None
        self._is_closing = False
        self._linger: Timer | None = None
        #: With which it ends, as far as it was told.
        self._code = NO_CLOSE
        self.heard_at = time.monotonic()
        self.partial_since = 0.0
        self.unproven_bytes = 0

    def begin(self, receiver: Receiver, rest: bytes) -> None:
        """Give messages from now on.

        Args:
            receiver: takes them.
            rest: what came behind the request already.
        """
        self._receiver = receiver
        stats = self._stats
        stats.websockets += 1
        stats.websockets_total += 1
        if rest:
            self.data_received(rest)

    # From the transport.

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self.heard_at = time.monotonic()
        if self._assembler is None:
            messages, at = whole_messages(data, self._max_bytes)
            if messages:
                receiver = self._receiver
                if receiver is None or self._is_closing:
                    return  # what was on its way
                receiver.received(messages)
            if at == len(data):
                return
            data, self._assembler = data[at:] if at else data, self._new_assembler()
        self._assemble(self._assembler, data)

    def _new_assembler(self) -> Assembler:
        return Assembler(self._max_bytes)

    def _assemble(self, assembler: Assembler, data: bytes) -> None:
        is_whole = False
        for event in assembler.feed(data):
            is_whole = is_whole or isinstance(event, Message)
            self._take(event)
        if is_whole and self._body is not None:
            self._arrived()  # what is missing now is another message
        if self._body is not None or not assembler.is_between:
            self._count(assembler)
        if assembler.is_idle:
            self._assembler = None

    def _take(self, event: Event) -> None:
        receiver = self._receiver
        if isinstance(event, Closing):
            self._closed_by_client(event)
        elif isinstance(event, Broken) and self._is_closing:
            self._half_close()
        elif self._is_closing or receiver is None:
            return  # what was on its way
        elif isinstance(event, Message):
            receiver.received([(event.data, event.is_text)])
        elif isinstance(event, Ping):
            receiver.write(frames.frame(frames.PONG, event.payload))
        elif isinstance(event, Broken):
            self._fail(event.code, event.reason)

    def _closed_by_client(self, event: Closing) -> None:
        if self._code == NO_CLOSE:
            self._code = event.code
        if not self._is_closing:
            code = NORMAL if event.code == NO_CODE else event.code
            self._end(frames.close(code) if event.code != NO_CODE else frames.frame(frames.CLOSE, b""))
        self._is_closing = True
        self._close()

    def _fail(self, code: int, reason: str) -> None:
        if code == TOO_BIG:
            self._stats.errors[MessageTooLarge.code] += 1
        self._code = code
        if self._assembler is not None:
            self._assembler.drop()
        self._end(frames.close(code, reason))
        self.finish()
        self._half_close()

    def _half_close(self) -> None:
        """What comes now is no protocol, and has no close frame that could be waited for."""
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def _end(self, frame: bytes) -> None:
        """Write the last frame; nobody writes behind it."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.write(frame)
            self._is_closing = True
            receiver.closing()

    # Messages that are not whole.

    def _count(self, assembler: Assembler) -> None:
        held, body = assembler.held, self._body
        if assembler.is_between:
            self._arrived()
            return
        self.partial_since = self.partial_since or self.heard_at
        if 0 < self.unproven_bytes < held:
            self._fail(TOO_BIG, "the first message is too large")
            return
        if body is None:
            peer = self._transport.get_extra_info("peername")
            body = self._body = self._intake.begin(peer[0] if isinstance(peer, tuple) and peer else None, self._shed)
        if held > body.size:
            self._intake.arrived(body, held - body.size)

    def _arrived(self) -> None:
        self.partial_since = 0.0
        body, self._body = self._body, None
        if body is not None:
            self._intake.end(body)

    def _shed(self) -> None:
        self._body = None
        self._stats.errors[TooManyBodies.code] += 1
        self._fail(TooManyBodies.ws_close, TooManyBodies.code)

    # From the hub.

    def stop_reading(self) -> None:
        """See `Duplex.stop_reading`."""
        if not self._is_closing:
            self._transport.pause_reading()

    def read_on(self) -> None:
        """See `Duplex.read_on`."""
        if not self._transport.is_closing():
            # It may have been there all the time.
            self.heard_at = time.monotonic()
            self.partial_since = self.partial_since and self.heard_at
            self._transport.resume_reading()

    def ends_with(self, code: int) -> None:
        """See `Duplex.ends_with`."""
        if self._code == NO_CLOSE:
            self._code = code

    def ping(self) -> None:
        """See `Duplex.ping`."""
        if self._receiver is not None:
            self._receiver.write(frames.frame(frames.PING, b""))

    def finish(self) -> None:
        """See `Sink.finish`; the last frame is a close frame, and the client's own is waited for."""
        if self._transport.is_closing() or self._linger is not None:
            return
        self._is_closing = True
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.closing()
        self.read_on()
        self._linger = self._runtime.timers.after(CLOSE_SECONDS, self._close)

    def _close(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        if self._body is not None:
            self._intake.end(self._body)
            self._body = None
        # What a session is part of may be a circle, which is found much later.
        self._receiver = self._assembler = None
        if self._code:
            self._stats.websocket_ended(self._code)
            self._code = 0
        super().connection_lost(error)


class InflatingSink(MessageSink):
    """The same of a client whose messages may be compressed; `deflate` is what was agreed on."""

    __slots__ = ("_deflate",)

    def __init__(
        self,
        transport: asyncio.Transport,
        runtime: Runtime,
        intake: Intake,
        max_bytes: int,
        is_restrained: bool,
        deflate: Deflate,
    ) -> None:
        super().__init__(transport, runtime, intake, max_bytes, is_restrained)
        self._deflate = deflate

    def _new_assembler(self) -> Assembler:
        return Assembler(self._max_bytes, self._deflate)
