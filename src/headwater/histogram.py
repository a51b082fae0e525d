"""A histogram of plain integers, for what is counted where it happens and shown when somebody asks."""

from __future__ import annotations

from bisect import bisect_left

import msgspec


class Histogram(msgspec.Struct, kw_only=True):
    """How often something was how large. One thread at a time adds; any may look.

    Attributes:
        bounds: the largest value of each bucket but the last, ascending.
        counts: values in each bucket; one more than there are bounds, for the rest.
        sum: of all values.
    """

    bounds: tuple[float, ...]
    counts: list[int] = msgspec.field(default_factory=list)
    sum: float = 0.0

    def __post_init__(self) -> None:
        """All buckets are empty at first."""
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, value: float, times: int = 1) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times
