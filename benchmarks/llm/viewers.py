"""The C process that begins the runs and holds all their viewers."""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Final, Self

import msgspec

from benchmarks import tools

RATE: Final = 30
CONNECT_SECONDS: Final = 120.0


class Received(msgspec.Struct):
    """What came of the tokens that were due in the window.

    Attributes:
        delivered: tokens, counted at each viewer.
        missing: tokens that were passed over, from the start of the run.
        repeated: tokens that came again or out of order, from the start of the run.
        late: tokens that had not come at the deadline.
        p50_us: from when a token was due to the read that brought it, as are the next two.
        tokens: that came within the window.
        bytes: that were read within the window, with all framing.
        reads: within the window.
        cpu_seconds: of the viewers, within the window.
    """

    delivered: int
    missing: int
    repeated: int
    late: int
    p50_us: int
    p99_us: int
    max_us: int
    tokens: int
    bytes: int
    reads: int
    cpu_seconds: float

    @property
    def lost(self) -> int:
        """Tokens that were passed over, came twice, or were not there in time."""
        return self.missing + self.repeated + self.late


class First(msgspec.Struct):
    """Microseconds from a request to the first token, one request at a time."""

    p50_us: int
    p90_us: int
    max_us: int


class Viewers:
    """The viewers of many runs; a context, in which all of them have a token.

    Args:
        port: of the server.
        runs: how many are begun.
        each: viewers of a run, with the one who began it.
        start: URL path of POST.
        watch: URL path of GET, with {chat}.
        grace: seconds for what was due to come.

    Attributes:
        begun_seconds: until every viewer had a token, from the first request on.
    """

    def __init__(self, port: int, runs: int, each: int, start: str, watch: str, grace: float) -> None:
        program = str(tools.compile_c("run_readers"))
        command = [program, str(port), str(runs), str(each), start, watch, str(RATE), f"{grace:g}"]
        pipe = subprocess.PIPE
        self.begun_seconds = 0.0
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def __enter__(self) -> Self:
        self.begun_seconds = msgspec.json.decode(self._line(), type=dict[str, float])["connect_seconds"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def begin(self, seconds: float) -> None:
        """Begin the window."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"measure {seconds:g}\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Await the window's end."""
        self._line()

    def result(self) -> Received:
        """What came, once everything has or the time is over."""
        return msgspec.json.decode(self._line(), type=Received)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            self._process.wait(CONNECT_SECONDS)
            raise RuntimeError(self._process.stderr.read().strip() or "the viewers ended")
        return line


def first_tokens(port: int, count: int, start: str) -> First:
    """Begin runs of one token, one after the other.

    Raises:
        RuntimeError: a request was refused.
    """
    command = [str(tools.compile_c("run_readers")), str(port), "first", str(count), start]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CONNECT_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return msgspec.json.decode(done.stdout, type=First)
