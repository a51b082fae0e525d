"""The newest records of busy streams behind a fold: read from memory, right whatever else is written, bounded."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest
from tests.stores.sqlite.helpers import append, opened

from headwater.model import Last, Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import recent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

    from headwater.stores.sqlite import SqliteStore

JSON = "application/json"


async def add(store: SqliteStore, path: str, first: int, count: int) -> None:
    """Append so many numbers, each by itself."""
    for number in range(first, first + count):
        await append(store, path, b"%d" % number)


async def newest(store: SqliteStore, path: str, count: int) -> list[int]:
    """The last so many."""
    page = await store.page(path, Last(count))
    return [int(record.data) for record in page.batch.records]


def watch_file(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is read from the file from now on."""
    found: list[str] = []
    run_reader = store._readers.run

    async def noted(work: Callable[[Any], Any]) -> Any:
        found.append(repr(work))
        return await run_reader(work)

    monkeypatch.setattr(store._readers, "run", noted)
    return found


@pytest.mark.parametrize("limits", [Retention(), Retention(count=60), Retention(age=3600), Retention(size=1000)])
def test_a_page_behind_a_fold_takes_no_thread(
    place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch, limits: Retention
) -> None:
    """With retention the journal is folded by each sweep: the newest records stay at hand as without it."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(JSON, retention=limits))
            await add(store, "a", 0, 70)
            for turn in range(3):
                place.clock.advance(6)
                await store.sweep()
                assert store._committed.journal.logs == {}
                asked = watch_file(store, monkeypatch)
                assert await newest(store, "a", 50) == list(range(20 + 10 * turn, 70 + 10 * turn))
                await add(store, "a", 70 + 10 * turn, 10)
                assert await newest(store, "a", 50) == list(range(30 + 10 * turn, 80 + 10 * turn))
                place_of_one = (await store.page("a", Last(1))).batch.offset
                assert store.read_at_once("a", place_of_one) is not None
                assert asked == []
                monkeypatch.undo()

    run(scenario())


def test_what_was_written_past_the_journal_is_noticed(place: Place, run: Run[None]) -> None:
    """A large batch goes to the tables at once: what is kept ends before it, and is not used."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(JSON))
            await add(store, "a", 0, 20)
            place.clock.advance(6)
            await store.sweep()
            await store.append("a", Append(b"[" + b",".join(b"%d" % number for number in range(20, 4000)) + b"]"))
            assert await newest(store, "a", 5) == list(range(3995, 4000))
            await add(store, "a", 4000, 2)
            assert await newest(store, "a", 5) == list(range(3997, 4002))

    run(scenario())


def test_a_later_stream_at_the_path_has_nothing_of_the_earlier_one(place: Place, run: Run[None]) -> None:
    async def scenario() -> None:
        async with opened(place.store()) as store:
            for _ in range(2):
                await store.create("a", StreamConfig(JSON))
                assert await newest(store, "a", 5) == []
                await add(store, "a", 0, 20)
                place.clock.advance(6)
                await store.sweep()
                assert await newest(store, "a", 2) == [18, 19]
                await store.delete("a")

    run(scenario())


@pytest.mark.parametrize("seed", range(6))
def test_pages_are_those_of_the_log_whatever_happens(place: Place, run: Run[None], seed: int) -> None:
    """Small and large appends, sweeps, retention and restarts, in any order."""
    chance = random.Random(seed)

    async def scenario() -> None:
        store, count = place.store(), 0
        await store.open()
        limits = chance.choice([Retention(), Retention(count=40), Retention(size=300)])
        await store.create("a", StreamConfig(JSON, retention=limits))
        for _ in range(60):
            step = chance.random()
            if step < 0.5:
                size = chance.randrange(1, 12)
                await add(store, "a", count, size)
                count += size
            elif step < 0.6:
                size = chance.randrange(500, 3000)
                values = b",".join(b"%d" % number for number in range(count, count + size))
                await store.append("a", Append(b"[" + values + b"]"))
                count += size
            elif step < 0.9:
                place.clock.advance(chance.choice([1, 6]))
                await store.sweep()
            else:
                await store.aclose()
                store = place.store()
                await store.open()
            wanted = chance.choice([1, 5, 30, 200])
            found = await newest(store, "a", wanted)
            assert found == list(range(count - len(found), count))
            kept = (await store.read("a", (await store.info("a")).earliest, limit=1 << 30)).records
            assert len(found) == min(wanted, len(kept))
        await store.aclose()

    run(scenario())


def test_what_is_kept_is_bounded(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stream and of all: those that were busy longest ago go first. A stream with few records is not kept."""
    monkeypatch.setattr(recent, "KEPT_BYTES", 20_000)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            kept = store._committed.journal.recent
            for number in range(4):
                await store.create(str(number), StreamConfig(JSON))
                await add(store, str(number), 0, 3 if number == 3 else 150)
                place.clock.advance(6)
                await store.sweep()
            sizes = {number: len(log.positions) for number, log in kept._logs.items()}
            assert list(sizes.values()) == [recent.KEPT_RECORDS]
            assert await newest(store, "2", 100) == list(range(50, 150))
            assert await newest(store, "0", 100) == list(range(50, 150))
            assert 0 < kept._size <= 20_000

    run(scenario())


def test_readers_meet_folds_at_any_moment(place: Place, run: Run[None]) -> None:
    """Pages beside appends and sweeps that run at the same time: each is a piece of the log up to its tail."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(JSON, retention=Retention(count=100)))
            await add(store, "a", 0, 60)
            done: list[int] = []

            async def write() -> None:
                await add(store, "a", 60, 400)
                done.append(1)

            async def sweep() -> None:
                while not done:
                    await store.sweep()

            async def read() -> None:
                newest_before = 0
                while not done:
                    found = await newest(store, "a", 50)
                    assert found == list(range(found[0], found[0] + 50))
                    assert found[-1] >= newest_before
                    newest_before = found[-1]
                    await asyncio.sleep(0)  # what is in memory takes no turn of the loop

            await asyncio.gather(write(), sweep(), read())

    run(scenario())
