"""What one connect costs: a connection that is opened for one request; servers in turns."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, tools
from benchmarks.before import with_those_of
from benchmarks.connects.requests import REQUESTS, responses
from benchmarks.connects.servers import FLOOR, PEERS, PYTHON, Peer
from benchmarks.connects.trial import Shape, measure
from benchmarks.fanout.command import common_options
from benchmarks.results import today
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

COLUMNS = (
    Column("CPU us a connect", "cpu_us", ".1f"),
    Column("x floor", "cpu_us", ".2f", over=FLOOR.name),
    Column("x Python", "cpu_us", ".2f", over=PYTHON.name),
    Column("connects/s", "rate"),
    Column("p50 ms", "p50_us", ".2f", 1e-3),
    Column("p99 ms", "p99_us", ".2f", 1e-3),
    Column("clients us", "load_cpu_us", ".1f"),
    Column("busy", "load_busy", ".0%"),
)


def columns(shape: str) -> Sequence[Column]:
    """The columns of the table."""
    return COLUMNS


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    chosen, skipped = choose(PEERS, options.servers)
    peers = with_those_of(chosen, options.before)
    results = Results("connects", today(), machine.host(), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="connects-", dir=tools.BUILD) as folder:
        fixed = responses(Path(folder))

        def run(peer: Peer, shape: Shape) -> Figures:
            return measure(peer, shape, fixed, Path(folder))

        shapes = [(shape, peers, options.repetitions) for shape in _shapes(options)]
        Turns(shapes, run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def _shapes(options: argparse.Namespace) -> list[Shape]:
    requests = [request for request in REQUESTS if request.name in options.requests]
    pairs = product(options.at_once, requests)
    return [Shape(request, options.connects, at_once, options.seconds) for at_once, request in pairs]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks connects", description=__doc__)
    common_options(parser, "connects", PEERS, 5)
    names = ",".join(request.name for request in REQUESTS)
    parser.add_argument("--requests", type=_names, default=names, help=f"some of: {names}")
    parser.add_argument("--connects", type=_positive, default=5000, help="connections of a run")
    parser.add_argument("--at-once", type=_positives, default=[32], help="numbers of connections at the same time")
    parser.add_argument("--seconds", type=float, default=20.0, help="after so long a run opens no more")
    return parser


def _names(text: str) -> list[str]:
    """Names of requests, with commas between."""
    names = text.split(",")
    if unknown := set(names) - {request.name for request in REQUESTS}:
        raise argparse.ArgumentTypeError(f"there is no request {', '.join(sorted(unknown))}")
    return names


def _positive(text: str) -> int:
    """A number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def _positives(text: str) -> list[int]:
    """Such numbers, with commas between."""
    return [_positive(number) for number in text.split(",")]
