"""What small appends wait for beside large ones, by the clock: `make soak`, on a machine that does nothing else."""

from __future__ import annotations

from functools import partial

import pytest
from benchmarks.servers import MEMORY, SQLITE, Kind
from benchmarks.waits import BUDGET, SHAPES, Beside, beside, fresh, stalled

pytestmark = pytest.mark.soak

stores = pytest.mark.parametrize("kind", [SQLITE, MEMORY], ids=lambda kind: kind.name)


@stores
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_small_append_waits_little_longer_than_alone(kind: Kind, shape: Beside) -> None:
    """The longest wait of a round of large ones, the median of fifteen rounds, over the median alone."""
    waited = fresh(kind, partial(beside, shape=shape, rounds=15))
    assert waited.more <= shape.most, waited


@stores
def test_stalled_bodies_cost_others_nothing(kind: Kind) -> None:
    """Sixty of 16 MiB: p99 of small appends beside them is within a tenth of that alone, the median of seven turns."""
    found = fresh(kind, partial(stalled, turns=7, seconds=4.0))
    assert found.held <= BUDGET
    assert found.times <= 1.1, found
