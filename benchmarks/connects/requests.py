"""The one request of a connection, and the bytes that Headwater answers it with."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.servers import MEMORY, Server

STREAM: Final = "/v1/stream/s"
#: What the stream holds, and what is appended to it.
RECORD: Final = '{"text":"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor"}'

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """What a connection is opened for.

    Attributes:
        name: as the option --requests has it.
        text: in words.
        lines: the request line without its version, and the headers but Host.
        body: of an append.
        to_event: the connection is closed at the first event, not at the response's end.
    """

    name: str
    text: str
    lines: tuple[str, ...]
    body: str = ""
    to_event: bool = False

    def encode(self, port: int) -> str:
        """The request as it is sent."""
        line, *headers = self.lines
        return "\r\n".join([f"{line} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, "", self.body])

    def is_answered(self, response: bytes) -> bool:
        """Whether a response is there to its end, or to that of the chunk with the first event."""
        head, blank, body = response.partition(b"\r\n\r\n")
        if self.to_event:
            return body.partition(b"data:")[2].endswith(b"\n\n\r\n")
        length = _LENGTH.search(head)
        return bool(blank) and len(body) >= int(length[1] if length else 0)


LIVE: Final = Request("live", "a live read", (f"GET {STREAM}", "Accept: text/event-stream"), to_event=True)
READ: Final = Request("read", "a short read", (f"GET {STREAM}", "Accept: application/json"))
APPEND: Final = Request(
    "append",
    "an append",
    (f"POST {STREAM}", "Content-Type: application/json", f"Content-Length: {len(RECORD)}"),
    RECORD,
)
REQUESTS: Final = (LIVE, READ, APPEND)


def create_stream(port: int) -> None:
    """Create the stream, with one record.

    Raises:
        RuntimeError: it was refused.
    """
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("PUT", STREAM, f"[{RECORD}]", {"content-type": "application/json"})
    response = client.getresponse()
    response.read()
    client.close()
    if response.status != 201:
        raise RuntimeError(f"PUT was answered {response.status}")


def responses(folder: Path) -> tuple[str, ...]:
    """What Headwater answers each of REQUESTS with; the floors do so with the same bytes.

    Args:
        folder: for the data of a server that is started for it.

    Raises:
        RuntimeError: a request was not answered.
    """
    with TemporaryDirectory(dir=folder) as data, Server(MEMORY, Path(data)) as server:
        create_stream(server.port)
        return tuple(response_to(server.port, request) for request in REQUESTS)


def response_to(port: int, request: Request) -> str:
    """What a server answers, byte by byte.

    Raises:
        RuntimeError: it refuses, or closes the connection.
    """
    response = b""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(request.encode(port).encode())
        while not request.is_answered(response):
            piece = client.recv(65_536)
            if not piece:
                raise RuntimeError(f"{request.text} was not answered: {response[:200]!r}")
            response += piece
    if not response.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(f"{request.text} was answered {response[:200]!r}")
    return response.decode()
