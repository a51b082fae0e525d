"""Many appends in one step: nothing of a refused one is kept, and the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import append, content, opened

from headwater.errors import StreamClosed, StreamNotFound
from headwater.model import Appended, Change, Producer, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import delivery
from headwater.stores.sqlite.checkup import check_file
from headwater.stores.sqlite.options import parse_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

    from headwater.stores.sqlite import SqliteStore

BYTES = StreamConfig("application/octet-stream")


@pytest.mark.parametrize("before", [False, True], ids=["first of its batch", "behind another"])
def test_what_is_refused_leaves_nothing(place: Place, run: Run[None], before: bool) -> None:
    """Neither streams, records nor producers; what is in the same batch is written."""

    async def scenario() -> None:
        changes: list[Change] = []
        async with opened(place.store()) as store:
            await store.create("a", BYTES)
            await store.create("closed", BYTES, closed=True)
            store.watch(changes.append)
            outcomes: list[Appended | Exception] = []
            if before:
                store.post("a", Append(b"1"), outcomes.append)
            producer = Producer("p", 0, 0)
            step = [
                ("new", Append(b"x", create=BYTES)),
                ("a", Append(b"y", producer=producer)),
                ("closed", Append(b"z")),
            ]
            together = asyncio.ensure_future(store.append_all(step))
            await asyncio.sleep(0)
            store.post("a", Append(b"2"), outcomes.append)
            with pytest.raises(StreamClosed) as refused:
                await together
            assert (refused.value.details["line"], refused.value.details["stream"]) == (3, "closed")
            await append(store, "a", b"3", producer)
            assert [type(outcome) for outcome in outcomes] == [Appended] * (1 + before)
            assert await content(store, "a") == ([b"1"] if before else []) + [b"2", b"3"]
            with pytest.raises(StreamNotFound):
                await store.info("new")
            assert (await store.create("new", BYTES)).created
            assert "new" not in [change.path for change in changes if not change.created and change.batch]
        assert check_file(place.path, parse_options({"driver": place.driver})).findings == []

    run(scenario())


def test_many_paths_are_looked_up_at_once(place: Place, run: Run[None]) -> None:
    """Those that are there, in memory or in the file alone, and those that are not."""
    statements: list[str] = []
    place.spy(statements.append)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for number in range(20):
                await store.create(f"s{number}", BYTES)
        async with opened(place.store()) as store:
            await append(store, "s3", b"0")
            statements.clear()
            step = [(f"s{number}", Append(b"x", create=BYTES)) for number in range(40)]
            answers = await store.append_all(step)
            assert [answer.created for answer in answers] == [False] * 20 + [True] * 20
            assert sum(sql.startswith("SELECT") for sql in statements) == 1
            assert await content(store, "s3") == [b"0", b"x"]
            assert await content(store, "s39") == [b"x"]

    run(scenario())


def test_many_changes_are_told_in_several_turns(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, those of a later batch behind them, and each batch is answered when all of it is told."""
    monkeypatch.setattr(delivery, "PIECE", 3)
    told: list[str] = []
    turns: list[int] = []

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for number in range(10):
                await store.create(str(number), BYTES)
            await store.create("last", BYTES)
            store.watch(telling(told))

            async def beat() -> None:
                while True:
                    turns.append(len(told))
                    await asyncio.sleep(0)

            beating = asyncio.ensure_future(beat())
            first = asyncio.ensure_future(store.append_all([(str(number), Append(b"x")) for number in range(10)]))
            second = asyncio.ensure_future(append(store, "last", b"x"))
            await first
            assert told[:10] == [str(number) for number in range(10)]
            await second
            assert told[10:] == ["last"]
            beating.cancel()
            assert {3, 6, 9} <= set(turns)

    run(scenario())


def telling(told: list[str]) -> Callable[[Change], None]:
    return lambda change: told.append(change.path)


def test_a_close_waits_until_all_is_told(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in several turns; the callers are answered before it returns."""
    monkeypatch.setattr(delivery, "PIECE", 3)
    told: list[str] = []

    async def scenario() -> None:
        store = place.store()
        await store.open()
        for number in range(10):
            await store.create(str(number), BYTES)
        store.watch(telling(told))
        step: Sequence[tuple[str, Append]] = [(str(number), Append(b"x")) for number in range(10)]
        together = asyncio.ensure_future(store.append_all(step))
        await asyncio.sleep(0)
        await store.aclose()
        assert len(told) == 10
        assert len(await together) == 10

    run(scenario())


@pytest.mark.parametrize("kind", ["there", "made", "both"])
def test_a_kill_at_any_statement_leaves_all_or_none(place: Place, run: Run[None], kind: str) -> None:
    """The files as they are in front of each statement of the writer, and behind the last one."""
    left: list[set[int]] = []
    before = {"there": 30, "made": 0, "both": 15}[kind]

    async def found() -> set[int]:
        async with opened(place.killed()) as copy:
            sizes = {info.path: info.size for info in await copy.list()}
            return {sizes.get(f"s{number}", 0) for number in range(30)}

    async def scenario() -> None:
        taken: list[SqliteStore] = []
        place.spy(lambda _: taken.append(place.killed()) if writes else None)
        writes = False
        async with opened(place.store()) as store:
            for number in range(before):
                await store.create(f"s{number}", BYTES)
            writes = True
            await store.append_all([(f"s{number}", Append(b"x", create=BYTES)) for number in range(30)])
            writes = False
            assert await found() == {1}
        for copy in taken:
            async with opened(copy):
                sizes = {info.path: info.size for info in await copy.list()}
                left.append({sizes.get(f"s{number}", 0) for number in range(30)})
        assert len(left) >= 3
        assert left == [{0}] * len(left)

    run(scenario())
