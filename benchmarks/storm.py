"""Reconnect storm: all readers are cut at random and come back at once, while records go on being published."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks import tools
from benchmarks.before import with_those_of
from benchmarks.fanout.command import common_options, counts, host
from benchmarks.fanout.publisher import Publisher
from benchmarks.fanout.servers import DS_NODE, DS_RUST, HEADWATER, HEADWATER_SQLITE, NCHAN, Broadcaster
from benchmarks.fanout.shapes import Shape
from benchmarks.fanout.trial import SETTLE_SECONDS, readers_of, running
from benchmarks.fanout.usage import cpu_seconds
from benchmarks.results import today
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

#: Those whose readers can say where they were.
SERVERS = (HEADWATER, HEADWATER_SQLITE, NCHAN, DS_NODE, DS_RUST)
#: Records are published for so long before the storm, and after it.
AROUND_SECONDS = 1.5

COLUMNS = (
    Column("records", "published"),
    Column("lost", "missing", combine=sum),
    Column("twice", "repeated", combine=sum),
    Column("not in time", "late", combine=sum),
    Column("all back s", "back_seconds", ".2f"),
    Column("caught up s", "behind_seconds", ".2f"),
    Column("CPU s", "cpu_seconds", ".2f"),
    Column("busy", "readers_busy", ".0%"),
)


class Storm(msgspec.Struct, frozen=True):
    """How many readers, and how fast.

    Attributes:
        spread: seconds from the first cut to the last request of a reader that comes back.
        rate: records a second.
    """

    readers: int
    spread: float
    rate: int

    @property
    def text(self) -> str:
        """The shape in words."""
        return f"storm: {self.readers:,} readers cut and back in {self.spread:g} s, {self.rate} records/s"


def columns(shape: str) -> Sequence[Column]:
    """The columns of the table."""
    return COLUMNS


def measure(server: Broadcaster, storm: Storm, folder: Path, grace: float) -> Figures:
    """One storm on a new server.

    Raises:
        RuntimeError: a connection was refused or not answered, or a record was not taken.
    """
    assert server.resume is not None
    with (
        running(server, folder) as (process, pids),
        readers_of(server, process.port, storm.readers, grace, server.resume) as readers,
        Publisher(process.port, server.publish, server.grouping, server.headers) as publisher,
    ):
        time.sleep(SETTLE_SECONDS)
        cpu, begin = cpu_seconds(pids), time.monotonic_ns()
        readers.storm(AROUND_SECONDS, storm.spread)
        published = publisher.run(Shape(storm.readers, storm.rate), storm.spread + 2 * AROUND_SECONDS)
        end = time.monotonic_ns()
        readers.tell(published)
        received = readers.result()
        return {
            "published": published,
            "delivered": received.delivered,
            "missing": received.missing,
            "repeated": received.repeated,
            "late": received.late,
            "closed": received.closed,
            "back_seconds": received.back_seconds,
            "behind_seconds": max(0.0, (received.last_ns - end) / 1e9),
            "cpu_seconds": cpu_seconds(pids) - cpu,
            "readers_busy": received.cpu_seconds / ((received.last_ns - begin) / 1e9),
        }


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    chosen, skipped = choose(SERVERS, options.servers)
    servers = with_those_of(chosen, options.before)
    results = Results("storm", today(), host(servers), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="storm-", dir=tools.BUILD) as folder:

        def run(server: Broadcaster, storm: Storm) -> Figures:
            return measure(server, storm, Path(folder), options.grace)

        shapes = [
            (Storm(count, options.spread, options.rate), servers, options.repetitions) for count in options.readers
        ]
        Turns(shapes, run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks storm", description=__doc__)
    common_options(parser, "storm", SERVERS, 3)
    parser.add_argument("--readers", type=counts, default=[10_000], help="numbers of readers")
    parser.add_argument("--spread", type=float, default=2.0, help="seconds in which all are cut and come back")
    parser.add_argument("--rate", type=int, default=20, help="records a second")
    parser.add_argument("--grace", type=float, default=30.0, help="seconds for the last records to come")
    return parser
