"""Measured runs and their medians."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import msgspec

from benchmarks.fanout.shapes import Shape
from benchmarks.fanout.trial import Run

Value = Callable[[Run], float]


class Measured(msgspec.Struct):
    """All runs of one server with one shape.

    Attributes:
        failure: what went wrong in a run; none follows it, and the ones before do not count.
    """

    server: str
    shape: Shape
    runs: list[Run] = []
    failure: str | None = None

    def median(self, value: Value) -> float:
        """The middle one of the runs' values."""
        return median(map(value, self.runs))


class Results(msgspec.Struct):
    """A whole run of the command.

    Attributes:
        skipped: servers that could not run, with the reason.
    """

    benchmark: str
    date: str
    machine: dict[str, str]
    skipped: dict[str, str]
    measured: list[Measured]

    def of(self, shape: Shape) -> list[Measured]:
        """All servers with one shape."""
        return [measured for measured in self.measured if measured.shape == shape]

    def ratio(self, measured: Measured, other: str, value: Value) -> float | None:
        """Median of the ratios of the runs that were made one after the other."""
        for peer in self.of(measured.shape):
            if peer.server == other and peer.runs and measured.runs:
                pairs = zip(measured.runs, peer.runs, strict=False)
                return median(value(a) / value(b) for a, b in pairs)
        return None
