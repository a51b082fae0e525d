"""The clock stands still until it is moved."""

from __future__ import annotations

import pytest

from headwater.testing import ManualClock


def test_it_moves_only_by_hand() -> None:
    """It shows the same moment until it is advanced, by fractions too."""
    clock = ManualClock(100.0)
    assert [clock(), clock()] == [100.0, 100.0]
    clock.advance(0.25)
    clock.advance(0)
    assert clock() == 100.25


def test_it_starts_at_a_plausible_date() -> None:
    """Without a start it shows a moment of this century, so that dates in tests look like dates."""
    assert 1_600_000_000 < ManualClock()() < 4_000_000_000


def test_it_does_not_go_back() -> None:
    """A negative step is refused, and changes nothing."""
    clock = ManualClock(100.0)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    assert clock() == 100.0
