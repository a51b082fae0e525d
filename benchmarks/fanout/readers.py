"""The C process that holds all the readers."""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Self

import msgspec

from benchmarks import tools

OPEN_SECONDS = 120.0


class Received(msgspec.Struct):
    """What came.

    Attributes:
        delivered: records, counted at each reader.
        missing: records that were passed over.
        repeated: records that came again or out of order.
        late: records that had not come at the deadline.
        closed: connections that the server closed.
        last_ns: when the last one came, by CLOCK_MONOTONIC.
        cpu_seconds: of the readers, since all were connected.
    """

    delivered: int
    missing: int
    repeated: int
    late: int
    closed: int
    p50_us: int
    p99_us: int
    max_us: int
    last_ns: int
    cpu_seconds: float


class Readers:
    """Readers of one path; a context, in which all of them are connected.

    Args:
        grace: seconds for what has been published to come.
    """

    def __init__(self, port: int, count: int, path: str, grace: float) -> None:
        command = [str(tools.compile_c("sse_readers")), str(port), str(count), path, f"{grace:g}"]
        pipe = subprocess.PIPE
        self._grace = grace
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self._process.wait(OPEN_SECONDS)
            assert self._process.stderr is not None
            raise RuntimeError(self._process.stderr.read().strip())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def tell(self, published: int) -> None:
        """Say how many records there are: the readers wait for them and end."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{published}\n")
        self._process.stdin.flush()

    def result(self) -> Received:
        """What came, once everything has or the time is over."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            raise RuntimeError(self._process.stderr.read().strip())
        return msgspec.json.decode(line, type=Received)
