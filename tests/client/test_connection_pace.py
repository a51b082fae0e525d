"""When a connection tries another socket, in virtual time: many readers are no more trouble than one."""

from __future__ import annotations

from headwater.client.connection.pace import Pace
from headwater.client.retry import Retry


def pace() -> Pace:
    return Pace(Retry(base=4.0), lambda: 0.5)


def test_all_wait_for_one_moment_but_who_tried_last() -> None:
    """The reader that tried has waited by its own rules; others, and requests, wait until it may."""
    found = pace()
    assert found.wait("a", 0.0) == 0.0
    found.begin("a", 0.0)
    found.failed(0.0)
    assert found.wait("b", 0.5) == 1.5
    assert found.wait(None, 0.5) == 1.5
    assert found.wait("a", 0.5) == 0.0


def test_a_hint_is_a_floor() -> None:
    found = pace()
    found.begin(None, 0.0)
    found.failed(0.0, 10.0)
    assert found.wait("a", 0.0) >= 10.0


def test_a_socket_that_told_nothing_is_no_better_than_none() -> None:
    """One that told something ends earlier trouble."""
    found = pace()
    found.begin("a", 0.0)
    found.over(1.0, has_told=False, is_drained=False)
    assert found.wait("b", 1.0) > 0.0
    found.begin("a", 2.0)
    found.over(3.0, has_told=True, is_drained=False)
    assert found.wait("b", 3.0) == 0.0


def test_a_server_that_stops_says_when() -> None:
    """That moment stands when its socket ends; a network that is back ends every wait."""
    found = pace()
    found.begin("a", 0.0)
    found.drained(1.0, 7.0)
    found.over(1.5, has_told=True, is_drained=True)
    assert found.wait("b", 2.0) == 6.0
    found.reset()
    assert found.wait("b", 2.0) == 0.0
