"""Turns of the event loop for those who read much: nobody holds it for long, and nobody is passed over."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest
from tests.conftest import Run

from headwater import Hub
from headwater.hub.catch_up import begin
from headwater.hub.fair_turns import PER_RECORD, PER_TURN, FairTurns
from headwater.model import Batch
from headwater.protocol.batches import MAX_READ_RECORDS
from headwater.protocol.cursor import Data

RECORD = b'"%b"' % (b"x" * 998)


class Clock:
    """Counts turns of the loop.

    Attributes:
        now: so many have begun.
    """

    def __init__(self) -> None:
        self.now = 0
        self._tick()

    def _tick(self) -> None:
        self.now += 1
        asyncio.get_running_loop().call_soon(self._tick)


async def read(turns: FairTurns, clock: Clock, sizes: list[int], begun: list[tuple[int, int]]) -> None:
    """Pieces of these sizes, with the turn in which each was begun."""
    for size in sizes:
        await turns.come(size)
        begun.append((clock.now, size))


def most_in_a_turn(begun: list[tuple[int, int]]) -> int:
    """The most that was begun in one turn."""
    turns = {turn for turn, _ in begun}
    return max(sum(size for at, size in begun if at == turn) for turn in turns)


def test_small_pieces_wait_for_nothing(run: Run[None]) -> None:
    """As long as there is room in this turn."""

    async def main() -> None:
        turns, clock, begun = FairTurns(), Clock(), list[tuple[int, int]]()
        await read(turns, clock, [PER_TURN // 4] * 4, begun)
        assert len({turn for turn, _ in begun}) == 1

    run(main())


def test_a_turn_has_one_piece_more_than_its_measure_at_most(run: Run[None]) -> None:
    """Of one reader or of many, whose pieces are as large as they like."""

    async def main() -> None:
        turns, clock, begun = FairTurns(), Clock(), list[tuple[int, int]]()
        piece = PER_TURN * 3 // 4
        await asyncio.gather(*(read(turns, clock, [piece, 100, piece], begun) for _ in range(20)))
        assert len(begun) == 60
        assert most_in_a_turn(begun) < PER_TURN + piece

    run(main())


def test_those_who_wait_go_on_in_their_order(run: Run[None]) -> None:
    """Each has a piece before one of them has another."""

    async def main() -> None:
        turns, order = FairTurns(), list[int]()

        async def come(number: int) -> None:
            for _ in range(3):
                await turns.come(PER_TURN)
                order.append(number)

        await asyncio.gather(*(come(number) for number in range(5)))
        # The first one finds room, and is the first who waits.
        assert order == [0, *[0, 1, 2, 3, 4] * 2, 1, 2, 3, 4]

    run(main())


def test_who_is_cancelled_holds_up_nobody(run: Run[None]) -> None:
    """All who waited before and behind have their turns, and then nothing is left to do."""

    async def main() -> None:
        turns = FairTurns()
        tasks = [asyncio.create_task(turns.come(PER_TURN)) for _ in range(6)]
        await asyncio.sleep(0)
        for task in tasks[2:4]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(each, asyncio.CancelledError) for each in done] == [False, False, True, True, False, False]

    run(main())


def test_a_loop_that_ended_holds_up_nobody_in_the_next_one() -> None:
    """A hub may be opened again in another loop, whatever waited for its turn in the first one."""
    turns, first, waiting = FairTurns(), asyncio.new_event_loop(), list[asyncio.Task[None]]()

    async def leave() -> None:
        waiting.extend(asyncio.create_task(turns.come(PER_TURN)) for _ in range(6))
        await asyncio.sleep(0)

    async def read_again() -> list[tuple[int, int]]:
        clock, begun = Clock(), list[tuple[int, int]]()
        await asyncio.wait_for(read(turns, clock, [PER_TURN] * 3, begun), 10)
        return begun

    first.run_until_complete(leave())
    assert not all(task.done() for task in waiting)
    first.close()
    assert most_in_a_turn(asyncio.run(read_again())) == PER_TURN


def test_what_takes_a_turn_of_its_own_has_one(run: Run[None]) -> None:
    """The first one at once, the others one in each turn of the loop, in their order."""

    async def main() -> None:
        turns, clock, done = FairTurns(), Clock(), list[tuple[int, int]]()
        for number in range(4):
            turns.call(partial(lambda number: done.append((clock.now, number)), number))
        assert [number for _, number in done] == [0]
        await read(turns, clock, [1], [])
        assert [number for _, number in done] == [0, 1, 2, 3]
        assert len({turn for turn, _ in done}) == 4

    run(main())


def test_a_mistake_in_a_turn_is_told_and_holds_up_nobody() -> None:
    """The loop reports it, and those behind have their turns."""

    async def main() -> None:
        turns, told, end = FairTurns(), list[str](), asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(str(context["exception"])))

        def fail() -> None:
            raise ValueError("a mistake")

        for act in (lambda: None, fail, fail, end.set):
            turns.call(act)
        await asyncio.wait_for(end.wait(), 10)
        assert told == ["a mistake"] * 2
        await turns.come(PER_TURN)

    asyncio.run(main())


def test_a_long_read_of_a_stream_in_memory_lets_others_in(run: Run[None]) -> None:
    """A catch-up read whose pieces nobody has to wait for."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="application/json")
            for _ in range(8):
                await hub.append("s", b"[" + b",".join([RECORD] * 1000) + b"]")
            clock = Clock()
            seen = [clock.now async for _ in (await begin(hub.live, "s", "-1")).pieces()]
            assert len(seen) > 4
            assert len({*seen}) == len(seen)

    run(main())


