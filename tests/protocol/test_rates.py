"""How often something may be done, and what is remembered for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headwater.protocol.rates import Rates


def test_a_second_at_once_and_then_one_by_one() -> None:
    rates = Rates(10)
    assert [rates.take("a", 0.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert not rates.take("a", 0.04)
    assert rates.take("a", 0.11)
    assert not rates.take("a", 0.11)
    assert rates.take("b", 0.11)
    assert [rates.take("a", 5.0) for _ in range(11)] == [True] * 10 + [False]


@given(st.integers(1, 50), st.lists(st.floats(0, 0.3), max_size=300))
def test_no_second_has_twice_the_rate(rate: int, pauses: list[float]) -> None:
    """What was refused does not count."""
    rates, now, taken = Rates(rate), 0.0, []
    for pause in pauses:
        now += pause
        if rates.take("a", now):
            taken.append(now)
    for start in taken:
        assert sum(start <= at < start + 1 for at in taken) <= 2 * rate


def test_who_is_silent_is_forgotten() -> None:
    """A hundred thousand senders, one after the other, leave no more than a second of them."""
    rates = Rates(1)
    for number in range(100_000):
        assert rates.take(number, number / 100)
        assert len(rates) <= 2100
