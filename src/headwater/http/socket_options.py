"""What the kernel holds for a slow reader, and how long it waits for one: options of sockets."""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import cache
from typing import Any, Final

from headwater.hub import Limits

#: Options of TCP, where the system has them.
_NOTSENT_LOWAT: Final[int | None] = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)


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


def restrain_accepted(listener: socket.socket, limits: Limits) -> bool:
    """Have what a listener accepts come restrained, for no system call of each; False: each is to be by itself.

    A small response fits the kernel in any case, and a long one is restrained while it is sent.

    Args:
        listener: who shares it with this process accepts such connections too.
        limits: see `restrain`.
    """
    if listener.family not in (socket.AF_INET, socket.AF_INET6) or not _is_inherited():
        return False
    restrain(listener, limits)
    return True


@cache
def _is_inherited() -> bool:
    """Whether a connection has its options of the socket that accepted it. No standard says so, so it is tried."""
    with suppress(OSError), socket.create_server(("127.0.0.1", 0)) as listener:
        _limit(listener, 4321, 54321)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            return all(
                option is None or accepted.getsockopt(socket.IPPROTO_TCP, option) == value
                for option, value in ((_NOTSENT_LOWAT, 4321), (_USER_TIMEOUT, 54321))
            )
    return False


def give_up_after(sock: Any, seconds: float) -> None:
    """Count the other side as gone when its machine has not answered for so long to what was sent."""
    _set(sock, socket.IPPROTO_TCP, [(_USER_TIMEOUT, max(1, int(seconds * 1000)))])


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
