"""The sockets that a server listens on, bound before anything else of it is made."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final

from headwater.errors import HeadwaterError

_REASONS: Final = {
    errno.EADDRINUSE: "another program listens there, maybe another Headwater",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "the system does not allow it; ports below 1024 need a privilege",
}


class CannotListen(HeadwaterError):
    """The address cannot be listened on."""

    code = "cannot-listen"
    advice = "Stop what listens there, or choose another address with --host and --port; --port 0 takes a free port."


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to every address of a host, not listening yet.

    Args:
        host: an address or a name.
        port: 0: any that is free.

    Raises:
        CannotListen: one of the addresses cannot be used; none is kept.
    """
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            sock = socket.socket(family, kind, protocol)
            bound.append(sock)
            # A restarted server does not wait for the connections of the one before (socket(7), TIME_WAIT).
            if os.name == "posix":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
    except OSError as error:
        for sock in bound:
            sock.close()
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise CannotListen(f"cannot listen on {host}:{port}: {reason}") from None
    return bound
