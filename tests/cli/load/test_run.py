"""The processes of a run end with it, and their failures are the run's."""

from __future__ import annotations

import pytest

from headwater.cli.failures import Failure
from headwater.cli.load.messages import Go, Publish, Published, Read, Ready, Started
from headwater.cli.load.plan import Plan
from headwater.cli.load.run import Crew


class Unwatched:
    """Nobody looks."""

    def phase(self, name: str, length: int) -> None:
        """A phase begins."""

    def progress(self, more: int) -> None:
        """Something was done."""


def plan(url: str = "http://127.0.0.1:1") -> Plan:
    return Plan(url, ("/s",), (), readers=1, rate=10, seconds=1, size=100, timeout=5, grace=1)


@pytest.mark.parametrize(("order", "kind"), [(Read(plan(), (0,)), Ready), (Publish(plan()), Published)])
def test_nobody_to_connect_to_is_a_failure(order: Read | Publish, kind: type[Ready | Published]) -> None:
    """A process tells why it cannot go on, and the run ends with that."""
    with Crew(Unwatched()) as crew:
        number = crew.start(order)
        crew.gather(Started, 1, 30)
        crew.tell(number, Go())
        with pytest.raises(Failure) as raised:
            crew.gather(kind, 1, 30)
    assert raised.value.code == "unreachable"


def test_a_process_that_dies_is_a_failure() -> None:
    """Its silence is noticed at once."""
    with Crew(Unwatched()) as crew:
        number = crew.start(Publish(plan()))
        crew.gather(Started, 1, 30)
        crew._processes[number].kill()
        with pytest.raises(Failure) as raised:
            crew.gather(Published, 1, 30)
    assert raised.value.code == "load"
