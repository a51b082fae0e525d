"""A WebSocket on an ASGI server's `send` and `receive`, for servers that keep their connections.

Rule: frames are the server's own. What the hub made for all is taken apart into messages, one `send` each.
"""

from __future__ import annotations

import asyncio
import struct
import time
from typing import Final

from headwater.asgi.send_sink import SendSink
from headwater.asgi.types import Receive, Send
from headwater.http.duplex import Receiver
from headwater.hub.live.runtime import Runtime
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.closes import NO_CLOSE

_CODE_BYTES: Final = 2


class MessageSendSink(SendSink):
    """See `Duplex`.

    Args:
        runtime: of the hub.

    Attributes:
        partial_since: see `Duplex`; what is not whole is the server's to count.
    """

    __slots__ = ("_code", "_receiver", "_resumed", "partial_since", "unproven_bytes")

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime, None)
        self.partial_since = 0.0
        self.unproven_bytes = 0
        self._receiver: Receiver | None = None
        self._resumed: asyncio.Future[None] | None = None
        #: With which it ends, as far as it was told.
        self._code = NO_CLOSE

    @property
    def heard_at(self) -> float:
        """See `Duplex.heard_at`: servers ask by themselves whether a client is there, and end one that is not."""
        return time.monotonic()

    async def pass_messages(self, receiver: Receiver, receive: Receive, send: Send) -> None:
        """Take messages and send them, until one of the two ends.

        Args:
            receiver: takes the client's.
            receive: ASGI's.
            send: ASGI's.
        """
        self._receiver = receiver
        stats = self._runtime.stats
        stats.websockets += 1
        stats.websockets_total += 1
        try:
            await self.run(receive, send)
        finally:
            stats.websocket_ended(self._code)

    async def _deliver(self, send: Send, body: bytes) -> None:
        for first, payload in frames.split(body):
            if first == frames.TEXT:
                await send({"type": "websocket.send", "text": payload.decode()})
            elif first == frames.BINARY:
                await send({"type": "websocket.send", "bytes": payload})
            elif first == frames.CLOSE and self._code == NO_CLOSE:
                (code,) = struct.unpack("!H", payload[:_CODE_BYTES])
                self._code = code
                await send({"type": "websocket.close", "code": code, "reason": payload[_CODE_BYTES:].decode()})

    async def _watch(self, receive: Receive) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            if self._resumed is not None:
                await self._resumed
            text, receiver = message.get("text"), self._receiver
            if receiver is not None and not self._over:
                data = message.get("bytes") or b"" if text is None else text.encode()
                receiver.received([(data, text is not None)])
        if self._code == NO_CLOSE:
            self._code = message.get("code") or NO_CLOSE
        receiver, self._receiver = self._receiver, None
        if receiver is not None and not self._over:
            receiver.closing()
        self.abort()

    def finish(self) -> None:
        """See `Sink.finish`."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.closing()
        self.read_on()
        super().finish()

    def stop_reading(self) -> None:
        """See `Duplex.stop_reading`: the server keeps what it reads ahead, and no more."""
        if self._resumed is None:
            self._resumed = asyncio.get_running_loop().create_future()

    def read_on(self) -> None:
        """See `Duplex.read_on`."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None and not resumed.done():
            resumed.set_result(None)

    def ends_with(self, code: int) -> None:
        """See `Duplex.ends_with`; the frame is seen by itself."""

    def ping(self) -> None:
        """See `Duplex.ping`: the server's to do."""
