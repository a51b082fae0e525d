"""The event loop's delay: sampled while the hub is open, and large when something held the loop up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headwater import Hub
from headwater.histogram import Histogram
from headwater.hub import loop_delay
from headwater.hub.loop_delay import LoopDelay

Run = Callable[[Coroutine[Any, Any, Any]], Any]
#: Seconds between two samples, here.
PERIOD = 0.01


@pytest.fixture(autouse=True)
def period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_delay, "PERIOD", PERIOD)


async def sampled(delays: Histogram, count: int) -> None:
    while sum(delays.counts) < count:  # noqa: ASYNC110 - a histogram has no event for it
        await asyncio.sleep(PERIOD / 10)


def test_a_blocked_loop_is_seen(run: Run) -> None:
    """A step that holds the loop for longer than the timer's period is a delay, whatever the timer's phase."""

    async def main() -> None:
        delays = Histogram(bounds=(0.02,))
        delay = LoopDelay(delays)
        delay.start()
        time.sleep(2 * PERIOD + 0.02)  # noqa: ASYNC251 - this is the step that holds the loop
        await sampled(delays, 1)
        delay.stop()
        assert delays.counts[1] >= 1
        assert delays.sum >= 0.02

    run(main())


def test_a_hub_samples_while_it_is_open(run: Run) -> None:
    """It begins when the hub is opened, ends with it, and goes on when it is opened again."""

    async def main() -> None:
        hub = Hub()
        delays = hub.stats.loop_delay
        for opening in (1, 2):
            async with hub:
                await sampled(delays, opening)
        seen = sum(delays.counts)
        others = Histogram(bounds=())
        other = LoopDelay(others)
        other.start()
        await sampled(others, 2)
        other.stop()
        assert sum(delays.counts) == seen

    run(main())
