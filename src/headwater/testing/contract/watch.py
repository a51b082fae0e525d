"""Watching a store: every change is told after its commit, in order."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from headwater.errors import HeadwaterError
from headwater.model import Change, Expiry, Producer, StreamConfig
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("watch")

# A change may be told a little after the call that made it returned; a store that never tells fails by this.
PATIENCE_SECONDS = 10.0


class Told:
    """The changes a watcher was told of."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._news = asyncio.Event()

    def __call__(self, change: Change) -> None:
        """The watcher itself."""
        self.changes.append(change)
        self._news.set()

    async def until(self, path: str, tail: str = "", *, closed: bool = False, deleted: bool = False) -> list[Change]:
        """The changes so far, as soon as one of this stream shows what is waited for; "": whatever its tail."""

        def shows(change: Change) -> bool:
            at_tail = tail in ("", change.tail)
            return change.path == path and at_tail and (change.closed, change.deleted) == (closed, deleted)

        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not any(map(shows, self.changes)):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"a change of {path!r} was not told; told: {self.changes}") from None
        return self.changes


@chapter.promise
async def an_append_is_told(trial: Trial) -> None:
    """Every append is told with its path and new tail; when the records come with it, they are the stored ones."""
    told = Told()
    await trial.create("a", JSON)
    trial.store.watch(told)
    for body in (b"[1, 2]", b"3"):
        tail = (await trial.append("a", body)).next_offset
        change = (await told.until("a", tail))[-1]
        equal((change.path, change.closed, change.deleted), ("a", False, False), "the change")
    stored = await trial.store.read("a", "-1")
    batches = [change.batch for change in told.changes if change.batch is not None]
    if len(batches) == len(told.changes):
        equal(tuple(record for batch in batches for record in batch.records), stored.records, "the records told")
        equal([batches[0].offset, batches[-1].next_offset], [stored.offset, stored.next_offset], "where they lie")
        equal({batch.content_type for batch in batches}, {JSON}, "the content type told")


@chapter.promise
async def a_creation_is_told_first(trial: Trial) -> None:
    """A stream that is made is told before its records and its closure, at the offset where they begin; a fork too."""
    told = Told()
    trial.store.watch(told)
    answers = {
        "empty": (await trial.create("empty")).info.tail,
        "full": (await trial.create("full", TEXT, b"abc", closed=True)).info.tail,
        "first": (await trial.append("first", b"x", create=StreamConfig(TEXT))).next_offset,
        "fork": (await trial.fork("fork", "full", body=b"de")).info.tail,
    }
    for path, tail in answers.items():
        await told.until(path, tail, closed=path == "full")
        first, *rest = [change for change in told.changes if change.path == path]
        equal((first.created, first.closed, first.deleted, first.batch), (True, False, False, None), "the first change")
        equal([change.created for change in rest], [False] * len(rest), "creations told afterwards")
        equal(rest == [], path == "empty", "whether more was told of it")
        behind = await trial.contents(path, first.tail)
        expected = {"empty": (), "full": (b"abc",), "first": (b"x",), "fork": (b"de",)}[path]
        equal(behind, expected, f"what lies behind the offset that was told of {path!r}")


@chapter.promise
async def each_life_of_a_path_is_told(trial: Trial) -> None:
    """A path whose stream goes and comes again: each one is told as made, then as gone, at ever greater tails."""
    told = Told()
    trial.store.watch(told)
    for _ in range(3):
        await trial.create("a", TEXT, b"x")
        await trial.append("a", b"y")
        await trial.store.delete("a")
    last = (await trial.create("a", TEXT, expiry=Expiry(ttl=5))).info.tail
    trial.clock.advance(5)
    await trial.create("a", JSON, closed=True)
    changes = await told.until("a", closed=True)
    lives: list[list[Change]] = []
    for change in changes:
        if change.created:
            lives.append([])
        lives[-1].append(change)
    equal([[change.deleted for change in life].count(True) for life in lives], [1, 1, 1, 1, 0], "deletes by life")
    holds(all(life[-1].deleted for life in lives[:-1]), f"something was told behind a delete: {changes}")
    tails = [change.tail for change in changes]
    holds(tails == sorted(tails), f"the tails told go back: {tails}")
    for before, after in pairwise(lives):
        holds(before[-1].tail < after[0].tail, f"{after[0]} was told behind {before[-1]}")
    equal(lives[3][0].tail, last, "the tail of the one that expired")


