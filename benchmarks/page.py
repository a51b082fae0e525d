"""Writes the tables of docs/benchmarks.md, and the plots beside it, anew from the results in docs/benchmarks."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from benchmarks import catchup, compression, isolation, last, pausing, report, storm, svg, tools
from benchmarks import results as appends_results
from benchmarks.connects import command as connects
from benchmarks.door import command as websocket
from benchmarks.fanout import command as fanout
from benchmarks.llm import command as llm
from benchmarks.turns import Column, Results, Runs, facts, read, row, table

DOCS: Final = tools.HERE.parent / "docs"
PAGE: Final = DOCS / "benchmarks.md"
FOLDER: Final = DOCS / "benchmarks"
APPENDS: Final = "64 connections"

TABLES: Final[dict[str, Callable[[str], Sequence[Column]]]] = {
    "fanout": fanout.columns,
    "websocket": websocket.columns,
    "connects": connects.columns,
    "storm": storm.columns,
    "isolation": isolation.columns,
    "catchup": catchup.columns,
    "last": last.columns,
    "pausing": pausing.columns,
    "llm": llm.columns,
}


@dataclass(frozen=True)
class Plot:
    """Bars of one figure.

    Attributes:
        shape: how the shape's words begin.
        heading: of the column that is drawn.
        title: with {shape}.
    """

    benchmark: str
    shape: str
    heading: str
    title: str
    unit: str


PLOTS: Final = (
    Plot("fanout", "paced", "CPU us", "CPU time of a delivery, {shape}", "microseconds of the server; less is better"),
    Plot("fanout", "paced", "p99 ms", "Lag, {shape}", "milliseconds, 99th percentile; less is better"),
    Plot("fanout", "burst", "delivered/s", "Throughput, {shape}", "deliveries a second; more is better"),
    Plot("fanout", "idle", "bytes a reader", "Memory, {shape}", "bytes of the process for a reader; less is better"),
    Plot("fanout", "idle", "connects/s", "Connecting, {shape}", "readers live a second; more is better"),
    Plot(
        "websocket", "paced", "CPU us", "CPU time of a delivery over WebSocket, {shape}", "microseconds; less is better"
    ),
    Plot("websocket", "idle", "bytes a connection", "Memory over WebSocket, {shape}", "bytes; less is better"),
    Plot(
        "connects",
        "connects: a live",
        "CPU us a connect",
        "CPU time of a connect, {shape}",
        "microseconds of the server; less is better",
    ),
    Plot("storm", "storm", "all back s", "Until all are back, {shape}", "seconds; less is better"),
    Plot(
        "isolation",
        "isolation",
        "kB a stalled reader",
        "A reader that never reads",
        "kB of process and sockets; less is better",
    ),
    Plot("isolation", "isolation", "x", "p99 of the others, over that without stalled readers", "times; 1 is best"),
    Plot("llm", "1,000", "p99 ms", "Lateness of a token, {shape}", "milliseconds, 99th percentile; less is better"),
    Plot(
        "llm",
        "1,000",
        "a viewer, without the model",
        "CPU time of a token for a viewer, {shape}",
        "microseconds of the server; less is better",
    ),
    Plot("llm", "first", "first token ms", "From the request to the first token", "milliseconds; less is better"),
    Plot("catchup", "catch-up", "MB/s", "Catching up, {shape}", "MB a second; more is better"),
)


@dataclass(frozen=True)
class Headline:
    """A column of the table of all benchmarks.

    Attributes:
        shape: how the shape's words begin; the last shape that begins so is taken.
        column: heading of the column of that benchmark's table.
    """

    heading: str
    benchmark: str
    shape: str
    column: str


HEADLINES: Final = (
    Headline("CPU us a delivery, paced 1,000", "fanout", "paced: 1,000 ", "CPU us"),
    Headline("p99 ms", "fanout", "paced: 1,000 ", "p99 ms"),
    Headline("deliveries/s, burst 1,000", "fanout", "burst: 1,000 ", "delivered/s"),
    Headline("bytes an idle reader", "fanout", "idle", "bytes a reader"),
    Headline("connects/s", "fanout", "idle", "connects/s"),
    Headline("CPU us a connect and live read", "connects", "connects: a live read", "CPU us a connect"),
    Headline("storm, all back s", "storm", "storm", "all back s"),
    Headline("kB a stalled reader", "isolation", "isolation", "kB a stalled reader"),
    Headline("catch-up MB/s", "catchup", "catch-up: 1 ", "MB/s"),
    Headline("CPU us a token and viewer, 1,000 runs", "llm", "1,000 ", "a viewer, without the model"),
    Headline("first token ms", "llm", "first", "first token ms"),
)
#: The same for `appends`.
_APPENDS: Final = {"headwater memory": "headwater", "node memory": "DS Node", "rust memory": "DS Rust"}


def main(words: Sequence[str]) -> int:
    """Write the page and the plots; with --check only say what is stale."""
    parser = argparse.ArgumentParser("python -m benchmarks docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    check: bool = parser.parse_args(words).check
    wanted = render()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    ours = {plot.benchmark for plot in PLOTS}
    stale += [path for path in FOLDER.glob("*.svg") if path.name.split("-")[0] in ours and path not in wanted]
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path.relative_to(DOCS.parent)}", file=sys.stderr)
        if not check and path in wanted:
            path.write_text(wanted[path])
        elif not check:
            path.unlink()
    return int(check and bool(stale))


def render() -> dict[Path, str]:
    """The page and every plot, by file."""
    found = {name: read(FOLDER / f"{name}.json") for name in TABLES if (FOLDER / f"{name}.json").exists()}
    plots = _plots(found)
    page = PAGE.read_text()
    page = _put(page, "all", _overview(found))
    page = _put(page, "appends", _appends_table())
    page = _put(page, "compression", _compression_table())
    for name in TABLES:
        page = _put(page, name, _section(name, found.get(name), plots))
    return {PAGE: page, **{FOLDER / name: text for name, text in plots.items()}}


def _section(name: str, results: Results | None, plots: dict[str, str]) -> str:
    if results is None:
        return "Not measured yet."
    lines = [f"Measured {results.date}.", "", *facts(results.machine, results.skipped), ""]
    lines += [table(results, TABLES[name])]
    images = [f"![{_title(text)}](benchmarks/{file})" for file, text in plots.items() if file.startswith(f"{name}-")]
    return "\n\n".join(["\n".join(lines), *images])


def _title(text: str) -> str:
    found = re.search("<title>(.*)</title>", text)
    assert found is not None
    return found[1]


def _plots(found: dict[str, Results]) -> dict[str, str]:
    drawn = {}
    for plot in PLOTS:
        results = found.get(plot.benchmark)
        for shape in results.shapes if results else ():
            if results is not None and shape.startswith(plot.shape) and (rows := list(_bars(results, plot, shape))):
                drawn[_file(plot, shape)] = svg.bars(plot.title.format(shape=shape), plot.unit, rows)
    if (results := found.get("pausing")) and results.series:
        memory = {name: [(point[0], point[1] / 1e6) for point in points] for name, points in results.series.items()}
        title = "Memory of the process while a fast producer writes"
        drawn["pausing-memory.svg"] = svg.lines(title, "MB, of the last run of each", memory)
    return drawn


def _file(plot: Plot, shape: str) -> str:
    words = re.findall("[a-z0-9]+", f"{shape.partition(' in ')[0]} {plot.heading}".lower().replace(",", ""))
    name = "-".join(words) if words[0] == plot.benchmark else "-".join([plot.benchmark, *words])
    return f"{name}.svg"


def _bars(results: Results, plot: Plot, shape: str) -> Iterator[svg.Bar]:
    column = _column(plot.benchmark, shape, plot.heading)
    for runs in results.measured:
        if runs.shape == shape and runs.failure is None and (value := column.of(runs.runs)) is not None:
            values = [run[column.key] * column.scale for run in runs.runs]
            ours = runs.server.startswith("headwater")
            yield svg.Bar(runs.server, value, min(values), max(values), column.show(value), ours)


def _column(benchmark: str, shape: str, heading: str) -> Column:
    return next(c for c in TABLES[benchmark](shape) if c.heading == heading and c.over is None)


def _overview(found: dict[str, Results]) -> str:
    """One row for each server, with the figure of each benchmark that it was part of."""
    cells: dict[str, dict[str, str]] = {}
    for headline in HEADLINES:
        for runs in _of(found.get(headline.benchmark), headline.shape):
            column = _column(headline.benchmark, runs.shape, headline.column)
            name = re.sub(" SSE$", "", runs.server)
            cells.setdefault(name, {})[headline.heading] = column.show(column.of(runs.runs))
    heading = f"appends/s, {APPENDS}"
    for name, rate in _append_rates():
        cells.setdefault(_APPENDS.get(name, name), {})[heading] = f"{rate:,.0f}"
    headings = [*(headline.heading for headline in HEADLINES), heading]
    lines = [row(["server", *headings]), row(["---", *["---:"] * len(headings)])]
    return "\n".join([*lines, *(row([name, *(found.get(h, "") for h in headings)]) for name, found in cells.items())])


def _of(results: Results | None, shape: str) -> list[Runs]:
    if results is None:
        return []
    shapes = [text for text in results.shapes if text.startswith(shape)]
    return [runs for runs in results.measured if shapes and runs.shape == shapes[-1] and runs.runs and not runs.failure]


def _append_rates() -> Iterator[tuple[str, float]]:
    results = _appends()
    for measured in results.measured if results else ():
        if measured.runs and report.describe(measured.shape).startswith(f"{APPENDS}, json, one stream"):
            yield measured.server, measured.median(lambda run: run.rate)


def _appends_table() -> str:
    results = _appends()
    return "Not measured yet." if results is None else f"Measured {results.date}.\n\n{report.table(results)}"


def _appends() -> appends_results.Results | None:
    path = FOLDER / "appends.json"
    return msgspec.json.decode(path.read_bytes(), type=appends_results.Results) if path.exists() else None


class _Compressed(msgspec.Struct):
    machine: dict[str, str]
    runs: list[compression.Run]


def _compression_table() -> str:
    path = FOLDER / "compression.json"
    if not path.exists():
        return "Not measured yet."
    found = msgspec.json.decode(path.read_bytes(), type=_Compressed)
    kinds: dict[tuple[str, int], list[compression.Run]] = {}
    for run in found.runs:
        kinds.setdefault((run.way, run.batch), []).append(run)
    medians = [
        compression.Run(way, batch, *(median(getattr(run, name) for run in runs) for name in ("wire", "cpu", "memory")))
        for (way, batch), runs in kinds.items()
    ]
    return compression.table(medians, found.machine)


def _put(page: str, title: str, text: str) -> str:
    start, end = f"<!-- generated: {title} -->\n", "<!-- end -->"
    before, found, rest = page.partition(start)
    assert found, title
    return f"{before}{start}\n{text}\n\n{end}{rest.partition(end)[2]}"
