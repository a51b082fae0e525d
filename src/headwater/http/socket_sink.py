"""A live reader's connection as a sink: the transport belongs to the hub from then on, and what precedes it is let go.

An idle reader costs a transport, a sink and a subscription, and a delivery one write to its socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Any, Final

from headwater.http.socket_options import give_up_after, restrain
from headwater.hub.live.fanout import put
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import SinkOwner
from headwater.hub.peers import address_of

#: Bytes a client may send behind its request before it is cut: it has nothing to say, but a few may be on the way.
MAX_UNASKED: Final = 16 * 1024

#: `struct linger` with no time: a close drops what is unsent and sends a reset.
_RESET: Final = struct.pack("ii", 1, 0)

#: Transports that put bytes on a socket as they are, close it after `connection_lost`, and write at once what fits.
_PLAIN: Final = frozenset(
    {
        ("uvloop.loop", "TCPTransport"),
        ("uvloop.loop", "UnixTransport"),
        ("asyncio.selector_events", "_SelectorSocketTransport"),
    }
)
#: Kinds of transports that were seen, and whether they are plain.
_known: Final[dict[type, bool]] = {}


class TransportSink(asyncio.Protocol):
    """A sink on an asyncio transport; what writes to it is the hub.

    Args:
        transport: of a connection.
        runtime: of the hub.
        is_restrained: its socket is, by the one that accepted it.
    """

    __slots__ = ("_begins_full", "_owner", "_stats", "_transport", "_unasked", "descriptor")

    def __init__(self, transport: asyncio.Transport, runtime: Runtime, is_restrained: bool = False) -> None:
        self._transport = transport
        self._stats = runtime.stats
        sock = transport.get_extra_info("socket")
        self.descriptor = descriptor_of(transport, sock)
        self._owner: SinkOwner | None = None
        self._unasked = 0
        high = runtime.limits.buffer_bytes
        transport.set_write_buffer_limits(high=high)
        #: Of earlier responses it holds that much already; it has told so, but not this object.
        self._begins_full = transport.get_write_buffer_size() > high
        if not is_restrained:
            restrain(sock, runtime.limits)

    def attach(self, owner: SinkOwner) -> None:
        """See `Sink.attach`; the transport tells this object from now on."""
        self._owner = owner
        self._stats.pushed += 1
        transport = self._transport
        transport.set_protocol(self)
        transport.resume_reading()
        if transport.is_closing():
            asyncio.get_running_loop().call_soon(self.connection_lost, None)

    def write_first(self, data: bytes) -> None:
        """Write before an owner is attached: past the transport, where that holds nothing."""
        transport, descriptor = self._transport, self.descriptor
        if descriptor is not None and not transport.get_write_buffer_size():
            data = data[put(descriptor, data) :]
        if data:
            transport.write(data)

    def write(self, data: bytes | memoryview) -> None:
        """See `Sink.write`."""
        self._transport.write(data)
        if self._begins_full:
            self._begins_full = False
            self.pause_writing()

    def held(self) -> int:
        """See `Sink.held`."""
        return self._transport.get_write_buffer_size()

    def address(self) -> str | None:
        """See `Sink.address`."""
        return address_of(peer_of(self._transport))

    def give_up_after(self, seconds: float) -> None:
        """See `GivesUp.give_up_after`."""
        give_up_after(self._transport.get_extra_info("socket"), seconds)

    def finish(self) -> None:
        """See `Sink.finish`."""
        self._transport.close()

    def abort(self) -> None:
        """See `Sink.abort`; what the kernel holds is dropped too, and the peer sees a reset and no end."""
        reset(self._transport)

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
        """The transport holds more than its high-water mark."""
        if self._owner is not None:
            self._owner.paused()

    def resume_writing(self) -> None:
        """The transport has drained."""
        self._begins_full = False
        if self._owner is not None:
            self._owner.resumed()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        owner, self._owner = self._owner, None
        if owner is not None:
            self._stats.pushed -= 1
            owner.lost()


def peer_of(transport: asyncio.BaseTransport) -> tuple[str, int] | None:
    """Host and port of the other end of a connection; None: it has none."""
    found: Any = transport.get_extra_info("peername")
    return (found[0], found[1]) if isinstance(found, tuple) and found else None


def reset(transport: asyncio.WriteTransport) -> None:
    """End a connection at once: what it holds is dropped, what the kernel holds too, and the peer sees a reset."""
    with contextlib.suppress(OSError, AttributeError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


def descriptor_of(transport: asyncio.Transport, sock: Any) -> int | None:
    """The socket below a plain transport; None: bytes are changed on the way (TLS), or nothing is known of it.

    Args:
        transport: of a connection.
        sock: what it calls its socket.
    """
    kind = type(transport)
    is_plain = _known.get(kind)
    if is_plain is None:
        is_plain = _known[kind] = (kind.__module__, kind.__qualname__) in _PLAIN
    return int(sock.fileno()) if is_plain else None
