"""Every store behaves as the model does, whatever the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from headwater.stores.sqlite import journal
from headwater.testing.stateful import store_machine

if TYPE_CHECKING:
    from tests.stores.conftest import Backend

#: Histories and steps for a plain run, by store; a commit to a disk takes longer than one to memory.
EXAMPLES = {"memory": 100, "sqlite-sqlite3": 30, "sqlite-apsw": 30}


def check(backend: Backend, examples: int, steps: int) -> None:
    machine = (
        store_machine(backend.make, reopen=backend.reopen, crash=backend.crash)
        if backend.durable
        else store_machine(backend.make)
    )
    profile = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=profile)


def test_random_histories(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Creates, appends, retries, forks, reads, deletes, sweeps, restarts and crashes give what the model gives."""
    monkeypatch.setattr(journal, "FOLD_RECORDS", 5)
    monkeypatch.setattr(journal, "STREAM_RECORDS", 1)
    check(backend, EXAMPLES[backend.name], 40)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_random_histories(backend: Backend) -> None:
    """The same with many more and longer histories."""
    check(backend, EXAMPLES[backend.name] * 10, 80)
