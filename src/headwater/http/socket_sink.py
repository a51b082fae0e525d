"""A live reader's connection as a sink: the transport belongs to the hub from then on, and what precedes it is let go.

An idle reader costs a transport, a sink and a subscription, and a delivery one write to its socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from functools import cache
from typing import Any, Final

from headwater.hub import Limits
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import SinkOwner

#: Bytes a client may send behind its request before it is cut: it has nothing to say, but a few may be on the way.
MAX_UNASKED: Final = 16 * 1024

#: `struct linger` with no time: a close drops what is unsent and sends a reset.
_RESET: Final = struct.pack("ii", 1, 0)

#: Options of TCP, where the system has them.
_NOTSENT_LOWAT: Final[int | None] = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)

#: Transports that put bytes on a socket as they are, close it after `connection_lost`, and write at once what fits.
_PLAIN: Final = frozenset(
    {
        ("uvloop.loop", "TCPTransport"),
        ("uvloop.loop", "UnixTransport"),
        ("asyncio.selector_events", "_SelectorSocketTransport"),
    }
)


class TransportSink(asyncio.Protocol):
    """A sink on an asyncio transport; what writes to it is the hub."""

    __slots__ = ("_begins_full", "_owner", "_stats", "_transport", "_unasked", "descriptor")

    def __init__(self, transport: asyncio.Transport, runtime: Runtime) -> None:
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
        restrain(sock, runtime.limits)

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
        if self._begins_full:
            self._begins_full = False
            self.pause_writing()

    def held(self) -> int:
        """See `Sink.held`."""
        return self._transport.get_write_buffer_size()

    def give_up_after(self, seconds: float) -> None:
        """See `GivesUp.give_up_after`."""
        _set(
            self._transport.get_extra_info("socket"), socket.IPPROTO_TCP, [(_USER_TIMEOUT, max(1, int(seconds * 1000)))]
        )

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
        """The transport holds its high-water mark or more."""
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


def reset(transport: asyncio.WriteTransport) -> None:
    """End a connection at once: what it holds is dropped, what the kernel holds too, and the peer sees a reset."""
    with contextlib.suppress(OSError, AttributeError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


def restrain(sock: Any, limits: Limits) -> None:
    """Have the kernel hold little for a reader, and give up a peer that takes nothing.

    `TCP_NOTSENT_LOWAT` and not `SO_SNDBUF`: a small send buffer bounds what is on its way too, and a reader far away
    or on the loopback interface is then hundreds of times slower; what is not sent yet is what a stalled reader costs.
    A Unix socket has nothing on its way, and `SO_SNDBUF` alone. Its peer is a process of this machine, whose end is
    told at once.

    Args:
        sock: what the transport calls its socket.
        limits: `kernel_bytes` and `write_seconds` count.
    """
    _limit(sock, max(1, limits.kernel_bytes), max(1, int(limits.write_seconds * 1000)))


def relax(sock: Any) -> None:
    """Undo `restrain`, for what follows on the connection."""
    _limit(sock, 0, 0)


def _limit(sock: Any, unsent: int, milliseconds: int) -> None:
    if not _set(sock, socket.IPPROTO_TCP, [(_NOTSENT_LOWAT, unsent), (_USER_TIMEOUT, milliseconds)]):
        # A Unix socket, which has no such options. The system doubles this one, and counts the objects around the
        # bytes as well.
        _set(sock, socket.SOL_SOCKET, [(socket.SO_SNDBUF, unsent or _usual_buffer())])


@cache
def _usual_buffer() -> int:
    """What a Unix socket has that nobody has set, as it is set."""
    with socket.socket(socket.AF_UNIX) as fresh:
        return fresh.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2


def _set(sock: Any, level: int, options: list[tuple[int | None, int]]) -> bool:
    """Set options, where the system has them; False: the socket refuses one."""
    try:
        # uvloop's stand-in would make an object, and ask the system for its family, for each option. A family that is
        # told is not asked for.
        raw = socket.SocketType(socket.AF_INET, socket.SOCK_STREAM, 0, sock.fileno())
    except (OSError, ValueError, AttributeError):
        return True
    try:
        for option, value in options:
            if option is not None:
                raw.setsockopt(level, option, min(value, 2**31 - 1))
    except OSError:
        return False
    finally:
        raw.detach()
    return True


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
