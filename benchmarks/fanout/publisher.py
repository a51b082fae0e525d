"""Publishes numbered, timed records over one keep-alive connection."""

from __future__ import annotations

import socket
import time
from http.client import HTTPConnection
from types import TracebackType
from typing import Literal, Self

from benchmarks.fanout.shapes import Shape

RECORD_BYTES = 100
#: How several records are published at once: as a JSON array, as lines of one body, or as requests in one write.
Grouping = Literal["array", "lines", "requests"]

_FILLING = "Lorem ipsum dolor sit amet, consectetur adipiscing elit"


def record(number: int) -> bytes:
    """A record with its number and the time; `sse_readers.c` knows this form."""
    text = f'{{"n":"{number:010d}","t":"{time.monotonic_ns():019d}","text":"'
    return (text + _FILLING[: RECORD_BYTES - len(text) - 2] + '"}').encode()


class Publisher:
    """One connection; a context."""

    def __init__(self, port: int, path: str, grouping: Grouping) -> None:
        self._head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        self._grouping = grouping
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def run(self, shape: Shape, seconds: float) -> int:
        """Publish at the shape's pace; gives the number of records.

        A group waits for the answer to the one before, so a server that answers late is sent fewer records.
        """
        period, begin, published = shape.group / shape.rate, time.monotonic(), 0
        for turn in range(round(seconds / period)):
            now = time.monotonic()
            if now > begin + seconds:
                break
            time.sleep(max(0.0, begin + turn * period - now))
            self._publish([record(published + index) for index in range(shape.group)])
            published += shape.group
        return published

    def _publish(self, records: list[bytes]) -> None:
        if self._grouping == "requests":
            bodies = records
        elif self._grouping == "lines":
            bodies = [b"\n".join(records)]
        else:
            bodies = [b"[" + b",".join(records) + b"]" if len(records) > 1 else records[0]]
        self._socket.sendall(b"".join(self._request(body) for body in bodies))
        for _ in bodies:
            self._await_answer()

    def _request(self, body: bytes) -> bytes:
        return f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def _await_answer(self) -> None:
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        if head[9:10] != b"2":
            raise RuntimeError(f"a record was answered {head.splitlines()[0]!r}")
        lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        self._received = rest
        while len(self._received) < length:
            self._receive()
        self._received = self._received[length:]

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise RuntimeError("the publisher's connection was closed")
        self._received += data


def create_stream(port: int, path: str) -> None:
    """Create a JSON stream."""
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("PUT", path, headers={"content-type": "application/json"})
    response = client.getresponse()
    response.read()
    client.close()
    if response.status != 201:
        raise RuntimeError(f"PUT was answered {response.status}")
