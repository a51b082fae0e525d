"""Sweeps: expiry, retention as the memory store does it, and purges in slices."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.stores.sqlite.helpers import append, content, opened

from headwater.errors import OffsetGone, StoreUnavailable, StreamNotFound
from headwater.model import Expiry, ForkPoint, Producer, Retention, StreamConfig
from headwater.stores import Sweeping
from headwater.stores.memory import MemoryStore
from headwater.stores.sqlite import SqliteOptions, SqliteStore, upkeep
from headwater.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

    from headwater.stores import Store
    from headwater.stores.sqlite.database import Database


def test_a_deleted_stream_is_purged_in_slices(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The delete itself is cheap; then one slice a transaction, and a bounded number of them a sweep."""
    monkeypatch.setattr(upkeep, "SLICE_ROWS", 10)
    monkeypatch.setattr(upkeep, "SWEEP_SLICES", 2)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            await store.create("b", StreamConfig(), b"stays")
            await asyncio.gather(*(append(store, "a", b"x", Producer(f"p{n}", 0, 0)) for n in range(35)))
            await store.delete("a")
            other = place.connect()
            left = [rows_left(other)]
            for _ in range(5):
                await store.sweep()
                left.append(rows_left(other))
            assert left == [(36, 35, 1), (16, 35, 1), (1, 35, 1), (1, 15, 1), (1, 0, 0), (1, 0, 0)]
            assert await content(store, "b") == [b"stays"]

    run(scenario())


def rows_left(database: Database) -> tuple[int, ...]:
    """Rows of records, producers and purges."""
    return tuple(database.run(f"SELECT count(*) FROM {table}")[0][0] for table in ("records", "producers", "purges"))


def test_a_restart_knows_by_how_much_the_clock_was_set(place: Place, run: Run[None]) -> None:
    """Records of before and behind a jump keep their ages, also if the process was killed."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(retention=Retention(age=60)))
            await append(store, "a", b"one")
            place.clock.advance(30)
            place.clock.jump(86400)
            await store.sweep()
            await append(store, "a", b"two")
            killed = place.killed()
        for later in (killed, place.store()):
            place.clock.advance(1)
            async with opened(later) as store:
                await store.sweep()
                assert await content(store, "a") == [b"one", b"two"]
        place.clock.advance(28)
        async with opened(place.store()) as store:
            await store.sweep()
            assert await content(store, "a") == [b"two"]

    run(scenario())


def test_a_slice_is_bounded_in_bytes(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Few large records are as much work as many small ones."""
    monkeypatch.setattr(upkeep, "SLICE_BYTES", 25_000)
    monkeypatch.setattr(upkeep, "SWEEP_SLICES", 1)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            for _ in range(6):
                await append(store, "a", bytes(10_000))
            await store.delete("a")
            await store.sweep()
            assert rows_left(place.connect())[0] == 3

    run(scenario())


