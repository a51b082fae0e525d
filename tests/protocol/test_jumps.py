"""The rule for a wall clock that is set: readings in, shift out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.protocol.jumps import TOLERANCE, Jumps


@pytest.mark.parametrize("seconds", [3600.0, -3600.0, TOLERANCE + 0.01, -TOLERANCE - 0.01])
def test_what_the_wall_clock_does_beyond_the_monotonic_one_is_a_jump(seconds: float) -> None:
    """The time stays what it was until it is shifted, and is the wall's then."""
    jumps = Jumps(1000.0, 5.0)
    assert jumps.jump(1010.0 + seconds, 15.0) == pytest.approx(seconds)
    assert jumps.now(15.0) == 1010.0
    jumps.shift(seconds)
    assert jumps.now(15.0) == pytest.approx(1010.0 + seconds)
    assert jumps.jump(1010.0 + seconds, 15.0) == 0.0


@pytest.mark.parametrize("seconds", [0.0, TOLERANCE / 2, -TOLERANCE / 2])
def test_a_slewed_clock_has_not_jumped(seconds: float) -> None:
    """Nor has one that stood still with the process, as both do then."""
    jumps = Jumps(1000.0, 5.0)
    assert jumps.jump(4600.0 + seconds, 3605.0) == 0.0
    assert jumps.now(3605.0) == 4600.0


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-1e5, 1e5)), max_size=20))
def test_idle_time_is_what_the_monotonic_clock_says(steps: list[tuple[float, float]]) -> None:
    """Whatever the wall clock does: times that are shifted with it keep their distance."""
    wall = 1_700_000_000.0
    monotonic = touched_monotonic = 12.0
    jumps = Jumps(wall, monotonic)
    touched = jumps.now(monotonic)
    for passed, jumped in steps:
        monotonic += passed
        wall += passed + jumped
        shift = jumps.jump(wall, monotonic)
        jumps.shift(shift)
        touched += shift
        assert jumps.now(monotonic) - touched == pytest.approx(monotonic - touched_monotonic, abs=1e-3)
        assert abs(jumps.now(monotonic) - wall) <= TOLERANCE + 1e-3
