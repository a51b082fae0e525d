"""Batches of a source's items: all of them, in order, and no further ahead than allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.hub.batching import Batches

if TYPE_CHECKING:
    from tests.conftest import Run


@given(
    pauses=st.lists(st.integers(0, 3), max_size=40),
    rests=st.lists(st.integers(0, 3), min_size=1),
    limit=st.integers(1, 5),
)
def test_every_item_comes_once_and_in_order(pauses: list[int], rests: list[int], limit: int) -> None:
    """Whatever the turns of source and consumer; a group is never empty and never above the limit."""

    async def source() -> AsyncIterator[int]:
        for number, turns in enumerate(pauses):
            for _ in range(turns):
                await asyncio.sleep(0)
            yield number

    async def main() -> list[int]:
        seen = []
        count = 0
        async for group in Batches(source(), limit):
            assert 1 <= len(group) <= limit
            seen += group
            for _ in range(rests[count % len(rests)]):
                await asyncio.sleep(0)
            count += 1
        return seen

    assert asyncio.run(main()) == list(range(len(pauses)))


def test_an_error_comes_after_the_items(run: Run[None]) -> None:
    """What was given before is not lost."""

    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise OSError("cut")

    async def main() -> None:
        groups = Batches(source(), 10)
        assert await anext(groups) == [1, 2]
        with pytest.raises(OSError, match="cut"):
            await anext(groups)

    run(main())


def test_a_consumer_that_leaves_closes_the_source(run: Run[None]) -> None:
    """Also when the source waits, or is held back at the limit."""
    closed = []

    async def source(*, waits: bool) -> AsyncIterator[int]:
        try:
            yield 1
            if waits:
                await asyncio.Event().wait()
            while True:
                yield 2
        finally:
            closed.append(waits)

    async def main() -> None:
        for waits in (True, False):
            groups = Batches(source(waits=waits), 3)
            assert (await anext(groups))[0] == 1
            await groups.aclose()

    run(main())
    assert closed == [True, False]


def test_a_stopped_source_gives_what_it_has_given(run: Run[None]) -> None:
    """It is asked for nothing more, and the groups end without an error."""
    closed = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def main() -> None:
        groups = Batches(source(), 10)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        groups.stop()
        assert [item async for group in groups for item in group] == [1, 2]
        await groups.aclose()

    run(main())
    assert closed == [True]
