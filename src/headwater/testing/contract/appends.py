"""Appending records (protocol sections 5.2 and 9)."""

from __future__ import annotations

from headwater.errors import ContentTypeMismatch, InvalidBody, SequenceRegression, StreamNotFound, TooManyRecords
from headwater.model import StreamConfig
from headwater.protocol.ledger import Append
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("appends")


@chapter.promise
async def records_keep_their_order_and_bytes(trial: Trial) -> None:
    """Records are read in the order and with the bytes they were appended with, each on its own."""
    bodies = (b"one", b"\x00\xff\r\n", b" ", b"three", b"3" * 5000)
    await trial.create("a", None)
    for body in bodies:
        await trial.append("a", body)
    equal(await trial.contents("a"), bodies, "records")


@chapter.promise
async def the_answer_carries_the_tail(trial: Trial) -> None:
    """An append's answer carries the new tail, which info and a read know at once."""
    await trial.create("a")
    for body in (b"x", b"yy"):
        answer = await trial.append("a", body)
        info = await trial.store.info("a")
        batch = await trial.store.read("a", "-1")
        equal((info.tail, batch.next_offset), (answer.next_offset,) * 2, "tail in info and in a read")
        equal((answer.closed, answer.duplicate, answer.producer), (False, False, None), "the rest of the answer")
    equal((await trial.store.info("a")).size, 3, "size")


@chapter.promise
async def offsets_grow_as_text(trial: Trial) -> None:
    """Each append's offset is greater than every one before, compared as text."""
    first = (await trial.create("a")).info.tail
    offsets = [first, *[(await trial.append("a", b"x" * size)).next_offset for size in (1, 9, 90, 900, 9000, 1, 1)]]
    holds(offsets == sorted(set(offsets)), f"offsets do not grow: {offsets}")


@chapter.promise
async def an_array_is_flattened_by_one_level(trial: Trial) -> None:
    """A JSON array becomes one record for each element, by one level; any other value is one record."""
    await trial.create("a", JSON)
    for body in (b'{"a": [1]}', b"[1, 2]", b"[[1,2],[3,4]]", b"[[[1,2,3]]]", b'"text"', b"null"):
        await trial.append("a", body)
    expected = (b'{"a": [1]}', b"1", b"2", b"[1,2]", b"[3,4]", b"[[1,2,3]]", b'"text"', b"null")
    equal(await trial.contents("a"), expected, "records")


@chapter.promise
async def a_json_record_is_one_line(trial: Trial) -> None:
    """A JSON record has no line break, and no space around it; inside it keeps its own bytes."""
    await trial.create("a", JSON)
    await trial.append("a", b' {"a":\r\n\t1.50e0} \n')
    await trial.append("a", b'[\n"\xc3\xa9" ,\n  {}\n]\n')
    records = await trial.contents("a")
    equal(records, (b'{"a":  \t1.50e0}', b'"\xc3\xa9"', b"{}"), "records")


@chapter.promise
async def nothing_to_append_to(trial: Trial) -> None:
    """An append to a path without a stream is refused, and creates none."""
    await refused(StreamNotFound, trial.append("a", b"x"), "append")
    await refused(StreamNotFound, trial.store.info("a"), "info afterwards")


@chapter.promise
async def another_content_type_is_refused(trial: Trial) -> None:
    """An append of another content type is refused; parameters, case and an absent type do not matter."""
    await trial.create("a", TEXT)
    async with trial.unchanged("a"):
        await refused(ContentTypeMismatch, trial.append("a", b"1", content_type=JSON), "JSON into text")
    for content_type in (TEXT, "TEXT/PLAIN; charset=utf-8", None):
        await trial.append("a", b"x", content_type=content_type)
    equal(await trial.contents("a"), (b"x",) * 3, "records")


@chapter.promise
async def a_body_that_is_not_json_is_refused(trial: Trial) -> None:
    """A JSON stream takes JSON in UTF-8 only, and no empty array; a refused body changes nothing."""
    await trial.create("a", JSON, b"1")
    async with trial.unchanged("a"):
        for body in (b"[]", b"[1,", b"{", b"nope", b"1 2", b"[1,]", b'"\xff"', b" ", b"[" * 100_000):
            await refused(InvalidBody, trial.append("a", body), f"append of {body[:20]!r}")


@chapter.promise
async def too_many_records_are_refused(trial: Trial) -> None:
    """An array of more values than the caller allows is refused, by append and create, and changes nothing."""
    create = StreamConfig(JSON)
    await trial.store.create("a", create, b"[1,2]", max_records=2)
    async with trial.unchanged("a"):
        await refused(TooManyRecords, trial.store.append("a", Append(b"[3,4,5]", max_records=2)), "append")
    await refused(TooManyRecords, trial.store.create("b", create, b"[1,2,3]", max_records=2), "create")
    await refused(TooManyRecords, trial.store.append("b", Append(b"[1,2,3]", create=create, max_records=2)), "first")
    await refused(StreamNotFound, trial.store.info("b"), "info")
    await trial.store.append("a", Append(b"[[3,3,3],4]", max_records=2))
    equal(await trial.contents("a"), (b"1", b"2", b"[3,3,3]", b"4"), "records")


@chapter.promise
async def stream_seq_must_grow(trial: Trial) -> None:
    """Stream-Seq grows in byte order, over all writers of the stream; an equal or smaller one is refused."""
    await trial.create("a")
    await trial.append("a", b"1", seq="09")
    async with trial.unchanged("a"):
        for seq in ("09", "08", "0", "00010", "-"):
            await refused(SequenceRegression, trial.append("a", b"no", seq=seq), f"Stream-Seq {seq!r} after '09'")
    for seq in ("090", "10", "9", "a", "é"):
        await trial.append("a", b"2", seq=seq)
    equal(len(await trial.contents("a")), 6, "number of records")


@chapter.promise
async def stream_seq_is_the_streams_own(trial: Trial) -> None:
    """Appends without Stream-Seq pass beside it, other streams have their own, a refused one does not count."""
    await trial.create("a", JSON)
    await trial.create("b", JSON)
    await trial.append("a", b"1", seq="5")
    await trial.append("a", b"2")
    await trial.append("b", b"1", seq="1")
    await refused(InvalidBody, trial.append("a", b"{", seq="9"), "a bad body")
    await trial.append("a", b"3", seq="6")
    equal(await trial.contents("a"), (b"1", b"2", b"3"), "records")


@chapter.promise
async def streams_do_not_mix(trial: Trial) -> None:
    """Appends to one stream are not read from another."""
    for path in ("a", "b", "c"):
        await trial.create(path)
    for number in range(9):
        await trial.append("abc"[number % 3], b"%d" % number)
    for path, expected in (("a", b"036"), ("b", b"147"), ("c", b"258")):
        equal(b"".join(await trial.contents(path)), expected, f"contents of {path!r}")
