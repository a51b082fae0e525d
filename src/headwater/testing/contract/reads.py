"""Reading records (protocol sections 5.6 and 8)."""

from __future__ import annotations

import json

from headwater.errors import Gone, HeadwaterError, InvalidOffset, StreamNotFound
from headwater.model import BEGINNING, NOW, Batch
from headwater.protocol.batches import MAX_READ_RECORDS
from headwater.protocol.framing import MSGPACK
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("reads")


@chapter.promise
async def an_empty_stream_is_up_to_date(trial: Trial) -> None:
    """A read of an empty stream gives no records, the tail, and up_to_date, from -1, now and the tail."""
    tail = (await trial.create("a")).info.tail
    for offset in (BEGINNING, NOW, tail):
        batch = await trial.store.read("a", offset)
        equal((batch.records, batch.offset, batch.next_offset), ((), tail, tail), f"a read from {offset}")
        equal((batch.up_to_date, batch.closed, batch.content_type), (True, False, TEXT), "the rest of the batch")


@chapter.promise
async def a_read_starts_where_it_is_told(trial: Trial) -> None:
    """A read from an append's offset gives what came after it; from now, nothing; from -1, everything."""
    await trial.create("a")
    bodies = [b"one", b"two", b"three"]
    offsets = [BEGINNING, *[(await trial.append("a", body)).next_offset for body in bodies]]
    for index, offset in enumerate(offsets):
        equal(await trial.contents("a", offset), tuple(bodies[index:]), f"contents from {offset}")
    batch = await trial.store.read("a", NOW)
    equal((batch.records, batch.next_offset, batch.up_to_date), ((), offsets[-1], True), "a read from now")


@chapter.promise
async def an_extent_is_what_a_read_would_give(trial: Trial) -> None:
    """From every offset: where the records begin and end, and how; a read of all of them says the same."""
    await trial.create("a")
    bodies = (b"one", b"two", b"three")
    offsets = [BEGINNING, NOW, *[(await trial.append("a", body)).next_offset for body in bodies]]
    for close in (False, True):
        if close:
            await trial.append("a", b"", close=True)
        for offset in offsets:
            extent, batch = await trial.store.extent("a", offset), await trial.store.read("a", offset)
            equal((extent.offset, extent.next_offset), (batch.offset, batch.next_offset), f"the extent from {offset}")
            equal((extent.closed, extent.content_type), (close, TEXT), "the rest of the extent")


@chapter.promise
async def an_extent_is_refused_as_a_read_is(trial: Trial) -> None:
    """Of what is not there, and from an offset that the stream never gave out or that is of a former stream."""
    await refused(StreamNotFound, trial.store.extent("a", BEGINNING), "an extent of nothing")
    await trial.create("a")
    old = (await trial.append("a", b"one")).next_offset
    await refused(InvalidOffset, trial.store.extent("a", "x"), "an extent from no offset")
    await trial.store.delete("a")
    await refused(StreamNotFound, trial.store.extent("a", old), "an extent of a deleted stream")
    await trial.create("a")
    await refused(Gone, trial.store.extent("a", old), "an extent from an offset of the former stream")


@chapter.promise
async def records_carry_the_offset_after_them(trial: Trial) -> None:
    """A record's offset is the one its append returned."""
    await trial.create("a")
    offsets = [(await trial.append("a", body)).next_offset for body in (b"one", b"two", b"three")]
    batch = await trial.store.read("a", BEGINNING)
    equal([record.offset for record in batch.records], offsets, "offsets of the records")


@chapter.promise
async def a_reader_can_go_on(trial: Trial) -> None:
    """A reader that goes on from next_offset gets what was appended meanwhile, once."""
    await trial.create("a")
    offset = (await trial.store.read("a", BEGINNING)).next_offset
    for body in (b"one", b"two"):
        await trial.append("a", body)
        batch = await trial.store.read("a", offset)
        equal([record.data for record in batch.records], [body], "the new records")
        offset = batch.next_offset


@chapter.promise
async def any_limit_gives_the_same_bytes(trial: Trial) -> None:
    """Whatever the limit, the pieces joined are the log; no piece is larger, and records are cut if need be."""
    await trial.create("a")
    for body in (b"0123456789", b"a", b"bcdefgh", b"XYZ" * 20):
        await trial.append("a", body)
    whole = b"".join(await trial.contents("a"))
    for limit in (1, 2, 3, 7, 10, 11, len(whole) - 1, len(whole), len(whole) + 1):
        batches = await trial.pieces("a", limit=limit)
        parts = [b"".join(record.data for record in batch.records) for batch in batches]
        equal(b"".join(parts), whole, f"the pieces of at most {limit} bytes, joined")
        holds(max(map(len, parts)) <= limit, f"a read limited to {limit} bytes returned more")


@chapter.promise
async def records_stay_whole_where_asked(trial: Trial) -> None:
    """A record up to `whole` bytes is not cut: it ends the read before it, or comes alone; a larger one is cut."""
    await trial.create("a")
    bodies = (b"12", b"0123456789", b"34", b"x" * 25)
    for body in bodies:
        await trial.append("a", body)
    read: list[Batch] = []
    offset = BEGINNING
    while not read or not read[-1].up_to_date:
        read.append(await trial.store.read("a", offset, limit=4, whole=10))
        offset = read[-1].next_offset
    parts = [[record.data for record in batch.records] for batch in read]
    equal(parts, [[b"12"], [b"0123456789"], [b"34"], [b"x" * 10], [b"x" * 10], [b"x" * 5]], "the batches")


