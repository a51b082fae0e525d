"""Closing streams (protocol sections 4.1 and 5.3)."""

from __future__ import annotations

from headwater.errors import InvalidBody, StreamClosed, StreamNotFound
from headwater.model import Change, Failure
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("closes")

FAILURE = Failure("timeout", "no answer within 60 s: 100 %, \u00e4\u4e16")


@chapter.promise
async def a_close_is_seen(trial: Trial) -> None:
    """A close without a body leaves the records, and says so in its answer, in info and at the end of a read."""
    await trial.create("a")
    tail = (await trial.append("a", b"x")).next_offset
    answer = await trial.append("a", close=True)
    equal((answer.closed, answer.next_offset), (True, tail), "the answer")
    holds((await trial.store.info("a")).closed, "info says that the stream is open")
    batch = await trial.store.read("a", "-1")
    equal(([record.data for record in batch.records], batch.closed), ([b"x"], True), "a read")
    equal((await trial.store.read("a", "now")).closed, True, "closed in a read at the tail")


@chapter.promise
async def a_record_can_close(trial: Trial) -> None:
    """The last record and the close are one step."""
    await trial.create("a")
    answer = await trial.append("a", b"last", close=True)
    holds(answer.closed, "the answer says that the stream is open")
    equal(await trial.contents("a"), (b"last",), "records")
    equal(answer.next_offset, await trial.tail("a"), "tail")


@chapter.promise
async def a_closed_stream_takes_nothing(trial: Trial) -> None:
    """An append to a closed stream is refused with its final offset, and changes nothing."""
    await trial.create("a")
    tail = (await trial.append("a", b"x", close=True)).next_offset
    async with trial.unchanged("a"):
        error = await refused(StreamClosed, trial.append("a", b"y"), "append")
        equal(error.details.get("next_offset"), tail, "next_offset of the error")
        await refused(StreamClosed, trial.append("a", b"y", close=True), "append with a close")


@chapter.promise
async def closed_comes_before_other_errors(trial: Trial) -> None:
    """A closed stream is reported before a wrong content type, body or Stream-Seq (protocol section 5.2)."""
    await trial.create("a", JSON)
    await trial.append("a", b"1", seq="5", close=True)
    await refused(StreamClosed, trial.append("a", b"x", content_type=TEXT), "another content type")
    await refused(StreamClosed, trial.append("a", b"{"), "a bad body")
    await refused(StreamClosed, trial.append("a", b"2", seq="1"), "an old Stream-Seq")


@chapter.promise
async def closing_again_succeeds(trial: Trial) -> None:
    """A close of a closed stream without a body succeeds and changes nothing."""
    await trial.create("a")
    await trial.append("a", b"x", close=True)
    async with trial.unchanged("a"):
        answer = await trial.append("a", close=True)
        equal((answer.closed, answer.next_offset), (True, await trial.tail("a")), "the answer")


@chapter.promise
async def a_refused_append_does_not_close(trial: Trial) -> None:
    """When the body is refused, the close that came with it is, too."""
    await trial.create("a", JSON)
    await refused(InvalidBody, trial.append("a", b"{", close=True), "a bad body with a close")
    await trial.append("a", b"1")
    equal(await trial.contents("a"), (b"1",), "records")


@chapter.promise
async def a_failure_is_seen(trial: Trial) -> None:
    """A stream that was closed as failed says so in the answer, in info, to watchers, and at the end of a read only."""
    await trial.create("a")
    await trial.append("a", b"one")
    await trial.append("a", b"two")
    changes: list[Change] = []
    unwatch = trial.store.watch(changes.append)
    answer = await trial.append("a", close=True, failure=FAILURE)
    unwatch()
    equal((answer.closed, answer.failure), (True, FAILURE), "the answer")
    equal([(change.closed, change.failure) for change in changes], [(True, FAILURE)], "what watchers were told")
    equal((await trial.store.info("a")).failure, FAILURE, "info")
    batches = await trial.pieces("a", limit=3)
    equal([batch.failure for batch in batches], [None] * (len(batches) - 1) + [FAILURE], "failures of the batches")


@chapter.promise
async def a_failure_stays(trial: Trial) -> None:
    """Failing again with the same reason, and closing, change nothing; another reason is refused."""
    await trial.create("a")
    await trial.append("a", b"x", close=True, failure=FAILURE)
    async with trial.unchanged("a"):
        equal((await trial.append("a", close=True, failure=FAILURE)).duplicate, True, "duplicate")
        equal((await trial.append("a", close=True)).failure, FAILURE, "the answer to a close")
        await refused(StreamClosed, trial.append("a", close=True, failure=Failure("other")), "another failure")


@chapter.promise
async def what_is_complete_cannot_fail(trial: Trial) -> None:
    """A stream that was closed as complete stays so."""
    await trial.create("a")
    await trial.append("a", b"x", close=True)
    async with trial.unchanged("a"):
        await refused(StreamClosed, trial.append("a", close=True, failure=FAILURE), "a failure")
    equal((await trial.store.info("a")).failure, None, "the failure")


@chapter.promise
async def nothing_to_close(trial: Trial) -> None:
    """A close of a path without a stream is refused."""
    await refused(StreamNotFound, trial.append("a", close=True), "close")


@chapter.promise
async def the_end_is_told_at_the_end_only(trial: Trial) -> None:
    """A read that does not reach the last record of a closed stream does not call it closed."""
    await trial.create("a")
    for body in (b"one", b"two"):
        await trial.append("a", body)
    await trial.append("a", close=True)
    batches = await trial.pieces("a", limit=2)
    flags = [(batch.up_to_date, batch.closed) for batch in batches]
    equal(flags, [(False, False)] * (len(flags) - 1) + [(True, True)], "(up_to_date, closed) of the batches")
