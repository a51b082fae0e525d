"""Hostile and odd requests: the same status and the same effect on every server, or a difference with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from _pytest.mark import ParameterSet
from tests.corpus.cases import Case, load, pending
from tests.corpus.check import run
from tests.corpus.servers import SERVERS, Target

pytestmark = pytest.mark.slow

CASES = load()
PENDING = {(entry.case, server): entry.why for entry in pending() for server in entry.servers}


def every() -> Iterator[ParameterSet]:
    """Each case on each server where it can be sent."""
    for case in CASES:
        for server in SERVERS:
            if case.slow and server != "serve-sqlite":
                continue
            why = PENDING.get((case.name, server))
            marks = [pytest.mark.xfail(reason=why, strict=True, raises=AssertionError)] if why else []
            yield pytest.param(server, case, id=f"{server}: {case.name}", marks=marks)


@pytest.mark.parametrize(("server", "case"), list(every()))
def test_a_case(server: str, case: Case, target: Callable[[str], Target]) -> None:
    """Statuses, connection, streams and log are as the case says."""
    run(case, target(server))


def test_every_entry_of_the_list_is_a_case() -> None:
    """What is pending is named right, and so are the servers of differences."""
    names = {case.name for case in CASES}
    assert {case for case, _ in PENDING} <= names
    known = {name for names in SERVERS.values() for name in names}
    assert {server for case in CASES for server in case.differs} <= known
    assert {server for _, server in PENDING} <= set(SERVERS)
