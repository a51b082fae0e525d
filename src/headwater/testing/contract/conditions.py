"""Writes that happen only if the stream is as the sender knows it (RFC 9110 section 13)."""

from __future__ import annotations

import asyncio

from headwater.errors import (
    ContentTypeMismatch,
    InvalidBody,
    PreconditionFailed,
    ProducerGap,
    SequenceRegression,
    StreamClosed,
    StreamExists,
    StreamNotFound,
)
from headwater.model import BEGINNING, Appended, Producer
from headwater.protocol.preconditions import ANY, Condition
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("conditions")


def at(*tails: str) -> Condition:
    """One of these is the tail."""
    return Condition(if_match=tails)


NEW = Condition(if_none_match=(ANY,))


@chapter.promise
async def an_append_at_another_tail_is_refused(trial: Trial) -> None:
    """An append that names a tail happens at this tail only; a refusal carries the real one and changes nothing."""
    first = (await trial.create("a", TEXT)).info.tail
    second = (await trial.append("a", b"1", condition=at(first))).next_offset
    async with trial.unchanged("a"):
        for tails in ((first,), (), ("-1",), ("now",), (first, "9" * 16 + "_" + "0" * 16)):
            error = await refused(PreconditionFailed, trial.append("a", b"no", condition=at(*tails)), f"at {tails}")
            equal(error.details, {"next_offset": second}, "details")
    await trial.append("a", b"2", condition=at(first, second))
    await trial.append("a", b"3", condition=at(ANY))
    equal(await trial.contents("a"), (b"1", b"2", b"3"), "records")


@chapter.promise
async def where_a_read_ended_is_a_tail(trial: Trial) -> None:
    """The end of a read that is up to date names the tail: of an empty stream, behind records, and of a fork."""
    await trial.create("a", TEXT)
    for body in (b"1", b"2"):
        await trial.append("a", body, condition=at((await trial.pieces("a"))[-1].next_offset))
    await trial.fork("f", "a")
    source = (await trial.store.info("a")).tail
    await trial.append("f", b"3", condition=at((await trial.pieces("f"))[-1].next_offset))
    await refused(PreconditionFailed, trial.append("f", b"no", condition=at(source)), "the source's tail")
    equal(b"".join(await trial.contents("f")), b"123", "contents")


@chapter.promise
async def every_other_refusal_comes_first(trial: Trial) -> None:
    """Of a request that is refused anyway the condition is not looked at."""
    await trial.create("a", JSON, b"1")
    await trial.append("a", b"2", seq="5")
    no = at("elsewhere")
    await refused(ContentTypeMismatch, trial.append("a", b"1", content_type=TEXT, condition=no), "content type")
    await refused(InvalidBody, trial.append("a", b"{", condition=no), "body")
    await refused(ProducerGap, trial.append("a", b"1", producer=Producer("p", 0, 3), condition=no), "producer")
    await refused(SequenceRegression, trial.append("a", b"1", seq="4", condition=no), "Stream-Seq")
    await refused(StreamExists, trial.create("a", TEXT, condition=no), "create")
    await refused(StreamNotFound, trial.append("b", b"1", condition=no), "append to nothing")
    await refused(StreamNotFound, trial.store.delete("b", condition=no), "delete of nothing")
    await trial.append("a", close=True)
    await refused(StreamClosed, trial.append("a", b"1", condition=no), "closed")


@chapter.promise
async def what_a_condition_refuses_is_not_remembered(trial: Trial) -> None:
    """A refused append uses up no producer sequence and no Stream-Seq, and closes nothing."""
    tail = (await trial.create("a", TEXT)).info.tail
    producer, no = Producer("p", 0, 0), at("elsewhere")
    await refused(PreconditionFailed, trial.append("a", b"x", producer=producer, seq="5", condition=no), "append")
    await refused(PreconditionFailed, trial.append("a", close=True, condition=no), "close")
    answer = await trial.append("a", b"x", producer=producer, seq="5", condition=at(tail))
    equal((answer.duplicate, answer.closed), (False, False), "the answer")
    equal(await trial.contents("a"), (b"x",), "records")


