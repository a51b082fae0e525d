"""Durable appends per second over HTTP, our server beside the reference server and the Rust server, in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, report, results, tools
from benchmarks.before import before_option, with_those_of
from benchmarks.load import Format, Layout, Run, Shape, run_load
from benchmarks.readback import check_stored, create_streams
from benchmarks.results import Measured, Results
from benchmarks.servers import KINDS, Kind, Server
from benchmarks.turns import choose

FORMATS: tuple[Format, ...] = ("json", "text")
LAYOUTS: tuple[Layout, ...] = ("shared", "own")


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    chosen, skipped = choose(KINDS, options.servers)
    kinds = with_those_of(chosen, options.before)
    shapes = _shapes(options)
    left_out = {f"not measured: {name}": reason for name, reason in skipped.items()}
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="appends-", dir=options.data or tools.BUILD) as folder:
        found = Results("appends", results.today(), {**machine.facts(Path(folder)), **left_out})
        found.measured = [Measured(kind.name, shape, []) for shape in shapes for kind in kinds]
        for shape, repetition in product(shapes, range(options.repetitions)):
            for kind in kinds[:: -1 if repetition % 2 else 1]:
                _run_once(found, kind, shape, repetition, Path(folder), options)
                results.write(found, options.output)
    print(report.table(found))
    return 1 if any(measured.failure for measured in found.measured) else 0


def _run_once(
    found: Results, kind: Kind, shape: Shape, repetition: int, folder: Path, options: argparse.Namespace
) -> None:
    """Measure, unless this server failed with this shape before."""
    measured = found.find(kind.name, shape)
    assert measured is not None
    if measured.failure is not None:
        return
    text = f"{report.describe(shape)}, {kind.name}, run {repetition + 1}"
    try:
        run = measure(kind, shape, folder, warmup=options.warmup, seconds=options.seconds)
    except RuntimeError as error:
        measured.failure, measured.runs = str(error), []
        print(f"{text} failed: {error}", file=sys.stderr, flush=True)
        return
    measured.runs.append(run.shortened())
    print(f"{text}: {run.rate:,.0f}/s, {run.server_cpu_us:.0f} us", file=sys.stderr, flush=True)


def measure(kind: Kind, shape: Shape, folder: Path, *, warmup: float, seconds: float) -> Run:
    """One run on a new server with empty streams, and a check of what it stored.

    A server that promises durability is killed right after its last answer, and the check reads what a new process
    finds on the disk.
    """
    with TemporaryDirectory(dir=folder) as data, Server(kind, Path(data)) as server:
        if not kind.stores:
            return run_load(server, shape, warmup=warmup, seconds=seconds)
        create_streams(server, shape)
        run = run_load(server, shape, warmup=warmup, seconds=seconds)
        if kind.durable:
            server.kill()
            server.start()
        check_stored(server, shape, run)
        return run


def _shapes(options: argparse.Namespace) -> list[Shape]:
    counts = [int(count) for count in options.connections.split(",")]
    return [
        Shape(count, format, layout)
        for format, layout, count in product(FORMATS, LAYOUTS, counts)
        if format in options.formats.split(",")
        and layout in options.layouts.split(",")
        and not (count == 1 and layout == "own" and "shared" in options.layouts)
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks appends", description=__doc__)
    names = ",".join(kind.name for kind in KINDS)
    parser.add_argument("--servers", default=names, help=f"some of: {names}")
    parser.add_argument("--connections", default="1,64,256", help="numbers of connections")
    parser.add_argument("--formats", default="json,text", help="json, text or both")
    parser.add_argument("--layouts", default="shared,own", help="all connections append to one stream, or own ones")
    parser.add_argument("--repetitions", type=int, default=5, help="runs of each server with each shape")
    before_option(parser)
    parser.add_argument("--warmup", type=float, default=1.5, help="seconds before the measured window")
    parser.add_argument("--seconds", type=float, default=3.0, help="the measured window")
    parser.add_argument("--data", type=Path, help="folder on the disk to use; it must not be in memory")
    parser.add_argument("--output", type=Path, default=tools.HERE / "results" / "appends.json", help="JSON file")
    return parser
