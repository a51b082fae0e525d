"""What is known of uvicorn's inside, and nothing else knows: its connections, its request cycles, its way to stop.

A live response leaves uvicorn's objects and its task behind, and keeps the transport: once the head is sent, what
remains is bytes to a socket (`take_over`).

What is needed of uvicorn (0.50 to 0.5x) is checked on each request: `send` is the bound method of a request cycle
with `transport`, `on_response` (bound to the connection's protocol) and a chunked response under way. Middleware that
wraps `send`, but for Starlette's own, another server or another uvicorn fails the check, and send_sink.py serves the
reader.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any, Final

from headwater.asgi.starlette import unwrap
from headwater.asgi.types import Message, Send
from headwater.http.socket_sink import TransportSink
from headwater.hub.live.runtime import Runtime
from headwater.protocol.websocket.agreed import Deflate

_CYCLE: Final = ("transport", "on_response", "response_started", "response_complete", "chunked_encoding", "flow")
_PROTOCOL: Final = ("connections", "cycle", "flow", "pipeline", "transport", "_unset_keepalive_if_required")
_WEBSOCKET: Final = (
    "close_sent",
    "conn",
    "connections",
    "handshake_complete",
    "queue",
    "response",
    "stop_keepalive",
    "transport",
)
#: Seconds between two looks for a stop; uvicorn itself looks every 0.1 s.
LOOK_SECONDS: Final = 0.2
#: Bytes in a body that has no end of its own: more than any.
_ENDLESS: Final = 2**63 - 1


def is_gone(send: Send) -> bool:
    """Whether the connection under a request is closed already; noted in its cycle, so that uvicorn logs no mistake.

    uvicorn (0.54) notes it itself in the last request of a connection only, and at the end of the loop's turn; until
    then its `send`, and whatever else uses the transport, fails (uvloop: `RuntimeError`).
    """
    cycle = getattr(unwrap(send), "__self__", None)
    transport = getattr(cycle, "transport", None)
    if cycle is None or transport is None or not hasattr(cycle, "disconnected") or not transport.is_closing():
        return False
    cycle.disconnected = True
    return True


def can_take_over(send: Send) -> bool:
    """Whether this request's connection can be handed over, once its head is answered; `send` is unwrapped."""
    cycle = getattr(send, "__self__", None)
    protocol = getattr(getattr(cycle, "on_response", None), "__self__", None)
    return (
        cycle is not None
        and protocol is not None
        and all(hasattr(cycle, name) for name in _CYCLE)
        and all(hasattr(protocol, name) for name in _PROTOCOL)
        and protocol.cycle is cycle
        and protocol.transport is cycle.transport
        and not protocol.pipeline
        and not cycle.response_complete
    )


class UvicornRequest:
    """What is needed of a request under way under uvicorn, whose connection uvicorn keeps; see `uvicorn_request`.

    Attributes:
        transport: of the connection.
    """

    def __init__(self, cycle: Any, transport: asyncio.Transport) -> None:
        self._cycle = cycle
        self.transport = transport

    async def drained(self) -> None:
        """Wait until the transport would take more, or the client is gone."""
        if self._cycle.flow.write_paused:
            await self._cycle.flow.drain()

    def begin_unframed(self) -> None:
        """Before the head: no chunks and no length follow, as in HTTP/1.0; the end of the connection ends the body."""
        self._cycle.chunked_encoding = False
        self._cycle.expected_content_length = _ENDLESS

    def end_unframed(self) -> None:
        """Before the end of such a body."""
        self._cycle.expected_content_length = 0

    def forget(self) -> None:
        """The response was cut: for uvicorn it is complete, so that it waits for nothing and logs nothing."""
        self._cycle.response_complete = True


def uvicorn_request(send: Send) -> UvicornRequest | None:
    """The request behind a `send` of uvicorn, unwrapped; None: it is none."""
    cycle: Any = getattr(send, "__self__", None)
    protocol = getattr(getattr(cycle, "on_response", None), "__self__", None)
    if protocol is None or not all(hasattr(cycle, name) for name in (*_CYCLE, "expected_content_length")):
        return None
    transport = getattr(protocol, "transport", None)
    return None if transport is None else UvicornRequest(cycle, transport)


