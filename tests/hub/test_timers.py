"""Timers on a real event loop: called in order of their times, not in one turn, and a failing one stops nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headwater.hub import timers as driver
from headwater.hub.timers import Timers

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_timers_are_called_in_time(run: Run) -> None:
    """An earlier one set later comes first; a cancelled one never; after `stop` none."""

    async def main() -> None:
        timers = Timers()
        called: list[str] = []
        done = asyncio.Event()
        timers.after(0.3, done.set)
        timers.after(0.1, lambda: called.append("first"))
        timers.after(0.2, lambda: called.append("second"))
        timers.after(0.1, lambda: called.append("never")).cancel()
        await done.wait()
        assert called == ["first", "second"]
        timers.after(0.0, lambda: called.append("stopped"))
        timers.stop()
        timers.after(0.1, done.clear)
        while done.is_set():  # noqa: ASYNC110 - until it is cleared
            await asyncio.sleep(0.001)
        assert called == ["first", "second"]

    run(main())


def test_a_failing_timer_is_logged_and_stops_nobody(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """The others of its turn are called."""

    async def main() -> None:
        timers = Timers()
        done = asyncio.Event()
        for _ in range(3):
            timers.after(0.0, lambda: 1 / 0)
        timers.after(0.1, done.set)
        await done.wait()

    with caplog.at_level(logging.ERROR):
        run(main())
    assert caplog.text.count("a timer failed") == 3


def test_many_timers_of_one_moment_take_many_turns(run: Run) -> None:
    """Between two turns the event loop does its other work."""

    async def main() -> None:
        timers = Timers()
        count = 0

        def call() -> None:
            nonlocal count
            count += 1

        for _ in range(5 * driver.TURN):
            timers.after(0.0, call)
        seen = {0}
        while count < 5 * driver.TURN:
            await asyncio.sleep(0)
            seen.add(count)
        assert max(after - before for before, after in zip(sorted(seen), sorted(seen)[1:], strict=False)) <= driver.TURN

    run(main())
