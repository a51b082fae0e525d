"""Times are counted to 1 %, and added over processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.cli.load.histogram import Histogram

micros = st.lists(st.integers(0, 10**10), min_size=1, max_size=50)


def counted(values: list[int]) -> Histogram:
    histogram = Histogram({})
    for value in values:
        histogram.add(value)
    return histogram


@given(values=micros, share=st.floats(0.01, 1.0))
def test_a_percentile_is_right_to_one_percent(values: list[int], share: float) -> None:
    """Never above the exact one, and at most 1 % below."""
    ranked = sorted(values)
    exact = next(value for index, value in enumerate(ranked, 1) if index >= share * len(ranked)) / 1000
    found = counted(values).percentile(share)
    assert exact * 0.99 - 1e-9 <= found <= exact + 1e-9


@given(left=micros, right=micros)
def test_two_add_up(left: list[int], right: list[int]) -> None:
    """The histogram of all is the sum of the parts'."""
    total = counted(left)
    total.merge(counted(right))
    assert total == counted(left + right)
    assert total.total == len(left) + len(right)


def test_nothing_has_no_percentile() -> None:
    """It is 0; a time below zero counts as 0."""
    assert Histogram({}).percentile(0.99) == 0
    assert counted([-5]).percentile(0.5) == pytest.approx(0)
