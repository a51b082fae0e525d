"""Small appends, one behind the other on one connection: when each was sent, and how long it waited for its answer."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Final, Self

STREAM: Final = "/v1/stream/small"
_BODY: Final = b'{"small": 1}'
_HEAD: Final = f"POST {STREAM} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
_REQUEST: Final = f"{_HEAD}content-length: {len(_BODY)}\r\n\r\n".encode() + _BODY

#: (seconds of the monotonic clock, seconds of waiting).
Wait = tuple[float, float]


def run(port: int) -> int:
    """Append until standard input ends, then print all waits; in a process of its own, to be nobody's load.

    Raises:
        RuntimeError: one was refused.
    """
    waits: list[Wait] = []
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not select.select([sys.stdin], [], [], 0)[0]:
            begin = time.monotonic()
            raw.sendall(_REQUEST)
            answer = raw.recv(65536)
            if not answer.startswith(b"HTTP/1.1 204"):
                raise RuntimeError(f"a small append was answered {answer[:200]!r}")
            waits.append((begin, time.monotonic() - begin))
    print(json.dumps(waits))
    return 0


class SmallAppends:
    """Runs them in another process for as long as the context lasts.

    Args:
        port: of a server that has the stream.

    Attributes:
        waits: all of them; after the context.
    """

    def __init__(self, port: int) -> None:
        self.waits: list[Wait] = []
        self._port = port

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.small_appends", str(self._port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        printed, _ = self._process.communicate()
        if kind is None:
            self.waits = [(begin, wait) for begin, wait in json.loads(printed)]

    def during(self, begin: float, end: float) -> list[float]:
        """The waits that have a part in a time, in seconds."""
        return [wait for start, wait in self.waits if start < end and start + wait > begin]


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1])))
