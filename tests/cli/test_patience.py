"""When the commands try again, and when they give up."""

from __future__ import annotations

import pytest

from headwater.cli.failures import Failure, Unreachable, refusal
from headwater.cli.patience import Patience

LOST = Unreachable("http://host", "gone")
BUSY = refusal(503, b"", "7")


class World:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def patience(self, retry_for: float | None) -> Patience:
        return Patience(retry_for, clock=lambda: self.now, sleep=self.sleep, draw=lambda: 1.0)


def test_a_server_never_reached_is_not_waited_for() -> None:
    """The first connection fails at once."""
    world = World()
    with pytest.raises(Unreachable):
        world.patience(None).wait(LOST)
    assert world.slept == []


def test_a_server_that_refused_was_reached() -> None:
    """A connection that is lost after a refusal, such as 404 for a stream to be created, is waited for."""
    world = World()
    patience = world.patience(None)
    refused = refusal(404, b"")
    with pytest.raises(Failure) as caught:
        patience.wait(refused)
    assert caught.value is refused
    patience.wait(LOST)
    assert world.slept == [0.5]


def test_waits_grow_until_something_works() -> None:
    """Waits double up to the cap; a success starts them anew."""
    world = World()
    patience = world.patience(None)
    patience.worked()
    for _ in range(8):
        patience.wait(LOST)
    assert world.slept == [0.5, 1, 2, 4, 8, 16, 30, 30]
    patience.worked()
    patience.wait(LOST)
    assert world.slept[-1] == 0.5


def test_retry_after_is_the_least_wait() -> None:
    """The server's own word counts, also on the first request."""
    world = World()
    world.patience(None).wait(BUSY)
    assert world.slept == [7.0]


def test_patience_ends_before_a_wait_that_is_too_long() -> None:
    """No wait goes beyond the allowed time; the failure itself comes out."""
    world = World()
    patience = world.patience(10)
    patience.wait(BUSY)
    with pytest.raises(Failure, match="http-503"):
        patience.wait(BUSY)
    assert world.slept == [7.0]


def test_what_cannot_pass_is_not_tried_again() -> None:
    """A refusal comes out at once."""
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise refusal(403, b"")

    world = World()
    with pytest.raises(Failure):
        world.patience(None).ask(call)
    assert (calls, world.slept) == ([1], [])
