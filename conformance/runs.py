"""Scenarios, one after the other, and their counts."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from conformance.adapter import Adapter, AdapterError
from conformance.case import Case
from conformance.fault_server import FaultServer
from conformance.judge import differences
from conformance.origin import Origin
from conformance.scenario import OURS, Scenario

#: Milliseconds that a command may take; a scenario may say otherwise.
TIMEOUT: Final = 10_000
#: Of the cuts of a body: no scenario's is longer.
_MOST_CUTS: Final = 20_000


class Outcome(msgspec.Struct, frozen=True):
    """A scenario over a transport.

    Attributes:
        scenario: its name.
        transport: over which.
        runs: how many there were.
        failures: what was wrong, of each run that failed.
        skipped: why there was none; empty: it was run.
    """

    scenario: str
    transport: str
    runs: int
    failures: tuple[str, ...] = ()
    skipped: str = ""


class Runs:
    """What runs scenarios.

    Args:
        adapter: the client.
        server: that makes faults.
        origin: the real server.
        is_headwater: the real server is one.
        step: of `each`: every so many values.
    """

    def __init__(
        self, adapter: Adapter, server: FaultServer, origin: Origin, *, is_headwater: bool = True, step: int = 1
    ) -> None:
        self._adapter = adapter
        self._server = server
        self._origin = origin
        self._is_headwater = is_headwater
        self._step = step
        #: Of the next run; of several on one server all take theirs from one count.
        self.numbers = itertools.count(1)

    async def run(self, scenario: Scenario, transport: str) -> Outcome:
        """A scenario over a transport."""
        why = self._skipped(scenario, transport)
        if why:
            return Outcome(scenario.name, transport, 0, skipped=why)
        count, failures = 0, []
        async for name, wrong in self._each(scenario, transport):
            count += 1
            if wrong:
                failures.append(f"{name}: {'; '.join(wrong)}")
        return Outcome(scenario.name, transport, count, tuple(failures))

    def _skipped(self, scenario: Scenario, transport: str) -> str:
        features = self._adapter.features
        known = features.get("transports" if scenario.kind == "follow" else "writes", [])
        if transport not in known:
            return f"the client has no {transport}"
        if not self._is_headwater and ("headwater" in scenario.needs or transport in OURS):
            return "the server is no Headwater"
        if not self._is_headwater and scenario.tells_offsets:
            return "its faults tell offsets of records, which only a Headwater tells"
        missing = [need for need in scenario.needs if need != "headwater" and not features.get(need)]
        return f"the client has no {missing[0]}" if missing else ""

    async def _each(self, scenario: Scenario, transport: str) -> Any:
        if "status" in scenario.each:
            for one in scenario.statuses(self._step):
                yield one.name, (await self._once(one, transport))[0]
        elif "cut" in scenario.each:
            for at in range(0, _MOST_CUTS, self._step):
                one = scenario.with_fault(f"{scenario.name} at {at}", cut=at)
                wrong, reached = await self._once(one, transport)
                if not reached and not wrong:
                    return
                yield one.name, wrong
                if not reached:
                    return
        else:
            yield scenario.name, (await self._once(scenario, transport))[0]

    async def _once(self, scenario: Scenario, transport: str) -> tuple[list[str], bool]:
        name = f"s{next(self.numbers)}-{id(self._adapter) % 99991}"
        case = Case(name, scenario, transport, self._origin, self._server.address)
        await case.begin()
        self._server.cases[name] = case
        try:
            fields = {"clock": "skip", "timeoutMs": TIMEOUT, "retry": {"base": 1000, "cap": 30_000}}
            result = await self._adapter.send(case.command({**fields, **scenario.command}))
        except AdapterError as error:
            return [str(error)], case.cuts_reached > 0
        finally:
            del self._server.cases[name]
        truth, closed = await case.kept.truth()
        wrong = differences(case, result, truth, closed, has_clock=bool(self._adapter.features.get("clock")))
        wrong += [f"the fault server failed: {text}" for text in self._server.mistakes]
        self._server.mistakes.clear()
        return wrong, case.cuts_reached > 0


def chosen(
    scenarios: Sequence[Scenario], names: Sequence[str], transports: Sequence[str]
) -> Iterator[tuple[Scenario, str]]:
    """Those of which the name has one of these texts in it, with their transports."""
    for scenario in scenarios:
        if names and not any(name in scenario.name for name in names):
            continue
        for way in scenario.ways():
            if not transports or way in transports:
                yield scenario, way


def table(outcomes: Sequence[Outcome]) -> str:
    """The counts, per transport."""
    kinds: dict[str, Callable[[Outcome], int]] = {
        "scenarios": lambda one: int(not one.skipped),
        "passed": lambda one: int(not one.skipped and not one.failures),
        "failed": lambda one: int(bool(one.failures)),
        "left out": lambda one: int(bool(one.skipped)),
        "runs": lambda one: one.runs,
        "runs failed": lambda one: len(one.failures),
    }
    ways = list(dict.fromkeys(one.transport for one in outcomes))
    lines = ["transport   " + "".join(f"{kind:>13}" for kind in kinds)]
    total: Counter[str] = Counter()
    for way in ways:
        counts = {
            kind: sum(map(count, (one for one in outcomes if one.transport == way))) for kind, count in kinds.items()
        }
        total.update(counts)
        lines.append(f"{way:<12}" + "".join(f"{counts[kind]:>13}" for kind in kinds))
    lines.append(f"{'all':<12}" + "".join(f"{total[kind]:>13}" for kind in kinds))
    return "\n".join(lines)
