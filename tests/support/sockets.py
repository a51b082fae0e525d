"""Raw client sockets for tests, and what the kernel holds for a server's connections."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.processes import ServerProcess

LINES = "application/x-ndjson"
EVENTS = "text/event-stream"


def asking(server: ServerProcess, target: str, *headers: str, accept: str = LINES, receive: int = 0) -> socket.socket:
    """A connection on which a GET was sent and nothing is read.

    Args:
        server: whom to ask.
        target: path and query.
        headers: whole lines.
        accept: the wire format.
        receive: bytes of the socket's receive buffer; 0: as the system has it.
    """
    raw = socket.socket()
    raw.settimeout(60)
    if receive:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    raw.connect(("127.0.0.1", server.port))
    head = [f"GET {target} HTTP/1.1", "host: localhost", f"accept: {accept}", *headers, "", ""]
    raw.sendall("\r\n".join(head).encode())
    return raw


def status_of(raw: socket.socket) -> int:
    """The status of the answer, whose head is read a byte at a time, so that the body stays."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = raw.recv(1)
        assert byte, f"the connection ended in the head: {head!r}"
        head += byte
    return int(head.split()[1])


def lines_of(raw: socket.socket) -> Iterator[dict[str, Any]]:
    """The lines of a chunked NDJSON answer behind its head, to its end."""
    with raw.makefile("rb") as stream:
        held = b""
        while size := int(stream.readline() or b"0", 16):
            *lines, held = (held + stream.read(size)).split(b"\n")
            stream.readline()
            yield from map(json.loads, lines)


def unacknowledged(port: int) -> list[int]:
    """Bytes the kernel holds to be sent, for each connection of a server on this machine (`tx_queue` of proc(5))."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues, *_ = line.split()
        if int(local.split(":")[1], 16) == port and state == "01":
            found.append(int(queues.split(":")[0], 16))
    return found


def resident(server: ServerProcess) -> int:
    """Bytes of memory the server has."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024