class UnframedSend:
    """A `send` of uvicorn for HTTP/1.0, to which uvicorn would send chunks.

    Args:
        send: the application's.
        request: the one below it.
    """

    def __init__(self, send: Send, request: UvicornRequest) -> None:
        self._send = send
        self._request = request
        self._open = False

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            has_length = any(name.lower() == b"content-length" for name, _ in message.get("headers", ()))
            self._open = not has_length and message["status"] not in (204, 304)
            if self._open:
                self._request.begin_unframed()
        elif self._open and not message.get("more_body", False):
            self._request.end_unframed()
        await self._send(message)


def unframed_send(send: Send, version: str) -> Send:
    """The same `send`, which sends no chunks to HTTP/1.0.

    Args:
        send: of a request.
        version: of its HTTP.
    """
    request = uvicorn_request(unwrap(send)) if version == "1.0" else None
    return send if request is None else UnframedSend(send, request)


def take_over(send: Send, runtime: Runtime) -> TransportSink:
    """Take the transport of a request whose chunked head is sent; uvicorn forgets the connection.

    Args:
        send: of a request for which `can_take_over` holds.
        runtime: whose reader it becomes; its limits hold for the connection.
    """
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    protocol: Any = cycle.on_response.__self__
    transport: asyncio.Transport = cycle.transport
    sink = TransportSink(transport, runtime)
    # For uvicorn the answer is complete: it waits for nothing, logs nothing, and does not reuse the connection.
    cycle.response_complete = True
    if getattr(protocol, "half_closed", False):
        transport.close()
    protocol._unset_keepalive_if_required()
    protocol.connections.discard(protocol)
    protocol.cycle = None
    if hasattr(protocol, "parser"):
        # It holds the protocol in turn: without this all of it would stay until the next search for cycles.
        protocol.parser = None
    return sink


class UvicornWebSocket:
    """A WebSocket of uvicorn whose handshake is about to be answered; see `uvicorn_websocket`.

    Attributes:
        transport: of the connection.
    """

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self.transport: asyncio.Transport = protocol.transport

    @property
    def is_open(self) -> bool:
        """Whether the handshake is answered, and nothing came meanwhile that uvicorn has parsed."""
        protocol = self._protocol
        return bool(
            protocol.handshake_complete
            and not protocol.close_sent
            and not self.transport.is_closing()
            and protocol.queue.empty()
            and not protocol.conn.reader.buffer
            and protocol.conn.parser_exc is None
        )

    def agree(self, deflate: Deflate | None) -> None:
        """Before the answer: messages are compressed as was agreed on here, and not as uvicorn would have it."""
        headers, connection = self._protocol.response.headers, self._protocol.conn
        headers.pop("Sec-WebSocket-Extensions", None)
        connection.extensions = []
        if deflate is not None:
            # Needs the library of WebSockets, which uvicorn has loaded where it serves them.
            from headwater.protocol.websocket.deflate import inflater

            headers["Sec-WebSocket-Extensions"] = deflate.header.decode()
            # What comes before the connection is taken over, and all of it, if it cannot be.
            connection.extensions = [inflater(deflate)]

    def release(self) -> None:
        """Have uvicorn forget the connection."""
        protocol = self._protocol
        protocol.stop_keepalive()
        protocol.connections.discard(protocol)
        # When the application returns, uvicorn closes what it takes for the connection.
        protocol.transport = _Released()


class _Released:
    """Stands for a transport that belongs to another one now."""

    def close(self) -> None:
        """Nothing."""

    def is_closing(self) -> bool:
        """It is over for those who had it."""
        return True


def uvicorn_websocket(send: Send) -> UvicornWebSocket | None:
    """The WebSocket behind a `send` of uvicorn's implementation on `websockets`, unwrapped; None: it is none."""
    protocol = getattr(send, "__self__", None)
    if protocol is None or not all(hasattr(protocol, name) for name in _WEBSOCKET):
        return None
    return UvicornWebSocket(protocol)


def server_is_stopping() -> bool:
    """Whether a uvicorn that handles this process's SIGTERM was asked to exit; False under any other server."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return getattr(server, "should_exit", False) is True


async def call_when_stopping(drain: Callable[[], None]) -> None:
    """Call `drain` once the server was asked to exit.

    uvicorn (0.54) tells an application of a stop only after all its responses have ended, and by default waits for that
    for ever: an event stream that knows nothing of the stop would hold up every deploy. Its handler of SIGTERM is a
    method of the server object, which says whether it was asked to exit (the way sse-starlette found).
    """
    while not server_is_stopping():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(LOOK_SECONDS)
    drain()
