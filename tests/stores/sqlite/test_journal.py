"""Appends to many streams go to the journal first, and are folded into the tables: what is cheap, what is kept."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.stores.sqlite.helpers import append, content, opened, together

from headwater.errors import ProducerFenced, SequenceRegression, StoreUnavailable, StreamNotFound
from headwater.model import Failure, ForkPoint, Producer, Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import journal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

    from headwater.stores.sqlite import SqliteStore
    from headwater.stores.sqlite.database import Database


def rows_of(place: Place, table: str) -> int:
    """Rows of a table of the file."""
    return int(place.connect().run(f"SELECT count(*) FROM {table}")[0][0])


async def fill(store: SqliteStore, streams: int, record: bytes = b"x") -> None:
    """Make so many streams, and append a record to each, in one batch."""
    for number in range(streams):
        await store.create(str(number), StreamConfig())
    await together(store, *((str(number), record) for number in range(streams)))


def test_a_batch_of_many_streams_is_one_row(place: Place, run: Run[None]) -> None:
    """Whatever their number; what was appended is read, listed and told as anything else, without the file."""
    statements: list[str] = []
    place.spy(statements.append)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await fill(store, 50)
            statements.clear()
            await together(store, *((str(number), b"y") for number in range(50)))
            assert [sql.split(" VALUES")[0] for sql in statements] == [
                "BEGIN IMMEDIATE", "PRAGMA data_version", "INSERT INTO journal (entry)", "COMMIT",
            ]  # fmt: skip
            assert (rows_of(place, "journal"), rows_of(place, "records")) == (2, 0)
            assert [info.size for info in await store.list()] == [2] * 50
            for number in range(50):
                found = store.read_at_once(str(number), "-1")
                assert found is not None
                assert [record.data for record in found[1].records] == [b"x", b"y"]

    run(scenario())


def test_what_costs_less_in_the_tables_is_written_there(place: Place, run: Run[None]) -> None:
    """Large records are not written twice, nor are many of one stream; what the journal had of it comes first."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            await append(store, "a", b"small")
            assert (rows_of(place, "journal"), rows_of(place, "records")) == (1, 0)
            await append(store, "a", bytes(10_000))
            assert (rows_of(place, "journal"), rows_of(place, "records")) == (0, 2)
            await together(store, *[("a", bytes(100))] * 100)
            assert (rows_of(place, "journal"), rows_of(place, "records")) == (0, 102)
            assert [len(data) for data in await content(store, "a")] == [5, 10_000, *([100] * 100)]

    run(scenario())


