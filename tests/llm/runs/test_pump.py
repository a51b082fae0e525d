"""Pumps: all items of a source, in order, put together while the run rests, and no further ahead than allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import SourceFailed
from headwater.llm.runs.pacing import Rests
from headwater.llm.runs.pump import AHEAD, Pump

if TYPE_CHECKING:
    from tests.conftest import Run


class Log:
    """Where a pump's groups go; each is written when the test says so, or at once."""

    def __init__(self, source: AsyncGenerator[Any, None], *, rest: float = 0.0, at_once: bool = True) -> None:
        self.groups: list[list[Any]] = []
        self.at_once = at_once
        self.pump = Pump(aclosing(source), self.write, FixedRests(rest))

    def write(self, group: list[Any]) -> None:
        self.groups.append(group)
        if self.at_once:
            self.pump.written()

    @property
    def items(self) -> list[Any]:
        return [item for group in self.groups for item in group]


class FixedRests(Rests):
    """Rests of one length."""

    def __init__(self, length: float) -> None:
        super().__init__(lambda: 1)
        self.length = length

    @property
    def seconds(self) -> float:
        return self.length


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@given(
    pauses=st.lists(st.integers(0, 3), max_size=40),
    writes=st.lists(st.integers(0, 3), min_size=1, max_size=10),
    rest=st.sampled_from([0.0, 0.001]),
)
def test_every_item_comes_once_and_in_order(pauses: list[int], writes: list[int], rest: float) -> None:
    """Whatever the turns of the source and of the writes; one group is written at a time, and none is empty."""

    async def source() -> AsyncGenerator[int, None]:
        for number, count in enumerate(pauses):
            await turns(count)
            yield number

    async def main() -> list[int]:
        groups: list[list[Any]] = []
        under_way = 0

        def write(group: list[Any]) -> None:
            nonlocal under_way
            assert group
            assert not under_way
            under_way += 1
            groups.append(group)
            asyncio.get_running_loop().call_soon(finish, writes[len(groups) % len(writes)])

        def finish(count: int) -> None:
            nonlocal under_way
            if count:
                asyncio.get_running_loop().call_soon(finish, count - 1)
                return
            under_way -= 1
            pump.written()

        pump = Pump(aclosing(source()), write, FixedRests(rest))
        assert await pump.ended() is None
        return [item for group in groups for item in group]

    assert asyncio.run(main()) == list(range(len(pauses)))


def test_the_first_item_waits_for_nothing(run: Run[None]) -> None:
    """It is handed on in the source's own step, before the source is asked for the next one."""
    seen: list[int] = []

    async def main() -> None:
        async def source() -> AsyncGenerator[int, None]:
            yield 1
            seen.append(len(log.groups))

        log = Log(source(), rest=1000)
        assert await log.pump.ended() is None
        assert log.groups == [[1]]

    run(main())
    assert seen == [1]


def test_what_comes_during_a_rest_is_one_group(run: Run[None]) -> None:
    """A full group, or the source's end, ends the rest before its time."""

    async def source(given: asyncio.Queue[int | None]) -> AsyncGenerator[int, None]:
        while (item := await given.get()) is not None:
            yield item

    async def main() -> None:
        given: asyncio.Queue[int | None] = asyncio.Queue()
        log = Log(source(given), rest=1000)
        for item in range(AHEAD + 3):
            given.put_nowait(item)
        while len(log.groups) < 2:  # noqa: ASYNC110 - a pump tells nobody
            await asyncio.sleep(0)
        assert [len(group) for group in log.groups] == [1, AHEAD]
        await turns(10)
        assert len(log.groups) == 2
        given.put_nowait(None)
        assert await log.pump.ended() is None
        assert log.items == list(range(AHEAD + 3))

    run(main())


def test_a_rest_ends_by_itself(run: Run[None]) -> None:
    """Without another item; what came meanwhile is one group."""

    async def source(last: asyncio.Event) -> AsyncGenerator[int, None]:
        for item in (1, 2, 3):
            yield item
        await last.wait()

    async def main() -> None:
        last = asyncio.Event()
        log = Log(source(last), rest=0.02)
        while len(log.groups) < 2:  # noqa: ASYNC110 - a pump tells nobody
            await asyncio.sleep(0)
        assert log.groups == [[1], [2, 3]]
        last.set()
        assert await log.pump.ended() is None

    run(main())


def test_a_source_that_never_waits_lets_others_run(run: Run[None]) -> None:
    """It is held back at the limit, also where each write is done at once."""

    async def source() -> AsyncGenerator[int, None]:
        while True:
            yield 1

    async def main() -> None:
        log = Log(source())
        await turns(20)
        assert max(map(len, log.groups)) <= AHEAD
        log.pump.stop()
        assert await log.pump.ended() is None

    run(main())


def test_a_source_is_slowed_down_by_its_log(run: Run[None]) -> None:
    """While a write is under way, no more than the limit is taken ahead."""
    asked = 0

    async def source() -> AsyncGenerator[int, None]:
        nonlocal asked
        while True:
            asked += 1
            yield asked

    async def main() -> None:
        log = Log(source(), at_once=False)
        await turns(20)
        assert log.groups == [[1]]
        assert asked == 1 + AHEAD
        await log.pump.aclose()

    run(main())


@pytest.mark.parametrize("error", [OSError("cut"), TimeoutError(), asyncio.CancelledError()])
def test_why_a_source_broke_off_comes_after_its_items(run: Run[None], error: BaseException) -> None:
    """What was given before is not lost."""

    async def source() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise error

    async def main() -> None:
        log = Log(source(), rest=1000)
        cause = await log.pump.ended()
        assert cause is error or isinstance(cause, SourceFailed)
        assert log.items == [1, 2]

    run(main())


def test_a_stopped_source_gives_what_it_has_given(run: Run[None]) -> None:
    """It is asked for nothing more, is closed, and there is no cause to be told."""
    closed = []

    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def main() -> None:
        log = Log(source(), rest=1000)
        await turns(3)
        log.pump.stop()
        assert await log.pump.ended() is None
        assert log.items == [1, 2]
        await log.pump.aclose()

    run(main())
    assert closed == [True]


def test_a_source_can_be_given_up(run: Run[None]) -> None:
    """At once, also while it takes no cancellation; `waiting_since` says how long it has been waited for."""

    async def source(released: asyncio.Event) -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        released = asyncio.Event()
        log = Log(source(released), rest=1000)
        await turns(3)
        assert log.pump.waiting_since is None, "there is an item that waits for the end of the rest"
        late = TimeoutError("too long")
        log.pump.give_up(late)
        assert await log.pump.ended() is late
        assert log.items == [1, 2]
        released.set()
        await log.pump.aclose()

        waiting = Log(source(released := asyncio.Event()))
        await turns(3)
        assert waiting.pump.waiting_since is not None
        released.set()
        assert await waiting.pump.ended() is None

    run(main())


def test_a_write_that_fails_ends_it(run: Run[None]) -> None:
    """Whether it says so or raises."""

    async def source() -> AsyncGenerator[int, None]:
        while True:
            yield 1
            await asyncio.sleep(0)

    async def main() -> None:
        log = Log(source(), at_once=False)
        await turns(3)
        log.pump.written(OSError("the disk is gone"))
        with pytest.raises(OSError, match="disk"):
            await log.pump.ended()
        await log.pump.aclose()

        def raise_(group: list[Any]) -> None:
            raise RuntimeError("a bug")

        pump = Pump(aclosing(source()), raise_, FixedRests(0.0))
        with pytest.raises(RuntimeError, match="bug"):
            await pump.ended()
        await pump.aclose()

    run(main())
