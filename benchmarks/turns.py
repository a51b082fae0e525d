"""Runs that servers take in turns, kept as they were measured, and the table made of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Generic, Protocol, TypeVar

import msgspec

from benchmarks.servers import BEFORE

#: What one run measured, by name.
Figures = dict[str, float]


class Runs(msgspec.Struct):
    """All runs of one server with one shape.

    Attributes:
        failure: what went wrong in a run; none follows it, and the ones before do not count.
    """

    server: str
    shape: str
    runs: list[Figures] = []
    failure: str | None = None


class Results(msgspec.Struct):
    """A whole run of a benchmark.

    Attributes:
        machine: what a reader of the results must know, by name.
        skipped: servers that could not run, with the reason.
        series: of a server's last run, rows of figures over time; the first of each is the time in seconds.
    """

    benchmark: str
    date: str
    machine: dict[str, str]
    skipped: dict[str, str]
    measured: list[Runs]
    series: dict[str, list[list[float]]] = {}

    def find(self, server: str, shape: str) -> Runs | None:
        """The runs of a server with a shape, if they succeeded."""
        for runs in self.measured:
            if (runs.server, runs.shape) == (server, shape) and runs.runs and runs.failure is None:
                return runs
        return None

    @property
    def shapes(self) -> list[str]:
        """In the order of measuring."""
        return list(dict.fromkeys(runs.shape for runs in self.measured))

    @property
    def failed(self) -> bool:
        """Whether a server failed."""
        return any(runs.failure for runs in self.measured)


def read(path: Path) -> Results:
    """The results in a file."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def write(results: Results, path: Path) -> None:
    """Keep the results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


class Named(Protocol):
    """A server, as far as turns are concerned."""

    @property
    def name(self) -> str:
        """What the table calls it."""
        ...

    @property
    def missing(self) -> Callable[[], str | None]:
        """Gives the reason why it cannot run here; may install it."""
        ...


class Described(Protocol):
    """A shape, as far as turns are concerned."""

    @property
    def text(self) -> str:
        """The shape in words."""
        ...


S = TypeVar("S", bound=Named)
T = TypeVar("T", bound=Described)


def choose(servers: Sequence[S], names: str, comma: str = ",") -> tuple[list[S], dict[str, str]]:
    """The servers of a list of names that can run here, and why the others cannot."""
    wanted = names.split(comma)
    if unknown := set(wanted) - {server.name for server in servers}:
        sys.exit(f"there is no server {', '.join(sorted(unknown))}")
    skipped: dict[str, str] = {}
    chosen: list[S] = []
    for server in servers:
        if server.name not in wanted:
            continue
        reason = server.missing()
        if reason is None:
            chosen.append(server)
        else:
            skipped[server.name] = reason
            print(f"{server.name} is not measured: {reason}", file=sys.stderr, flush=True)
    return chosen, skipped


@dataclass(frozen=True)
class Turns(Generic[S, T]):
    """How the servers take turns: A B C, then C B A, so that none always follows the same one.

    Attributes:
        shapes: with, for each, the servers that are measured with it, and how often.
        measure: one run on a new server.
        columns: of a shape's table; the first ones are also told of each run.
        output: file for the results, written after every run.
    """

    shapes: Sequence[tuple[T, Sequence[S], int]]
    measure: Callable[[S, T], Figures]
    columns: Callable[[str], Sequence[Column]]
    output: Path

    def run(self, results: Results) -> None:
        """Measure; a server that fails is left out of the turns that follow."""
        for shape, servers, repetitions in self.shapes:
            rows = [Runs(server.name, shape.text) for server in servers]
            results.measured += rows
            pairs = list(zip(servers, rows, strict=True))
            for turn in range(repetitions):
                for server, runs in pairs[:: -1 if turn % 2 else 1]:
                    if runs.failure is None:
                        self._run_once(server, shape, runs)
                        write(results, self.output)

    def _run_once(self, server: S, shape: T, runs: Runs) -> None:
        text = f"{shape.text}, {server.name}, run {len(runs.runs) + 1}"
        try:
            figures = self.measure(server, shape)
        except (RuntimeError, OSError) as error:
            runs.failure, runs.runs = str(error).strip()[-300:], []
            print(f"{text} failed: {error}", file=sys.stderr, flush=True)
            return
        runs.runs.append(figures)
        told = [f"{c.heading} {c.show(c.of([figures]))}" for c in self.columns(shape.text) if c.over is None]
        print(f"{text}: {', '.join(told)}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: its head.
        key: of the figure.
        form: how a number is written.
        scale: it is multiplied with.
        combine: makes one number of all runs'.
        over: the median of the ratios to this server's runs of the same turn.
    """

    heading: str
    key: str
    form: str = ",.0f"
    scale: float = 1.0
    combine: Callable[[list[float]], float] = median
    over: str | None = None

    def of(self, runs: Sequence[Figures]) -> float | None:
        """The runs' number; None: they do not have it."""
        values = [run[self.key] * self.scale for run in runs if self.key in run]
        return self.combine(values) if values else None

    def ratios(self, runs: Sequence[Figures], others: Sequence[Figures]) -> list[float]:
        """Of each run to the other's of the same turn, where both have the figure."""
        pairs = [(a.get(self.key), b.get(self.key)) for a, b in zip(runs, others, strict=False)]
        return [a / b for a, b in pairs if a is not None and b]

    def ratio(self, runs: Sequence[Figures], others: Sequence[Figures]) -> float | None:
        """The median of them; None: there is none."""
        values = self.ratios(runs, others)
        return median(values) if values else None

    def show(self, number: float | None) -> str:
        """The number as text."""
        return "" if number is None else f"{number:{self.form}}"


