"""When the disk, the file or the program fails: nothing half-done, nothing lost, and it recovers by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import append, content, opened

from headwater.errors import StoreUnavailable, StreamClosed, StreamNotFound
from headwater.model import Appended, Change, ForkPoint, Producer, StreamConfig
from headwater.protocol import producers
from headwater.protocol.ledger import Append
from headwater.stores import unit as steps
from headwater.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place


class Trap:
    """Raises once, when the writer reaches a statement that starts so; armed by hand."""

    def __init__(self) -> None:
        self.start = ""

    def __call__(self, sql: str) -> None:
        if self.start and sql.startswith(self.start):
            self.start = ""
            raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("start", ["BEGIN", "INSERT INTO records", "INSERT INTO streams", "COMMIT"])
def test_a_failed_transaction_changes_nothing(place: Place, run: Run[None], start: str) -> None:
    """Wherever it fails: all of the batch is refused, no watcher is told, and the next batch starts from before."""
    trap = Trap()
    place.spy(trap)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            changes: list[Change] = []
            await store.create("a", StreamConfig(), b"kept")
            before = await store.info("a")
            store.watch(changes.append)
            trap.start = start
            outcomes = await asyncio.gather(
                append(store, "a", b"lost", Producer("p", 0, 0)),
                store.append("a", Append(b"lost too", seq="9", close=True)),
                store.create("b", StreamConfig(fork=ForkPoint("a"))),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
            assert "disk I/O error" in str(outcomes[0])
            assert changes == []
            assert await store.info("a") == before
            assert await content(store, "a") == [b"kept"]
            with pytest.raises(StreamNotFound):
                await store.info("b")
            # The same requests again: no producer, sequence or closure leaked from the failed batch.
            assert not (await append(store, "a", b"1", Producer("p", 0, 0))).duplicate
            await store.append("a", Append(b"2", seq="1"))
            assert (await store.create("b", StreamConfig(fork=ForkPoint("a")))).created
            assert await content(store, "b") == [b"kept", b"1", b"2"]
            assert [change.path for change in changes if change.created] == ["b"]
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"kept", b"1", b"2"]

    run(scenario())


def test_a_refused_command_fails_alone(place: Place, run: Run[None]) -> None:
    """Those before and after it in the same batch are kept."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            outcomes = await asyncio.gather(
                append(store, "a", b"1"),
                append(store, "missing", b"x"),
                store.append("a", Append(b"2", close=True)),
                append(store, "a", b"3"),
                store.create("b", StreamConfig()),
                return_exceptions=True,
            )
            assert [type(outcome).__name__ for outcome in outcomes] == [
                "Appended", "StreamNotFound", "Appended", "StreamClosed", "Created",
            ]  # fmt: skip
            assert isinstance(outcomes[3], StreamClosed)
            assert await content(store, "a") == [b"1", b"2"]

    run(scenario())


def test_a_mistake_in_one_command_fails_alone(place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raised, half-way: its changes are rolled back, the others of the batch are run again."""
    append_step = steps.append

    def flawed(unit: steps.Unit, path: str, request: Append) -> object:
        answer = append_step(unit, path, request)
        if request.body == b"flawed":
            raise ZeroDivisionError
        return answer

    monkeypatch.setattr(steps, "append", flawed)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            changes: list[Change] = []
            await store.create("a", StreamConfig())
            store.watch(changes.append)
            bodies = (b"1", b"flawed", b"2")
            outcomes = await asyncio.gather(*(append(store, "a", body) for body in bodies), return_exceptions=True)
            assert isinstance(outcomes[1], ZeroDivisionError)
            assert await content(store, "a") == [b"1", b"2"]
            assert [change.tail for change in changes] == [outcomes[0].next_offset, outcomes[2].next_offset]  # type: ignore[union-attr]

    run(scenario())


def test_text_that_the_file_cannot_hold_fails_alone(place: Place, run: Run[None]) -> None:
    """A lone surrogate is no UTF-8; the appends beside it are kept."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            _, refused, _ = await asyncio.gather(
                append(store, "a", b"1"),
                store.append("a", Append(b"x", seq="\ud800")),
                append(store, "a", b"2"),
                return_exceptions=True,
            )
            assert isinstance(refused, UnicodeEncodeError)
            assert await content(store, "a") == [b"1", b"2"]

    run(scenario())


def test_a_watcher_that_raises_hurts_nobody(place: Place, run: Run[None]) -> None:
    """The append is answered, other watchers' turns come, and the loop's handler hears of it."""

    async def scenario() -> None:
        heard: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context["message"]))
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            store.watch(lambda change: 1 / 0)  # type: ignore[arg-type]
            await append(store, "a", b"1")
            assert await content(store, "a") == [b"1"]
        assert heard == ["a watcher of the store raised"]

    run(scenario())


