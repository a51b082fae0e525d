"""Many calls at once: each is one step, and none harms another."""

from __future__ import annotations

import asyncio

from headwater.errors import HeadwaterError, StreamClosed
from headwater.model import BEGINNING, Appended, Created, Producer
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("concurrency")


@chapter.promise
async def appends_at_once_are_all_kept(trial: Trial) -> None:
    """Appends made at once are all there, each once, each where its answer says."""
    await trial.create("a", JSON)
    answers = await asyncio.gather(*(trial.append("a", b"%d" % number) for number in range(60)))
    offsets = [answer.next_offset for answer in answers]
    batch = await trial.store.read("a", BEGINNING)
    by_offset = {record.offset: record.json() for record in batch.records}
    equal([by_offset.get(offset) for offset in offsets], list(range(60)), "the records at the answers' offsets")
    equal(len(batch.records), 60, "number of records")


@chapter.promise
async def one_request_sent_often_is_written_once(trial: Trial) -> None:
    """Of the same producer request sent several times at once, one is written."""
    await trial.create("a")
    producer = Producer("p", 0, 0)
    answers = await asyncio.gather(*(trial.append("a", b"x", producer=producer) for _ in range(20)))
    equal([answer.duplicate for answer in answers].count(False), 1, "answers that say it was written")
    equal(await trial.contents("a"), (b"x",), "records")


@chapter.promise
async def one_create_wins(trial: Trial) -> None:
    """Of several creates of one path at once, one makes the stream and the others find it."""
    creates = await asyncio.gather(*(trial.create("a", TEXT, b"%d" % number) for number in range(20)))
    equal([created.created for created in creates].count(True), 1, "creates that made the stream")
    winner = [created.created for created in creates].index(True)
    equal(await trial.contents("a"), (b"%d" % winner,), "contents")


@chapter.promise
async def a_close_among_appends_is_one_cut(trial: Trial) -> None:
    """When a close meets appends, those before it are kept and those after it are refused."""
    await trial.create("a", JSON)
    calls = [trial.append("a", b"%d" % number) for number in range(15)]
    calls.insert(7, trial.append("a", close=True))
    results = await asyncio.gather(*calls, return_exceptions=True)
    del results[7]
    kept = {number for number, result in enumerate(results) if isinstance(result, Appended)}
    refusals = [result for result in results if not isinstance(result, Appended)]
    holds(all(isinstance(result, StreamClosed) for result in refusals), f"refused by something else: {refusals}")
    equal({int(data) for data in await trial.contents("a")}, kept, "the records of the accepted appends")
    holds((await trial.store.info("a")).closed, "the stream is open")


@chapter.promise
async def a_refusal_harms_no_neighbour(trial: Trial) -> None:
    """Requests refused among others, in whatever order, leave no trace, and the others stand."""
    await trial.create("a", JSON)
    await trial.create("b", TEXT)
    refusals = [
        trial.append("a", b"{"),
        trial.append("a", b"[]", producer=Producer("p", 0, 0)),
        trial.append("a", b"1", producer=Producer("p", 0, 9)),
        trial.append("a", b"x", content_type=TEXT),
        trial.append("nowhere", b"x"),
        trial.create("a", TEXT),
        trial.create("bad", JSON, b"{"),
        trial.fork("bad", "a", BEGINNING, 99_999),
        trial.fork("bad", "nowhere"),
        trial.store.delete("nowhere"),
    ]
    calls = [call for number, bad in enumerate(refusals) for call in (trial.append("a", b"%d" % number), bad)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results[1::2]:
        holds(isinstance(result, HeadwaterError), f"a bad request gave {result!r}")
    holds(all(isinstance(result, Appended) for result in results[::2]), f"good requests failed: {results[::2]}")
    equal(sorted(map(int, await trial.contents("a"))), list(range(len(refusals))), "records")
    equal([info.path for info in await trial.store.list()], ["a", "b"], "the list")
    await trial.append("a", b"1", producer=Producer("p", 0, 0))


@chapter.promise
async def streams_live_and_die_side_by_side(trial: Trial) -> None:
    """Whole lives of streams, run at once, do not disturb each other."""

    async def live(name: str) -> None:
        for round_ in range(3):
            body = f"{name} {round_}".encode()
            holds((await trial.create(name)).created, f"{name!r} was there before")
            await trial.append(name, body)
            await trial.fork(f"{name}-fork", name)
            await trial.append(f"{name}-fork", b"own", close=True)
            equal(await trial.contents(f"{name}-fork"), (body, b"own"), "contents of the fork")
            await trial.store.delete(name)
            await trial.store.delete(f"{name}-fork")

    await asyncio.gather(*(live(f"s{number}") for number in range(8)))
    equal(await trial.store.list(), [], "the list at the end")


@chapter.promise
async def a_reader_sees_a_prefix(trial: Trial) -> None:
    """A reader beside writers sees every record once, in order, without a hole."""
    await trial.create("a", JSON)
    total = 80

    async def write(first: int) -> None:
        for number in range(first, total, 4):
            await trial.append("a", b"%d" % number)

    writers = asyncio.gather(*(write(first) for first in range(4)))
    offset, seen, last_round = BEGINNING, list[str](), False
    while not last_round:
        # A reader cannot know that a broken store has no more for it: one round after the last append is enough.
        last_round = writers.done()
        for batch in await trial.pieces("a", offset, limit=7):
            seen += [record.offset for record in batch.records]
            offset = batch.next_offset
        await asyncio.sleep(0)
    await writers
    stored = [record.offset for batch in await trial.pieces("a") for record in batch.records]
    equal(seen, stored, "the offsets the reader saw")
    equal(sorted(map(int, await trial.contents("a"))), list(range(total)), "records")


@chapter.promise
async def a_cancelled_call_is_whole_or_nothing(trial: Trial) -> None:
    """A call whose caller gives up is done or not done, and the store goes on."""
    await trial.create("a", JSON)
    calls: list[asyncio.Task[Appended] | asyncio.Task[Created]] = [
        asyncio.ensure_future(trial.append("a", b"[1, 2]")),
        asyncio.ensure_future(trial.create("b", JSON, b"[1, 2]")),
    ]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await trial.append("a", b"3")
    records = await trial.contents("a")
    holds(records in ((b"1", b"2", b"3"), (b"3",)), f"half an append was kept: {records}")
    await trial.create("b", JSON, b"[1, 2]")
    equal(await trial.contents("b"), (b"1", b"2"), "contents of the stream created with a cancelled call")
