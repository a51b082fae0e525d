"""What two looks at a server's counters say of the time between them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from headwater.cli.rates import Rates, quantile, rates
from headwater.hub import Stats
from headwater.stores import StoreFigures


def overview(
    uptime: float, stats: Stats, store: StoreFigures | None = None, cpu: float = 0.0, instance: str = "a"
) -> dict[str, Any]:
    process = {"cpu_seconds": cpu}
    found = {**msgspec.to_builtins(stats), "process": process, "store": msgspec.to_builtins(store)}
    return {"instance": instance, "uptime_seconds": uptime, "stats": found}


def test_rates_are_of_the_time_between() -> None:
    """Counters by seconds, percentiles of what the histograms gained, commits by their number."""
    stats, store = Stats(appends=10), StoreFigures()
    stats.delivered(1000, 4.0)
    before = overview(100.0, stats, store, cpu=5.0)
    stats.appends += 30
    stats.delivered(50, 0.002)
    for size in (1, 5):
        store.commit_sizes.add(size)
        store.commit_seconds.add(0.004)
    found = rates(overview(110.0, stats, store, cpu=6.0), before)
    assert (found.appends, found.deliveries) == (3.0, 5.0)
    assert found.cpu == pytest.approx(0.1)
    assert found.lag50 == pytest.approx(0.00175)
    assert found.lag99 is not None
    assert 0.001 < found.lag99 <= 0.0025
    assert found.delay99 is None
    assert (found.commits, found.commit_size) == (0.2, 3.0)


def test_another_process_has_no_rates() -> None:
    """After a restart counters begin again, however soon it is up for longer; the first look has nothing before it."""
    before = overview(1.0, Stats(appends=9))
    assert rates(overview(5.0, Stats(), instance="b"), before) == Rates()
    assert rates(overview(5.0, Stats()), None) == Rates()
    assert rates(before, before) == Rates()


@pytest.mark.parametrize(
    ("share", "counts", "expected"),
    [
        (0.5, [0, 10, 0], 1.5),
        (0.5, [10, 0, 0], 0.5),
        (0.99, [0, 0, 4], 2.0),
        (0.99, [0, 0, 0], None),
        (1.0, [1, 1, 0], 2.0),
    ],
)
def test_a_quantile_lies_in_its_bucket(share: float, counts: list[int], expected: float | None) -> None:
    """Interpolated as Prometheus does it; above the last bound, the last bound."""
    assert quantile(share, (1.0, 2.0), counts) == expected
