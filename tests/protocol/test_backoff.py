"""Waits that grow, are bounded, and spread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.protocol.backoff import delay, share

draws = st.floats(0.0, 1.0, exclude_max=True)


@pytest.mark.parametrize(("attempt", "longest"), [(0, 0.5), (1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (10_000, 30.0)])
def test_the_longest_wait_doubles_up_to_the_cap(attempt: int, longest: float) -> None:
    """The draw takes a part of it, from nothing to all."""
    assert delay(attempt, 0.0) == 0.0
    assert delay(attempt, 0.5) == longest / 2
    assert delay(attempt, 1.0) == longest


@given(attempt=st.integers(0, 10**9), draw=draws, base=st.floats(0.001, 10), cap=st.floats(0.001, 1000))
def test_no_wait_is_negative_or_beyond_the_cap(attempt: int, draw: float, base: float, cap: float) -> None:
    """For any attempt, however many there were."""
    assert 0.0 <= delay(attempt, draw, base=base, cap=cap) <= cap


@given(attempt=st.integers(0, 40), draw=draws)
def test_a_later_attempt_never_waits_less(attempt: int, draw: float) -> None:
    """With the same draw."""
    assert delay(attempt + 1, draw) >= delay(attempt, draw)


@given(window=st.floats(0.0, 3600.0), draw=draws)
def test_a_share_lies_within_the_window(window: float, draw: float) -> None:
    """A reader comes back in the window, and at the draw's part of it."""
    assert 0.0 <= share(window, draw) <= window
    assert share(10.0, 0.25) == 2.5
