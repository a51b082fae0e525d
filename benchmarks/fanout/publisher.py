"""Publishes numbered, timed records over one connection that is kept open."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

from benchmarks.fanout.shapes import Shape

RECORD_BYTES = 100
#: How records are published: several at once as a JSON array, as lines of one body, as requests in one write, as lines
#: of one WebSocket message, as Mercure's updates (a form each, in one write), or as commands of Centrifugo's API.
Grouping = Literal["array", "lines", "requests", "frames", "updates", "commands"]

#: The channel or topic, where a server wants one by name.
TOPIC = "load"
JSON_TYPE = ("Content-Type: application/json",)

_FILLING = "Lorem ipsum dolor sit amet, consectetur adipiscing elit "
#: The example of RFC 6455, section 1.3.
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def record(number: int, size: int = RECORD_BYTES) -> bytes:
    """A record with its number and the time; `load/readers.h` knows this form.

    Args:
        size: bytes of it.
    """
    text = f'{{"n":"{number:010d}","t":"{time.monotonic_ns():019d}","text":"'
    room = size - len(text) - 2
    return (text + (_FILLING * (room // len(_FILLING) + 1))[:room] + '"}').encode()


class Publisher:
    """One connection; a context.

    Args:
        path: of POST, or of the WebSocket; several take turns, and each has numbers of its own.
        headers: of each request.
        size: bytes of a record.
    """

    def __init__(
        self,
        port: int,
        path: str | Sequence[str],
        grouping: Grouping,
        headers: Sequence[str] = JSON_TYPE,
        size: int = RECORD_BYTES,
    ) -> None:
        paths = [path] if isinstance(path, str) else path
        self._heads = [
            "\r\n".join([f"POST {each} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, ""]) for each in paths
        ]
        self._grouping = grouping
        self._size = size
        self._published = 0
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        if grouping == "frames":
            headers = (
                f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {_KEY}"
            )
            self._socket.sendall(f"GET {paths[0]} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n\r\n".encode())
            self._await_answer(b"101")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def run(self, shape: Shape, seconds: float) -> int:
        """Publish at the shape's pace; gives the number of records that were published on this connection.

        A group waits for the answer to the one before, so a server that answers late is sent fewer records.
        """
        period, begin = shape.group / shape.rate, time.monotonic()
        for turn in range(round(seconds / period)):
            now = time.monotonic()
            if now > begin + seconds:
                break
            time.sleep(max(0.0, begin + turn * period - now))
            self.publish(shape.group)
        return self._published

    def publish(self, count: int) -> None:
        """Publish so many records at once, and wait for the answer."""
        turn, path = divmod(self._published, len(self._heads))
        records = [record(turn + index, self._size) for index in range(count)]
        self._published += count
        if self._grouping == "frames":
            self._socket.sendall(_frame(b"\n".join(records)))
            self._await_frame()
            return
        bodies = _bodies(self._grouping, records)
        self._socket.sendall(b"".join(self._request(path, body) for body in bodies))
        for _ in bodies:
            self._await_answer(b"2")

    def send(self, body: bytes) -> None:
        """Publish a body that is no record of the readers'."""
        self._socket.sendall(self._request(0, body))
        self._await_answer(b"2")

    def _request(self, path: int, body: bytes) -> bytes:
        return f"{self._heads[path]}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def _await_answer(self, status: bytes) -> None:
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        if not head[9:].startswith(status):
            raise RuntimeError(f"a record was answered {head.splitlines()[0]!r}")
        lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        self._received = rest
        while len(self._received) < length:
            self._receive()
        self._received = self._received[length:]

    def _await_frame(self) -> None:
        """The answer to a message is an empty one; a ping may come before it."""
        while len(self._received) < 2 or len(self._received) < 2 + self._received[1]:
            self._receive()
        opcode, size = self._received[0] & 15, self._received[1]
        self._received = self._received[2 + size :]
        if opcode != 1:
            self._await_frame()

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise RuntimeError("the publisher's connection was closed")
        self._received += data


def _bodies(grouping: Grouping, records: list[bytes]) -> list[bytes]:
    match grouping:
        case "requests":
            return records
        case "updates":
            return [b"topic=%s&data=%s" % (TOPIC.encode(), quote(record).encode()) for record in records]
        case "commands":
            publish = b'{"publish":{"channel":"%s","data":%%s}}' % TOPIC.encode()
            return [b'{"commands":[' + b",".join(publish % record for record in records) + b"]}"]
        case "lines":
            return [b"\n".join(records)]
    return [b"[" + b",".join(records) + b"]" if len(records) > 1 else records[0]]


def _frame(payload: bytes) -> bytes:
    """A client's text message, masked with nulls."""
    return b"\x81\xff" + len(payload).to_bytes(8) + bytes(4) + payload


def create_stream(port: int, path: str) -> None:
    """Create a JSON stream."""
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("PUT", path, headers={"content-type": "application/json"})
    response = client.getresponse()
    response.read()
    client.close()
    if response.status != 201:
        raise RuntimeError(f"PUT was answered {response.status}")