@chapter.promise
async def every_offset_given_out_can_be_read_from(trial: Trial) -> None:
    """An offset inside a cut record is an offset like any other, for every read and for good."""
    await trial.create("a")
    for body in (b"hello", b"you", b"all"):
        await trial.append("a", body)
    offsets = [batch.next_offset for batch in await trial.pieces("a", limit=1)]
    equal(len(set(offsets)), 11, "number of places in 11 bytes")
    await trial.append("a", b"!", close=True)
    for index, offset in enumerate(offsets):
        expected = b"helloyouall!"[index + 1 :]
        equal(b"".join(await trial.contents("a", offset)), expected, f"contents from {offset}")


@chapter.promise
async def json_values_are_never_cut(trial: Trial) -> None:
    """A read of a JSON stream ends between values; a value larger than the limit comes alone."""
    values = [1, "two", {"three": [3] * 30}, None, "x" * 200, [5]]
    await trial.create("a", JSON, json.dumps(values).encode())
    for limit in (1, 5, 20, 100, 10_000):
        batches = await trial.pieces("a", limit=limit)
        equal([record.json() for batch in batches for record in batch.records], values, f"values at limit {limit}")
        for batch in batches:
            size = sum(len(record.data) for record in batch.records)
            holds(size <= limit or len(batch.records) == 1, f"{size} bytes in several values at limit {limit}")


@chapter.promise
async def every_value_can_be_gone_on_from(trial: Trial) -> None:
    """Each value of a batch has its own offset, from which a read gives the rest."""
    await trial.create("a", JSON, b"[10, 20, 30]")
    batch = await trial.store.read("a", BEGINNING)
    for index, record in enumerate(batch.records):
        equal(await trial.contents("a", record.offset), (b"10", b"20", b"30")[index + 1 :], "the rest")


@chapter.promise
async def a_large_log_is_read_in_pieces(trial: Trial) -> None:
    """A log larger than the usual limit comes in several reads, a record larger than it as well."""
    body = bytes(range(256)) * 4096
    await trial.create("a", None)
    for _ in range(2):
        await trial.append("a", body + b"end")
    batches = await trial.pieces("a")
    holds(len(batches) > 1, "two MiB came in one read")
    joined = b"".join(record.data for batch in batches for record in batch.records)
    holds(joined == (body + b"end") * 2, "the pieces joined are not what was appended")


@chapter.promise
async def many_records_are_read_in_order(trial: Trial) -> None:
    """A thousand records come in order, each once, whatever the limit."""
    values = list(range(1000))
    await trial.create("a", JSON, json.dumps(values[:600]).encode())
    await trial.append("a", json.dumps(values[600:]).encode())
    for limit in (100, 1024, 1_000_000):
        equal([int(data) for data in await trial.contents("a", limit=limit)], values, f"records at limit {limit}")


@chapter.promise
async def there_is_nothing_to_read(trial: Trial) -> None:
    """A read or info of a path without a stream is refused, whatever the offset."""
    for offset in (BEGINNING, NOW, "nonsense"):
        await refused(StreamNotFound, trial.store.read("a", offset), f"a read from {offset}")
    await refused(StreamNotFound, trial.store.info("a"), "info")


@chapter.promise
async def garbage_is_no_offset(trial: Trial) -> None:
    """An offset of another form is refused as invalid."""
    await trial.create("a", TEXT, b"x")
    for offset in ("", "0", "-2", "NOW", "nonsense", "-1 ", "1_1", "²", "\x00", "9" * 300, "'; DROP TABLE streams"):
        await refused(InvalidOffset, trial.store.read("a", offset), f"a read from {offset!r}")


@chapter.promise
async def an_offset_of_another_stream_is_refused(trial: Trial) -> None:
    """An offset that another stream gave out is refused, not read as if it were this one's."""
    await trial.create("a", TEXT, b"some bytes")
    await trial.create("b", TEXT, b"some other bytes")
    for path, other in (("a", "b"), ("b", "a")):
        offset = (await trial.pieces(other, limit=3))[0].next_offset
        error = await refused(HeadwaterError, trial.store.read(path, offset), f"a read of {path!r} at {offset}")
        holds(isinstance(error, InvalidOffset | Gone), f"{error!r} is neither InvalidOffset nor OffsetGone")


@chapter.promise
async def reading_changes_nothing(trial: Trial) -> None:
    """The same read gives the same batch again, and info is as before."""
    await trial.create("a", TEXT, b"x" * 100)
    async with trial.unchanged("a"):
        first = await trial.store.read("a", BEGINNING, limit=40)
        equal(await trial.store.read("a", BEGINNING, limit=40), first, "the same read again")


@chapter.promise
async def a_read_has_so_many_records_at_most(trial: Trial) -> None:
    """However few bytes they are; the next read goes on behind them. So it is of records of any kind."""
    count, most = 2 * MAX_READ_RECORDS + 1, [MAX_READ_RECORDS, MAX_READ_RECORDS, 1]
    await trial.create("a", JSON, b"[" + b",".join([b"7"] * count) + b"]")
    await trial.create("b", MSGPACK[0], b"\x07" * count)
    for path in ("a", "b"):
        equal([len(batch.records) for batch in await trial.pieces(path)], most, f"the records of reads of {path!r}")
        untimed = await trial.store.read(path, BEGINNING, times=False)
        equal(len(untimed.records), MAX_READ_RECORDS, "the same without times")
