"""The scenarios of conformance/, over every transport of the client."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from conformance.adapter import Adapter, AdapterError
from conformance.fault_server import fault_server
from conformance.origin import headwater
from conformance.runs import Outcome, Runs, chosen
from conformance.scenario import Scenario, load
from tests.client.adapter import answer

pytestmark = pytest.mark.slow

Run = Callable[[Coroutine[Any, Any, Any]], Any]
#: Of cuts and statuses every so many.
STEP = 41
AT_ONCE = 8
#: So many times what a scenario gives a head, or a silence.
WIDER = 8


class InProcess(Adapter):
    """The client's adapter without a process of its own."""

    def __init__(self) -> None:
        self.features: dict[str, Any] = {}
        self.name = "headwater-python"

    async def send(self, command: Any) -> dict[str, Any]:
        """See `Adapter.send`."""
        try:
            return await answer(dict(command))
        except Exception as error:
            raise AdapterError(repr(error)) from error


def patient(scenario: Scenario) -> Scenario:
    """The same for a busy machine, but where time is what it is about: limits that a healthy answer keeps are wider."""
    if (scenario.expect.end or {}).get("kind") == "running":
        return scenario
    command = {**scenario.command, "timeoutMs": 60_000}
    if "retry" in command:
        wider = {name: command["retry"][name] * WIDER for name in ("connect", "silence") if name in command["retry"]}
        command["retry"] = {**command["retry"], **wider}
    return msgspec.structs.replace(scenario, command=command)


@pytest.mark.parametrize("step", [STEP, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("transport", ["sse", "ndjson", "long-poll", "live-sse", "websocket", "http"])
def test_every_scenario(run: Run, transport: str, step: int) -> None:
    """Passed, without an exception."""

    async def main() -> None:
        adapter = InProcess()
        async with headwater() as origin, fault_server() as server:
            await adapter.init(server.address)
            runs = Runs(adapter, server, origin, step=step)
            runs.numbers = itertools.count(1)
            room = asyncio.Semaphore(AT_ONCE)

            async def one(*each: Any) -> Outcome:
                async with room:
                    return await runs.run(*each)

            scenarios = [patient(scenario) for scenario in load()]
            outcomes = await asyncio.gather(*[one(*each) for each in chosen(scenarios, [], [transport])])
        assert all(outcome.runs or outcome.skipped for outcome in outcomes)
        assert [outcome for outcome in outcomes if outcome.failures] == []
        assert len(outcomes) > 10

    run(main())
