"""The state machine finds what the contract's examples may miss."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from headwater.model import Appended, Change, Record
from headwater.protocol.ledger import Append
from headwater.stores.memory import MemoryStore
from headwater.stores.watchers import Watchers
from headwater.testing.stateful import store_machine


class LosesRecordsOfForks(MemoryStore):
    def insert(self, incarnation: int, start: int, records: Sequence[Record]) -> None:
        if not self._incarnations[incarnation].source:
            super().insert(incarnation, start, records)


class IgnoresStreamSeq(MemoryStore):
    async def append(self, path: str, request: Append) -> Appended:
        return await super().append(path, msgspec.structs.replace(request, seq=None))


class TellsNoExpiry(MemoryStore):
    async def sweep(self) -> None:
        self._watchers, watchers = Watchers(), self._watchers
        await super().sweep()
        self._watchers = watchers


class TellsClosesTwice(MemoryStore):
    def tell(self, change: Change) -> None:
        super().tell(change)
        if change.closed:
            super().tell(change)


BROKEN = [LosesRecordsOfForks, IgnoresStreamSeq, TellsNoExpiry, TellsClosesTwice]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_broken_store_fails(broken: type[MemoryStore], monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that differs from the model is caught within a few histories."""
    monkeypatch.setattr("headwater.testing.follower.PATIENCE_SECONDS", 0.0)
    machine = store_machine(lambda clock: broken(clock=clock))
    profile = settings(
        max_examples=2000,  # it ends at the first difference, mostly long before
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=profile)


def test_a_missing_hypothesis_is_named() -> None:
    """Without hypothesis the machine's module says what to install; the rest of the kit works."""
    script = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import headwater.testing\n"
        "try:\n    import headwater.testing.stateful\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert "pip install hypothesis" in done.stdout
