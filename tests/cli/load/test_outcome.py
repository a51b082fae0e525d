"""The figures of a run say when not to believe them."""

from __future__ import annotations

import pytest

from headwater.cli.load.histogram import Histogram
from headwater.cli.load.messages import Published, Received, Strained
from headwater.cli.load.outcome import Generator, Outcome, Times, outcome, warnings
from headwater.cli.load.plan import Plan

IDLE = Strained(0.1, Histogram({}))
QUIET = Times(0, 0, 0, 0)
PLAN = Plan("http://127.0.0.1:1", ("/a", "/b"), (), readers=4, rate=10, seconds=2, size=100, timeout=1, grace=1)


def part(delivered: int, *, lost: int = 0, last_ns: int = 3_000_000_000, strain: Strained = IDLE) -> Received:
    return Received(delivered, lost, 1, 2, last_ns, Histogram({0: delivered}), strain)


def figures(*parts: Received) -> Outcome:
    return outcome(PLAN, 0.5, Published((10, 10), 1_000_000_000, Histogram({}), IDLE), parts)


def test_the_parts_are_added() -> None:
    """Deliveries, losses, repetitions and cuts of all processes; rates over the time to the last delivery."""
    found = figures(part(30, lost=3), part(10, last_ns=2_000_000_000))
    assert (found.deliveries, found.lost, found.repeated, found.cuts) == (40, 3, 2, 4)
    assert (found.deliveries_per_second, found.connects_per_second) == (20.0, 8.0)
    assert (found.due, found.published, found.streams) == (20, 20, 2)


def test_nothing_delivered_has_figures_too() -> None:
    """A server that takes everything and delivers nothing."""
    found = figures(part(0, lost=40, last_ns=0))
    assert (found.deliveries_per_second, found.lost, found.lag_ms) == (0.0, 40, QUIET)


def test_the_busiest_process_counts() -> None:
    """The generator's figures are those of its worst process."""
    late = Strained(0.9, Histogram({20_000: 0}))
    assert figures(part(1), part(1, strain=late)).generator.cpu == 0.9


@pytest.mark.parametrize(
    ("generator", "published", "word"),
    [
        (Generator(1, 0.95, QUIET), 100, "bottleneck"),
        (Generator(1, 0.1, Times(1, 50, 50, 50)), 100, "late"),
        (Generator(4, 0.1, QUIET), 100, "cores"),
        (Generator(1, 0.1, QUIET), 50, "pace"),
    ],
)
def test_a_strained_run_is_warned_of(generator: Generator, published: int, word: str) -> None:
    """One sentence for each reason, and what to do."""
    found = warnings(generator, 100, published, 2)
    assert len(found) == 1
    assert word in found[0]


def test_a_good_run_is_not_warned_of() -> None:
    """Nothing is said when nothing is to be said."""
    assert warnings(Generator(1, 0.5, Times(0, 1, 2, 3)), 100, 99, 2) == []