def test_a_full_disk_refuses_writes_and_serves_reads(place: Place, run: Run[None]) -> None:
    """Until space is freed by a delete: then it takes writes again by itself."""
    chunk = bytes(50_000)

    async def scenario() -> None:
        async with opened(place.store(max_bytes="400000")) as store:
            await store.create("old", StreamConfig(), chunk)
            await store.create("a", StreamConfig())
            kept = await fill(store, chunk)
            assert await content(store, "a") == [chunk] * kept
            with pytest.raises(StoreUnavailable, match="full"):
                await append(store, "a", chunk)
            await store.delete("old")
            await store.sweep()
            assert not (await append(store, "a", chunk, Producer("p", 0, kept))).duplicate
            assert await content(store, "a") == [chunk] * (kept + 1)

    run(scenario())


async def fill(store: SqliteStore, chunk: bytes) -> int:
    """Append until the disk is full; returns how often it worked."""
    for kept in range(100):
        try:
            await append(store, "a", chunk, Producer("p", 0, kept))
        except StoreUnavailable:
            return kept
    raise AssertionError("the disk is never full")


def test_a_raised_quota_takes_writes_again(place: Place, run: Run[None]) -> None:
    """After a restart with a larger `max_bytes`; what was kept before is still there."""
    chunk = bytes(100_000)

    async def scenario() -> None:
        async with opened(place.store(max_bytes="200000")) as store:
            await store.create("a", StreamConfig(), chunk)
            with pytest.raises(StoreUnavailable):
                await append(store, "a", chunk)
        async with opened(place.store(max_bytes="2000000")) as store:
            await append(store, "a", chunk)
            assert await content(store, "a") == [chunk, chunk]

    run(scenario())