@chapter.promise
async def a_producers_retry_is_answered_first(trial: Trial) -> None:
    """A request that a producer sends again is a duplicate, although the tail is no longer where it says."""
    tail = (await trial.create("a", TEXT)).info.tail
    producer, last = Producer("p", 0, 0), Producer("p", 0, 1)
    await trial.append("a", b"x", producer=producer, condition=at(tail))
    holds((await trial.append("a", b"x", producer=producer, condition=at(tail))).duplicate, "no duplicate")
    tail = await trial.tail("a")
    await trial.append("a", b"y", producer=last, close=True, condition=at(tail))
    again = await trial.append("a", b"y", producer=last, close=True, condition=at(tail))
    holds(again.duplicate, "the closing request is no duplicate")
    equal(await trial.contents("a"), (b"x", b"y"), "records")


@chapter.promise
async def a_close_meets_a_condition_again(trial: Trial) -> None:
    """A close without a record moves no tail, so that the same one succeeds again; one at another tail does not."""
    first = (await trial.create("a", TEXT)).info.tail
    tail = (await trial.append("a", b"x")).next_offset
    await trial.append("a", close=True, condition=at(tail))
    holds((await trial.append("a", close=True, condition=at(tail))).duplicate, "no duplicate")
    await refused(PreconditionFailed, trial.append("a", close=True, condition=at(first)), "a close at another tail")


@chapter.promise
async def a_create_can_ask_for_a_free_path(trial: Trial) -> None:
    """A create for a free path only is refused where a stream is; without the condition it confirms the stream."""
    holds((await trial.create("a", TEXT, b"x", condition=NEW)).created, "it was not created")
    async with trial.unchanged("a"):
        error = await refused(PreconditionFailed, trial.create("a", TEXT, b"x", condition=NEW), "create")
        equal(error.details, {"next_offset": await trial.tail("a")}, "details")
        holds(not (await trial.create("a", TEXT)).created, "it was created again")
    await trial.store.delete("a")
    holds((await trial.create("a", TEXT, condition=NEW)).created, "it was not created behind a delete")


@chapter.promise
async def a_create_can_ask_for_a_stream(trial: Trial) -> None:
    """A create that names a tail, or any stream, creates none."""
    for condition in (at(ANY), at(), at("-1")):
        error = await refused(PreconditionFailed, trial.create("a", TEXT, condition=condition), "create")
        equal(error.details, {}, "details")
        await refused(StreamNotFound, trial.store.info("a"), "info")
    tail = (await trial.create("a", TEXT)).info.tail
    holds(not (await trial.create("a", TEXT, condition=at(tail))).created, "it was created again")
    await refused(PreconditionFailed, trial.fork("f", "a", condition=at(ANY)), "fork")
    await trial.store.delete("a")
    holds((await trial.create("a", TEXT)).created, "the refused fork holds its source")


@chapter.promise
async def a_delete_at_another_tail_is_refused(trial: Trial) -> None:
    """A delete that names a tail happens at this tail only."""
    first = (await trial.create("a", TEXT)).info.tail
    tail = (await trial.append("a", b"x")).next_offset
    async with trial.unchanged("a"):
        await refused(PreconditionFailed, trial.store.delete("a", condition=at(first)), "delete")
        await refused(PreconditionFailed, trial.store.delete("a", condition=NEW), "delete")
    await trial.store.delete("a", condition=at(tail))
    await refused(StreamNotFound, trial.store.info("a"), "info")


@chapter.promise
async def a_tail_of_a_former_stream_is_none(trial: Trial) -> None:
    """The tail of a deleted stream is not that of the next one at its path."""
    tail = (await trial.create("a", TEXT)).info.tail
    await trial.store.delete("a")
    await trial.create("a", TEXT)
    await refused(PreconditionFailed, trial.append("a", b"x", condition=at(tail)), "append")


@chapter.promise
async def one_of_many_appends_wins(trial: Trial) -> None:
    """Of appends at once that name the same tail, one is written and the others are refused."""
    tail = (await trial.create("a", TEXT)).info.tail
    calls = [trial.append("a", b"%d" % number, condition=at(tail)) for number in range(20)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    won = [number for number, result in enumerate(results) if isinstance(result, Appended)]
    equal(sum(isinstance(result, PreconditionFailed) for result in results), 19, "refusals")
    equal(await trial.contents("a", BEGINNING), tuple(b"%d" % number for number in won), "records")


@chapter.durable_promise
async def a_tail_outlives_a_restart(trial: Trial) -> None:
    """The tail that was told before a restart is the tail behind it."""
    await trial.create("a", TEXT)
    tail = (await trial.append("a", b"1")).next_offset
    await trial.restart()
    await trial.append("a", b"2", condition=at(tail))
    await refused(PreconditionFailed, trial.append("a", b"no", condition=at(tail)), "append")
    equal(await trial.contents("a"), (b"1", b"2"), "records")
