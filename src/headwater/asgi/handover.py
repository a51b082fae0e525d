"""The handover: a live answer leaves uvicorn's objects and its task behind, and keeps the transport.

After the application has parsed, checked and answered the head, what remains is bytes to a socket. So uvicorn's
protocol, its request cycle, the task and the request's scope are let go, and the transport gets a protocol of ours. An
idle reader costs a transport, a sink and a subscription, and a delivery one write to its socket.

What is needed of uvicorn (0.50 to 0.5x) is checked on each request: `send` is the bound method of a request cycle
with `transport`, `on_response` (bound to the connection's protocol) and a chunked answer under way. Middleware that
wraps `send`, but for Starlette's own, another server or another uvicorn fails the check, and sink.py serves the
reader.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Any, Final

from headwater.asgi.types import Send
from headwater.hub import Limits
from headwater.hub.audience import Audience
from headwater.hub.sinks import SinkOwner

#: Bytes a client may send behind its request before it is cut: it has nothing to say, but a few may be on the way.
MAX_UNASKED: Final = 16 * 1024

#: `struct linger` with no time: a close drops what is unsent and sends a reset.
_RESET: Final = struct.pack("ii", 1, 0)

#: Modules whose wrappers of `send` let body messages through untouched (Starlette 0.40 to 1.x).
_TRANSPARENT: Final = frozenset({"starlette.middleware.errors", "starlette._exception_handler"})
_DEPTH: Final = 16
_CYCLE: Final = ("transport", "on_response", "response_started", "response_complete", "chunked_encoding", "flow")
_PROTOCOL: Final = ("connections", "cycle", "flow", "pipeline", "transport", "_unset_keepalive_if_required")


#: Transports that put bytes on a socket as they are, close it after `connection_lost`, and write at once what fits.
_PLAIN: Final = frozenset(
    {
        ("uvloop.loop", "TCPTransport"),
        ("uvloop.loop", "UnixTransport"),
        ("asyncio.selector_events", "_SelectorSocketTransport"),
    }
)


class TransportSink(asyncio.Protocol):
    """A sink on an asyncio transport; made by `take_over`."""

    __slots__ = ("_owner", "_stats", "_transport", "_unasked", "descriptor")

    def __init__(self, transport: asyncio.Transport, audience: Audience) -> None:
        self._transport = transport
        self._stats = audience.stats
        sock = transport.get_extra_info("socket")
        self.descriptor = descriptor_of(transport, sock)
        self._owner: SinkOwner | None = None
        self._unasked = 0
        transport.set_write_buffer_limits(high=audience.limits.buffer_bytes)
        restrain(sock, audience.limits)

    def attach(self, owner: SinkOwner) -> None:
        """See `Sink.attach`; the transport tells this object from now on."""
        self._owner = owner
        self._stats.pushed += 1
        self._transport.set_protocol(self)
        self._transport.resume_reading()
        if self._transport.is_closing():
            asyncio.get_running_loop().call_soon(self.connection_lost, None)

    def write(self, data: bytes | memoryview) -> None:
        """See `Sink.write`."""
        self._transport.write(data)

    def held(self) -> int:
        """See `Sink.held`."""
        return self._transport.get_write_buffer_size()

    def finish(self) -> None:
        """See `Sink.finish`."""
        self._transport.close()

    def abort(self) -> None:
        """See `Sink.abort`; what the kernel holds is dropped too, and the peer sees a reset and no end."""
        with contextlib.suppress(OSError, AttributeError):
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """A client has nothing to say any more."""
        self._unasked += len(data)
        if self._unasked > MAX_UNASKED:
            self._stats.unasked += 1
            self.abort()

    def eof_received(self) -> bool:
        """Half-closed is closed: a client that reads keeps its side open."""
        return False

    def pause_writing(self) -> None:
        """The transport holds its high-water mark or more."""
        if self._owner is not None:
            self._owner.paused()

    def resume_writing(self) -> None:
        """The transport has drained."""
        if self._owner is not None:
            self._owner.resumed()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        owner, self._owner = self._owner, None
        if owner is not None:
            self._stats.pushed -= 1
            owner.lost()


def restrain(sock: Any, limits: Limits) -> None:
    """Have the kernel hold little for a reader, and give up a peer that takes nothing.

    `TCP_NOTSENT_LOWAT` and not `SO_SNDBUF`: a small send buffer bounds what is on its way too, and a reader far away
    or on the loopback interface is then hundreds of times slower; what is not sent yet is what a stalled reader costs.

    Args:
        sock: what the transport calls its socket; other than TCP is left as it is.
        limits: `kernel_bytes` and `write_seconds` count.
    """
    options = [
        (getattr(socket, "TCP_NOTSENT_LOWAT", None), limits.kernel_bytes),
        (getattr(socket, "TCP_USER_TIMEOUT", None), int(limits.write_seconds * 1000)),
    ]
    with contextlib.suppress(OSError, AttributeError):
        # Of a socket's own, uvloop's stand-in would make a new object, and ask the system for its family, each time.
        raw = socket.socket(sock.family, sock.type, sock.proto, fileno=sock.fileno())
        try:
            for option, value in options:
                if option is not None:
                    raw.setsockopt(socket.IPPROTO_TCP, option, min(max(1, value), 2**31 - 1))
        finally:
            raw.detach()


def descriptor_of(transport: asyncio.Transport, sock: Any) -> int | None:
    """The socket below a plain transport; None: bytes are changed on the way (TLS), or nothing is known of it.

    Args:
        transport: of a connection.
        sock: what it calls its socket.
    """
    kind = type(transport)
    if (kind.__module__, kind.__qualname__) not in _PLAIN:
        return None
    return int(sock.fileno())


def unwrap(send: Send) -> Send:
    """The server's own `send` below Starlette's and FastAPI's, which only note that the answer has begun.

    Middleware of others is left in place: it may change the body.
    """
    for _ in range(_DEPTH):
        if getattr(send, "__module__", None) not in _TRANSPARENT:
            break
        cells = dict(zip(send.__code__.co_freevars, send.__closure__ or (), strict=False))
        if "send" not in cells:
            break
        send = cells["send"].cell_contents
    return send


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


def take_over(send: Send, audience: Audience) -> TransportSink:
    """Take the transport of a request whose chunked head is sent; uvicorn forgets the connection.

    Args:
        send: of a request for which `can_take_over` holds.
        audience: whose reader it becomes; its limits hold for the connection.
    """
    cycle: Any = send.__self__  # type: ignore[attr-defined]
    protocol: Any = cycle.on_response.__self__
    transport: asyncio.Transport = cycle.transport
    sink = TransportSink(transport, audience)
    # For uvicorn the answer is complete: it waits for nothing, logs nothing, and does not reuse the connection.
    cycle.response_complete = True
    protocol._unset_keepalive_if_required()
    protocol.connections.discard(protocol)
    protocol.cycle = None
    if hasattr(protocol, "parser"):
        # It holds the protocol in turn: without this all of it would stay until the next search for cycles.
        protocol.parser = None
    return sink


def chunk(data: bytes) -> bytes:
    """Bytes as one chunk of HTTP/1.1 (RFC 9112 section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


#: The chunk that ends a body.
LAST_CHUNK: Final = b"0\r\n\r\n"
