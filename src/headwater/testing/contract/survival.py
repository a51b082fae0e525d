"""What a restart leaves: everything that was answered (rule 2 of `headwater.stores.base`)."""

from __future__ import annotations

import asyncio

from headwater.errors import (
    OffsetGone,
    ProducerFenced,
    ProducerGap,
    SequenceRegression,
    SourceGone,
    StoreUnavailable,
    StreamClosed,
    StreamExists,
    StreamGone,
    StreamNotFound,
)
from headwater.model import Appended, Expiry, Failure, Policy, Producer, Retention, SlowPolicy
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("survival")


@chapter.promise
async def closing_twice_is_allowed(trial: Trial) -> None:
    """A store can be closed twice."""
    await trial.create("a", TEXT, b"x")
    await trial.store.aclose()
    await trial.store.aclose()


@chapter.durable_promise
async def streams_and_records_survive(trial: Trial) -> None:
    """Streams, records, offsets, dates, types, limits, policies and closure are as before."""
    await trial.create("a", JSON, b"[1, 2]", expiry=Expiry(ttl=900), retention=Retention(count=50))
    await trial.create("b", None, bytes(range(256)), expiry=Expiry(at=trial.clock() + 900.25, at_text="text"))
    await trial.append("a", b'{"three": 3}')
    await trial.append("b", b"last", close=True)
    await trial.create("c", JSON, slow=SlowPolicy(Policy.CONFLATE, "key"))
    await trial.append("c", b'"part"', close=True, failure=Failure("lost", "why"))
    infos = await trial.store.list()
    batches = [await trial.store.read(path, "-1") for path in "abc"]
    for _ in range(2):
        await trial.restart()
        equal(await trial.store.list(), infos, "the list")
        equal([await trial.store.read(path, "-1") for path in "abc"], batches, "the records")
    await refused(StreamClosed, trial.append("b", b"x"), "an append to the closed stream")
    holds(not (await trial.create("b", None, closed=True, expiry=infos[1].expiry)).created, "re-create made another")


@chapter.durable_promise
async def the_last_use_survives(trial: Trial) -> None:
    """That of who watched and left, and where a jump of the clock moved it; across a restart the wall clock counts."""
    store = trial.store
    for path in ("watched", "ahead", "idle"):
        await trial.create(path, expiry=Expiry(ttl=60))
    trial.clock.advance(30)
    store.touch({"watched": store.time()})
    trial.clock.jump(86400)
    await trial.sweep()
    store.touch({"ahead": store.time()})
    await trial.restart()
    trial.clock.advance(30)
    await refused(StreamNotFound, trial.store.info("idle"), "info 60 seconds after the last use")
    trial.clock.advance(29)
    await trial.store.info("watched")
    await trial.store.info("ahead")
    await trial.restart()
    trial.clock.advance(1)
    await refused(StreamNotFound, trial.store.info("watched"), "info 60 seconds after the touch")


@chapter.durable_promise
async def a_reader_goes_on_after_a_restart(trial: Trial) -> None:
    """Offsets given out before, cut ones too, are read from after; new ones grow."""
    await trial.create("a", TEXT, b"hello")
    offsets = [batch.next_offset for batch in await trial.pieces("a", limit=2)]
    await trial.restart()
    new = (await trial.append("a", b"!")).next_offset
    holds(new > max(offsets), f"the offset {new} after a restart is not greater than {max(offsets)}")
    for offset, expected in zip(offsets, (b"llo!", b"o!", b"!"), strict=True):
        equal(b"".join(await trial.contents("a", offset)), expected, f"contents from {offset}")


@chapter.durable_promise
async def writers_survive(trial: Trial) -> None:
    """Producers and Stream-Seq are known as before: retries are duplicates, gaps and old epochs refused."""
    await trial.create("a")
    await trial.append("a", b"0", producer=Producer("p", 2, 0), seq="5")
    await trial.append("a", b"1", producer=Producer("p", 2, 1))
    await trial.create("closed")
    await trial.append("closed", b"x", producer=Producer("p", 0, 0), close=True)
    await trial.restart()
    async with trial.unchanged("a"):
        holds((await trial.append("a", b"1", producer=Producer("p", 2, 1))).duplicate, "a retry is no duplicate")
        await refused(ProducerGap, trial.append("a", b"x", producer=Producer("p", 2, 3)), "a gap")
        await refused(ProducerFenced, trial.append("a", b"x", producer=Producer("p", 1, 0)), "an old epoch")
        await refused(SequenceRegression, trial.append("a", b"x", seq="5"), "an old Stream-Seq")
    retry = await trial.append("closed", b"x", producer=Producer("p", 0, 0), close=True)
    equal((retry.duplicate, retry.closed), (True, True), "the retry of the closing request")
    await trial.append("a", b"2", producer=Producer("p", 2, 2), seq="6")


