"""The C process that holds all the readers."""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Self

import msgspec

from benchmarks import tools

OPEN_SECONDS = 120.0


class Connected(msgspec.Struct):
    """How the readers connected.

    Attributes:
        connect_seconds: from the first connection to the last answer's head.
        connect_cpu_seconds: of the readers, meanwhile.
    """

    connect_seconds: float = 0.0
    connect_cpu_seconds: float = 0.0


class Received(msgspec.Struct):
    """What came.

    Attributes:
        delivered: records, counted at each reader.
        missing: records that were passed over.
        repeated: records that came again or out of order.
        late: records that had not come at the deadline.
        closed: connections that the server closed.
        last_ns: when the last one came, by CLOCK_MONOTONIC.
        opened_ns: when the first connection was opened.
        bytes: all that was read, with heads and framing.
        back_seconds: from a storm's first cut until all were live again; 0: there was none.
        cpu_seconds: of the readers, since all were connected.
    """

    delivered: int
    missing: int
    repeated: int
    late: int
    closed: int
    p50_us: int
    p99_us: int
    p999_us: int
    max_us: int
    last_ns: int
    opened_ns: int
    bytes: int
    back_seconds: float
    cpu_seconds: float

    @property
    def lost(self) -> int:
        """Deliveries that were passed over, came twice, or were not there in time."""
        return self.missing + self.repeated + self.late


class Readers:
    """Readers of one path; a context, in which all of them are connected.

    Args:
        grace: seconds for what has been published to come.
        program: the C program.
        words: its further arguments.

    Attributes:
        count: how many.
        connected: how they connected; only in the context.
    """

    def __init__(
        self,
        port: int,
        count: int,
        path: str,
        grace: float,
        *,
        program: str = "sse_readers",
        words: tuple[str, ...] = (),
    ) -> None:
        command = [str(tools.compile_c(program)), str(port), str(count), path, f"{grace:g}", *words]
        pipe = subprocess.PIPE
        self.count = count
        self.connected = Connected()
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def __enter__(self) -> Self:
        self.connected = msgspec.json.decode(self._line(), type=Connected)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def settle(self, published: int) -> None:
        """Wait until the first records have come everywhere, and count from there."""
        self._say(f"settle {published}")
        self._line()

    def tell(self, published: int) -> None:
        """Say how many records there are: the readers wait for them and end."""
        self._say(f"published {published}")

    def storm(self, after: float, spread: float) -> None:
        """Cut every connection, `after` seconds from now, and have all back within `spread` seconds."""
        self._say(f"storm {after * 1000:.0f} {spread * 1000:.0f}")

    def result(self) -> Received:
        """What came, once everything has or the time is over."""
        return msgspec.json.decode(self._line(), type=Received)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RuntimeError(self._complaint()) from None

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(self._complaint())
        return line

    def _complaint(self) -> str:
        assert self._process.stderr is not None
        self._process.wait(OPEN_SECONDS)
        return self._process.stderr.read().strip() or "the readers ended"
