"""A client sees through us what it would see from the provider itself, or a known failure says what it does not see."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.llm.judge.judge import WAYS, Verdict
from tests.llm.judge.known import found, known
from tests.llm.judge.servers import CASES, judge

from headwater.llm.providers.registry import DIALECTS

#: How many kinds of parts may be told otherwise, of all dialects together.
MOST = 40

#: All cases are played for the first test.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def verdicts() -> list[Verdict]:
    with judge() as made:
        return [verdict for case in CASES for verdict in made.play(case)]


def test_names_are_unique() -> None:
    assert max(Counter(case.name for case in CASES).values()) == 1
    assert max(Counter(row.key for row in known()).values(), default=1) == 1
    assert len(known()) <= MOST


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("way", WAYS)
def test_known_failures_are_exact(verdicts: list[Verdict], way: str, dialect: str) -> None:
    """What differs is in the table, and what is in the table differs: a failure that is mended leaves it."""
    seen = {key: shown for key, shown in found(verdicts).items() if key[:2] == (way, dialect)}
    rows = {row.key for row in known() if row.key[:2] == (way, dialect)}
    assert {key: shown for key, shown in seen.items() if key not in rows} == {}
    assert rows - seen.keys() == set()