@chapter.durable_promise
async def deletes_survive(trial: Trial) -> None:
    """A deleted stream stays deleted, and its offsets are not used again, even those of the newest stream."""
    old = (await trial.create("a", TEXT, b"old")).info.tail
    await trial.store.delete("a")
    await trial.restart()
    await refused(StreamNotFound, trial.store.info("a"), "info")
    new = (await trial.create("a", TEXT)).info.tail
    holds(new > old, f"the offset {new} of the new stream is not greater than {old} of the deleted one")
    await refused(OffsetGone, trial.store.read("a", old), "a read from the deleted stream's offset")


@chapter.durable_promise
async def forks_survive(trial: Trial) -> None:
    """Forks read through their sources, deleted ones too, which go when the last fork does."""
    await trial.create("a", TEXT, b"one")
    await trial.fork("b", "a")
    await trial.append("b", b"two")
    await trial.fork("c", "b", (await trial.pieces("b", limit=4))[0].next_offset)
    await trial.append("c", b"three")
    for path in ("a", "b"):
        await trial.store.delete(path)
    await trial.restart()
    equal(b"".join(await trial.contents("c", limit=2)), b"onetthree", "contents of the fork")
    await refused(StreamGone, trial.store.info("a"), "info of a deleted source")
    await refused(StreamExists, trial.create("b", TEXT), "a create at a deleted source's path")
    await refused(SourceGone, trial.fork("d", "b"), "a fork of a deleted source")
    await trial.store.delete("c")
    await trial.restart()
    for path in ("a", "b", "c"):
        holds((await trial.create(path, TEXT)).created, f"the path {path!r} is not free")


@chapter.durable_promise
async def retention_survives(trial: Trial) -> None:
    """Dropped records stay dropped, and the ages of the others count on."""
    await trial.create("a", retention=Retention(age=60))
    first = (await trial.append("a", b"one")).next_offset
    trial.clock.advance(40)
    second = (await trial.append("a", b"two")).next_offset
    trial.clock.advance(30)
    await trial.sweep()
    await trial.restart()
    equal((await trial.store.info("a")).earliest, first, "earliest")
    equal(await trial.contents("a"), (b"two",), "contents")
    trial.clock.advance(30)
    await trial.sweep()
    equal((await trial.store.info("a")).earliest, second, "earliest when the second record is old")


@chapter.durable_promise
async def idle_time_counts_over_a_restart(trial: Trial) -> None:
    """The TTL counts from the last use before the restart; a read is such a use."""
    for path in ("used", "idle"):
        await trial.create(path, TEXT, b"x", expiry=Expiry(ttl=60))
    trial.clock.advance(50)
    await trial.store.read("used", "-1")
    await trial.restart()
    trial.clock.advance(10)
    await refused(StreamNotFound, trial.store.info("idle"), "info of the idle stream")
    equal((await trial.store.info("used")).path, "used", "the stream that was read")
    trial.clock.advance(50)
    await refused(StreamNotFound, trial.store.info("used"), "info of the other one, when its time has come")


@chapter.durable_promise
async def a_close_finishes_what_is_under_way(trial: Trial) -> None:
    """Appends under way when the store is closed are kept, or refused as unavailable; nothing in between."""
    await trial.create("a", JSON)
    calls = [asyncio.ensure_future(trial.append("a", b"%d" % number)) for number in range(20)]
    await asyncio.sleep(0)
    await trial.store.aclose()
    results = await asyncio.gather(*calls, return_exceptions=True)
    await trial.restart()
    refusals = [result for result in results if not isinstance(result, Appended)]
    holds(all(isinstance(result, StoreUnavailable) for result in refusals), f"failed otherwise: {refusals}")
    kept = {number for number, result in enumerate(results) if isinstance(result, Appended)}
    equal({int(data) for data in await trial.contents("a")}, kept, "the records of the answered appends")
