"""A process takes the open files it needs, and says when it may not."""

from __future__ import annotations

import resource

import pytest

from headwater.cli.failures import Failure
from headwater.cli.load.worker import SPARE_FILES, allow_files


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [(100, 10_000, True), (10_000, 10_000, False), (100, resource.RLIM_INFINITY, True)],
)
def test_the_limit_is_raised_where_it_is_too_low(
    soft: int, hard: int, raised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To what is needed, and not beyond."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: told.append(limits))
    allow_files(1000)
    assert told == ([(1000 + SPARE_FILES, hard)] if raised else [])


def test_too_many_readers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the numbers, and the way out."""
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (100, 1000))
    with pytest.raises(Failure, match="1000") as raised:
        allow_files(1000)
    assert "--processes" in raised.value.advice
