"""Live fan-out over SSE: CPU time, rate and lag of a delivery, memory of a reader; servers in turns, in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks import machine, tools
from benchmarks.fanout import nginx, report
from benchmarks.fanout.peers import REQUIREMENTS
from benchmarks.fanout.results import Measured, Results
from benchmarks.fanout.servers import BROADCASTERS, NCHAN, SSE_STARLETTE, Broadcaster
from benchmarks.fanout.shapes import shapes
from benchmarks.fanout.trial import measure
from benchmarks.results import today


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    chosen = [server for server in BROADCASTERS if server.name in options.servers.split(",")]
    skipped = {server.name: reason for server in chosen if (reason := server.missing()) is not None}
    for name, reason in skipped.items():
        print(f"{name} is not measured: {reason}", file=sys.stderr, flush=True)
    servers = [server for server in chosen if server.name not in skipped]
    found = Results("fanout", today(), _facts(servers), skipped, [])
    wanted = shapes(options.paced, options.burst, options.idle)
    found.measured = [Measured(server.name, shape) for shape in wanted for server in servers]
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="fanout-") as folder:
        for shape, repetition in product(wanted, range(options.repetitions)):
            for server, measured in zip(servers, found.of(shape), strict=True):
                if measured.failure is None:
                    _run_once(measured, server, Path(folder), repetition, options)
                    _write(found, options.output)
    print(report.table(found))
    return 1 if any(measured.failure for measured in found.measured) else 0


def _run_once(
    measured: Measured, server: Broadcaster, folder: Path, repetition: int, options: argparse.Namespace
) -> None:
    text = f"{measured.shape.text}, {server.name}, run {repetition + 1}"
    try:
        run = measure(server, measured.shape, folder, seconds=options.seconds, grace=options.grace)
    except (RuntimeError, OSError) as error:
        measured.failure, measured.runs = str(error), []
        print(f"{text} failed: {error}", file=sys.stderr, flush=True)
        return
    measured.runs.append(run)
    if run.reader_bytes is not None:
        print(f"{text}: {run.reader_bytes:,.0f} bytes a reader", file=sys.stderr, flush=True)
        return
    print(f"{text}: {run.rate:,.0f}/s, {run.cpu_us:.2f} us, lost {run.lost:,}", file=sys.stderr, flush=True)


def _facts(servers: list[Broadcaster]) -> dict[str, str]:
    facts = machine.host()
    if NCHAN in servers:
        facts["nginx"] = nginx.version()
    if SSE_STARLETTE in servers:
        facts["peers"] = ", ".join(REQUIREMENTS.read_text().split())
    return facts


def _write(found: Results, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def _counts(text: str) -> list[int]:
    return [int(count) for count in text.split(",") if count]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks fanout", description=__doc__)
    names = ",".join(server.name for server in BROADCASTERS)
    parser.add_argument("--servers", default=names, help=f"some of: {names}")
    parser.add_argument("--paced", type=_counts, default=[100, 1000], help="numbers of readers at 50 records a second")
    parser.add_argument("--burst", type=_counts, default=[1000], help="the same at 1,000 records a second, ten at once")
    parser.add_argument("--idle", type=_counts, default=[10_000], help="numbers of readers that are only weighed")
    parser.add_argument("--repetitions", type=int, default=3, help="runs of each server with each shape")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long is published")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for the last records to come")
    parser.add_argument("--output", type=Path, default=tools.HERE / "results" / "fanout.json", help="JSON file")
    return parser