def test_a_lock_of_another_program_refuses_writes_until_it_goes(place: Place, run: Run[None]) -> None:
    """Reads go on meanwhile, of streams in memory and of those that must be loaded first."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("cold", StreamConfig(), b"cold")
            await store.create("a", StreamConfig(), b"1")
        async with opened(place.store(busy_timeout="0.01")) as store:
            await store.info("a")
            other = place.connect()
            other.run("BEGIN IMMEDIATE")
            outcomes = await asyncio.gather(
                append(store, "a", b"lost"), store.info("cold"), store.info("missing"), return_exceptions=True
            )
            assert isinstance(outcomes[0], StoreUnavailable)
            assert "locked" in outcomes[0].message
            assert not isinstance(outcomes[1], BaseException)
            assert isinstance(outcomes[2], StreamNotFound)
            assert await content(store, "cold") == [b"cold"]
            other.run("COMMIT")
            await append(store, "a", b"2")
            assert await content(store, "a") == [b"1", b"2"]

    run(scenario())


def test_a_lookup_that_fails_says_so(place: Place, run: Run[None]) -> None:
    """When even the file cannot be read; the next one tries again."""
    trap = Trap()
    place.spy(trap)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"1")
        async with opened(place.store()) as store:
            trap.start = "SELECT incarnation, path"
            with pytest.raises(StoreUnavailable, match="disk I/O error"):
                await store.info("a")
            assert (await store.info("a")).size == 1

    run(scenario())


def test_a_failed_read_is_told_and_the_next_one_works(place: Place, run: Run[None]) -> None:
    """A broken table is the operator's to repair; the reader's connection is replaced."""

    async def scenario() -> None:
        async with opened(place.store(readers="1")) as store:
            await store.create("a", StreamConfig(), b"1")
            other = place.connect()
            other.run("ALTER TABLE records RENAME TO hidden")
            with pytest.raises(StoreUnavailable, match="no such table"):
                await store.read("a", "-1")
            other.run("ALTER TABLE hidden RENAME TO records")
            assert await content(store, "a") == [b"1"]

    run(scenario())


def test_records_that_are_missing_are_an_error_and_no_short_read(place: Place, run: Run[None]) -> None:
    """A damaged file never looks like the end of a stream."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(), b"1")
            place.connect().run("DELETE FROM records")
            with pytest.raises(StoreUnavailable, match="missing"):
                await store.read("a", "-1")

    run(scenario())


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_hole_in_the_log_moves_no_record(place: Place, run: Run[None], content_type: str) -> None:
    """What lies before it is read; no record behind it is given the place of one that is missing."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(content_type))
            for number in range(1, 4):
                await append(store, "a", str(number).encode())
        async with opened(place.store()) as store:
            place.connect().run("DELETE FROM records WHERE position = 1")
            batch = await store.read("a", "-1")
            assert ([record.data for record in batch.records], batch.up_to_date) == ([b"1"], False)
            with pytest.raises(StoreUnavailable, match="missing"):
                await store.read("a", batch.next_offset)

    run(scenario())


def test_a_failed_checkpoint_loses_nothing(place: Place, run: Run[None]) -> None:
    """The log keeps what was committed; a later checkpoint moves it."""
    trap = Trap()
    place.spy(trap)

    async def scenario() -> None:
        async with opened(place.store(checkpoint_bytes="65536")) as store:
            await store.create("a", StreamConfig())
            trap.start = "PRAGMA wal_checkpoint(PASSIVE)"
            for _ in range(20):
                await append(store, "a", bytes(10_000))
            assert trap.start == ""
            assert len(await content(store, "a")) == 20
            trap.start = "PRAGMA wal_checkpoint(TRUNCATE)"
        async with opened(place.store()) as store:
            assert len(await content(store, "a")) == 20

    run(scenario())


def test_too_much_waiting_is_refused(place: Place, run: Run[None]) -> None:
    """What waits for the writer is bounded by `queue_bytes`; what waits already is written."""

    async def scenario() -> None:
        async with opened(place.store(queue_bytes="1048576")) as store:
            await store.create("a", StreamConfig())
            outcomes = await asyncio.gather(
                *(append(store, "a", bytes(300_000)) for _ in range(6)), return_exceptions=True
            )
            refused = [outcome for outcome in outcomes if isinstance(outcome, StoreUnavailable)]
            assert 0 < len(refused) < 6
            assert "queue_bytes" in refused[0].message
            assert len(await content(store, "a")) == 6 - len(refused)

    run(scenario())


def test_posted_appends_fail_with_their_batch(place: Place, run: Run[None]) -> None:
    """Each is answered once with the failure; one that cannot be queued is refused at once and not answered."""
    trap = Trap()
    place.spy(trap)

    async def scenario() -> None:
        async with opened(place.store(queue_bytes="1048576")) as store:
            await store.create("a", StreamConfig())
            outcomes: list[Appended | Exception] = []
            trap.start = "COMMIT"
            for _ in range(65):
                store.post("a", Append(bytes(15_000)), outcomes.append)
            last: asyncio.Future[Appended | Exception] = asyncio.get_running_loop().create_future()
            store.post("a", Append(bytes(15_000)), last.set_result)
            with pytest.raises(StoreUnavailable, match="queue_bytes"):
                store.post("a", Append(b"refused"), outcomes.append)
            with pytest.raises(StoreUnavailable):
                await append(store, "a", b"too")
            assert [type(outcome) for outcome in (await last, *outcomes)] == [StoreUnavailable] * 66
            await append(store, "a", b"kept")
            assert await content(store, "a") == [b"kept"]
        with pytest.raises(StoreUnavailable, match="not open"):
            store.post("a", Append(b"late"), outcomes.append)
        assert len(outcomes) == 65

    run(scenario())


def test_an_answer_that_raises_hurts_nobody(place: Place, run: Run[None], caplog: pytest.LogCaptureFixture) -> None:
    """The others of its batch are answered, and the log tells of it."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            store.post("a", Append(b"1"), lambda outcome: 1 / 0)  # type: ignore[arg-type]
            await append(store, "a", b"2")
            assert await content(store, "a") == [b"1", b"2"]

    run(scenario())
    assert "ZeroDivisionError" in caplog.text


def test_a_caller_that_goes_away_changes_nothing_for_others(place: Place, run: Run[None]) -> None:
    """A cancelled append may still be written, once; the others are answered."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            going = asyncio.ensure_future(append(store, "a", b"gone"))
            await asyncio.sleep(0)
            going.cancel()
            await append(store, "a", b"stays")
            assert await content(store, "a") == [b"gone", b"stays"]

    run(scenario())


def test_a_failed_batch_says_nothing_of_room_for_producers(
    place: Place, run: Run[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In it one producer made room for another, so that a third was refused; none of that has happened."""
    monkeypatch.setattr(producers, "MAX_PRODUCERS", 2)
    trap = Trap()
    place.spy(trap)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            await append(store, "a", b"1", Producer("idle", 0, 0))
            place.clock.advance(producers.KEPT_SECONDS - 1)
            await append(store, "a", b"2", Producer("busy", 0, 0))
            place.clock.advance(1)
            trap.start = "COMMIT"
            outcomes = await asyncio.gather(
                append(store, "a", b"3", Producer("first", 0, 0)),
                append(store, "a", b"4", Producer("second", 0, 0)),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
            assert not (await append(store, "a", b"4", Producer("second", 0, 0))).duplicate
            assert await content(store, "a") == [b"1", b"2", b"4"]

    run(scenario())