@chapter.promise
async def a_told_change_can_be_read(trial: Trial) -> None:
    """What a watcher is told of is committed: a read begun at that moment gives it."""
    reads: list[asyncio.Task[tuple[bytes, ...]]] = []
    told = Told()
    await trial.create("a")

    def read(change: Change) -> None:
        reads.append(asyncio.ensure_future(trial.contents("a")))
        told(change)

    trial.store.watch(read)
    tail = (await trial.append("a", b"x")).next_offset
    await told.until("a", tail)
    equal(await reads[-1], (b"x",), "contents read by the watcher")


@chapter.promise
async def changes_come_in_order(trial: Trial) -> None:
    """The changes of a stream come in commit order: tails grow, batches join."""
    told = Told()
    await trial.create("a")
    trial.store.watch(told)
    answers = await asyncio.gather(*(trial.append("a", b"%d" % number) for number in range(30)))
    last = max(answer.next_offset for answer in answers)
    changes = await told.until("a", last)
    tails = [change.tail for change in changes]
    holds(tails == sorted(tails), f"the tails told do not grow: {tails}")
    batches = [change.batch for change in changes if change.batch is not None]
    for before, after in pairwise(batches):
        holds(before.next_offset <= after.offset, f"{after} was told after {before}")


@chapter.promise
async def a_close_is_told(trial: Trial) -> None:
    """A close is told, with its last records or without."""
    told = Told()
    for path in ("a", "b"):
        await trial.create(path)
    trial.store.watch(told)
    await trial.append("a", b"last", close=True)
    await trial.append("b", close=True)
    for path in ("a", "b"):
        await told.until(path, closed=True)


@chapter.promise
async def a_delete_is_told(trial: Trial) -> None:
    """A delete is told, also of a stream that its forks keep, and of one that expires."""
    told = Told()
    for path in ("a", "source"):
        await trial.create(path, TEXT, b"x")
    await trial.fork("f", "source")
    trial.store.watch(told)
    for path in ("a", "source", "f"):
        await trial.store.delete(path)
        await told.until(path, deleted=True)


@chapter.promise
async def what_changed_nothing_is_not_told(trial: Trial) -> None:
    """A refused append, a duplicate, a second close and a create of what is there are not told."""
    told, producer = Told(), Producer("p", 0, 0)
    await trial.create("a", JSON)
    await trial.append("a", b"1", producer=producer)
    await trial.create("closed", TEXT, closed=True)
    await trial.create("last")
    trial.store.watch(told)
    await trial.append("a", b"1", producer=producer)
    await trial.append("closed", close=True)
    await trial.create("a", JSON)
    await refused(HeadwaterError, trial.append("a", b"{"), "a bad body")
    await refused(HeadwaterError, trial.append("closed", b"x"), "an append to a closed stream")
    await refused(HeadwaterError, trial.store.delete("nowhere"), "a delete of nothing")
    await trial.append("last", b"x")
    changes = await told.until("last")
    equal([change.path for change in changes], ["last"], "the paths told")


@chapter.promise
async def what_a_watcher_wants_is_told(trial: Trial) -> None:
    """Records and a closure are told to who wants them; that a stream was made or is gone, whatever is wanted."""
    told, wanted = Told(), {"wanted", "later"}
    trial.store.watch(told, wanted.__contains__)
    await trial.create("unwanted")
    await trial.append("unwanted", b"x")
    await trial.store.delete("unwanted")
    await told.until("unwanted", deleted=True)
    kinds = [(change.created, change.deleted) for change in told.changes if change.batch is None]
    holds({(True, False), (False, True)} <= set(kinds), f"a stream that nobody wants: {told.changes}")
    await trial.create("wanted")
    tail = (await trial.append("wanted", b"x")).next_offset
    await told.until("wanted", tail)
    await trial.append("wanted", b"y", close=True)
    await told.until("wanted", closed=True)
    # Who wants a stream and then reads it misses nothing: either the read has it, or it is told.
    await trial.create("later")
    wanted.discard("later")
    await trial.append("later", b"x")
    wanted.add("later")
    equal(await trial.contents("later"), (b"x",), "contents read once they are wanted")
    tail = (await trial.append("later", b"y")).next_offset
    await told.until("later", tail)


@chapter.promise
async def each_watcher_is_told_until_it_ends(trial: Trial) -> None:
    """Several watchers are told of the same changes; one that has ended is told no more."""
    first, second = Told(), Told()
    await trial.create("a")
    end_first = trial.store.watch(first)
    trial.store.watch(second)
    tail = (await trial.append("a", b"x")).next_offset
    for told in (first, second):
        await told.until("a", tail)
    end_first()
    before = list(first.changes)
    tail = (await trial.append("a", b"y")).next_offset
    await second.until("a", tail)
    equal(first.changes, before, "the changes told to a watcher that has ended")