@pytest.mark.parametrize("folds", [False, True])
def test_a_killed_process_loses_nothing_of_the_journal(
    place: Place, run: Run[None], folds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records, producers, sequences, closures and failures, whether or not some were folded before."""
    if folds:
        monkeypatch.setattr(journal, "FOLD_RECORDS", 4)
        monkeypatch.setattr(journal, "STREAM_RECORDS", 1)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for path in "abc":
                await store.create(path, StreamConfig(), b"first,")
            for number in range(3):
                await append(store, "a", b"%d," % number, Producer("p", 1, number))
            await store.append("b", Append(b"seq", seq="7"))
            await store.append("b", Append(close=True))
            await store.append("c", Append(close=True, failure=Failure("lost", "why")))
            infos, records = await store.list(), [await content(store, path) for path in "abc"]
            assert (rows_of(place, "records") > 3) == folds
            killed = place.killed()
        async with opened(killed) as store:
            assert await store.list() == infos
            assert [await content(store, path) for path in "abc"] == records
            assert (await append(store, "a", b"2,", Producer("p", 1, 2))).duplicate
            with pytest.raises(ProducerFenced):
                await append(store, "a", b"x", Producer("p", 0, 0))
            assert not (await append(store, "a", b"3", Producer("p", 1, 3))).duplicate
            assert await content(store, "a") == [*records[0], b"3"]

    run(scenario())


def test_a_sequence_in_the_journal_is_known_after_a_kill(place: Place, run: Run[None]) -> None:
    """`Stream-Seq` goes on where it was."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            await store.append("a", Append(b"x", seq="7"))
            killed = place.killed()
        async with opened(killed) as store:
            with pytest.raises(SequenceRegression):
                await store.append("a", Append(b"y", seq="7"))

    run(scenario())


async def _sweep_later(store: SqliteStore, place: Place) -> None:
    place.clock.advance(journal.FOLD_SECONDS)
    await store.sweep()


async def _fork(store: SqliteStore, _: Place) -> None:
    await store.create("f", StreamConfig(fork=ForkPoint("0")))
    assert await content(store, "f") == [b"x"]


async def _delete(store: SqliteStore, _: Place) -> None:
    await store.delete("0")


@pytest.mark.parametrize("step", [_sweep_later, _fork, _delete])
def test_it_is_folded(place: Place, run: Run[None], step: Callable[[SqliteStore, Place], Awaitable[None]]) -> None:
    """When it is five seconds old, and before anything else changes one of its streams."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await fill(store, 3)
            assert rows_of(place, "journal") == 1
            await step(store, place)
            assert (rows_of(place, "journal"), rows_of(place, "records")) == (0, 3)
            assert await content(store, "1") == [b"x"]
            killed = place.killed()
        async with opened(killed) as store:
            assert await content(store, "1") == [b"x"]
            if step is _delete:
                with pytest.raises(StreamNotFound):
                    await store.info("0")

    run(scenario())


def test_it_is_folded_when_it_is_full_and_at_the_end(
    place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the batch that fills it, whose callers do not wait for that; and when the store is closed."""
    monkeypatch.setattr(journal, "FOLD_RECORDS", 5)
    monkeypatch.setattr(journal, "STREAM_RECORDS", 1)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await fill(store, 3)
            assert rows_of(place, "records") == 0
            await together(store, *((str(number), b"y") for number in range(3)))
            await store.create("next", StreamConfig())
            assert (rows_of(place, "journal"), rows_of(place, "records")) == (0, 6)
            await append(store, "0", b"z")
            assert rows_of(place, "journal") == 1
        assert (rows_of(place, "journal"), rows_of(place, "records")) == (0, 7)

    run(scenario())


def test_other_streams_do_not_fold_it(place: Place, run: Run[None]) -> None:
    """Creates, closes and deletes of streams that are not in it leave it alone."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await fill(store, 3)
            await store.create("new", StreamConfig(), b"1")
            await store.create("fork", StreamConfig(fork=ForkPoint("new")))
            await store.delete("fork")
            await append(store, "0", b"y")
            assert rows_of(place, "journal") == 2
            assert await content(store, "0") == [b"x", b"y"]

    run(scenario())


def test_retention_counts_what_is_in_it(place: Place, run: Run[None]) -> None:
    """Streams with limits are folded at the next sweep."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(retention=Retention(count=2)))
            for number in range(5):
                await append(store, "a", b"%d" % number)
            assert rows_of(place, "journal") == 5
            await store.sweep()
            assert await content(store, "a", (await store.info("a")).earliest) == [b"3", b"4"]

    run(scenario())


def test_a_fold_that_fails_is_tried_again(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Appends go on meanwhile, up to four times the size; then they fail too, until it works. Nothing is lost."""
    for name, value in (("FOLD_RECORDS", 3), ("STREAM_RECORDS", 1), ("MOST_RECORDS", 3)):
        monkeypatch.setattr(journal, name, value)
    broken = True

    def hook(sql: str) -> None:
        if broken and sql.startswith("DELETE FROM journal"):
            raise sqlite3.OperationalError("disk I/O error")

    place.spy(hook)

    async def scenario() -> None:
        nonlocal broken
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            for number in range(12):
                await append(store, "a", b"%d," % number)
            assert store.figures().failed_commits > 0
            with pytest.raises(StoreUnavailable, match="disk I/O error"):
                await append(store, "a", b"refused")
            kept = [b"%d," % number for number in range(12)]
            assert await content(store, "a") == kept
            broken = False
            await append(store, "a", b"12,")
            assert rows_of(place, "records") >= 12
        async with opened(place.store()) as store:
            assert await content(store, "a") == [*kept, b"12,"]

    run(scenario())


def test_a_limit_of_the_file_does_without(place: Place, run: Run[None]) -> None:
    """With `max_bytes` all goes to the tables; what a store without it left is folded."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await fill(store, 3)
            killed = place.killed(max_bytes="400000")
        async with opened(killed) as store:
            await append(store, "0", b"y")
            assert await content(store, "0") == [b"x", b"y"]
        async with opened(place.store(max_bytes="400000")) as store:
            await append(store, "0", b"y")
            assert (rows_of(place, "journal"), rows_of(place, "records")) == (0, 4)

    run(scenario())


def test_a_journal_of_a_missing_stream_is_damage(place: Place, run: Run[None]) -> None:
    """The store does not open, and says why."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
        other = place.connect()
        entry = msgspec.msgpack.encode(([(7, 0.0, 1, False, None, None, None)], [], [(7, 0, 0.0, b"x")]))
        other.run("INSERT INTO journal (entry) VALUES (?)", (entry,))
        with pytest.raises(StoreUnavailable, match=r"damaged.*stream 7"):
            await place.store().open()
        other.run("DELETE FROM journal")
        async with opened(place.store()) as store:
            assert (await store.info("a")).size == 0

    run(scenario())


def test_an_entry_that_cannot_be_read_is_damage(place: Place, run: Run[None]) -> None:
    """The same of bytes that are none."""

    async def scenario() -> None:
        async with opened(place.store()):
            pass
        place.connect().run("INSERT INTO journal (entry) VALUES (x'c1')")
        with pytest.raises(StoreUnavailable, match="damaged"):
            await place.store().open()

    run(scenario())


def test_its_streams_stay_in_memory(place: Place, run: Run[None]) -> None:
    """However many others are used after them: the tables do not have what they are now."""

    async def scenario() -> None:
        async with opened(place.store(cached_streams="3")) as store:
            await store.create("a", StreamConfig())
            await append(store, "a", b"x", Producer("p", 0, 0))
            for number in range(20):
                place.clock.advance(0.1)
                await store.create(str(number), StreamConfig())
            assert rows_of(place, "journal") == 1
            assert await content(store, "a") == [b"x"]
            assert (await append(store, "a", b"x", Producer("p", 0, 0))).duplicate

    run(scenario())


@pytest.mark.parametrize("limits", [Retention(size=4), Retention(count=4), Retention(age=60)])
def test_retention_keeps_what_comes_during_a_sweep(
    place: Place, run: Run[None], limits: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the journal, and the sweep looks at the tables."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(retention=limits))
            for number in range(6):
                await append(store, "a", b"%d" % number)
            run_reader = store._readers.run

            async def late(work: Callable[[Database], object]) -> object:
                found = await run_reader(work)
                if "agenda" in repr(work):
                    for number in range(6, 9):
                        await append(store, "a", b"%d" % number)
                return found

            monkeypatch.setattr(store._readers, "run", late)
            await store.sweep()
            monkeypatch.undo()
            assert (await content(store, "a"))[-4:] == [b"5", b"6", b"7", b"8"]
            await store.sweep()
            left = await content(store, "a", (await store.info("a")).earliest)
            assert left == [b"%d" % number for number in range(0 if limits.age else 5, 9)]

    run(scenario())


def test_an_entry_of_an_older_file_is_read(place: Place, run: Run[None]) -> None:
    """It does not say when its producers were used; they count as used when their stream was. Nor of records' times."""

    async def main() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
        database = place.connect()
        grown = [1, 5.0, 1, False, None, None, None]
        entry = msgspec.msgpack.encode([[grown], [[1, "p", 0, 0]], [[1, 0, 5.0, b"x"]]])
        database.run("INSERT INTO journal (entry) VALUES (?)", (entry,))
        database.close()
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"x"]
            assert [record.at for record in (await store.read("a", "-1")).records] == [5.0]
            assert (await store.append("a", Append(b"x", producer=Producer("p", 0, 0)))).duplicate
        database = place.connect()
        assert database.run("SELECT used FROM producers") == [(5.0,)]
        database.close()

    run(main())
