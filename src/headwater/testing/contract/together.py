"""Several appends in one step, of stores that can do that; see `stores.base.Atomic`."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.errors import HeadwaterError, ProducerGap, StreamClosed, StreamNotFound
from headwater.model import Appended, Change, Expiry, Producer, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.base import Atomic
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("together")

NEW = StreamConfig(JSON)


async def together(trial: Trial, *appends: tuple[str, Append]) -> list[Appended] | None:
    """The answers; None: the store cannot do it."""
    return await trial.store.append_all(appends) if isinstance(trial.store, Atomic) else None


async def all_refused(
    trial: Trial, error: type[HeadwaterError], line: int, stream: str, appends: Sequence[tuple[str, Append]]
) -> None:
    """The append at a line is refused, and says so; streams that are there stay as they are."""
    if not isinstance(trial.store, Atomic):
        return
    before = [(info, await trial.contents(info.path)) for info in await trial.store.list()]
    told = await refused(error, trial.store.append_all(appends), "the appends")
    equal((told.details.get("line"), told.details.get("stream")), (line, stream), "which one was refused")
    equal([(info, await trial.contents(info.path)) for info in await trial.store.list()], before, "what there is")


@chapter.promise
async def each_is_appended_in_its_order(trial: Trial) -> None:
    """To several streams, to one more than once, with an end and with creations; the answers say it one by one."""
    await trial.create("a", JSON)
    await trial.create("b", TEXT)
    answers = await together(
        trial,
        ("a", Append(b"1")),
        ("b", Append(b"x")),
        ("a", Append(b"[2, 3]")),
        ("c", Append(b"4", create=NEW)),
        ("c", Append(b"5", close=True)),
    )
    if answers is None:
        return
    equal(await trial.contents("a"), (b"1", b"2", b"3"), "the first stream")
    equal(await trial.contents("b"), (b"x",), "the second")
    equal(await trial.contents("c"), (b"4", b"5"), "the one that was made")
    equal([answer.created for answer in answers], [False, False, False, True, False], "what was made")
    equal([answer.closed for answer in answers], [False, False, False, False, True], "what was closed")
    tails = [await trial.tail(path) for path in "abc"]
    equal([answers[number].next_offset for number in (2, 1, 4)], tails, "the tails")
    offsets = [record.offset for record in (await trial.store.read("a", "-1")).records]
    equal(answers[0].next_offset, offsets[0], "the offset behind the first append")


@chapter.promise
async def a_refusal_undoes_what_came_before(trial: Trial) -> None:
    """Nothing is written, no stream made, no producer advanced, nothing closed, and the next append goes on."""
    await trial.create("a", JSON, b"[0]")
    await trial.create("closed", JSON, closed=True)
    writer = Producer("p", 0, 0)
    appends = [
        ("a", Append(b"1", producer=writer)),
        ("b", Append(b"2", create=NEW)),
        ("a", Append(b"3", close=True)),
        ("closed", Append(b"4")),
        ("a", Append(b"5")),
    ]
    await all_refused(trial, StreamClosed, 4, "closed", appends)
    await all_refused(trial, StreamNotFound, 2, "b", [("a", Append(b"1")), ("b", Append(b"2"))])
    answer = await trial.append("a", b"1", producer=writer)
    equal(answer.duplicate, False, "whether the producer is known")
    equal(await trial.contents("a"), (b"0", b"1"), "the stream afterwards")


@chapter.promise
async def each_sees_those_before_it(trial: Trial) -> None:
    """A stream that was made or closed before, a producer's numbers; a duplicate is a success."""
    await trial.create("a", JSON)
    first, second = (Append(b"%d" % seq, producer=Producer("p", 0, seq)) for seq in range(2))
    answers = await together(trial, ("a", first), ("a", first), ("a", second))
    if answers is None:
        return
    equal([answer.duplicate for answer in answers], [False, True, False], "which is a duplicate")
    equal(await trial.contents("a"), (b"0", b"1"), "the records")
    again = await together(trial, ("a", first), ("b", Append(b"1", create=NEW)))
    assert again is not None
    equal([answer.duplicate for answer in again], [True, False], "which is a duplicate in the next step")
    gap = Append(b"9", producer=Producer("p", 0, 9))
    await all_refused(trial, ProducerGap, 2, "a", [("b", Append(b"2")), ("a", gap)])
    await all_refused(trial, StreamClosed, 2, "b", [("b", Append(close=True)), ("b", Append(b"3"))])


