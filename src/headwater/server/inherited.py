"""Sockets that were opened for this process: `--fd`, and the `LISTEN_FDS` of systemd (sd_listen_fds(3)).

Such a socket outlives the process. Who connects while no server runs waits in its queue for the next one, so a restart
refuses nobody.

Rule 1: the setting `fd` counts over `LISTEN_FDS`, and either over host and port.
Rule 2: the next process notices nothing: the socket is closed, never shut down, and its file is never removed.
Rule 3: all sockets of `LISTEN_FDS` are listened on. One that others than this machine reach comes first: what the
        settings call host is the address of the first, and who may be served is decided by it.
"""

from __future__ import annotations

import logging
import os
import socket
import stat
from collections.abc import MutableMapping, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from headwater.server.listener import CannotListen

#: The largest number of a descriptor: the systems have it as a C int.
MAX_DESCRIPTOR: Final = 2**31 - 1
#: The first descriptor of `LISTEN_FDS` (`SD_LISTEN_FDS_START`).
_FIRST: Final = 3
_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
_KINDS: Final = (
    (stat.S_ISREG, "a file"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISCHR, "a terminal or another device"),
)
_IP: Final = (socket.AF_INET, socket.AF_INET6)
_UNIX: Final = getattr(socket, "AF_UNIX", None)

_log: Final = logging.getLogger("headwater")


class CannotInherit(CannotListen):
    """A socket that was opened for the server cannot be listened on."""

    advice = (
        "Pass on a stream socket that listens, as a .socket unit of systemd does with Accept=no; without --fd and "
        "LISTEN_FDS the server opens its own."
    )


def inherited(fd: int | None, environ: MutableMapping[str, str]) -> list[socket.socket]:
    """The sockets that this process was given; none: it opens its own.

    Args:
        fd: a descriptor, from 0 to `MAX_DESCRIPTOR`; None: look for `LISTEN_FDS`.
        environ: the environment; the variables of the protocol are removed, so that no child takes them for its own.

    Returns:
        Sockets that listen, closed on exec; one that is not bound to loopback before the others.

    Raises:
        CannotInherit: a descriptor is no such socket, or a variable is no number; no descriptor is closed.
    """
    variables = {name: environ.pop(name) for name in _VARIABLES if name in environ}
    if fd is not None:
        numbers, source = range(fd, fd + 1), "--fd"
    else:
        count = _announced(variables)
        numbers, source = range(_FIRST, _FIRST + count), f"LISTEN_FDS={count}"
    found: list[socket.socket] = []
    try:
        found.extend(_take(number, f"descriptor {number} of {source}") for number in numbers)
    except CannotInherit:
        for sock in found:
            sock.detach()
        raise
    return sorted(found, key=_is_local)


def _announced(variables: dict[str, str]) -> int:
    """How many descriptors the variables are about; 0: none, or those of another process."""
    if "LISTEN_FDS" not in variables or "LISTEN_PID" not in variables:
        return 0
    pid = _number(variables, "LISTEN_PID")
    if pid != os.getpid():
        _log.warning("LISTEN_FDS is for the process %d and not for this one, %d: ignored", pid, os.getpid())
        return 0
    return _number(variables, "LISTEN_FDS")


def _number(variables: dict[str, str], name: str) -> int:
    text = variables[name]
    if len(text) <= 10 and text.isascii() and text.isdecimal() and 0 < int(text) <= MAX_DESCRIPTOR - _FIRST:
        return int(text)
    raise CannotInherit(f"{name} must be a whole number greater than 0, not {text[:80]!r}")


def _take(fd: int, name: str) -> socket.socket:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        raise CannotInherit(f"{name} is not open; keep it open for this process, under this number") from None
    if not stat.S_ISSOCK(mode):
        kind = next((kind for matches, kind in _KINDS if matches(mode)), "something else")
        raise CannotInherit(f"{name} is {kind}, and not a socket; name the descriptor of a socket that listens")
    sock = socket.socket(fileno=fd)
    objection = _objection(sock)
    if objection is not None:
        sock.detach()
        raise CannotInherit(f"{name} is {objection}")
    sock.set_inheritable(False)
    return sock


def _objection(sock: socket.socket) -> str | None:
    """What a socket is that cannot be listened on, and what to do."""
    if sock.type != socket.SOCK_STREAM:
        kind = "datagram socket" if sock.type == socket.SOCK_DGRAM else "socket of another type than SOCK_STREAM"
        return f"a {kind}; pass on a stream socket, ListenStream= in a .socket unit"
    if sock.family not in _IP and sock.family != _UNIX:
        family = getattr(sock.family, "name", sock.family)  # one that Python does not know is a number
        return f"a socket of the family {family}; pass on one of TCP, or a Unix socket"
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return None
    try:
        sock.getpeername()
    except OSError:
        return f"a socket that {_unfinished(sock)}; bind it and call listen() before it is passed on"
    return "a connection, and not a socket that listens; say Accept=no in a .socket unit"


def _unfinished(sock: socket.socket) -> str:
    is_bound = bool(sock.getsockname()) if sock.family == _UNIX else sock.getsockname()[1] > 0
    return f"is bound to {_told(sock)} and does not listen" if is_bound else "is not bound to an address"


def _told(sock: socket.socket) -> str:
    host, port = address_of(sock)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}" if host else str(port)


def address_of(sock: socket.socket) -> tuple[str, int | str]:
    """Where a socket is bound.

    Returns:
        Its host and its port, an IPv4 address within IPv6 as IPv4; of a Unix socket no host and its path, with `@` for
        the zero byte of one that is in no file system.
    """
    name = sock.getsockname()
    if isinstance(name, bytes):
        return "", name.decode(errors="replace").replace("\0", "@")
    if isinstance(name, str):
        return "", name
    found = ip_address(name[0])
    return str((isinstance(found, IPv6Address) and found.ipv4_mapped) or found), name[1]


def _is_local(sock: socket.socket) -> bool:
    """Whether only this machine reaches a socket."""
    host, _ = address_of(sock)
    return not host or ip_address(host).is_loopback


def place_of(sockets: Sequence[socket.socket]) -> dict[str, Any]:
    """The settings that say where the server listens, as its first socket has them; none: as they are set.

    A Unix socket is reached as `localhost`: from this machine only, by whom the permissions of its file let in.
    """
    if not sockets:
        return {}
    host, port = address_of(sockets[0])
    where = {"host": host, "port": port} if host else {"host": "localhost"}
    return {"fd": sockets[0].fileno(), **where}
