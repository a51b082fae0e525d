"""Records that stay whole and apart, as JSON values do: of MessagePack and of Protobuf."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headwater.errors import (
    BadRequest,
    ContentTypeMismatch,
    InvalidBody,
    SchemaMismatch,
    StreamExists,
    StreamNotFound,
    TooManyRecords,
)
from headwater.model import BEGINNING, Last, Producer, StreamConfig
from headwater.protocol.delimited import delimited
from headwater.protocol.ledger import Append
from headwater.stores.base import Atomic
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import Trial

chapter = Chapter("kept")

#: Of each type: records of several sizes, and a body whose second record is none.
KINDS: Final = {
    "application/msgpack": ((b"\x01", b"\x93\x01\x02\x03", b"\xc4\x10" + b"\0" * 16, b"\xc0"), b"\x01\xc1"),
    "application/x-protobuf; encoding=delimited": (
        (b"\x00", delimited((b"abc",)), delimited((b"x" * 200,)), b"\x01\x7f"),
        b"\x01a\xff\xff\xff\xff\xff",
    ),
}


def kinds() -> Iterator[tuple[str, str, tuple[bytes, ...], bytes]]:
    """A path, a content type, its records, and what is none."""
    for number, (kind, (records, broken)) in enumerate(KINDS.items()):
        yield f"s{number}", kind, records, broken


@chapter.promise
async def a_body_is_as_many_records_as_it_has(trial: Trial) -> None:
    """Each with its own offset and its own bytes; also the body of a create."""
    for path, kind, records, _ in kinds():
        await trial.create(path, kind, b"".join(records[:2]))
        await trial.append(path, b"".join(records[2:]))
        equal(await trial.contents(path), records, f"records of {kind}")


@chapter.promise
async def a_record_is_never_cut(trial: Trial) -> None:
    """By no read, however small: a larger one comes alone."""
    for path, kind, records, _ in kinds():
        await trial.create(path, kind, b"".join(records))
        for limit in (1, 3, 20, 1000):
            equal(await trial.contents(path, limit=limit), records, f"records of {kind}, read by {limit}")
        batch = await trial.store.read(path, BEGINNING)
        for number, record in enumerate(batch.records):
            left = await trial.contents(path, record.offset)
            equal(left, records[number + 1 :], f"what is behind record {number}")


@chapter.promise
async def a_message_without_a_length_is_a_body(trial: Trial) -> None:
    """Whole, and never cut; counted like the others."""
    await trial.create("a", "application/x-protobuf", b"\x01a\x01b")
    await trial.append("a", b"\x00")
    for limit in (1, 2, 100):
        equal(await trial.contents("a", limit=limit), (b"\x01a\x01b", b"\x00"), f"messages, read by {limit}")
    page = await trial.store.page("a", Last(1))
    equal(tuple(record.data for record in page.batch.records), (b"\x00",), "the last one")


@chapter.promise
async def pages_count_records(trial: Trial) -> None:
    """Not bytes."""
    for path, kind, records, _ in kinds():
        await trial.create(path, kind, b"".join(records))
        page = await trial.store.page(path, Last(2))
        equal(tuple(record.data for record in page.batch.records), records[-2:], f"the last two of {kind}")
        before = await trial.store.page(path, Last(5, before=page.batch.offset))
        equal(tuple(record.data for record in before.batch.records), records[:-2], f"those before, of {kind}")
        await refused(BadRequest, trial.store.page(path, Last(size=3)), "bytes of a stream of records")


@chapter.promise
async def forks_count_records(trial: Trial) -> None:
    """A sub-offset is so many of them; a fork takes bodies apart as its source does."""
    for path, kind, records, _ in kinds():
        await trial.create(path, kind, b"".join(records))
        await trial.fork(f"f/{path}", path, BEGINNING, 3, body=records[0] * 2)
        equal(await trial.contents(f"f/{path}"), (*records[:3], records[0], records[0]), f"a fork of {kind}")
        await refused(BadRequest, trial.fork(f"g/{path}", path, BEGINNING, 5), "more records than there are")


@chapter.promise
async def nothing_of_a_broken_body_is_kept(trial: Trial) -> None:
    """The place is told, the producer stays where it was, and a stream that the append would make is not made."""
    for path, kind, records, broken in kinds():
        await trial.create(path, kind, records[0])
        producer = Producer("p", 0, 0)
        async with trial.unchanged(path):
            error = await refused(InvalidBody, trial.append(path, broken, producer=producer), f"no {kind}")
            holds("position" in error.details, "the error has no position")
            many = trial.store.append(path, Append(records[0] * 5, max_records=4))
            await refused(TooManyRecords, many, "more records than allowed")
        answer = await trial.append(path, records[1], producer=producer)
        equal(answer.duplicate, False, "whether the same number is known")
        await refused(InvalidBody, trial.create(f"n/{path}", kind, broken), f"a create with no {kind}")
        equal([info.path for info in await trial.store.list(prefix="n/")], [], "streams made by a refused create")


@chapter.promise
async def what_takes_a_body_apart_may_be_given(trial: Trial) -> None:
    """It is called for every body, behind what comes before the body is looked at; what it raises is told."""

    def split(
        content_type: str, body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None
    ) -> tuple[bytes, ...]:
        if b"no" in body:
            raise SchemaMismatch("no", pointer="#")
        return tuple(body.split(b","))

    config = StreamConfig("text/plain")
    await trial.store.create("a", config, b"1,2", split=split)
    equal(await trial.contents("a"), (b"1", b"2"), "records of a create")
    await refused(SchemaMismatch, trial.store.create("b", config, b"no", split=split), "a create")
    await refused(StreamNotFound, trial.store.info("b"), "the stream of a refused create")
    await refused(StreamExists, trial.store.create("a", StreamConfig("text/html"), b"no", split=split), "another type")
    equal((await trial.store.create("a", config, b"no", split=split)).created, False, "whether it was made again")
    producer = Producer("p", 0, 0)
    async with trial.unchanged("a"):
        await refused(
            SchemaMismatch, trial.store.append("a", Append(b"no", producer=producer).split_by(split)), "an append"
        )
    equal(
        (await trial.store.append("a", Append(b"3", producer=producer).split_by(split))).duplicate, False, "its number"
    )
    equal((await trial.store.append("a", Append(b"no", producer=producer).split_by(split))).duplicate, True, "a retry")
    await refused(
        ContentTypeMismatch, trial.store.append("a", Append(b"no", "text/html").split_by(split)), "another type"
    )
    if isinstance(trial.store, Atomic):
        both = [("a", Append(b"4")), ("a", Append(b"no").split_by(split))]
        error = await refused(SchemaMismatch, trial.store.append_all(both), "several appends")
        equal(error.details, {"pointer": "#", "line": 2, "stream": "a"}, "what is told")
    equal(await trial.contents("a"), (b"1", b"2", b"3"), "the records")


@chapter.promise
async def a_type_has_several_names(trial: Trial) -> None:
    """An append and a create may use another one; the stream keeps the name it was made with."""
    await trial.create("m", "application/msgpack")
    await trial.append("m", b"\x01\x02", content_type="application/x-msgpack")
    again = await trial.create("m", "application/vnd.msgpack")
    equal((again.created, again.info.content_type), (False, "application/msgpack"), "the stream")
    await trial.create("p", "application/protobuf; encoding=delimited")
    await trial.append("p", b"\x00\x00", content_type="application/x-protobuf; encoding=delimited")
    bare = trial.append("p", b"\x00", content_type="application/x-protobuf")
    await refused(ContentTypeMismatch, bare, "messages without lengths where they have them")
    equal((len(await trial.contents("m")), len(await trial.contents("p"))), (2, 2), "records")


@chapter.durable_promise
async def they_are_apart_after_a_restart(trial: Trial) -> None:
    """With the same offsets."""
    offsets = {}
    for path, kind, records, _ in kinds():
        await trial.create(path, kind, b"".join(records))
        offsets[path] = [record.offset for record in (await trial.store.read(path, BEGINNING)).records]
    await trial.restart()
    for path, kind, records, _ in kinds():
        equal(await trial.contents(path, limit=2), records, f"records of {kind}")
        found = [record.offset for record in (await trial.store.read(path, BEGINNING)).records]
        equal(found, offsets[path], f"offsets of {kind}")
