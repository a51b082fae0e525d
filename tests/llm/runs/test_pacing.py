"""Rests: longer the more runs there are, and many of them end at one tick."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from headwater.llm.runs.pacing import APPEND_SECONDS, MAX_REST, TICK, Rests

if TYPE_CHECKING:
    import pytest
    from tests.conftest import Run


def test_a_rest_is_as_long_as_there_are_runs() -> None:
    """Up to the limit."""
    running = 0
    rests = Rests(lambda: running)
    assert rests.seconds == 0
    running = 10
    assert rests.seconds == 10 * APPEND_SECONDS
    running = 1_000_000
    assert rests.seconds == MAX_REST


def test_no_rest_ends_early_and_the_earlier_ones_end_first(run: Run[None]) -> None:
    """Also when one is set that is over before those set so far."""

    async def main() -> None:
        ended: list[int] = []
        done = asyncio.Event()
        rests, now = Rests(lambda: 1), time.monotonic()

        def end(number: int, due: float) -> None:
            assert time.monotonic() >= due
            ended.append(number)
            if len(ended) == 4:
                done.set()

        for number, ticks in ((3, 9), (1, 2), (2, 5), (0, -1)):
            due = now + ticks * TICK
            rests.end_at(due, lambda number=number, due=due: end(number, due))  # type: ignore[misc]
        await done.wait()
        assert ended == [0, 1, 2, 3]

    run(main())


def test_one_that_cannot_be_ended_keeps_no_other_from_it(run: Run[None], caplog: pytest.LogCaptureFixture) -> None:
    """It is logged."""

    async def main() -> None:
        done = asyncio.Event()
        rests, now = Rests(lambda: 1), time.monotonic()
        rests.end_at(now, lambda: 1 // 0)  # type: ignore[arg-type]
        rests.end_at(now, done.set)
        await done.wait()

    run(main())
    assert "ZeroDivisionError" in caplog.text