@chapter.promise
async def watchers_are_told_in_order(trial: Trial) -> None:
    """Of each stream as of single appends: made, grown, closed; of what was refused, nothing."""
    if not isinstance(trial.store, Atomic):
        return
    told: list[Change] = []
    await trial.create("a", JSON)
    trial.store.watch(told.append)
    await refused(
        StreamNotFound,
        trial.store.append_all([("a", Append(b"1")), ("no", Append(b"1"))]),
        "an append to a missing stream",
    )
    equal(told, [], "what was told of a refusal")
    await trial.store.append_all(
        [
            ("a", Append(b"1")),
            ("b", Append(b"2", create=NEW)),
            ("a", Append(b"3", close=True)),
            ("b", Append(b"4")),
        ]
    )
    equal([change.path for change in told if change.created], ["b"], "what was made")
    for path, values, closed in (("a", [b"1", b"3"], True), ("b", [b"2", b"4"], False)):
        mine = [change for change in told if change.path == path and not change.created]
        data = [record.data for change in mine if change.batch for record in change.batch.records]
        equal(data, values, f"the records of {path}")
        equal([change.closed for change in mine][-1], closed, f"the end of {path}")
        equal(mine[-1].tail, await trial.tail(path), f"the tail of {path}")


@chapter.promise
async def a_stream_whose_time_is_over_is_made_anew(trial: Trial) -> None:
    """In one step with others; when that is refused, it is over all the same."""
    if not isinstance(trial.store, Atomic):
        return
    await trial.create("a", JSON, b"[0]", expiry=Expiry(ttl=10))
    await trial.create("b", JSON)
    trial.clock.advance(11)
    await all_refused(trial, StreamNotFound, 2, "no", [("a", Append(b"1", create=NEW)), ("no", Append(b"1"))])
    await refused(StreamNotFound, trial.store.info("a"), "the stream whose time is over")
    await trial.store.append_all([("b", Append(b"1")), ("a", Append(b"2", create=NEW)), ("a", Append(b"3"))])
    equal(await trial.contents("a"), (b"2", b"3"), "the new stream")


@chapter.promise
async def a_fork_whose_time_is_over_lets_its_source_go(trial: Trial) -> None:
    """A source that was only kept for it is gone with it, and its path is free, within the same step."""
    if not isinstance(trial.store, Atomic):
        return
    await trial.create("a", JSON, b"[0]")
    await trial.fork("f", "a", expiry=Expiry(ttl=10), body=b"[1]")
    await trial.create("other", JSON)
    await trial.store.delete("a")
    trial.clock.advance(11)
    again = [("f", Append(b"2", create=NEW)), ("a", Append(b"3", create=NEW)), ("other", Append(b"4"))]
    await all_refused(trial, StreamNotFound, 4, "no", [*again, ("no", Append(b"5"))])
    answers = await trial.store.append_all(again)
    equal([answer.created for answer in answers], [True, True, False], "what was made")
    equal([await trial.contents(path) for path in ("f", "a", "other")], [(b"2",), (b"3",), (b"4",)], "the streams")


@chapter.promise
async def many_producers_fit_in_one_step(trial: Trial) -> None:
    """Each is known afterwards, also in a stream that the step makes."""
    await trial.create("a", JSON)
    names = [f"p{number}" for number in range(50)]
    first = [(path, Append(b"1", producer=Producer(name, 0, 0), create=NEW)) for name in names for path in ("a", "b")]
    if await together(trial, *first) is None:
        return
    for path in ("a", "b"):
        for name in names:
            answer = await trial.append(path, b"1", producer=Producer(name, 0, 0))
            equal(answer.duplicate, True, f"whether {name} is known in {path!r}")
    equal(len(await trial.contents("b")), 50, "the records")


@chapter.promise
async def a_value_is_one_record(trial: Trial) -> None:
    """`is_value`: an array is one record of JSON; a string is a text's own text."""
    await trial.create("a", JSON)
    await trial.create("b", TEXT)
    await trial.append_value("a", b"[1, 2]")
    await trial.append_value("b", b'"\\u00e4\\n"')
    equal(await trial.contents("a"), (b"[1, 2]",), "an array")
    equal(await trial.contents("b"), ("ä\n".encode(),), "a text")
    await refused(HeadwaterError, trial.append_value("b", b"[1]"), "an array in a text")
    await refused(HeadwaterError, trial.append_value("a", b"[1"), "what is no JSON")
    await refused(HeadwaterError, trial.append_value("a", b"1, 2"), "two values")


@chapter.promise
async def an_empty_text_is_no_record(trial: Trial) -> None:
    """A record has a byte at least, or two would have one offset; an empty text may come with the end."""
    await trial.create("a", TEXT)
    await refused(HeadwaterError, trial.append_value("a", b'""'), "an empty text")
    await trial.append_value("a", b'"x"')
    answers = await together(trial, ("a", Append(b'""', close=True, is_value=True)))
    equal(await trial.contents("a"), (b"x",), "the records")
    equal(await trial.tail("a"), (await trial.store.read("a", "-1")).next_offset, "the tail")
    if answers is not None:
        equal([answer.closed for answer in answers], [True], "that it is closed")


@chapter.durable_promise
async def it_is_there_after_a_restart(trial: Trial) -> None:
    """All of it."""
    await trial.create("a", JSON)
    answers = await together(trial, ("a", Append(b"1")), ("b", Append(b"2", create=NEW)), ("a", Append(b"3")))
    if answers is None:
        return
    await trial.restart()
    equal((await trial.contents("a"), await trial.contents("b")), ((b"1", b"3"), (b"2",)), "the streams")
