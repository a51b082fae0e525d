"""Idempotent producers (protocol section 5.2.1)."""

from __future__ import annotations

from headwater.errors import (
    ContentTypeMismatch,
    InvalidBody,
    InvalidProducer,
    ProducerFenced,
    ProducerGap,
    SequenceRegression,
    StreamClosed,
)
from headwater.model import Producer
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("producers")


def by(seq: int, epoch: int = 0, name: str = "p") -> Producer:
    """A request's number."""
    return Producer(name, epoch, seq)


@chapter.promise
async def requests_in_order_are_accepted(trial: Trial) -> None:
    """Requests numbered 0, 1, 2 are written, each answered with its own number."""
    await trial.create("a")
    for seq in range(3):
        answer = await trial.append("a", b"%d" % seq, producer=by(seq))
        equal((answer.duplicate, answer.producer), (False, by(seq)), f"answer to request {seq}")
    equal(await trial.contents("a"), (b"0", b"1", b"2"), "records")


@chapter.promise
async def a_duplicate_writes_nothing(trial: Trial) -> None:
    """A request sent again writes nothing; the answer carries the tail and the highest accepted number."""
    await trial.create("a")
    for seq in range(3):
        await trial.append("a", b"%d" % seq, producer=by(seq))
    async with trial.unchanged("a"):
        for seq in range(3):
            answer = await trial.append("a", b"%d" % seq, producer=by(seq))
            equal((answer.duplicate, answer.producer), (True, by(2)), f"answer to request {seq}, sent again")
            equal(answer.next_offset, await trial.tail("a"), "next_offset of the answer")


@chapter.promise
async def a_duplicates_body_is_not_read(trial: Trial) -> None:
    """A request sent again with another or a bad body is a duplicate all the same."""
    await trial.create("a", JSON)
    await trial.append("a", b"1", producer=by(0))
    async with trial.unchanged("a"):
        for body in (b"2", b"{", b"[]"):
            holds((await trial.append("a", body, producer=by(0))).duplicate, f"{body!r} is no duplicate")


@chapter.promise
async def a_gap_is_refused(trial: Trial) -> None:
    """A request with a number too high is refused with the one expected; that one is then accepted."""
    await trial.create("a")
    await trial.append("a", b"0", producer=by(0))
    async with trial.unchanged("a"):
        error = await refused(ProducerGap, trial.append("a", b"2", producer=by(2)), "request 2 after request 0")
        equal((error.details.get("expected"), error.details.get("received")), (1, 2), "expected and received")
    await trial.append("a", b"1", producer=by(1))
    equal(await trial.contents("a"), (b"0", b"1"), "records")


@chapter.promise
async def a_new_producer_starts_at_zero(trial: Trial) -> None:
    """The first request of a producer has the number 0, in whatever epoch."""
    await trial.create("a")
    error = await refused(ProducerGap, trial.append("a", b"x", producer=by(1)), "a first request numbered 1")
    equal((error.details.get("expected"), error.details.get("received")), (0, 1), "expected and received")
    await trial.append("a", b"x", producer=by(0, epoch=7))
    equal(await trial.contents("a"), (b"x",), "records")


@chapter.promise
async def a_new_epoch_starts_at_zero(trial: Trial) -> None:
    """A new epoch starts at number 0; at another one it is refused, and the old epoch stays."""
    await trial.create("a")
    await trial.append("a", b"0", producer=by(0))
    async with trial.unchanged("a"):
        await refused(InvalidProducer, trial.append("a", b"x", producer=by(1, epoch=1)), "epoch 1 at number 1")
    await trial.append("a", b"1", producer=by(1))
    answer = await trial.append("a", b"2", producer=by(0, epoch=3))
    equal((answer.duplicate, answer.producer), (False, by(0, epoch=3)), "answer to the new epoch")
    equal(await trial.contents("a"), (b"0", b"1", b"2"), "records")


@chapter.promise
async def an_old_epoch_is_fenced(trial: Trial) -> None:
    """A request of an older epoch is refused with the newest one, whatever its number."""
    await trial.create("a")
    await trial.append("a", b"0", producer=by(0, epoch=4))
    async with trial.unchanged("a"):
        for seq in range(3):
            error = await refused(ProducerFenced, trial.append("a", b"x", producer=by(seq, epoch=3)), "epoch 3")
            equal(error.details.get("epoch"), 4, "epoch of the error")


