"""Bodies under way: the limits always hold, the slowest large one goes, and a small one never goes for a large one."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from headwater.hub.intake import SMALL_BYTES, STEP_BYTES, Body, Intake

KIB: Final = 1024
#: The budget of eight bodies of 256 KiB.
MOST: Final = 256 * KIB
BUDGET: Final = 8 * MOST


def nothing() -> None:
    """Nobody has to be told."""


def intake() -> Intake:
    return Intake(BUDGET, MOST)


def begun(found: Intake, peer: str | None, size: int, refuse: Callable[[], None] = nothing) -> Body:
    body = found.begin(peer, refuse)
    found.arrived(body, size)
    return body


def test_a_budget_has_room_for_eight_of_the_largest() -> None:
    """A smaller setting is raised, so that each body that is allowed at all can come."""
    assert Intake(1, MOST).budget == BUDGET
    assert Intake(10 * BUDGET, MOST).budget == 10 * BUDGET


def test_large_bodies_leave_a_quarter() -> None:
    """The one that got on the longest ago goes when another one grows, and is told once."""
    found, told = intake(), []
    bodies = [begun(found, None, MOST, lambda number=number: told.append(number)) for number in range(6)]  # type: ignore[misc]
    assert found.held == BUDGET - BUDGET // 4
    found.arrived(bodies[0], STEP_BYTES)
    assert (told, found.held) == ([1], 5 * MOST + STEP_BYTES)
    assert bodies[1].refused
    found.end(bodies[1])
    assert len(found) == 5


def test_a_small_body_is_taken_when_large_ones_have_all() -> None:
    """It uses the kept quarter, and beyond it the slowest large one goes."""
    found = intake()
    large = [begun(found, None, MOST) for _ in range(6)]
    small = [begun(found, None, SMALL_BYTES) for _ in range(2 * MOST // SMALL_BYTES)]
    assert found.held == BUDGET
    assert not any(body.refused for body in large)
    begun(found, None, 1)
    assert [body.refused for body in large] == [True] + [False] * 5
    assert not any(body.refused for body in small)


def test_one_peer_has_an_eighth() -> None:
    """Its own slowest large body goes, and nobody else's."""
    found = intake()
    others = begun(found, "b", MOST)
    first, small = begun(found, "a", MOST - KIB), begun(found, "a", KIB)
    second = begun(found, "a", 2 * KIB)
    assert first.refused
    assert [others.refused, small.refused, second.refused] == [False] * 3


def test_only_small_ones_can_be_too_many() -> None:
    """Then the slowest of them goes."""
    found = intake()
    bodies = [begun(found, number, SMALL_BYTES) for number in range(BUDGET // SMALL_BYTES)]  # type: ignore[arg-type]
    last = begun(found, "more", 1)
    assert [body.refused for body in bodies[:2]] == [True, False]
    assert not last.refused


def test_what_was_only_announced_holds_nothing() -> None:
    """A head alone is never refused, and an end without a byte changes nothing."""
    found = intake()
    body = found.begin("a", nothing)
    assert (len(found), found.held) == (0, 0)
    found.end(body)
    assert len(found) == 0


ACTIONS = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from([0, 1, KIB, 16 * KIB, SMALL_BYTES, MOST // 2])), max_size=200
)


@given(ACTIONS)
def test_the_limits_hold_after_every_step(actions: list[tuple[int, int]]) -> None:
    """The whole, the share of the large, each peer's; the books are those of the bodies; nobody goes without need."""
    found = intake()
    bodies: dict[int, Body] = {}
    for key, size in actions:
        body = bodies.get(key)
        if body is None:
            bodies[key] = body = found.begin(key % 3 or None, nothing)
        elif size == 0:
            found.end(body)
            del bodies[key]
            continue
        if body.size + size > MOST:
            continue
        before = dict(bodies)
        fits = _fits([*before.values()], body, size)
        found.arrived(body, size)
        gone = [other for other in before.values() if other.refused]
        assert bool(gone) <= (not fits)
        assert not any(not other.is_large for other in gone) or not _large_could_go(before.values(), body)
        bodies = {number: other for number, other in bodies.items() if not other.refused}
        _check(found, list(bodies.values()))


def _fits(bodies: list[Body], grown: Body, size: int) -> bool:
    """Whether all limits hold when a body has grown."""
    sizes = {id(body): body.size + (size if body is grown else 0) for body in bodies}
    large = sum(value for value in sizes.values() if value > SMALL_BYTES)
    own = sum(sizes[id(body)] for body in bodies if body.peer == grown.peer)
    return (
        sum(sizes.values()) <= BUDGET and large <= BUDGET - BUDGET // 4 and (grown.peer is None or own <= BUDGET // 8)
    )


def _large_could_go(bodies: object, grown: Body) -> bool:
    """Whether a small one went although a large one of the same peer is left."""
    assert hasattr(bodies, "__iter__")
    return any(body.is_large and not body.refused and body.peer == grown.peer for body in bodies)


def _check(found: Intake, bodies: list[Body]) -> None:
    assert found.held == sum(body.size for body in bodies) <= BUDGET
    assert len(found) == sum(1 for body in bodies if body.size)
    assert sum(body.size for body in bodies if body.is_large) <= BUDGET - BUDGET // 4
    for peer in (1, 2):
        assert sum(body.size for body in bodies if body.peer == peer) <= BUDGET // 8


class Taker:
    """Takes a body, as a connection does."""

    def __init__(self, intake: Intake) -> None:
        self.body = begun(intake, None, 1, self.refused)

    def refused(self) -> None:
        """It has to go."""


def test_a_body_that_has_ended_keeps_nobody() -> None:
    """Who took it is gone when it is let go, and waits for no garbage collector."""
    found = intake()
    gc.disable()
    try:
        taker = Taker(found)
        found.end(taker.body)
        gone = weakref.ref(taker)
        del taker
        assert gone() is None
    finally:
        gc.enable()
