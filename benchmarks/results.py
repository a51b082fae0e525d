"""Measured runs, their medians, and the file they are kept in."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.load import Run, Shape


class Measured(msgspec.Struct):
    """All runs of one server with one shape.

    Attributes:
        failure: what went wrong; no run follows it, and the ones before do not count.
    """

    server: str
    shape: Shape
    runs: list[Run] = []
    failure: str | None = None

    def median(self, value: Callable[[Run], float]) -> float:
        """The middle one of the runs' values."""
        return median(value(run) for run in self.runs)

    def spread(self, value: Callable[[Run], float]) -> tuple[float, float]:
        """The smallest and the largest one."""
        values = [value(run) for run in self.runs]
        return min(values), max(values)


class Results(msgspec.Struct):
    """A whole benchmark."""

    benchmark: str
    date: str
    machine: dict[str, str]
    measured: list[Measured] = []

    def find(self, server: str, shape: Shape) -> Measured | None:
        """The runs of a server with a shape."""
        for measured in self.measured:
            if measured.server == server and measured.shape == shape:
                return measured
        return None

    def ratio(self, server: str, other: str, shape: Shape, value: Callable[[Run], float]) -> float | None:
        """Median of the ratios of the runs that were made one after the other."""
        left, right = self.find(server, shape), self.find(other, shape)
        if left is None or right is None or not left.runs or not right.runs:
            return None
        return median(value(a) / value(b) for a, b in zip(left.runs, right.runs, strict=False))


def today() -> str:
    """The date and time, for the file."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z")


def write(results: Results, path: Path) -> None:
    """Keep the results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
