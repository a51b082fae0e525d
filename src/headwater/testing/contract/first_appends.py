"""Appends that create their stream if it is not there."""

from __future__ import annotations

import asyncio

from headwater.errors import (
    BadRequest,
    ContentTypeMismatch,
    HeadwaterError,
    InvalidBody,
    PreconditionFailed,
    ProducerGap,
    StreamClosed,
    StreamExists,
    StreamNotFound,
)
from headwater.model import BEGINNING, Change, Expiry, Failure, ForkPoint, Producer, Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import ANY, Condition
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("first appends")

NOTES = StreamConfig(TEXT)
VALUES = StreamConfig(JSON)


@chapter.promise
async def the_stream_is_made_with_its_records(trial: Trial) -> None:
    """An append to a free path makes the stream as a create would, with its records, and says so."""
    config = StreamConfig(JSON, Expiry(ttl=60), Retention(count=9))
    answer = await trial.append("a", b"[1,2]", content_type=JSON, create=config)
    equal((answer.created, answer.closed, answer.duplicate), (True, False, False), "the answer")
    info = await trial.store.info("a")
    equal((info.content_type, info.expiry, info.retention), (JSON, config.expiry, config.retention), "info")
    equal((info.tail, info.size), (answer.next_offset, 2), "tail and size")
    equal(await trial.contents("a"), (b"1", b"2"), "records")
    holds(not (await trial.create("a", JSON, expiry=config.expiry, retention=config.retention)).created, "made twice")


@chapter.promise
async def a_stream_that_is_there_is_appended_to(trial: Trial) -> None:
    """Where a stream is, it is exactly an append: the configuration does not matter, the content type does."""
    await trial.create("a", TEXT, b"1")
    other = StreamConfig(TEXT, Expiry(ttl=5), Retention(count=1))
    answer = await trial.append("a", b"2", content_type=TEXT, create=other)
    equal(answer.created, False, "created")
    equal((await trial.store.info("a")).expiry, Expiry(), "expiry")
    equal(await trial.contents("a"), (b"1", b"2"), "records")
    async with trial.unchanged("a"):
        await refused(ContentTypeMismatch, trial.append("a", b"3", content_type=JSON, create=VALUES), "another type")
    await trial.append("a", close=True)
    await refused(StreamClosed, trial.append("a", b"3", content_type=TEXT, create=NOTES), "closed")


@chapter.promise
async def a_refused_append_makes_nothing(trial: Trial) -> None:
    """When the append is refused there is no stream: body, producer, content type, condition, fork."""
    fork = StreamConfig(TEXT, fork=ForkPoint("b"))
    await trial.create("b", TEXT)
    refusals: list[tuple[type[HeadwaterError], Append]] = [
        (InvalidBody, Append(b"{", create=VALUES)),
        (InvalidBody, Append(b"[]", create=VALUES)),
        (ProducerGap, Append(b"1", producer=Producer("p", 0, 1), create=NOTES)),
        (ContentTypeMismatch, Append(b"1", TEXT, create=VALUES)),
        (BadRequest, Append(b"1", create=fork)),
        (PreconditionFailed, Append(b"1", condition=Condition((ANY,)), create=NOTES)),
        (PreconditionFailed, Append(b"1", condition=Condition(("x",)), create=NOTES)),
    ]
    for error, request in refusals:
        await refused(error, trial.store.append("a", request), f"{request}")
        await refused(StreamNotFound, trial.store.info("a"), f"info after {request}")
    answer = await trial.append("a", b"1", producer=Producer("p", 0, 0), create=NOTES)
    equal((answer.created, answer.duplicate), (True, False), "the first append that is accepted")


@chapter.promise
async def everything_of_an_append_works(trial: Trial) -> None:
    """Producer, Stream-Seq, closure and failure are kept with the stream, and the same request is a duplicate."""
    producer, failure = Producer("p", 3, 0), Failure("broken", "why")
    for _ in range(2):
        answer = await trial.append(
            "a", b"x", producer=producer, seq="5", close=True, failure=failure, create=NOTES, content_type=TEXT
        )
    equal((answer.created, answer.duplicate, answer.producer), (False, True, producer), "the second answer")
    info = await trial.store.info("a")
    equal((info.closed, info.failure), (True, failure), "info")
    equal(await trial.contents("a"), (b"x",), "records")


@chapter.promise
async def a_free_path_can_be_asked_for(trial: Trial) -> None:
    """With a condition that excludes every stream, one of several first appends is written."""
    new = Condition(if_none_match=(ANY,))
    calls = [trial.append("a", b"%d" % number, condition=new, create=NOTES) for number in range(9)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    equal(sum(isinstance(result, PreconditionFailed) for result in results), 8, "refusals")
    equal(len(await trial.contents("a")), 1, "records")


@chapter.promise
async def one_of_many_makes_it(trial: Trial) -> None:
    """Of first appends at once, one makes the stream, and all are kept, in order."""
    answers = await asyncio.gather(*(trial.append("a", b"%d" % number, create=VALUES) for number in range(30)))
    equal([answer.created for answer in answers].count(True), 1, "appends that made the stream")
    batch = await trial.store.read("a", BEGINNING)
    by_offset = {record.offset: record.json() for record in batch.records}
    equal([by_offset.get(answer.next_offset) for answer in answers], list(range(30)), "records at the answers' offsets")


@chapter.promise
async def a_path_that_is_over_is_free(trial: Trial) -> None:
    """An expired stream makes room; a deleted one that forks still read holds its path."""
    await trial.create("a", TEXT, b"old", expiry=Expiry(ttl=1))
    old = await trial.tail("a")
    trial.clock.advance(2)
    answer = await trial.append("a", b"new", create=NOTES)
    holds(answer.created and answer.next_offset > old, "the expired stream was appended to")
    equal(await trial.contents("a"), (b"new",), "records")
    await trial.fork("f", "a")
    await trial.store.delete("a")
    await refused(StreamExists, trial.append("a", b"x", create=NOTES), "append where a deleted stream is")
    await trial.store.delete("f")
    holds((await trial.append("a", b"x", create=NOTES)).created, "the path is not free")


@chapter.promise
async def it_is_told_as_an_append(trial: Trial) -> None:
    """Watchers are told that the stream that was at the path has expired, that one was made, and of its records."""
    told: list[Change] = []
    await trial.create("a", TEXT, b"old", expiry=Expiry(ttl=1))
    trial.clock.advance(2)
    trial.store.watch(told.append)
    answer = await trial.append("a", b"new", close=True, create=NOTES)
    kinds = [(change.path, change.deleted, change.created, change.closed) for change in told]
    expected = [("a", True, False, False), ("a", False, True, False), ("a", False, False, True)]
    equal(kinds, expected, "what was told")
    equal(told[-1].tail, answer.next_offset, "tail")
    if (batch := told[-1].batch) is not None:
        equal([record.data for record in batch.records], [b"new"], "the records told")


@chapter.durable_promise
async def it_outlives_a_restart(trial: Trial) -> None:
    """The stream, its records, and what is known of the producer are there behind a restart."""
    producer = Producer("p", 0, 0)
    await trial.append("a", b"1", producer=producer, seq="5", create=StreamConfig(TEXT, retention=Retention(count=9)))
    await trial.append("a", b"2", create=NOTES)
    await trial.restart()
    holds((await trial.append("a", b"1", producer=producer, create=NOTES)).duplicate, "no duplicate")
    equal((await trial.store.info("a")).retention, Retention(count=9), "retention")
    equal(await trial.contents("a"), (b"1", b"2"), "records")
