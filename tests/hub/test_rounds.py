"""Those that are asked after the same time: in their order, once each, with one timer for all."""

from __future__ import annotations

import asyncio
import logging

import pytest
from tests.conftest import Run
from tests.support.hub_clock import HubClock

from headwater import Hub
from headwater.hub import rounds as module
from headwater.hub.rounds import Round, Rounds
from headwater.hub.timers import Timers

#: Seconds: about a tick of the wheel.
SOON = 0.05


class Member:
    """Notes that it was asked."""

    def __init__(self, name: str, asked: list[str], *, fails: bool = False) -> None:
        self.name = name
        self.asked = asked
        self.fails = fails

    def waited(self) -> None:
        self.asked.append(self.name)
        if self.fails:
            raise ValueError(self.name)


async def until(asked: list[str], count: int) -> None:
    async with asyncio.timeout(30):
        while len(asked) < count:  # noqa: ASYNC110 - a timer calls
            await asyncio.sleep(0.001)


def test_each_is_asked_once_in_the_order_in_which_they_came(run: Run[None]) -> None:
    """Who has left is not; who comes again waits again."""
    asked: list[str] = []

    async def main() -> None:
        found = Round(Timers(), SOON)
        members = [Member(name, asked) for name in "abcd"]
        for member in members:
            found.add(member)
        found.discard(members[1])
        found.discard(members[1])
        await until(asked, 3)
        assert asked == ["a", "c", "d"]
        found.add(members[1])
        await until(asked, 4)
        assert asked[3:] == ["b"]

    run(main())


def test_one_that_fails_is_logged_and_stops_nobody(run: Run[None], caplog: pytest.LogCaptureFixture) -> None:
    """Those behind it have their turn."""
    asked: list[str] = []

    async def main() -> None:
        found = Round(Timers(), SOON)
        members = [Member("a", asked, fails=True), Member("b", asked), Member("c", asked, fails=True)]
        for member in members:
            found.add(member)
        await until(asked, 3)
        assert asked == ["a", "b", "c"]

    with caplog.at_level(logging.ERROR):
        run(main())
    assert caplog.text.count("a timer failed") == 2


def test_a_turn_asks_so_many(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The others have another turn of the loop."""
    monkeypatch.setattr(module, "TURN", 3)
    asked: list[str] = []
    turns: list[int] = []

    async def main() -> None:
        found = Round(Timers(), SOON)
        members = [Member(str(number), asked) for number in range(7)]
        for member in members:
            found.add(member)
        async with asyncio.timeout(30):
            while len(asked) < len(members):
                turns.append(len(asked))
                await asyncio.sleep(0)
        assert {0, 3, 6} == set(turns)

    run(main())


def test_who_comes_again_when_asked_keeps_nobody_waiting(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who came later than the first one are asked after their own time, not after his next one."""
    clock, asked = HubClock(monkeypatch), list[tuple[str, float]]()

    async def main() -> None:
        async with Hub() as hub:
            found, start = hub.runtime.rounds.of(10), clock.monotonic()

            class Again:
                def __init__(self, name: str) -> None:
                    self.name = name

                def waited(self) -> None:
                    asked.append((self.name, round(clock.monotonic() - start)))
                    found.add(self)

            for name in "abc":
                found.add(Again(name))
                await clock.move(hub, 3)
            await clock.move(hub, 18)
            assert asked == [("a", 10), ("b", 13), ("c", 16), ("a", 20), ("b", 23), ("c", 26)]
            found.clear()

    run(main())


def test_after_a_stop_nobody_is_asked_and_who_comes_then_is(run: Run[None]) -> None:
    """A hub may be opened again."""
    asked: list[str] = []

    async def main() -> None:
        timers = Timers()
        rounds = Rounds(timers)
        assert rounds.of(SOON) is rounds.of(SOON)
        rounds.of(SOON).add(Member("before", asked))
        rounds.stop()
        timers.stop()
        rounds.of(SOON).add(Member("after", asked))
        await until(asked, 1)
        assert asked == ["after"]

    run(main())
