"""One run of one server with one shape."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.fanout.usage import cpu_seconds, family
from benchmarks.llm.servers import MODEL, Chat
from benchmarks.llm.viewers import RATE, First, Received, Viewers, first_tokens
from benchmarks.servers import Server
from benchmarks.turns import Figures

#: Before a measurement begins, for what beginning so many runs has left to be done.
SETTLE_SECONDS = 1.5


class Shape(msgspec.Struct, frozen=True):
    """How many runs there are; 0: one after the other, to their first token."""

    runs: int
    count: int = 0

    @property
    def text(self) -> str:
        """The shape in words."""
        if not self.runs:
            return "first token: one run at a time"
        return f"{self.runs:,} runs at {RATE} tokens/s"


class Alone(msgspec.Struct):
    """What the model costs by itself, in seconds.

    Attributes:
        cpu_seconds: of a token that is dropped.
        first_seconds: from asking to the first token.
    """

    cpu_seconds: float
    first_seconds: float


def alone(runs: int, seconds: float) -> Alone:
    """Run the model without a server."""
    command = [sys.executable, str(MODEL), str(runs), f"{seconds:g}"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return msgspec.json.decode(told, type=Alone)


def measure(chat: Chat, shape: Shape, folder: Path, model: Alone, *, seconds: float, grace: float) -> Figures:
    """One run on a new server.

    Raises:
        RuntimeError: a request was refused, a connection cut, or no token came.
    """
    with TemporaryDirectory(dir=folder) as data, Server(chat.kind, Path(data)) as process:
        if not shape.runs:
            return _first(first_tokens(process.port, shape.count, chat.start), model)
        pids = family(process.pid)
        with Viewers(process.port, shape.runs, chat.viewers, chat.start, chat.watch, grace) as viewers:
            time.sleep(SETTLE_SECONDS)
            cpu = cpu_seconds(pids)
            viewers.begin(seconds)
            viewers.end()
            cpu = cpu_seconds(pids) - cpu
            figures = _figures(viewers.result(), chat.viewers, shape.runs, seconds, cpu, model)
            return {"begun_seconds": viewers.begun_seconds, **figures}


def _first(first: First, model: Alone) -> Figures:
    direct = model.first_seconds * 1e6
    return {"first_us": first.p50_us, "overhead_us": first.p50_us - direct, "p90_us": first.p90_us}


def _figures(received: Received, viewers: int, runs: int, seconds: float, cpu: float, model: Alone) -> Figures:
    if not received.tokens:
        raise RuntimeError("no token came")
    said = runs * RATE * seconds
    return {
        "viewers": viewers,
        "tokens": received.tokens,
        "lost": received.lost,
        "p50_us": received.p50_us,
        "p99_us": received.p99_us,
        "max_us": received.max_us,
        "cpu_us": cpu / said * 1e6,
        "model_us": model.cpu_seconds * 1e6,
        "own_cpu_us": (cpu / said - model.cpu_seconds) / viewers * 1e6,
        "cores": cpu / seconds,
        "bytes": received.bytes / received.tokens,
        "a_read": received.tokens / received.reads,
        "viewers_busy": received.cpu_seconds / seconds,
    }
