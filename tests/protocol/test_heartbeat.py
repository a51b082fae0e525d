"""Heartbeats as a read asks for them."""

from __future__ import annotations

import pytest

from headwater.errors import BadRequest
from headwater.protocol.heartbeat import asked_heartbeat, told_heartbeat


@pytest.mark.parametrize(("value", "seconds"), [(None, 0), ("1", 1), ("120", 120)])
def test_whole_seconds_up_to_two_minutes(value: str | None, seconds: int) -> None:
    """Without the parameter it is the server's own."""
    assert asked_heartbeat(value, is_live=True) == seconds


@pytest.mark.parametrize("value", ["0", "121", "-1", "1.5", "", "soon", "\uff19", "1" * 400])
def test_anything_else_is_refused(value: str) -> None:
    """Only where it would be looked at."""
    with pytest.raises(BadRequest):
        asked_heartbeat(value, is_live=True)
    assert asked_heartbeat(value, is_live=False) == 0


@pytest.mark.parametrize(("seconds", "text"), [(15.0, b"15"), (0.5, b"0.5"), (20, b"20")])
def test_it_is_told_as_short_as_it_can_be(seconds: float, text: bytes) -> None:
    """In seconds."""
    assert told_heartbeat(seconds)[1] == text
