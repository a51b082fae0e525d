"""Coroutines that begin at once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.conftest import Run

from headwater.hub.eager import begin


def test_what_does_not_wait_is_done(run: Run[None]) -> None:
    """Without a task; an error is the outcome."""

    async def work(number: int) -> int:
        if number < 0:
            raise ValueError("less than nothing")
        return number

    async def main() -> None:
        done = begin(work(3))
        assert done.done()
        assert await done == 3
        with pytest.raises(ValueError, match="less"):
            await begin(work(-1))
        assert len(asyncio.all_tasks()) == 1

    run(main())


def test_what_waits_goes_on_in_a_task(run: Run[None]) -> None:
    """It has begun when `begin` returns, waits as often as it likes, for futures, turns and time-outs, and ends."""
    steps: list[int] = []

    async def work(waits_for: asyncio.Future[int]) -> int:
        steps.append(1)
        found = await waits_for
        await asyncio.sleep(0)
        steps.append(found)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        return found + 1

    async def main() -> None:
        waits_for: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        going = begin(work(waits_for))
        assert steps == [1]
        assert not going.done()
        waits_for.set_result(2)
        assert await going == 3
        assert steps == [1, 2]

    run(main())


def test_errors_and_cancellation_reach_it(run: Run[None]) -> None:
    """As in a task of its own; it may take a cancellation for what it likes."""
    caught: list[str] = []

    async def work(waits_for: asyncio.Future[int]) -> int:
        try:
            return await waits_for
        except ValueError:
            caught.append("error")
            raise
        except asyncio.CancelledError:
            caught.append("cancelled")
            await asyncio.sleep(0)
            return -1

    async def main() -> None:
        loop = asyncio.get_running_loop()
        failing: asyncio.Future[int] = loop.create_future()
        going = begin(work(failing))
        failing.set_exception(ValueError())
        with pytest.raises(ValueError):  # noqa: PT011
            await going
        going = begin(work(loop.create_future()))
        await asyncio.sleep(0)
        assert going.cancel()
        assert await going == -1
        assert caught == ["error", "cancelled"]

    run(main())


def test_what_is_cancelled_before_its_task_ran_is_told(run: Run[None]) -> None:
    """It is not dropped where it waits: what it cleans up is cleaned up in its order, its generators with it."""
    steps: list[str] = []
    complaints: list[dict[str, Any]] = []

    async def inner() -> AsyncIterator[int]:
        try:
            await asyncio.Event().wait()
            yield 1
        finally:
            steps.append("inner")

    async def outer() -> AsyncIterator[int]:
        async for number in inner():
            yield number

    async def work() -> None:
        try:
            async for _ in outer():
                pass
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
        going = begin(work())
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
        del going
        gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()

    run(main())
    assert steps == ["inner", "cancelled"]
    assert not complaints
