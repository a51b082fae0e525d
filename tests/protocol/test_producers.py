"""Idempotent producers: each request is accepted once, in order, from the newest epoch."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import HeadwaterError, InvalidProducer, ProducerFenced, ProducerGap
from headwater.model import Producer
from headwater.protocol.producers import (
    IDLE_SECONDS,
    KEPT_SECONDS,
    MAX_INTEGER,
    MAX_PRODUCERS,
    ProducerState,
    advance,
    full_until,
    leaving,
)

numbers = st.integers(0, 5)


def test_the_first_request_is_number_zero() -> None:
    """A new producer starts at sequence 0 in whatever epoch; at another one, 0 is asked for."""
    assert advance(None, Producer("p", 7, 0)) == ProducerState(7, 0)
    with pytest.raises(ProducerGap) as failure:
        advance(None, Producer("p", 0, 3))
    assert failure.value.details == {"expected": 0, "received": 3}


def test_the_next_number_is_accepted() -> None:
    """Within an epoch the sequence grows by one."""
    assert advance(ProducerState(2, 4), Producer("p", 2, 5)) == ProducerState(2, 5)


@pytest.mark.parametrize("seq", [0, 3, 4])
def test_a_number_seen_before_is_a_duplicate(seq: int) -> None:
    """The last sequence and every one before it are duplicates."""
    assert advance(ProducerState(2, 4), Producer("p", 2, seq)) is None


def test_a_gap_names_what_is_missing() -> None:
    """A sequence too high is refused with the expected and the received one."""
    with pytest.raises(ProducerGap) as failure:
        advance(ProducerState(2, 4), Producer("p", 2, 9))
    assert failure.value.details == {"expected": 5, "received": 9}


def test_a_new_epoch_starts_at_zero() -> None:
    """A newer epoch takes over at sequence 0, and at no other."""
    assert advance(ProducerState(2, 4), Producer("p", 5, 0)) == ProducerState(5, 0)
    with pytest.raises(InvalidProducer):
        advance(ProducerState(2, 4), Producer("p", 5, 1))


@pytest.mark.parametrize("seq", [0, 4, 5])
def test_an_old_epoch_is_fenced(seq: int) -> None:
    """An older epoch is refused with the newest one, even for a number that was accepted in it."""
    with pytest.raises(ProducerFenced) as failure:
        advance(ProducerState(2, 4), Producer("p", 1, seq))
    assert failure.value.details == {"epoch": 2}


@given(st.lists(st.tuples(numbers, numbers)))
def test_what_was_accepted_is_never_accepted_again(requests: list[tuple[int, int]]) -> None:
    """In any history no (epoch, sequence) is accepted twice, and those accepted only grow, by one within an epoch."""
    state: ProducerState | None = None
    accepted: list[tuple[int, int]] = []
    for epoch, seq in requests:
        try:
            new = advance(state, Producer("p", epoch, seq))
        except HeadwaterError:
            continue
        if new is not None:
            state = new
            accepted.append((epoch, seq))
    assert accepted == sorted(set(accepted))
    for epoch in {epoch for epoch, _ in accepted}:
        taken = [seq for other, seq in accepted if other == epoch]
        assert taken == list(range(len(taken)))


def test_the_largest_numbers_work() -> None:
    """Numbers up to what JavaScript can hold are compared exactly."""
    state = ProducerState(MAX_INTEGER - 1, MAX_INTEGER - 1)
    assert advance(state, Producer("p", MAX_INTEGER - 1, MAX_INTEGER)) == ProducerState(MAX_INTEGER - 1, MAX_INTEGER)
    assert advance(state, Producer("p", MAX_INTEGER, 0)) == ProducerState(MAX_INTEGER, 0)


def test_who_is_forgotten_for_a_new_producer() -> None:
    """Nobody while there is room; all that were idle for a week; else the longest idle one, after a day."""
    many = {str(number): ProducerState(0, 0, 1000.0 + number) for number in range(MAX_PRODUCERS)}
    assert full_until(many) == 1000.0 + KEPT_SECONDS
    assert leaving(many, 1000.0 + KEPT_SECONDS) == ["0"]
    assert leaving(many, 1000.0 + IDLE_SECONDS + 1) == ["0", "1"]
    del many["5"]
    assert full_until(many) == -inf
    assert leaving(many, 1000.0) == []
