"""Slow readers: what fifty that never read cost the server, and what they do to the others' lag."""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks import tools
from benchmarks.fanout.command import common_options, host
from benchmarks.fanout.publisher import Publisher
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
from benchmarks.fanout.trial import SETTLE_SECONDS, publish, readers_of, running
from benchmarks.fanout.usage import kernel_bytes, resident_bytes
from benchmarks.results import today
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

SERVERS = (HEADWATER, NCHAN, MERCURE, CENTRIFUGO, WS, SOCKET_IO, WEBSOCKETS, SSE_STARLETTE, DS_NODE, DS_RUST)
#: What is published before the others come, so that those who never read have filled all that they fill.
FILL_RECORDS = 256
FILL_BYTES = 32 * 1024

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


def measure(server: Broadcaster, stalls: Stalls, folder: Path, *, seconds: float, grace: float, first: bool) -> Figures:
    """A pair of runs on new servers: with readers that never read, and without.

    Args:
        first: whether the run with them comes first.

    Raises:
        RuntimeError: a connection was refused, or a record was not taken.
    """
    found: dict[bool, Figures] = {}
    for with_stalled in (first, not first):
        found[with_stalled] = _one(server, stalls, folder, seconds, grace, with_stalled=with_stalled)
    figures, without = found[True], found[False]
    process = (figures["process_bytes"] - without["process_bytes"]) / stalls.stalled
    return {
        **figures,
        "p50_us_without": without["p50_us"],
        "p99_us_without": without["p99_us"],
        "p99_times": figures["p99_us"] / without["p99_us"],
        "stalled_process_bytes": process,
        "stalled_bytes": process + (figures["kernel_bytes"] - without["kernel_bytes"]) / stalls.stalled,
    }


def _one(
    server: Broadcaster, stalls: Stalls, folder: Path, seconds: float, grace: float, *, with_stalled: bool
) -> Figures:
    with running(server, folder) as (process, pids):
        if not with_stalled:
            weight = _fill(server, process.port, pids)
            return {**weight, **_others(server, stalls, process.port, pids, seconds, grace)}
        with readers_of(server, process.port, stalls.stalled, grace, "stall"):
            weight = _fill(server, process.port, pids)
            return {**weight, **_others(server, stalls, process.port, pids, seconds, grace)}


def _fill(server: Broadcaster, port: int, pids: list[int]) -> Figures:
    """Publish what those who never read do not read, and weigh the server."""
    with Publisher(port, server.publish, server.grouping, server.headers, FILL_BYTES) as publisher:
        for _ in range(FILL_RECORDS):
            publisher.publish(1)
        time.sleep(SETTLE_SECONDS)
        return {"process_bytes": resident_bytes(pids), "kernel_bytes": kernel_bytes(port)}


def _others(server: Broadcaster, stalls: Stalls, port: int, pids: list[int], seconds: float, grace: float) -> Figures:
    with readers_of(server, port, stalls.readers, grace) as readers:
        time.sleep(SETTLE_SECONDS)
        return publish(server, Shape(stalls.readers, PACE), port, pids, readers, seconds)


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    if shutil.which("ss") is None:
        print("ss is not installed (Debian: iproute2): the memory of sockets cannot be told")
        return 1
    servers, skipped = choose(SERVERS, options.servers)
    results = Results("isolation", today(), host(servers), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    pairs = 0
    with TemporaryDirectory(prefix="isolation-", dir=tools.BUILD) as folder:

        def run(server: Broadcaster, stalls: Stalls) -> Figures:
            nonlocal pairs
            pairs += 1
            first = pairs % 2 == 1
            return measure(server, stalls, Path(folder), seconds=options.seconds, grace=options.grace, first=first)

        shapes = [(Stalls(options.readers - options.stalled, options.stalled), servers, options.repetitions)]
        Turns(shapes, run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks isolation", description=__doc__)
    common_options(parser, "isolation", SERVERS, 5)
    parser.add_argument("--readers", type=int, default=1000, help="all readers")
    parser.add_argument("--stalled", type=int, default=50, help="those of them that never read")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long is published")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for the last records to come")
    return parser
