"""Live fan-out: CPU time, rate and lag of a delivery, memory and connecting of a reader; servers in turns."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, tools
from benchmarks.before import before_option, with_those_of
from benchmarks.fanout import nginx, peers
from benchmarks.fanout.servers import BROADCASTERS, FLOOR, NCHAN, PLAIN, Broadcaster
from benchmarks.fanout.shapes import Shape, shapes
from benchmarks.fanout.trial import measure
from benchmarks.results import today
from benchmarks.turns import Column, Figures, Named, Results, Turns, choose, facts, table

_LIVE = (
    Column("CPU us", "cpu_us", ".2f"),
    Column("x floor", "cpu_us", ".2f", over=FLOOR.name),
    Column("delivered/s", "rate"),
    Column("x floor", "rate", ".2f", over=FLOOR.name),
    Column("p50 ms", "p50_us", ".2f", 1e-3),
    Column("p99 ms", "p99_us", ".2f", 1e-3),
    Column("records", "published"),
    Column("lost", "lost", combine=sum),
    Column("readers us", "readers_cpu_us", ".2f"),
    Column("busy", "readers_busy", ".0%"),
)
_IDLE = (
    Column("bytes a reader", "reader_bytes"),
    Column("connects/s", "connects"),
    Column("x floor", "connects", ".2f", over=FLOOR.name),
    Column("CPU us a connect", "connect_cpu_us"),
    Column("busy", "readers_busy", ".0%"),
)


def columns(shape: str) -> Sequence[Column]:
    """The columns of a shape's table."""
    return _IDLE if shape.startswith("idle") else _LIVE


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    chosen, skipped = choose((*BROADCASTERS, *PLAIN), options.servers)
    servers = with_those_of(chosen, options.before)
    results = Results("fanout", today(), host(servers), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="fanout-") as folder:

        def run(server: Broadcaster, shape: Shape) -> Figures:
            return measure(server, shape, Path(folder), seconds=options.seconds, grace=options.grace)

        wanted = shapes(options.paced, options.burst, options.idle)
        often = {True: options.repetitions, False: options.idle_repetitions or options.repetitions}
        Turns([(shape, servers, often[shape.rate > 0]) for shape in wanted], run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def host(servers: Sequence[Broadcaster]) -> dict[str, str]:
    """Where the numbers come from."""
    found = machine.host()
    if NCHAN in servers:
        found["nginx"] = nginx.version()
    return {**found, "peers": peers.versions()}


def counts(text: str) -> list[int]:
    """Numbers with commas between."""
    return [int(count) for count in text.split(",") if count]


def common_options(
    parser: argparse.ArgumentParser,
    name: str,
    servers: Sequence[Named],
    repetitions: int,
    comma: str = ",",
    more: Sequence[Named] = (),
    ours: bool = True,
) -> None:
    """The options that every benchmark of delivery has; `more` are servers that are not measured unless named.

    Without servers of `ours` there is no `--before`.
    """
    names = comma.join(server.name for server in servers)
    known = comma.join(server.name for server in [*servers, *more])
    parser.add_argument("--servers", default=names, help=f"some of: {known}")
    parser.add_argument("--repetitions", type=int, default=repetitions, help="runs of each server with each shape")
    if ours:
        before_option(parser)
    parser.add_argument("--output", type=Path, default=tools.HERE / "results" / f"{name}.json", help="JSON file")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks fanout", description=__doc__)
    common_options(parser, "fanout", BROADCASTERS, 3, more=PLAIN)
    parser.add_argument("--paced", type=counts, default=[100, 1000], help="numbers of readers at 50 records a second")
    parser.add_argument("--burst", type=counts, default=[1000], help="the same at 1,000 records a second, ten at once")
    parser.add_argument("--idle", type=counts, default=[10_000], help="numbers of readers that connect and are weighed")
    parser.add_argument("--idle-repetitions", type=int, help="the same for idle readers")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long is published")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for the last records to come")
    return parser
