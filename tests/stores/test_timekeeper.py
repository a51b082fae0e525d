"""Which clocks are compared with which."""

from __future__ import annotations

import time

from headwater.stores.timekeeper import Timekeeper
from headwater.testing import ManualClock


def test_a_clock_with_a_monotonic_one_is_compared_with_it() -> None:
    """Time that passes is no jump; what is set beyond it is one, until it is gone with."""
    clock = ManualClock(1000.0)
    keeper = Timekeeper(clock)
    clock.advance(3600)
    assert (keeper.jump(), keeper.now()) == (0.0, 4600.0)
    clock.jump(-600)
    assert (keeper.jump(), keeper.now()) == (-600.0, 4600.0)
    keeper.shift(-600)
    assert (keeper.jump(), keeper.now()) == (0.0, 4000.0)
    assert keeper.moment() == (4000.0, 4600.0)


def test_the_systems_clock_is_compared_with_its_monotonic_one() -> None:
    """Both go on together."""
    keeper = Timekeeper(time.time)
    assert keeper.jump() == 0.0
    assert abs(keeper.now() - time.time()) < 1.0


def test_any_other_clock_is_taken_as_it_is() -> None:
    """Nothing tells its jumps from time that passes."""
    now = 5.0
    keeper = Timekeeper(lambda: now)
    now = 5000.0
    assert (keeper.jump(), keeper.now()) == (0.0, 5000.0)
