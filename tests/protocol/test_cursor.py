"""A reader's states: every step from every state, and what is due when."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import StreamNotFound
from headwater.model import Batch
from headwater.protocol.cursor import (
    HEARTBEAT_SECONDS,
    TRANSITIONS,
    Cursor,
    Data,
    Detached,
    Event,
    Failed,
    Gap,
    Idle,
    Made,
    Missing,
    State,
    Step,
)

ERROR = StreamNotFound("gone")


def batch(next_offset: str = "next", *, up_to_date: bool = False, closed: bool = False) -> Batch:
    return Batch("start", (), next_offset, up_to_date, closed, "text/plain")


MORE, UP_TO_DATE, CLOSED = batch(), batch(up_to_date=True), batch(up_to_date=True, closed=True)

#: How each step is done to a reader whose heartbeat is due at 10, and what it is told.
STEPS: dict[Step, tuple[Callable[[Cursor], Event | None], Event]] = {
    Step.MORE: (lambda reader: reader.receive(MORE, 10.0), Data(MORE)),
    Step.UP_TO_DATE: (lambda reader: reader.receive(UP_TO_DATE, 10.0), Data(UP_TO_DATE)),
    Step.CLOSED: (lambda reader: reader.receive(CLOSED, 10.0), Data(CLOSED)),
    Step.IDLE: (lambda reader: reader.handle_timer(10.0), Idle("start")),
    Step.FAILED: (lambda reader: reader.fail(ERROR), Failed("start", ERROR)),
    Step.DETACHED: (lambda reader: reader.detach(2.0), Detached("start", 2.0)),
    Step.GAP: (lambda reader: reader.skip("next"), Gap("start", "next", "next")),
    Step.MISSING: (lambda reader: reader.wait(), Missing("start")),
    Step.MADE: (lambda reader: reader.begin("text/plain", "next"), Made("text/plain", "next")),
}
#: What cannot happen: who waits for its stream is told nothing of records, and only then it is made.
NEVER: dict[State, set[Step]] = {
    State.WAITING: {Step.MISSING, Step.MORE, Step.UP_TO_DATE, Step.CLOSED, Step.GAP},
    State.CATCHING_UP: {Step.MADE},
    State.LIVE: {Step.MISSING, Step.MADE},
    State.ENDED: set(Step),
}
#: The table again, written by hand: what a reader is after each step.
AFTER: dict[Step, State] = {
    Step.MORE: State.CATCHING_UP,
    Step.UP_TO_DATE: State.LIVE,
    Step.CLOSED: State.ENDED,
    Step.FAILED: State.ENDED,
    Step.DETACHED: State.ENDED,
    Step.GAP: State.CATCHING_UP,
    Step.MISSING: State.WAITING,
    Step.MADE: State.CATCHING_UP,
}


def reader_in(state: State) -> Cursor:
    """A reader at "start" in a state, whose heartbeat is due at 10."""
    reader = Cursor("start", 0.0, heartbeat=10.0)
    if state is State.WAITING:
        reader.wait()
    elif state is not State.CATCHING_UP:
        reader.receive(batch("start", up_to_date=True, closed=state is State.ENDED), 0.0)
    assert (reader.state, reader.offset) == (state, "start")
    return reader


@pytest.mark.parametrize(
    ("state", "step"), [(state, step) for state, step in product(State, Step) if step not in NEVER[state]]
)
def test_every_step_from_every_state(state: State, step: Step) -> None:
    """The reader is told what happened, goes to the state of the table, and moves with batches and gaps only."""
    do, told = STEPS[step]
    reader = reader_in(state)
    assert do(reader) == told
    assert reader.state is AFTER.get(step, state) is TRANSITIONS[state][step]
    assert reader.offset == ("next" if isinstance(told, Data | Gap | Made) else "start")


@pytest.mark.parametrize(("state", "step"), [(state, step) for state, steps in NEVER.items() for step in steps])
def test_what_cannot_happen_does_not(state: State, step: Step) -> None:
    """A driver that goes on with an ended reader made an error, for one; and the reader stays as it was."""
    reader = reader_in(state)
    with pytest.raises(KeyError):
        STEPS[step][0](reader)
    assert (reader.state, reader.offset) == (state, "start")


def test_the_table_is_total() -> None:
    """Each state says something of each step that can happen to it."""
    assert {state: set(Step) - set(steps) for state, steps in TRANSITIONS.items()} == NEVER


def test_a_heartbeat_is_due_after_silence_only() -> None:
    """Before its time nothing is due, at its time `Idle`; then the silence begins anew."""
    reader = Cursor("start", 100.0)
    assert reader.next_timer() == 100.0 + HEARTBEAT_SECONDS
    assert reader.handle_timer(100.0) is None
    assert reader.handle_timer(100.0 + HEARTBEAT_SECONDS - 0.001) is None
    assert reader.handle_timer(100.0 + HEARTBEAT_SECONDS) == Idle("start")
    assert reader.next_timer() == 100.0 + 2 * HEARTBEAT_SECONDS


def test_data_puts_the_heartbeat_off() -> None:
    """The silence is counted from the last batch, and the heartbeat tells the offset after it."""
    reader = Cursor("start", 0.0, heartbeat=10.0)
    reader.receive(UP_TO_DATE, 7.0)
    assert reader.next_timer() == 17.0
    assert reader.handle_timer(16.0) is None
    assert reader.handle_timer(17.0) == Idle("next")


def test_a_late_timer_beats_once() -> None:
    """A driver that was held up sends one heartbeat, not all that it missed."""
    reader = Cursor("start", 0.0, heartbeat=10.0)
    assert reader.handle_timer(95.0) == Idle("start")
    assert reader.handle_timer(95.0) is None
    assert reader.next_timer() == 105.0


def test_a_lifetime_ends_with_letting_go() -> None:
    """At the end of its lifetime the reader comes back at once, and where it stood; not before."""
    reader = Cursor("start", 100.0, heartbeat=15.0, lifetime=20.0)
    assert reader.handle_timer(115.0) == Idle("start")
    assert reader.next_timer() == 120.0
    assert reader.handle_timer(119.9) is None
    assert reader.handle_timer(120.0) == Detached("start", 0.0)
    assert reader.state is State.ENDED


def test_a_lifetime_shorter_than_the_heartbeat() -> None:
    """Letting go comes first when both are due, and data does not put it off."""
    reader = Cursor("start", 0.0, heartbeat=15.0, lifetime=5.0)
    assert reader.next_timer() == 5.0
    reader.receive(MORE, 4.0)
    assert reader.next_timer() == 5.0
    assert reader.handle_timer(60.0) == Detached("next", 0.0)


@given(waits=st.lists(st.floats(0.0, 30.0), max_size=20), lifetime=st.none() | st.floats(0.0, 100.0))
def test_no_silence_is_longer_than_a_heartbeat(waits: list[float], lifetime: float | None) -> None:
    """Who calls the timer when it is due never leaves a reader silent for longer, or past its lifetime."""
    reader = Cursor("start", 0.0, heartbeat=10.0, lifetime=lifetime)
    now = told = 0.0
    for wait in waits:
        now = min(now + wait, reader.next_timer())
        if lifetime is not None:
            assert now <= lifetime
        event = reader.handle_timer(now)
        assert (event is not None) == (now == told + 10.0 or now == lifetime)
        if isinstance(event, Detached):
            assert now == lifetime
            return
        if event is not None:
            told = now


@pytest.mark.parametrize("state", State)
def test_a_copy_goes_its_own_way(state: State) -> None:
    """The same state, place and heartbeat, without the lifetime; steps of one are not steps of the other."""
    reader = Cursor("start", 0.0, heartbeat=10.0, lifetime=5.0)
    reader.state = state
    twin = reader.copy()
    assert (twin.state, twin.offset, twin.next_timer()) == (state, "start", 10.0)
    if state not in (State.ENDED, State.WAITING):
        twin.receive(UP_TO_DATE, 3.0)
        assert (reader.state, reader.offset, reader.next_timer()) == (state, "start", 5.0)


def test_who_is_told_some_of_what_it_missed_stays_until_the_rest_comes() -> None:
    """A gap of which something is kept does not move the reader: what is kept does."""
    reader = Cursor("1", 0.0)
    assert reader.thin("9") == Gap("1", "9", "1")
    assert (reader.offset, reader.state) == ("1", State.CATCHING_UP)
