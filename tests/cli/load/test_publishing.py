"""Records have the size and the form that the readers know."""

from __future__ import annotations

import json

import pytest

from headwater.cli.load.plan import MAX_BYTES, MIN_BYTES, Plan
from headwater.cli.load.publisher import record


@pytest.mark.parametrize("size", [MIN_BYTES, 100, 10_000, MAX_BYTES])
def test_a_record_has_its_size(size: int) -> None:
    """JSON, with the number and the time."""
    data = record(7, 1_234_567, size)
    found = json.loads(data)
    assert (len(data), int(found["n"]), int(found["t"])) == (size, 7, 1_234_567)


@pytest.mark.parametrize("size", [MIN_BYTES, 100, MAX_BYTES])
def test_an_append_is_bounded(size: int) -> None:
    """However many records are due, one append takes at most a megabyte."""
    plan = Plan("https://a.example", (), (), readers=1, rate=1, seconds=1, size=size, timeout=1, grace=1)
    assert 1 <= plan.group * (size + 1) <= 1_000_000
    assert (plan.host, plan.port, plan.is_tls) == ("a.example", 443, True)