@pytest.mark.parametrize("count", [1, 3], ids=["whole", "in pieces"])
def test_many_who_come_at_once_begin_one_after_the_other(run: Run[None], count: int) -> None:
    """The first piece of a read has its turn as all others have; a small read needs none."""

    async def main() -> None:
        async with Hub() as hub:
            for path, records in (("s", 900), ("small", 1)):
                await hub.create(path, content_type="application/json")
                for _ in range(count):
                    await hub.append(path, b"[" + b",".join([RECORD] * records) + b"]")
            clock, begun, small = Clock(), list[int](), list[int]()

            async def first(path: str, seen: list[int]) -> None:
                async for _ in (await begin(hub.live, path, "-1")).pieces():
                    seen.append(clock.now)
                    break

            await asyncio.gather(*(first("s", begun) for _ in range(10)), *(first("small", small) for _ in range(10)))
            assert len({*begun}) == 10
            assert len({*small}) == 1

    run(main())


async def tiny(hub: Hub, path: str, kind: str, count: int) -> None:
    """A stream of records of one byte."""
    await hub.create(path, content_type=kind)
    if kind == "application/json":
        await hub.append(path, b"[" + b",".join([b"1"] * count) + b"]")
    else:
        for _ in range(count):
            await hub.append(path, b"x")


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_records_count_beside_their_bytes(run: Run[None], kind: str) -> None:
    """So many of one byte fill a turn as a few large ones do."""

    async def main() -> None:
        async with Hub() as hub:
            await tiny(hub, "s", kind, PER_TURN // PER_RECORD)
            batch = await hub.read_batch("s")
            turns, clock, begun = FairTurns(), Clock(), list[int]()

            async def come(batch: Batch) -> None:
                await turns.come_with(batch)
                begun.append(clock.now)

            await asyncio.gather(*(come(batch) for _ in range(5)))
            assert len({*begun}) == 5

    run(main())


def test_records_that_are_found_later_are_counted(run: Run[None]) -> None:
    """There was room for their bytes, of which they have few."""

    async def main() -> None:
        async with Hub() as hub:
            await tiny(hub, "s", "application/json", PER_TURN // PER_RECORD)
            turns, clock, begun = FairTurns(), Clock(), list[int]()
            for _ in range(3):
                await turns.come(1)
                begun.append(clock.now)
                turns.count(await hub.read_batch("s"))
            assert len({*begun}) == 3

    run(main())


def test_what_is_called_counts_by_its_time(run: Run[None]) -> None:
    """What takes long has a turn to itself, whatever its size; what takes no time shares one."""

    async def main() -> None:
        turns, clock, done = FairTurns(), Clock(), list[int]()

        def take_long() -> None:
            end = time.perf_counter() + 0.005
            while time.perf_counter() < end:
                pass
            done.append(clock.now)

        for _ in range(3):
            turns.call(take_long, 0)
        await read(turns, clock, [1], [])
        assert len({*done}) == 3

    run(main())


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_live_read_of_tiny_records_lets_others_in(run: Run[None], kind: str) -> None:
    """No piece has more records than a read may have, however few bytes they are."""

    async def main() -> None:
        async with Hub() as hub:
            await tiny(hub, "s", kind, 2 * MAX_READ_RECORDS + 1)
            clock, counts, turns = Clock(), list[int](), list[int]()
            with await hub.live.open_reader("s", "-1") as reader:
                while sum(counts) < 2 * MAX_READ_RECORDS + 1:
                    event = await reader.next()
                    assert isinstance(event, Data)
                    counts.append(len(event.batch.records))
                    turns.append(clock.now)
            assert counts == [MAX_READ_RECORDS, MAX_READ_RECORDS, 1]
            assert len({*turns}) == 3

    run(main())
