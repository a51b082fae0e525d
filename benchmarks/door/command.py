"""WebSocket: our door beside our SSE and others' WebSockets, and many subscriptions on each connection; in turns."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import tools
from benchmarks.before import with_those_of
from benchmarks.door import sizes, starved, trial
from benchmarks.door.servers import DOOR, OURS, SERVERS, SSE
from benchmarks.door.shapes import Starved, Subscriptions
from benchmarks.fanout.command import common_options, counts, host
from benchmarks.fanout.servers import FLOOR, Broadcaster
from benchmarks.fanout.shapes import Shape, shapes
from benchmarks.fanout.trial import measure as fan_out
from benchmarks.results import today
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

_LIVE = (
    Column("CPU us", "cpu_us", ".2f"),
    Column("x SSE", "cpu_us", ".2f", over=SSE.name),
    Column("x floor", "cpu_us", ".2f", over=FLOOR.name),
    Column("delivered/s", "rate"),
    Column("p50 ms", "p50_us", ".2f", 1e-3),
    Column("p99 ms", "p99_us", ".2f", 1e-3),
    Column("lost", "lost", combine=sum),
    Column("readers us", "readers_cpu_us", ".2f"),
    Column("busy", "readers_busy", ".0%"),
)
_CONNECT = (
    Column("bytes a connection", "reader_bytes"),
    Column("connects/s", "connects"),
    Column("CPU us a connect", "connect_cpu_us"),
    Column("x SSE", "connect_cpu_us", ".2f", over=SSE.name),
)
_STARVED = (
    Column("p50 ms", "p50_us", ".2f", 1e-3),
    Column("without", "p50_us_without", ".2f", 1e-3),
    Column("p99 ms", "p99_us", ".2f", 1e-3),
    Column("without", "p99_us_without", ".2f", 1e-3),
    Column("x", "p99_times", ".2f"),
    Column("CPU us", "cpu_us", ".2f"),
    Column("without", "cpu_us_without", ".2f"),
    Column("MB more at the end", "grown", ".1f", 1e-6),
    Column("without", "grown_without", ".1f", 1e-6),
    Column("lost", "lost", combine=sum),
    Column("busy", "readers_busy", ".0%"),
)
_SIZES = tuple(Column(f"{count}", f"of_{count}", ".1f") for count in sizes.BATCHES)


def columns(shape: str) -> Sequence[Column]:
    """The columns of a shape's table."""
    if shape == sizes.SHAPE:
        return _SIZES
    if shape.startswith("starved"):
        return _STARVED
    if shape.startswith("idle"):
        return _CONNECT
    return (*_LIVE[:2], *_LIVE[3:], *_CONNECT[:1], *_CONNECT[2:]) if shape.startswith("subscriptions") else _LIVE


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    chosen, skipped = choose(SERVERS, options.servers, ";")
    servers = with_those_of(chosen, options.before)
    results = Results("websocket", today(), host(servers), skipped, sizes.runs())
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="websocket-", dir=tools.BUILD) as folder:

        def run(server: Broadcaster, shape: Shape | Subscriptions) -> Figures:
            where, seconds, grace = Path(folder), options.seconds, options.grace
            if isinstance(shape, Starved):
                return starved.measure(shape, where, seconds=options.starved_seconds, grace=grace)
            if isinstance(shape, Subscriptions):
                return trial.measure(server, shape, where, seconds=seconds, grace=grace)
            return fan_out(server, shape, where, seconds=seconds, grace=grace)

        Turns(_shapes(options, servers), run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def _shapes(
    options: argparse.Namespace, servers: Sequence[Broadcaster]
) -> list[tuple[Shape | Subscriptions, Sequence[Broadcaster], int]]:
    found: list[tuple[Shape | Subscriptions, Sequence[Broadcaster], int]] = []
    for shape in shapes(options.paced, options.burst, options.idle):
        often = options.repetitions if shape.rate else options.idle_repetitions or options.repetitions
        found.append((shape, servers, often))
    ours = [server for server in servers if server in OURS]
    for count in options.connections:
        found.append((Subscriptions(count, options.streams), ours, options.repetitions))
        if DOOR in ours:
            found.append((Starved(count, options.streams - 1), [DOOR], options.repetitions))
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks websocket", description=__doc__)
    common_options(parser, "websocket", SERVERS, 3, comma=";")
    parser.add_argument("--paced", type=counts, default=[1000], help="numbers of connections at 50 records a second")
    parser.add_argument("--burst", type=counts, default=[1000], help="the same at 1,000 records a second, ten at once")
    parser.add_argument("--idle", type=counts, default=[10_000], help="numbers that connect and are weighed")
    parser.add_argument("--idle-repetitions", type=int, help="the same for idle connections")
    parser.add_argument("--connections", type=counts, default=[1000], help="numbers that read many streams each")
    parser.add_argument("--streams", type=int, default=50, help="that each of them reads")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long is published")
    parser.add_argument("--starved-seconds", type=float, default=10.0, help="the same beside one out of credit")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for the last records to come")
    return parser
