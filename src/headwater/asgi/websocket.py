"""One ASGI connection of the scope `websocket` as an exchange, for hubs that are mounted.

Under uvicorn the connection is taken over behind the handshake, as live responses are. Elsewhere messages go through
`send` and `receive`.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, ClassVar

from headwater.asgi.exchange import request_of
from headwater.asgi.message_sink import MessageSendSink
from headwater.asgi.starlette import unwrap
from headwater.asgi.types import Receive, Scope, Send
from headwater.asgi.uvicorn import UvicornWebSocket, uvicorn_websocket
from headwater.errors import HeadwaterError
from headwater.http.exchange import BodyDone, Exchange, Opening, Streamed, Upgrade, Work
from headwater.http.request import Request
from headwater.http.service import Service
from headwater.protocol.responses import Answer

#: Whether a server takes a whole response in place of the handshake (ASGI extension "WebSocket Denial Response").
_DENIAL = "websocket.http.response"


async def serve_websocket(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection (ASGI 3.0, scope `websocket`)."""
    await receive()  # websocket.connect
    exchange = AsgiWebSocket(service, request_of(scope), scope, receive, send)
    work = service.begin(exchange)
    if work is not None:
        await work
    await exchange.finish()


class AsgiWebSocket(Exchange):
    """See `Exchange`.

    Args:
        service: behind it.
        request: its head.
        scope: ASGI's.
        receive: ASGI's; the connection was told.
        send: ASGI's.
    """

    __slots__ = ("_answer", "_receive", "_scope", "_send", "_service")

    has_key: ClassVar[bool] = False

    def __init__(self, service: Service, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        self.request = request
        self.extra = []
        self.may_be_cancelled = self.is_live = False
        self.credential = None
        self._service = service
        self._scope = scope
        self._receive = receive
        self._send = send
        self._answer: Answer | None = None

    @property
    def client(self) -> tuple[str, int] | None:
        """See `Exchange.client`."""
        client = self._scope.get("client")
        return (client[0], client[1]) if client else None

    @property
    def scheme(self) -> str:
        """See `Exchange.scheme`."""
        return "https" if self._scope.get("scheme") == "wss" else "http"

    @property
    def scope(self) -> MutableMapping[str, Any]:
        """See `Exchange.scope`."""
        return self._scope

    @property
    def is_asked(self) -> bool:
        """See `Exchange.is_asked`."""
        return True

    @property
    def is_websocket(self) -> bool:
        """See `Exchange.is_websocket`."""
        return True

    def read_body(self, done: BodyDone) -> Work | None:
        """See `Exchange.read_body`; there is none."""
        done(b"")
        return None

    def respond(self, answer: Answer) -> None:
        """See `Exchange.respond`: the handshake is refused."""
        self._answer = answer

    def stream(self, streamed: Streamed) -> Work:
        """See `Exchange.stream`; of a WebSocket there is none."""
        raise HeadwaterError("a WebSocket has no body")

    def push(self, opening: Opening) -> Work | None:
        """See `Exchange.push`; of a WebSocket there is none."""
        raise HeadwaterError("a WebSocket has no body")

    def upgrade(self, upgrade: Upgrade, accept: bytes) -> Work:
        """See `Exchange.upgrade`."""
        return self._upgrade(upgrade)

    async def _upgrade(self, upgrade: Upgrade) -> None:
        taken = uvicorn_websocket(unwrap(self._send))
        if taken is not None:
            taken.agree(upgrade.deflate)
        accept = {"type": "websocket.accept", "subprotocol": upgrade.subprotocol or None, "headers": self.extra}
        await self._send(accept)
        if taken is not None and taken.is_open:
            self._take_over(taken, upgrade)
            return
        # Frames are the server's own here, and so is whether it compresses them.
        sink = MessageSendSink(self._service.hub.runtime)
        await sink.pass_messages(upgrade.open(self, sink, None), self._receive, self._send)

    def _take_over(self, taken: UvicornWebSocket, upgrade: Upgrade) -> None:
        # Needs a library of its own, which uvicorn has loaded already.
        from headwater.http.websocket.sink import InflatingSink, MessageSink

        service = self._service
        taken.release()
        runtime, intake, most, deflate = service.hub.runtime, service.intake, upgrade.max_bytes, upgrade.deflate
        if deflate is None:
            sink = MessageSink(taken.transport, runtime, intake, most)
        else:
            sink = InflatingSink(taken.transport, runtime, intake, most, False, deflate)
        sink.begin(upgrade.open(self, sink, deflate), b"")

    async def finish(self) -> None:
        """Refuse the handshake, if it was."""
        answer = self._answer
        if answer is None:
            return
        if _DENIAL in self._scope.get("extensions", {}):
            headers = [*answer.headers, *self.extra]
            await self._send({"type": f"{_DENIAL}.start", "status": answer.status, "headers": headers})
            await self._send({"type": f"{_DENIAL}.body", "body": answer.body})
        else:
            await self._send({"type": "websocket.close"})
