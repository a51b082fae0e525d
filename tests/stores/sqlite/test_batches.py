"""Group commit and concurrency: one transaction for all that waits, in order, and reads beside it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import append, content, opened

from headwater.errors import StreamNotFound
from headwater.model import Appended, Change, Expiry, Producer, Record, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import SqliteStore, journal
from headwater.stores.sqlite.commands import COMMAND_BYTES
from headwater.stores.sqlite.queue import LARGE_BATCH_BYTES, MAX_BYTES, MAX_COMMANDS, MAX_RECORDS, SMALL_BYTES

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place


JSON = "application/json"


class Gate:
    """Counts statements, and holds the writer before a COMMIT while it is shut."""

    def __init__(self) -> None:
        self.commits = 0
        self.statements = 0
        self._open = threading.Event()
        self._open.set()
        self._reached = threading.Event()

    def __call__(self, sql: str) -> None:
        self.statements += 1
        if sql == "COMMIT":
            self.commits += 1
            self._reached.set()
            assert self._open.wait(timeout=30)

    def shut(self) -> None:
        self._reached.clear()
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def reached(self) -> None:
        """Return when the writer stands at a COMMIT."""
        assert await asyncio.to_thread(self._reached.wait, 30)


def test_all_that_waits_is_one_transaction(place: Place, run: Run[None]) -> None:
    """While one commit is under way, 300 appends to three streams and a create wait; they take one commit."""
    gate = Gate()
    place.spy(gate)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for path in "abc":
                await store.create(path, StreamConfig())
            gate.shut()
            first = asyncio.ensure_future(append(store, "a", b"first"))
            await gate.reached()
            commits, statements = gate.commits, gate.statements
            waiting = [asyncio.ensure_future(append(store, "abc"[n % 3], b"%03d" % n)) for n in range(300)]
            waiting.append(asyncio.ensure_future(store.create("d", StreamConfig())))  # type: ignore[arg-type]
            await asyncio.sleep(0)
            gate.open()
            await asyncio.gather(first, *waiting)
            assert gate.commits == commits + 1
            # Few statements too: begin, the counter, streams in one or two, records in powers of two, commit.
            assert gate.statements - statements < 15
            assert await content(store, "b") == [b"%03d" % n for n in range(1, 300, 3)]

    run(scenario())


#: Appends that wait, and how many of them a commit has: a thousand commands, 10,000 records, or 8 MiB at most.
WAITING = {
    "arrays of a thousand": (JSON, [b"[" + b"1," * 999 + b"1]"] * 35, 10),
    "arrays that do not fill it": (JSON, [b"[" + b"1," * 3_999 + b"1]"] * 9, 2),
    "an array of all": (JSON, [b"[" + b"1," * 9_999 + b"1]"] * 4, 1),
    "single values": (JSON, [b"1"] * 2_500, MAX_COMMANDS),
    "values with commas": (JSON, [b'"' + b"," * 4_000 + b'"'] * 40, 2),
    "messages": ("application/msgpack", [b"\x01" * 3_000] * 10, 3),
    "bytes": (None, [bytes(SMALL_BYTES - COMMAND_BYTES)] * 1_200, MAX_BYTES // SMALL_BYTES),
    "large bytes": (None, [bytes(100_000)] * 40, LARGE_BATCH_BYTES // (100_000 + COMMAND_BYTES)),
    "bodies larger than a commit": (None, [bytes(MAX_BYTES + 1)] * 3, 1),
}


@pytest.mark.parametrize("what", WAITING)
def test_a_commit_is_bounded_whatever_waits(place: Place, run: Run[None], what: str) -> None:
    """The first ones that wait are in it, the others in those behind it, in their order; nobody is refused for it."""
    kind, bodies, most = WAITING[what]
    gate = Gate()
    place.spy(gate)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            changes: list[Change] = []
            await store.create("a", StreamConfig(kind))
            await store.create("b", StreamConfig())
            store.watch(changes.append)
            gate.shut()
            first = asyncio.ensure_future(append(store, "b", b"first"))
            await gate.reached()
            waiting = [asyncio.ensure_future(store.append("a", Append(body, kind))) for body in bodies]
            await asyncio.sleep(0)
            gate.open()
            await asyncio.gather(first, *waiting)
            grown = [change.batch.records for change in changes if change.path == "a" and change.batch]
            records = [len(found) for found in grown]
            assert max(records) <= MAX_RECORDS
            assert most == 1 or max(sum(len(record.data) for record in found) for found in grown) <= MAX_BYTES
            each = sum(records) // len(bodies)
            assert [count // each for count in records[:-1]] == [most] * (len(records) - 1)
            assert sum(records) == each * len(bodies)

    run(scenario())


def test_nothing_is_seen_before_its_commit(place: Place, run: Run[None]) -> None:
    """Neither by reads nor by watchers, and its caller is not answered."""
    gate = Gate()
    place.spy(gate)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            changes: list[Change] = []
            await store.create("a", StreamConfig(), b"1")
            store.watch(changes.append)
            gate.shut()
            waiting = asyncio.ensure_future(append(store, "a", b"2"))
            await gate.reached()
            assert await content(store, "a") == [b"1"]
            assert [info.size for info in await store.list()] == [1]
            assert changes == []
            assert not waiting.done()
            gate.open()
            await waiting
            assert await content(store, "a") == [b"1", b"2"]
            assert [change.tail for change in changes] == [(await waiting).next_offset]

    run(scenario())


def test_a_read_during_a_commit_counts_for_the_ttl(place: Place, run: Run[None]) -> None:
    """Although the writer works on a copy from before the read."""
    gate = Gate()
    place.spy(gate)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(expiry=Expiry(ttl=60)), b"1")
            gate.shut()
            waiting = asyncio.ensure_future(append(store, "a", b"2"))
            await gate.reached()
            place.clock.advance(50)
            await store.read("a", "-1")
            gate.open()
            await waiting
            place.clock.advance(50)
            await store.sweep()
            assert await content(store, "a") == [b"1", b"2"]

    run(scenario())


def test_concurrent_appends_keep_their_order(place: Place, run: Run[None]) -> None:
    """200 at once to five streams: each stream in the order of the calls, each answer its own record's end."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for path in range(5):
                await store.create(str(path), StreamConfig())
            told: dict[str, list[Record]] = {}
            store.watch(lambda change: told.setdefault(change.path, []).extend(change.batch.records))  # type: ignore[union-attr]
            answers = await asyncio.gather(
                *(append(store, str(n % 5), b"%d," % n, Producer("p", 0, n // 5)) for n in range(200))
            )
            for path in range(5):
                batch = await store.read(str(path), "-1")
                assert [record.data for record in batch.records] == [b"%d," % n for n in range(path, 200, 5)]
                assert [record.offset for record in batch.records] == [a.next_offset for a in answers[path::5]]
                assert told[str(path)] == list(batch.records)

    run(scenario())


def test_the_appends_of_a_batch_are_told_as_one(place: Place, run: Run[None]) -> None:
    """A change for each stream and batch, with all its records and its closure; a delete and a create part them."""
    gate = Gate()
    place.spy(gate)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            for path in "abc":
                await store.create(path, StreamConfig())
            changes: list[Change] = []
            store.watch(changes.append)
            gate.shut()
            first = asyncio.ensure_future(append(store, "c", b"first"))
            await gate.reached()
            given = [append(store, "a", b"1"), append(store, "b", b"2"), append(store, "a", b"3")]
            given += [store.append("b", Append(close=True)), store.delete("a"), store.create("a", StreamConfig())]  # type: ignore[list-item]
            waiting = [asyncio.ensure_future(call) for call in [*given, append(store, "a", b"4")]]
            await asyncio.sleep(0)
            gate.open()
            await asyncio.gather(first, *waiting)
            assert [(change.path, data_of(change), kind_of(change)) for change in changes] == [
                ("c", [b"first"], ""),
                ("a", [b"1", b"3"], ""),
                ("b", [b"2"], "closed"),
                ("a", [], "deleted"),
                ("a", [], "created"),
                ("a", [b"4"], ""),
            ]
            joined = changes[1].batch
            assert joined is not None
            assert (joined.next_offset, changes[1].tail) == (waiting[2].result().next_offset,) * 2

    run(scenario())


def kind_of(change: Change) -> str:
    return " ".join([name for name in ("created", "closed", "deleted") if getattr(change, name)])


def data_of(change: Change) -> list[bytes]:
    return [] if change.batch is None else [record.data for record in change.batch.records]


def test_what_is_posted_in_one_turn_is_one_transaction(place: Place, run: Run[None]) -> None:
    """In the order of the calls, with what is awaited among it; refusals are answers too."""
    gate = Gate()
    place.spy(gate)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            commits = gate.commits
            outcomes: list[Appended | Exception] = []
            store.post("a", Append(b"1"), outcomes.append)
            store.post("none", Append(b"x"), outcomes.append)
            store.post("a", Append(b"2"), outcomes.append)
            await append(store, "a", b"3")
            assert [type(outcome) for outcome in outcomes] == [Appended, StreamNotFound, Appended]
            assert await content(store, "a") == [b"1", b"2", b"3"]
            assert gate.commits == commits + 1

    run(scenario())


def test_what_is_posted_in_one_turn_has_one_time(place: Place, run: Run[None]) -> None:
    """That of the first; behind it comes the next turn's, and what is awaited has its own."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig(content_type="application/json"))
            begin = place.clock()
            outcomes: list[Appended | Exception] = []
            for _ in range(2):
                for _ in range(2):
                    store.post("a", Append(b"1"), outcomes.append)
                    place.clock.advance(1)
                await asyncio.sleep(0)
            await store.append("a", Append(b"1"))
            times = [record.at - begin for record in (await store.read("a", "-1")).records]
            assert times == [0, 0, 2, 2, 4]

    run(scenario())


@pytest.mark.parametrize("size", [5, 5000], ids=["journal", "tables"])
def test_readers_beside_a_writer_see_whole_prefixes(
    place: Place, run: Run[None], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read is a beginning of the log without holes, and never shorter than what was answered before it; wherever
    the records are, and while they are folded."""
    monkeypatch.setattr(journal, "FOLD_RECORDS", 7)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            answered = 0

            async def write() -> None:
                nonlocal answered
                for number in range(200):
                    await append(store, "a", str(number).encode().rjust(size))
                    answered = number + 1

            async def read() -> None:
                while answered < 200:
                    least = answered
                    numbers = [int(record) for record in await content(store, "a")]
                    assert len(numbers) >= least
                    assert numbers == list(range(len(numbers)))
                    await asyncio.sleep(0)

            await asyncio.gather(write(), read(), read(), read())

    run(scenario())


def test_closing_finishes_what_waits(place: Place, run: Run[None]) -> None:
    """Every append given before the close is answered and kept."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("a", StreamConfig())
            waiting = [asyncio.ensure_future(append(store, "a", b"%d" % n)) for n in range(50)]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        async with opened(place.store()) as store:
            assert await content(store, "a") == [b"%d" % n for n in range(50)]

    run(scenario())


def test_a_read_at_the_tail_touches_no_file(place: Place, run: Run[None]) -> None:
    """It is answered in the same step, without waiting for anything."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            tail = (await store.create("a", StreamConfig(), b"1")).info.tail
            with pytest.raises(StopIteration) as answer:
                store.read("a", tail).send(None)
            assert answer.value.value.up_to_date

    run(scenario())


def test_more_streams_than_memory_holds(place: Place, run: Run[None]) -> None:
    """The file knows the others; reads, writes, TTLs and producers work as if all were in memory."""

    async def scenario() -> None:
        async with opened(place.store(cached_streams="3")) as store:
            config = StreamConfig(expiry=Expiry(ttl=60))
            for number in range(20):
                await store.create(str(number), config)
            for turn in range(3):
                for number in range(20):
                    place.clock.advance(1)
                    await append(store, str(number), b"%d" % turn, Producer("p", 0, turn))
                    assert await content(store, str(number)) == [b"%d" % n for n in range(turn + 1)]
            place.clock.advance(59)
            await store.sweep()
            assert [info.path for info in await store.list()] == ["19"]

    run(scenario())


def test_who_waits_for_a_large_commit_does_not_wait_for_the_checkpoint(place: Place, run: Run[None]) -> None:
    """A small append that came meanwhile is committed first; then the log is moved, although more wait."""
    seen: list[str] = []
    committing, queued = threading.Event(), threading.Event()

    def spy(sql: str) -> None:
        if sql.startswith(("COMMIT", "PRAGMA wal_checkpoint(PASSIVE)")):
            seen.append(sql.partition(" ")[0])
            committing.set()
            assert queued.wait(30)

    async def queue(store: SqliteStore, *sizes: int) -> list[asyncio.Future[Appended]]:
        """Append, each in a batch of its own; returns when the writer has them."""
        outcomes: list[asyncio.Future[Appended]] = []
        for size in sizes:
            outcomes.append(asyncio.ensure_future(append(store, f"stream-{size}", bytes(size))))
            for _ in range(3):  # turns: it begins, it is collected, it is handed over
                await asyncio.sleep(0)
        return outcomes

    async def scenario() -> None:
        queued.set()
        async with opened(place.store(checkpoint_bytes="65536")) as store:
            for size in (1, 100_000, 200_000):
                await store.create(f"stream-{size}", StreamConfig())
            seen.clear()
            queued.clear()
            committing.clear()
            outcomes = await queue(store, 100_000)
            assert await asyncio.to_thread(committing.wait, 30)
            outcomes += await queue(store, 1, 200_000)
            queued.set()
            await asyncio.gather(*outcomes)
        assert seen[:4] == ["COMMIT", "COMMIT", "PRAGMA", "COMMIT"]

    place.spy(spy)
    run(scenario())
