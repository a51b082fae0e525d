"""The scenarios and their runner: a client that keeps the rules passes all, and no scenario is one that cannot fail."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from conformance.adapter import Adapter, AdapterError, started
from conformance.fault_server import fault_server
from conformance.origin import headwater
from conformance.runs import Outcome, Runs, chosen, table
from conformance.scenario import Scenario, load
from tests.scenarios.plain_adapter import FEATURES, answer
from tests.scenarios.wrongs import WHICH

pytestmark = pytest.mark.slow

Run = Callable[[Coroutine[Any, Any, Any]], Any]
#: What the plain client has no features for is judged by the project's own clients alone.
ALL = {scenario.name: scenario for scenario in load() if {*scenario.needs} <= {"headwater", *FEATURES}}
#: Of cuts and statuses every so many, and not the same in each run of the suite.
STEP = 37
AT_ONCE = 8


class InProcess(Adapter):
    """The plain client without a process of its own."""

    def __init__(self, wrong: str = "") -> None:
        self.features = FEATURES
        self.name = "plain"
        self._wrong = wrong

    async def send(self, command: Any) -> dict[str, Any]:
        """See `Adapter.send`."""
        try:
            return await answer(dict(command), self._wrong)
        except Exception as error:
            raise AdapterError(repr(error)) from error


@asynccontextmanager
async def runs_of(*adapters: Adapter, step: int = STEP) -> AsyncIterator[list[Runs]]:
    """What runs scenarios with each of these, in front of one server."""
    numbers = itertools.count(1)
    async with headwater() as origin, fault_server() as server:
        found = [Runs(adapter, server, origin, step=step) for adapter in adapters]
        for each in found:
            each.numbers = numbers
        yield found


async def together(tried: Iterable[Coroutine[Any, Any, Outcome]]) -> list[Outcome]:
    """Several at a time: much of it is waiting, and each has a stream and URLs of its own."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(trial: Coroutine[Any, Any, Outcome]) -> Outcome:
        async with room:
            return await trial

    return await asyncio.gather(*map(one, tried))


@pytest.mark.parametrize("file", ["1-losses", "2-refusals", "3-pace", "4-ends", "5-writes"])
def test_who_keeps_the_rules_passes(run: Run, file: str) -> None:
    """Each scenario over each transport."""

    async def main() -> None:
        async with runs_of(InProcess()) as [runs]:
            chosen_ones = chosen([each for each in load(f"{file}.json") if each.name in ALL], [], [])
            outcomes = await together(runs.run(*each) for each in chosen_ones)
            assert all(outcome.runs for outcome in outcomes)
            assert [outcome for outcome in outcomes if outcome.failures] == []

    run(main())


def test_each_scenario_can_be_failed(run: Run) -> None:
    """By a client that forgets the rule; over a transport that was found by trying all."""
    assert set(WHICH) == set(ALL)

    async def main() -> None:
        wrongs = sorted({wrong for wrong, _ in WHICH.values()})
        async with runs_of(*map(InProcess, wrongs)) as found:
            by_wrong = dict(zip(wrongs, found, strict=True))
            tried = [by_wrong[wrong].run(hurried(ALL[name]), transport) for name, (wrong, transport) in WHICH.items()]
            outcomes = await together(tried)
            assert [outcome for outcome in outcomes if not outcome.failures] == []

    run(main())


def hurried(scenario: Scenario) -> Scenario:
    """A scenario for a client that may wait for what never comes."""
    limit = scenario.command.get("timeoutMs", 1500)
    return msgspec.structs.replace(scenario, command={**scenario.command, "timeoutMs": limit})


def test_a_client_in_a_process_of_its_own(run: Run) -> None:
    """Driven by lines, and left out where it has not what a scenario needs."""

    async def main() -> None:
        async with started(f"{sys.executable} -m tests.scenarios.plain_adapter") as adapter, runs_of(adapter) as [runs]:
            await adapter.init("http://127.0.0.1:1")
            assert adapter.name == "plain  1".strip()
            adapter.features = {**adapter.features, "gone": False, "transports": ["sse"]}
            outcomes = [await runs.run(ALL[name], "sse") for name in ("served", "gone-earliest")]
            outcomes.append(await runs.run(ALL["served"], "ndjson"))
            assert [outcome.skipped for outcome in outcomes] == [
                "",
                "the client has no gone",
                "the client has no ndjson",
            ]
            assert "all" in table(outcomes)

    run(main())


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("print('hello'); input()", "no JSON object"),
        ("pass", "the adapter (ended with 0|takes no commands)"),
        ('print(\'{"success":false,"errorCode":"NOPE","message":"no"}\')', "NOPE: no"),
    ],
)
def test_an_adapter_that_does_not_speak_the_protocol(run: Run, program: str, told: str) -> None:
    """What it does is said."""

    async def main() -> None:
        async with started(f'{sys.executable} -c "{program.replace(chr(34), chr(92) + chr(34))}"') as adapter:
            with pytest.raises(AdapterError, match=told):
                await adapter.init("http://127.0.0.1:1")

    run(main())
