"""Groups of a source's items: all of them, in order, and no further ahead than allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.hub.gathering import Groups

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
        async for group in Groups(source(), limit):
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
        groups = Groups(source(), 10)
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
            groups = Groups(source(waits=waits), 3)
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
        groups = Groups(source(), 10)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        groups.stop()
        assert [item async for group in groups for item in group] == [1, 2]
        await groups.aclose()

    run(main())
    assert closed == [True]


def test_what_comes_during_a_rest_is_one_group(run: Run[None]) -> None:
    """The consumer is woken once, when the rest is over; a full group or the source's end ends it before."""

    async def source(given: asyncio.Queue[int | None]) -> AsyncIterator[int]:
        while (item := await given.get()) is not None:
            yield item

    async def main() -> None:
        given: asyncio.Queue[int | None] = asyncio.Queue()
        groups = Groups(source(given), 3)
        given.put_nowait(1)
        assert await anext(groups) == [1]
        groups.rest(0.02)
        given.put_nowait(2)
        given.put_nowait(3)
        assert await anext(groups) == [2, 3]
        groups.rest(1000)
        for item in (4, 5, 6, 7):
            given.put_nowait(item)
        assert await anext(groups) == [4, 5, 6]
        given.put_nowait(None)
        assert await anext(groups) == [7]
        assert await anext(groups, None) is None

    run(main())


def test_a_consumer_can_be_told_to_give_up(run: Run[None]) -> None:
    """At once, also while a source waits that takes no cancellation; `waiting_since` says how long it has waited."""

    async def source(released: asyncio.Event) -> AsyncIterator[int]:
        yield 1
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        released = asyncio.Event()
        groups = Groups(source(released), 3)
        assert await anext(groups) == [1]
        waiting = asyncio.ensure_future(anext(groups))
        await asyncio.sleep(0)
        assert groups.waiting_since is not None
        groups.give_up(TimeoutError("too long"))
        with pytest.raises(TimeoutError, match="too long"):
            await waiting
        released.set()
        await groups.aclose()

    run(main())
