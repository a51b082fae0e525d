"""A model's answers to many at once: lateness, CPU time and bytes of a token, and the way to the first one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, tools
from benchmarks.before import with_those_of
from benchmarks.fanout import peers
from benchmarks.fanout.command import common_options, counts
from benchmarks.llm.servers import CHATS, HEADWATER, SSE_STARLETTE, Chat, redis_version
from benchmarks.llm.trial import Alone, Shape, alone, measure
from benchmarks.results import today
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

_LOAD = (
    Column("viewers a run", "viewers"),
    Column("all watch after s", "begun_seconds", ".1f"),
    Column("p50 ms", "p50_us", ".1f", 1e-3),
    Column("p99 ms", "p99_us", ".1f", 1e-3),
    Column("max ms", "max_us", ",.0f", 1e-3, max),
    Column("lost", "lost", combine=sum),
    Column("CPU us a token", "cpu_us", ".1f"),
    Column("the model alone", "model_us", ".1f"),
    Column("a viewer, without the model", "own_cpu_us", ".1f"),
    Column("x sse-starlette", "own_cpu_us", ".2f", over=SSE_STARLETTE.name),
    Column("cores", "cores", ".2f"),
    Column("bytes a token", "bytes", ".1f"),
    Column("tokens a read", "a_read", ".2f"),
    Column("busy", "viewers_busy", ".0%"),
)
_FIRST = (
    Column("first token ms", "first_us", ".2f", 1e-3),
    Column("more than the model alone, ms", "overhead_us", ".2f", 1e-3),
    Column("p90 ms", "p90_us", ".2f", 1e-3),
)
#: What the model costs alone is measured for so long.
ALONE_SECONDS = 2.0


def columns(shape: str) -> Sequence[Column]:
    """The columns of a shape's table."""
    return _FIRST if shape.startswith("first") else _LOAD


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    if options.quick:
        options.runs, options.repetitions, options.seconds, options.grace = [10, 1000], 1, 4.0, 5.0
    chosen, skipped = choose(CHATS, options.servers)
    chats = with_those_of(chosen, options.before)
    shapes = [Shape(0, options.first), *(Shape(count) for count in options.runs)]
    models = {shape: alone(shape.runs or 1, ALONE_SECONDS) for shape in shapes}
    results = Results("llm", today(), _host(models[shapes[0]]), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="llm-") as folder:

        def run(chat: Chat, shape: Shape) -> Figures:
            return measure(chat, shape, Path(folder), models[shape], seconds=options.seconds, grace=options.grace)

        wanted = [(shape, chats, options.repetitions) for shape in shapes if shape.runs or shape.count]
        Turns(wanted, run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(any(runs.failure for runs in results.measured if runs.server.startswith(HEADWATER.name)))


def _host(model: Alone) -> dict[str, str]:
    return {
        **machine.host(),
        "node": machine.node_version(),
        "redis": redis_version() or "none",
        "peers": peers.versions(),
        "the model alone": f"{model.first_seconds * 1e6:.0f} us to the first token",
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks llm", description=__doc__)
    common_options(parser, "llm", CHATS, 3)
    parser.add_argument("--runs", type=counts, default=[10, 100, 1000], help="numbers of runs at the same time")
    parser.add_argument("--first", type=int, default=200, help="runs one after the other, for the first token")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the window")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for the last tokens to come")
    parser.add_argument("--quick", action="store_true", help="few and short runs: about five minutes")
    return parser