def table(results: Results, columns: Callable[[str], Sequence[Column]]) -> str:
    """A table in Markdown for each shape."""
    lines: list[str] = []
    for shape in results.shapes:
        wanted = columns(shape)
        lines += ["", f"**{shape}**", ""]
        lines += [row(["server", *(column.heading for column in wanted)]), row(["---", *["---:"] * len(wanted)])]
        lines += [_row(results, runs, wanted) for runs in results.measured if runs.shape == shape]
        lines += beside_before(results, shape, wanted)
    return "\n".join(lines[1:])


def beside_before(results: Results, shape: str, columns: Sequence[Column]) -> Iterator[str]:
    """For each server that was measured with another checkout's code, too: its figures over those of the same turns."""
    for runs in results.measured:
        other = results.find(runs.server + BEFORE, shape)
        if runs.shape == shape and runs.failure is None and other is not None:
            ratios = [(c.heading, c.ratios(runs.runs, other.runs)) for c in columns if c.over is None]
            told = [f"{head} {median(r):.2f} ({min(r):.2f} to {max(r):.2f})" for head, r in ratios if r]
            yield f"\n{runs.server} over {other.server}: {', '.join(told)}"


def facts(machine: Mapping[str, str], skipped: Mapping[str, str]) -> Iterator[str]:
    """Where the numbers come from, as a list in Markdown."""
    yield from (f"- {name}: {value}" for name, value in machine.items())
    yield from (f"- not measured: {name}, {reason}" for name, reason in skipped.items())


def row(cells: Sequence[str]) -> str:
    """A row in Markdown."""
    return "| " + " | ".join(cells) + " |"


def _row(results: Results, runs: Runs, columns: Sequence[Column]) -> str:
    if runs.failure is not None or not runs.runs:
        reason = " ".join((runs.failure or "no run").split()).replace("|", "\\|")
        return row([runs.server, f"failed: {reason}", *[""] * (len(columns) - 1)])
    cells = [runs.server]
    for column in columns:
        if column.over is None:
            cells.append(column.show(column.of(runs.runs)))
            continue
        other = results.find(column.over, runs.shape)
        cells.append(column.show(column.ratio(runs.runs, other.runs) if other else None))
    return row(cells)
