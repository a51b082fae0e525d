"""The places for streams: the limit holds whatever comes at the same time, and refuses nobody who has one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from headwater import Hub, Limits
from headwater.errors import LimitReached
from headwater.model import Created, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.memory import MemoryStore

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = StreamConfig("application/json")


@pytest.mark.parametrize("store", ["memory:", "sqlite"])
@pytest.mark.parametrize("by_append", [False, True], ids=["create", "append"])
def test_streams_created_at_once_are_no_more_than_allowed(
    run: Run, tmp_path: Path, store: str, by_append: bool
) -> None:
    """Also while the first ones wait for their commit."""
    url = store if store == "memory:" else f"sqlite:{tmp_path}/a.db"

    async def main() -> None:
        async with Hub(url, limits=Limits(max_streams=3)) as hub:

            async def make(path: str) -> bool:
                try:
                    if by_append:
                        await hub.append(path, 1, create=JSON)
                    else:
                        await hub.create(path, content_type="application/json")
                except LimitReached:
                    return False
                return True

            made = await asyncio.gather(*(make(f"s{number}") for number in range(20)))
            assert sum(made) == hub.stream_count == len(await hub.list()) == 3
            assert not await make("more")
            await hub.delete((await hub.list())[0].path)
            assert await make("more")

    run(main())


def test_what_exists_takes_no_place_of_a_new_one(run: Run, tmp_path: Path) -> None:
    """Appends that may create a stream go to one that is there while the last place is asked for."""

    async def main() -> None:
        async with Hub(f"sqlite:{tmp_path}/a.db", limits=Limits(max_streams=2)) as hub:
            await hub.create("s", content_type="application/json")
            appends = (hub.append("s", number, create=JSON) for number in range(20))
            await asyncio.wait_for(asyncio.gather(*appends, hub.append("new", 1, create=JSON)), 10)
            assert hub.stream_count == 2

    run(main())


def test_a_failed_create_gives_its_place_back(run: Run, tmp_path: Path) -> None:
    """A body that the store refuses makes no stream."""

    async def main() -> None:
        async with Hub(f"sqlite:{tmp_path}/a.db", limits=Limits(max_streams=1)) as hub:
            bad = (hub.create_stream(f"b{number}", JSON, b"{") for number in range(5))
            results = await asyncio.gather(*bad, hub.create("good"), return_exceptions=True)
            assert [isinstance(result, Exception) for result in results] == [True] * 5 + [False]
            assert hub.stream_count == 1

    run(main())


@pytest.mark.parametrize("by_append", [False, True], ids=["create", "append"])
def test_a_stream_whose_maker_was_cancelled_is_counted(run: Run, tmp_path: Path, by_append: bool) -> None:
    """At whatever moment the cancellation comes: what the store makes all the same has its place."""

    async def make(hub: Hub, path: str) -> None:
        if by_append:
            await hub.write(path, Append(b"1", create=JSON))
        else:
            await hub.create_stream(path, JSON)

    async def main() -> None:
        async with Hub(f"sqlite:{tmp_path}/a.db", limits=Limits(max_streams=20)) as hub:
            for turns in range(19):
                making = asyncio.create_task(make(hub, f"s{turns}"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                making.cancel()
                await asyncio.wait([making])
            await make(hub, "behind all of them")
            there = await hub.list()
            assert len(there) > 1
            assert hub.stream_count == len(there)
            for number in range(20 - len(there)):
                await make(hub, f"t{number}")
            with pytest.raises(LimitReached):
                await make(hub, "more")
            for info in await hub.list():
                await hub.delete(info.path)
            assert hub.stream_count == 0

    run(main())


class Slow(MemoryStore):
    """A store that has made the stream and takes its time to say so."""

    def __init__(self) -> None:
        super().__init__()
        self.made, self.may_answer = asyncio.Event(), asyncio.Event()

    async def create(self, *args: Any, **options: Any) -> Created:
        created = await super().create(*args, **options)
        self.made.set()
        await self.may_answer.wait()
        return created


def test_a_cancelled_create_has_its_place_until_the_store_answers(run: Run) -> None:
    """Nobody gets it meanwhile; a close waits for the answer."""

    async def main() -> None:
        store = Slow()
        async with Hub(store, limits=Limits(max_streams=1)) as hub:
            first = asyncio.create_task(hub.create("a"))
            await store.made.wait()
            first.cancel()
            await asyncio.wait([first])
            second = asyncio.create_task(hub.create("b"))
            closing = asyncio.create_task(hub.aclose())
            await asyncio.sleep(0)
            assert not second.done()
            assert not closing.done()
            store.may_answer.set()
            with pytest.raises(LimitReached):
                await second
            await closing
            assert hub.stream_count == 1

    run(main())