def test_a_purge_goes_on_after_a_restart(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left to do is in the file."""
    monkeypatch.setattr(upkeep, "SLICE_ROWS", 10)
    monkeypatch.setattr(upkeep, "SWEEP_SLICES", 1)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            await asyncio.gather(*(append(store, "a", b"x") for _ in range(15)))
            await store.delete("a")
            await store.sweep()
        async with opened(place.store()) as store:
            assert rows_left(place.connect())[0] == 5
            await store.sweep()
            assert rows_left(place.connect())[0] == 0

    run(scenario())


def test_an_idle_store_writes_nothing(place: Place, run: Run[None]) -> None:
    """A sweep without work takes no transaction; it asks whether another program has written."""
    statements: list[str] = []
    place.spy(statements.append)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(retention=Retention(count=5), expiry=Expiry(ttl=60)), b"x")
            await store.sweep()
            statements.clear()
            await store.sweep()
            await content(store, "a", "now")
            await store.info("a")
            assert statements == ["PRAGMA data_version"]

    run(scenario())


def test_a_read_that_could_not_be_written_down_is_not_forgotten(place: Place, run: Run[None]) -> None:
    """A locked file fails the sweep; the stream lives on, and the next sweep writes it down."""

    async def scenario() -> None:
        async with opened(place.store(busy_timeout="0.01")) as store:
            await store.create("a", StreamConfig(expiry=Expiry(ttl=60)), b"x")
            place.clock.advance(50)
            await store.read("a", "-1")
            other = place.connect()
            other.run("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                await store.sweep()
            other.run("COMMIT")
        place.clock.advance(50)
        async with opened(place.store()) as store:
            await store.sweep()
            assert await content(store, "a") == [b"x"]

    run(scenario())


def test_expired_streams_are_deleted_and_told(place: Place, run: Run[None]) -> None:
    """Hundreds in one sweep, over several slices; those read meanwhile stay."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            config = StreamConfig(expiry=Expiry(ttl=60))
            await asyncio.gather(*(store.create(f"{number:03}", config) for number in range(600)))
            gone: list[str] = []
            store.watch(lambda change: gone.append(change.path) if change.deleted else None)
            place.clock.advance(59)
            await store.read("007", "-1")
            place.clock.advance(1)
            await store.sweep()
            assert sorted(gone) == [f"{number:03}" for number in range(600) if number != 7]
            assert [info.path for info in await store.list()] == ["007"]

    run(scenario())


def test_retention_frees_the_records(place: Place, run: Run[None]) -> None:
    """They leave the file, and an offset among them is gone."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(retention=Retention(count=3)))
            answers = [await append(store, "a", b"%d" % n) for n in range(10)]
            await store.sweep()
            assert await content(store, "a") == [b"7", b"8", b"9"]
            assert rows_left(place.connect()) == (3, 0, 0)
            with pytest.raises(OffsetGone):
                await store.read("a", answers[2].next_offset)

    run(scenario())


def test_retention_by_age_needs_no_append(place: Place, run: Run[None]) -> None:
    """A quiet stream is looked at when its oldest record comes of age, also after a restart."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(retention=Retention(age=100)))
            for n in range(3):
                await append(store, "a", b"%d" % n)
                place.clock.advance(10)
            place.clock.advance(75)
            await store.sweep()
            assert await content(store, "a") == [b"1", b"2"]
        async with opened(place.store()) as store:
            place.clock.advance(10)
            await store.sweep()
            assert await content(store, "a") == [b"2"]
            place.clock.advance(10)
            await store.sweep()
            assert await content(store, "a") == []
            await append(store, "a", b"3")
            place.clock.advance(100)
            await store.sweep()
            assert await content(store, "a") == []

    run(scenario())


def test_what_a_fork_reads_is_purged_after_the_fork(place: Place, run: Run[None]) -> None:
    """A trim waits while the stream has forks; then the sweep frees the records."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(retention=Retention(count=1)), b"1")
            await store.create("f", StreamConfig(fork=ForkPoint("a")))
            for n in (b"2", b"3"):
                await append(store, "a", n)
            await store.sweep()
            assert await content(store, "a") == [b"3"]
            assert await content(store, "f") == [b"1"]
            await store.delete("f")
            await store.sweep()
            assert rows_left(place.connect()) == (1, 0, 0)

    run(scenario())


def test_a_read_over_a_purge_gets_the_proper_error(
    place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records go between its look at the stream and its look at the file."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for path in ("trimmed", "deleted"):
                await store.create(path, StreamConfig(retention=Retention(count=1)), b"1")
                await append(store, path, b"2")
            run_reader = store._readers.run

            async def late(work: object) -> object:
                monkeypatch.setattr(store._readers, "run", run_reader)
                await store.delete("deleted") if "deleted" in repr(work) else None
                await store.sweep()
                return await run_reader(work)  # type: ignore[arg-type]

            monkeypatch.setattr(store._readers, "run", late)
            assert [record.data for record in (await store.read("trimmed", "-1")).records] == [b"2"]
            monkeypatch.setattr(store._readers, "run", late)
            with pytest.raises(StreamNotFound):
                await store.read("deleted", "-1")

    run(scenario())


STEP = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 30)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("sweep"), st.just(0)),
    st.tuples(st.just("fork"), st.just(0)),
    st.tuples(st.just("unfork"), st.just(0)),
)
LIMIT = st.one_of(st.none(), st.integers(1, 60))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limits=st.builds(Retention, age=LIMIT, size=LIMIT, count=LIMIT), script=st.lists(STEP, max_size=25))
def test_retention_is_the_memory_stores(
    tmp_path_factory: pytest.TempPathFactory, limits: Retention, script: list[tuple[str, int]]
) -> None:
    """Whatever is appended and swept, when, and with forks: both stores keep the same records at the same offsets."""
    directory = tmp_path_factory.mktemp("retention")

    async def scenario() -> None:
        memory = await play(lambda clock: MemoryStore(clock=clock), limits, script)
        file = await play(lambda clock: on_file(directory, clock), limits, script)
        assert file == memory

    asyncio.run(scenario())


def on_file(directory: Path, clock: ManualClock) -> SqliteStore:
    """A store that does not wait for the disk."""
    return SqliteStore(str(directory / "log.db"), SqliteOptions(synchronous="off"), clock=clock)


async def play(make: Callable[[ManualClock], Store], limits: Retention, script: list[tuple[str, int]]) -> list[object]:
    """What is kept after each sweep."""
    clock = ManualClock()
    store = make(clock)
    assert isinstance(store, Sweeping)
    await store.open()
    await store.create("a", StreamConfig(retention=limits))
    seen: list[object] = []
    forks = 0
    for step, amount in script:
        match step:
            case "append":
                for path in ("a", *(("f",) if forks else ())):
                    await append(store, path, bytes(amount))
            case "wait":
                clock.advance(amount)
            case "fork" if not forks:
                forks = 1
                await store.create("f", StreamConfig(fork=ForkPoint("a"), retention=limits))
            case "unfork" if forks:
                forks = 0
                await store.delete("f")
            case "sweep":
                await store.sweep()
                for info in await store.list():
                    seen += [info.earliest, info.tail, await content(store, info.path)]
    await store.aclose()
    return seen


@pytest.mark.parametrize("swept", [False, True])
def test_a_use_that_is_told_too_late_brings_no_stream_back(place: Place, run: Run[None], *, swept: bool) -> None:
    """Also of a stream whose state is in the file alone; one that came in time counts, although nobody had looked."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for path in ("late", "timely", "twice"):
                await store.create(path, StreamConfig(expiry=Expiry(ttl=8)))
        async with opened(place.store()) as store:
            place.clock.advance(6)
            store.touch({"timely": store.time() - 1, "twice": store.time()})
            place.clock.advance(3)
            store.touch({"late": store.time() - 2, "twice": store.time()})
            if swept:
                await store.sweep()
            assert [info.path for info in await store.list()] == ["timely", "twice"]
            with pytest.raises(StreamNotFound):
                await store.info("late")
            place.clock.advance(7)
            assert [info.path for info in await store.list()] == ["twice"]

    run(scenario())
