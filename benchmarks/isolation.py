"""Slow readers: what fifty that never read cost the server, and what they do to the others' lag."""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks import tools
from benchmarks.before import with_those_of
from benchmarks.fanout.command import common_options, host
from benchmarks.fanout.publisher import Publisher
from benchmarks.fanout.readers import Readers
from benchmarks.fanout.servers import (
    CENTRIFUGO,
    DS_NODE,
    DS_RUST,
    HEADWATER,
    MERCURE,
    NCHAN,
    SOCKET_IO,
    SSE_STARLETTE,
    WEBSOCKETS,
    WS,
    Broadcaster,
)
from benchmarks.fanout.shapes import PACE, Shape
from benchmarks.fanout.trial import SETTLE_SECONDS, WARM_UP_SECONDS, figures, readers_of, running
from benchmarks.fanout.usage import cpu_seconds, kernel_bytes, resident_bytes
from benchmarks.results import today
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

SERVERS = (HEADWATER, NCHAN, MERCURE, CENTRIFUGO, WS, SOCKET_IO, WEBSOCKETS, SSE_STARLETTE, DS_NODE, DS_RUST)
#: What is published before the others come, so that those who never read have filled all that they fill.
FILL_RECORDS = 256
FILL_BYTES = 32 * 1024
#: How long one side is published to before it is the other's turn, and for its last records in between.
TURN_SECONDS = 2.5
PAUSE_SECONDS = 0.1

COLUMNS = (
    Column("p50 ms", "p50_us", ".2f", 1e-3),
    Column("without", "p50_us_without", ".2f", 1e-3),
    Column("p99 ms", "p99_us", ".2f", 1e-3),
    Column("without", "p99_us_without", ".2f", 1e-3),
    Column("x", "p99_times", ".2f"),
    Column("lost", "lost", combine=sum),
    Column("kB a stalled reader", "stalled_bytes", ",.0f", 1e-3),
    Column("of it in the process", "stalled_process_bytes", ",.0f", 1e-3),
    Column("CPU us", "cpu_us", ".2f"),
    Column("busy", "readers_busy", ".0%"),
)


class Stalls(msgspec.Struct, frozen=True):
    """How many readers read, and how many never do."""

    readers: int
    stalled: int

    @property
    def text(self) -> str:
        """The shape in words."""
        return f"isolation: {self.stalled} readers that never read beside {self.readers:,}, {PACE} records/s"


def columns(shape: str) -> Sequence[Column]:
    """The columns of the table."""
    return COLUMNS


class Side:
    """One of the two servers that are measured side by side, with its readers; see `side`.

    Attributes:
        weight: of the server, when those who never read have filled all that they fill.
    """

    def __init__(self, server: Broadcaster, port: int, pids: list[int], readers: Readers, weight: Figures) -> None:
        self.weight = weight
        self._server = server
        self._port = port
        self._pids = pids
        self._readers = readers
        self._shape = Shape(readers.count, PACE)

    def begin(self, stack: ExitStack) -> None:
        """Connect the publisher, warm up, and count from there."""
        server = self._server
        publisher = Publisher(self._port, server.publish, server.grouping, server.headers)
        self._publisher = stack.enter_context(publisher)
        self._first = self._published = self._publisher.run(self._shape, WARM_UP_SECONDS)
        self._readers.settle(self._first)
        self._cpu = cpu_seconds(self._pids)

    def publish(self, seconds: float) -> None:
        """The turn of this side."""
        self._published = self._publisher.run(self._shape, seconds)

    def end(self, seconds: float) -> Figures:
        """What was received in so many seconds of turns."""
        self._readers.tell(self._published)
        received = self._readers.result()
        cpu = cpu_seconds(self._pids) - self._cpu
        return {**self.weight, **figures(received, self._published - self._first, seconds, cpu)}


@contextmanager
def side(server: Broadcaster, folder: Path, readers: int, stalled: int, grace: float) -> Iterator[Side]:
    """A new server with so many that read and so many that never do."""
    with running(server, folder) as (process, pids), ExitStack() as stack:
        port = process.port
        if stalled:
            stack.enter_context(readers_of(server, port, stalled, grace, "stall"))
        weight = _fill(server, port, pids)
        others = stack.enter_context(readers_of(server, port, readers, grace))
        yield Side(server, port, pids, others, weight)


def _fill(server: Broadcaster, port: int, pids: list[int]) -> Figures:
    """Publish what those who never read do not read, and weigh the server."""
    with Publisher(port, server.publish, server.grouping, server.headers, FILL_BYTES) as publisher:
        for _ in range(FILL_RECORDS):
            publisher.publish(1)
        time.sleep(SETTLE_SECONDS)
        return {"process_bytes": resident_bytes(pids), "kernel_bytes": kernel_bytes(port)}


def measure(server: Broadcaster, stalls: Stalls, folder: Path, *, seconds: float, grace: float) -> Figures:
    """Two new servers, with readers that never read and without, published to in turns.

    The speed of a shared machine changes within seconds; in turns so short both sides have their share of it.

    Args:
        seconds: how long is published to each.

    Raises:
        RuntimeError: a connection was refused, or a record was not taken.
    """
    with (
        side(server, folder, stalls.readers, stalls.stalled, grace) as beside,
        side(server, folder, stalls.readers, 0, grace) as alone,
        ExitStack() as stack,
    ):
        time.sleep(SETTLE_SECONDS)
        for each in (beside, alone):
            each.begin(stack)
        for _ in range(max(1, round(seconds / TURN_SECONDS))):
            # One after the other: many servers give up a connection that is silent for five seconds.
            for each in (beside, alone):
                each.publish(TURN_SECONDS)
                time.sleep(PAUSE_SECONDS)
        found, without = beside.end(seconds), alone.end(seconds)
    process = (found["process_bytes"] - without["process_bytes"]) / stalls.stalled
    return {
        **found,
        "p50_us_without": without["p50_us"],
        "p99_us_without": without["p99_us"],
        "p99_times": found["p99_us"] / without["p99_us"],
        "stalled_process_bytes": process,
        "stalled_bytes": process + (found["kernel_bytes"] - without["kernel_bytes"]) / stalls.stalled,
    }


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    if shutil.which("ss") is None:
        print("ss is not installed (Debian: iproute2): the memory of sockets cannot be told")
        return 1
    chosen, skipped = choose(SERVERS, options.servers)
    servers = with_those_of(chosen, options.before)
    results = Results("isolation", today(), host(servers), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="isolation-", dir=tools.BUILD) as folder:

        def run(server: Broadcaster, stalls: Stalls) -> Figures:
            return measure(server, stalls, Path(folder), seconds=options.seconds, grace=options.grace)

        shapes = [(Stalls(options.readers - options.stalled, options.stalled), servers, options.repetitions)]
        Turns(shapes, run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks isolation", description=__doc__)
    common_options(parser, "isolation", SERVERS, 5)
    parser.add_argument("--readers", type=int, default=1000, help="all readers")
    parser.add_argument("--stalled", type=int, default=50, help="those of them that never read")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long is published to each side")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for the last records to come")
    return parser