@chapter.promise
async def large_numbers_are_kept_exactly(trial: Trial) -> None:
    """Epochs up to 2**53 - 1 are kept exactly."""
    epoch = 2**53 - 1
    await trial.create("a")
    await trial.append("a", b"0", producer=by(0, epoch=epoch))
    error = await refused(ProducerFenced, trial.append("a", b"x", producer=by(0, epoch=epoch - 1)), "epoch before")
    equal(error.details.get("epoch"), epoch, "epoch of the error")


@chapter.promise
async def producers_are_independent(trial: Trial) -> None:
    """Each producer has its numbers, and the same producer has others in another stream."""
    await trial.create("a")
    await trial.create("b")
    for path, name in (("a", "p"), ("a", "q"), ("a", "P"), ("b", "p")):
        answer = await trial.append(path, name.encode(), producer=by(0, name=name))
        holds(not answer.duplicate, f"producer {name!r} in {path!r} is taken for another one")
    await trial.append("a", b"plain")
    equal((await trial.contents("a"), await trial.contents("b")), ((b"p", b"q", b"P", b"plain"), (b"p",)), "records")


@chapter.promise
async def a_refused_request_keeps_its_number(trial: Trial) -> None:
    """A request refused for another reason did not use its number: corrected, it is accepted."""
    await trial.create("a", JSON)
    await trial.append("a", b"0", seq="5")
    async with trial.unchanged("a"):
        await refused(InvalidBody, trial.append("a", b"{", producer=by(0)), "a bad body")
        await refused(ContentTypeMismatch, trial.append("a", b"1", content_type=TEXT, producer=by(0)), "a bad type")
        await refused(SequenceRegression, trial.append("a", b"1", seq="4", producer=by(0)), "an old Stream-Seq")
    holds(not (await trial.append("a", b"1", producer=by(0))).duplicate, "the corrected request is a duplicate")
    equal(await trial.contents("a"), (b"0", b"1"), "records")


@chapter.promise
async def a_duplicate_is_found_before_stream_seq(trial: Trial) -> None:
    """A retry with producer numbers and Stream-Seq is a duplicate, no regression."""
    await trial.create("a")
    await trial.append("a", b"x", producer=by(0), seq="1")
    holds((await trial.append("a", b"x", producer=by(0), seq="1")).duplicate, "the retry is no duplicate")


@chapter.promise
async def a_batch_is_one_request(trial: Trial) -> None:
    """The number counts requests, not records: a batch sent again is dropped as a whole."""
    await trial.create("a", JSON)
    await trial.append("a", b"[1,2,3]", producer=by(0))
    holds((await trial.append("a", b"[1,2,3]", producer=by(0))).duplicate, "the retry is no duplicate")
    await trial.append("a", b"[4]", producer=by(1))
    equal(await trial.contents("a"), (b"1", b"2", b"3", b"4"), "records")


@chapter.promise
async def the_closing_request_can_be_sent_again(trial: Trial) -> None:
    """The retry of the request that closed the stream is a duplicate; every other one finds it closed."""
    await trial.create("a")
    await trial.append("a", b"0", producer=by(0))
    await trial.append("a", b"1", producer=by(1), close=True)
    async with trial.unchanged("a"):
        answer = await trial.append("a", b"1", producer=by(1), close=True)
        equal((answer.duplicate, answer.closed, answer.producer), (True, True, by(1)), "answer to the retry")
        await refused(StreamClosed, trial.append("a", b"2", producer=by(2)), "the next request")
        await refused(StreamClosed, trial.append("a", b"x", producer=by(0, name="q")), "another producer")
        await refused(StreamClosed, trial.append("a", b"1"), "an append without a producer")


@chapter.promise
async def a_producer_can_close_without_a_body(trial: Trial) -> None:
    """A close without a body takes a number, and can be sent again."""
    await trial.create("a")
    answer = await trial.append("a", producer=by(0), close=True)
    equal((answer.duplicate, answer.closed), (False, True), "the answer")
    answer = await trial.append("a", producer=by(0), close=True)
    equal((answer.duplicate, answer.closed), (True, True), "answer to the retry")
