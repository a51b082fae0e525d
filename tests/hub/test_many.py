"""`Hub.read_many`: many streams in one loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.errors import BadRequest, HeadwaterError, ShuttingDown
from headwater.model import StreamConfig

JSON = "application/json"


async def fill(hub: Hub, **streams: list[Any]) -> None:
    for path, values in streams.items():
        await hub.create(path.replace("_", "/"), content_type=JSON)
        for value in values:
            await hub.append(path.replace("_", "/"), value)


def test_what_is_there(run: Run[None]) -> None:
    """By name and by pattern, each once, and then it ends; what is not there is nothing."""

    async def main() -> None:
        async with Hub() as hub:
            await fill(hub, a=[1, 2], rooms_1=[3], rooms_2=[4, 5], other=[6])
            found: dict[str, list[Any]] = {}
            async for path, record in hub.read_many(["a", "none", "rooms/*", "rooms/2"]):
                found.setdefault(path, []).append(record.json())
            assert found == {"a": [1, 2], "rooms/1": [3], "rooms/2": [4, 5]}
            newest = [(path, record.json()) async for path, record in hub.read_many(["a", "rooms/*"], last=1)]
            assert sorted(newest) == [("a", 2), ("rooms/1", 3), ("rooms/2", 5)]
            tail = (await hub.info("a")).tail
            await hub.append("a", 7)
            assert [record.json() async for _, record in hub.read_many({"a": tail})] == [7]
            assert hub.stats.readers == 0

    run(main())


def test_live_until_all_are_closed(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await fill(hub, a=[1])

            async def write() -> None:
                await hub.create("late", content_type=JSON)
                for number in range(20):
                    await hub.append("a", number)
                    await hub.append("late", number)
                    await asyncio.sleep(0)
                await hub.close("a")
                await hub.close("late")

            found: dict[str, list[Any]] = {}
            writing = asyncio.create_task(write())
            async with asyncio.timeout(30):
                async for path, record in hub.read_many(["a", "late"], live=True):
                    found.setdefault(path, []).append(record.json())
            await writing
            assert found == {"a": [1, *range(20)], "late": [*range(20)]}

    run(main())


def test_streams_that_come_and_go(run: Run[None]) -> None:
    """What matches comes when it is made; a stream that is deleted and made anew comes from its start."""

    async def main() -> None:
        async with Hub() as hub:
            await fill(hub, a=[1])
            reading = hub.read_many(["a", "rooms/*"], live=True)
            async with asyncio.timeout(30):
                assert (await anext(reading))[1].json() == 1
                await fill(hub, rooms_1=[2])
                path, record = await anext(reading)
                assert (path, record.json()) == ("rooms/1", 2)
                await hub.delete("a")
                await fill(hub, a=[3])
                path, record = await anext(reading)
                assert (path, record.json()) == ("a", 3)
            await reading.aclose()  # type: ignore[attr-defined]
            assert (hub.stats.readers, hub.live.patterns.count) == (0, 0)

    run(main())


def test_one_batch_is_held(run: Run[None]) -> None:
    """However many streams have news: who is slow costs one batch."""

    async def main() -> None:
        async with Hub(limits=Limits(read_bytes=1000)) as hub:
            await fill(hub, **{f"s{number}": ["x" * 900] * 3 for number in range(30)})
            before = hub.stats.store_reads
            reading = hub.read_many([f"s{number}" for number in range(30)])
            await anext(reading)
            for _ in range(50):
                await asyncio.sleep(0)
            assert hub.stats.store_reads - before <= 34  # the first batch of each, when it came
            assert len([1 async for _ in reading]) == 89

    run(main())


def test_one_streams_error_ends_no_other(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await fill(hub, a=[1], b=[2], c=[3])
            await hub.fail("b", "broken")
            errors: list[tuple[str, str]] = []

            def told(path: str, error: HeadwaterError) -> None:
                errors.append((path, error.code))

            starts = {"a": "0000000000000009_0000000000000000", "b": "-1", "c": "-1"}
            found = [record.json() async for _, record in hub.read_many(starts, on_error=told)]
            assert sorted(found) == [2, 3]
            assert sorted(errors) == [("a", "invalid-offset"), ("b", "stream-failed")]

    run(main())


def test_a_stop_is_an_error(run: Run[None]) -> None:
    """Nobody takes it for the end of the streams."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create_stream("a", StreamConfig(JSON))

            async def read() -> None:
                async for _ in hub.read_many(["a", "none", "x/*"], live=True):
                    pass

            reading = asyncio.create_task(read())
            async with asyncio.timeout(30):
                while hub.stats.readers < 2:  # noqa: ASYNC110 - a figure has no event
                    await asyncio.sleep(0)
            hub.drain()
            with pytest.raises(ShuttingDown):
                await reading

    run(main())


def test_a_wrong_pattern(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            with pytest.raises(BadRequest):
                await anext(hub.read_many(["a*"], live=True))

    run(main())


def test_a_loop_that_takes_its_time_gets_the_last_batch(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await fill(hub, a=[1, 2], b=[1, 2], c=[1, 2])
            found = []
            async for path, record in hub.read_many(["a", "b", "c", "*"]):
                for _ in range(20):
                    await asyncio.sleep(0)
                found.append((path, record.json()))
            assert sorted(found) == [(path, number) for path in "abc" for number in (1, 2)]

    run(main())


def test_a_matching_stream_that_is_replaced_comes_from_its_start(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await fill(hub, rooms_1=[1])
            reading = hub.read_many(["rooms/*"], live=True)
            async with asyncio.timeout(30):
                assert (await anext(reading))[1].json() == 1
                await hub.delete("rooms/1")
                await fill(hub, rooms_1=[2])
                assert (await anext(reading))[1].json() == 2
            await reading.aclose()  # type: ignore[attr-defined]

    run(main())


def test_a_mistake_is_raised_and_not_swallowed(run: Run[None]) -> None:
    """Of the caller, or of a store: a loop that ends has read all of it."""

    async def main() -> None:
        async with Hub() as hub:
            await fill(hub, a=[1])

            def mistaken(path: str, error: HeadwaterError) -> None:
                raise KeyError(path)

            with pytest.raises(KeyError):
                async for _ in hub.read_many({"a": "0000000000000009_0000000000000000"}, on_error=mistaken):
                    pass
            with pytest.raises(TypeError):
                await anext(hub.read_many("a"))

    run(main())


def test_a_loop_that_begins_in_a_stop_is_told(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            hub.drain()
            with pytest.raises(ShuttingDown):
                await anext(hub.read_many(["a"], live=True))

    run(main())
