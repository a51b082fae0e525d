"""Reading from behind: the newest records, and those before a place."""

from __future__ import annotations

import json

from headwater.errors import BadRequest, HeadwaterError, InvalidOffset, OffsetGone, StreamNotFound
from headwater.model import BEGINNING, NOW, Expiry, Last, Page, Retention
from headwater.protocol.batches import MAX_READ_RECORDS
from headwater.protocol.ledger import Append
from headwater.stores.base import DEFAULT_READ_LIMIT, Atomic
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("pages")


async def pages(trial: Trial, path: str, count: int, *, limit: int = DEFAULT_READ_LIMIT) -> list[Page]:
    """All pages of a stream, from the last one back, each before the one behind it."""
    last = Last(count) if (await trial.store.info(path)).content_type == JSON else Last(None, count)
    found = [await trial.store.page(path, last, limit=limit)]
    while found[-1].has_earlier:
        before = found[-1].batch.offset
        page = await trial.store.page(path, Last(last.records, last.size, before), limit=limit)
        equal(page.batch.next_offset, before, "where a page ends")
        holds(page.batch.records, "a page is empty though there is something before it")
        found.append(page)
    return found


def values(found: list[Page]) -> list[object]:
    """Of pages of a JSON stream, from the first page on."""
    return [record.json() for page in reversed(found) for record in page.batch.records]


@chapter.promise
async def the_newest_records_come(trial: Trial) -> None:
    """So many of the newest records, in the order of the log, up to date; fewer, if there are no more."""
    await trial.create("a", JSON, b"[1, 2, 3]")
    for number in (4, 5):
        await trial.append("a", b"%d" % number)
    for count, expected, earlier in ((1, [5], True), (4, [2, 3, 4, 5], True), (5, [1, 2, 3, 4, 5], False)):
        page = await trial.store.page("a", Last(count))
        equal(values([page]), expected, f"the last {count}")
        equal((page.has_earlier, page.batch.up_to_date, page.batch.closed), (earlier, True, False), "the rest")
        equal(page.batch.next_offset, await trial.tail("a"), "where the page ends")
    equal(values([await trial.store.page("a", Last(1000))]), [1, 2, 3, 4, 5], "more than there are")


@chapter.promise
async def a_page_is_what_a_read_gives(trial: Trial) -> None:
    """A read from where a page begins gives the same records, with their offsets and times."""
    await trial.create("a", JSON, json.dumps(list(range(20))).encode())
    page = await trial.store.page("a", Last(7))
    equal(await trial.store.read("a", page.batch.offset), page.batch, "a read from the start of a page")


@chapter.promise
async def an_empty_stream_has_an_empty_page(trial: Trial) -> None:
    """It ends at the tail, also closed, and there is nothing before it. So has the place before the first record."""
    tail = (await trial.create("a", JSON, closed=True)).info.tail
    page = await trial.store.page("a", Last(3))
    equal((page.batch.records, page.batch.offset, page.batch.next_offset), ((), tail, tail), "the page")
    equal((page.has_earlier, page.batch.up_to_date, page.batch.closed), (False, True, True), "the rest")
    await trial.create("b", JSON, b"[1, 2]", closed=True)
    page = await trial.store.page("b", Last(3, before=BEGINNING))
    equal((tuple(page.batch.records), page.has_earlier), ((), False), "the page before the start")
    equal((page.batch.up_to_date, page.batch.closed), (False, False), "a page that is not at the tail")


@chapter.promise
async def scrolling_back_meets_every_record_once(trial: Trial) -> None:
    """Page by page to the start, whatever their size, while records come."""
    await trial.create("a", JSON, json.dumps(list(range(100))).encode())
    for count in (1, 7, 100, 1000):
        equal(values(await pages(trial, "a", count)), list(range(100)), f"pages of {count}")
    page = await trial.store.page("a", Last(10))
    await trial.append("a", b"[100, 101]")
    before = await trial.store.page("a", Last(10, before=page.batch.offset))
    equal(values([before, page]), [*range(90, 100), *range(80, 90)], "two pages with an append between")
    holds(not before.batch.up_to_date, "a page that is not at the tail is up to date")


@chapter.promise
async def a_page_keeps_its_newest_records(trial: Trial) -> None:
    """Over the limit the oldest are left out, and it says where it begins; one record comes in any case."""
    bodies = [b'"%s"' % (b"x" * size) for size in (8, 8, 8, 98)]
    await trial.create("a", JSON, b"[" + b",".join(bodies) + b"]")
    for limit, expected in ((1, 1), (100, 1), (110, 2), (119, 2), (120, 3), (130, 4)):
        page = await trial.store.page("a", Last(4), limit=limit)
        equal([record.data for record in page.batch.records], bodies[-expected:], f"a page of {limit} bytes")
        equal(page.has_earlier, expected < 4, "whether there is more")
    equal(len(await pages(trial, "a", 4, limit=1)), 4, "pages of one record")


@chapter.promise
async def bytes_are_counted_as_bytes(trial: Trial) -> None:
    """The newest bytes of a stream that is not JSON; a record may be cut."""
    await trial.create("a", None, b"0123")
    await trial.append("a", b"456789")
    for size, expected in ((1, b"9"), (6, b"456789"), (8, b"23456789"), (10, b"0123456789"), (99, b"0123456789")):
        page = await trial.store.page("a", Last(None, size))
        equal(b"".join(record.data for record in page.batch.records), expected, f"the last {size} bytes")
        equal(page.has_earlier, len(expected) < 10, "whether there is more")
    page = await trial.store.page("a", Last(None, 99), limit=3)
    equal(b"".join(record.data for record in page.batch.records), b"789", "the last bytes within the limit")


@chapter.promise
async def a_page_of_bytes_has_so_many_records_at_most(trial: Trial) -> None:
    """The newest of them, however few bytes they are; scrolling back meets the others. Where it can write many."""
    if not isinstance(trial.store, Atomic):
        return
    await trial.create("a", None)
    for _ in range(5):
        await trial.store.append_all([("a", Append(b"x"))] * 1000)
    await trial.append("a", b"yz")
    page = await trial.store.page("a", Last(None, 100_000))
    equal(len(page.batch.records), MAX_READ_RECORDS, "the records of a page")
    equal((page.has_earlier, page.batch.up_to_date, page.batch.records[-1].data), (True, True, b"yz"), "the page")
    before = await trial.store.page("a", Last(None, 100_000, page.batch.offset))
    equal((len(before.batch.records), before.has_earlier), (5001 - MAX_READ_RECORDS, False), "the page before it")
    few = await trial.store.page("a", Last(None, MAX_READ_RECORDS))
    equal(b"".join(record.data for record in few.batch.records), b"x" * (MAX_READ_RECORDS - 2) + b"yz", "a short one")


@chapter.promise
async def a_text_begins_with_a_character(trial: Trial) -> None:
    """What is left of a character that begins before the page is before it; the pages are the text."""
    text = "aé€😀z" * 3
    await trial.create("a", TEXT, text.encode())
    for size in range(4, 40):
        found = await pages(trial, "a", size)
        parts = [b"".join(record.data for record in page.batch.records) for page in reversed(found)]
        equal("".join(part.decode() for part in parts), text, f"pages of {size} bytes")
        holds(all(size - 3 <= len(part) <= size for part in parts[1:]), f"a page of {size} bytes has another size")
    page = await trial.store.page("a", Last(None, 2, before=(await trial.store.page("a", Last(None, 1))).batch.offset))
    equal((tuple(page.batch.records), page.has_earlier), ((), True), "half of a character")


@chapter.promise
async def what_is_no_text_is_left_as_it_is(trial: Trial) -> None:
    """Bytes of a text stream that are no UTF-8 are not waited for without end."""
    await trial.create("a", TEXT, b"\x80" * 20)
    page = await trial.store.page("a", Last(None, 10))
    equal(b"".join(record.data for record in page.batch.records), b"\x80" * 10, "the last bytes")


@chapter.promise
async def each_kind_is_counted_in_its_way(trial: Trial) -> None:
    """Records of JSON, bytes of everything else; the other one is refused."""
    await trial.create("a", JSON, b"[1]")
    await trial.create("b", TEXT, b"x")
    await refused(BadRequest, trial.store.page("a", Last(None, 1)), "bytes of JSON")
    await refused(BadRequest, trial.store.page("b", Last(1)), "records of text")


@chapter.promise
async def a_place_is_refused_as_an_offset_is(trial: Trial) -> None:
    """Of no stream, of another one, of a former one, inside a value, and behind the tail."""
    await refused(StreamNotFound, trial.store.page("a", Last(1)), "a page of nothing")
    await trial.create("a", JSON, b"[1]")
    old = await trial.tail("a")
    await trial.store.delete("a")
    await trial.create("b", JSON, b"[1]")
    await trial.create("a", JSON, b"[100, 200]")
    for place in ("x", "", old, await trial.tail("b")):
        await refused(HeadwaterError, trial.store.page("a", Last(1, before=place)), f"a page before {place!r}")
    tail = await trial.tail("a")
    inside = f"{tail[:17]}{1:016}"
    await refused(InvalidOffset, trial.store.page("a", Last(1, before=inside)), "a page before the inside of a value")
    behind = f"{tail[:17]}{99:016}"
    await refused(InvalidOffset, trial.store.page("a", Last(1, before=behind)), "a page before what is to come")


@chapter.promise
async def pages_go_through_forks(trial: Trial) -> None:
    """A fork's pages go on into its source, up to where it left, and into that one's."""
    await trial.create("f0", JSON, b"[0, 1, 2]")
    for depth in range(1, 5):
        at = (await trial.store.page(f"f{depth - 1}", Last(1))).batch.offset  # without the last record
        await trial.fork(f"f{depth}", f"f{depth - 1}", at)
        await trial.append(f"f{depth}", b"[%d, %d]" % (10 * depth, 10 * depth + 1))
        await trial.append(f"f{depth - 1}", b"999")
    for count in (1, 2, 5, 1000):
        equal(values(await pages(trial, "f4", count)), [0, 1, 10, 20, 30, 40, 41], f"pages of {count} of a fork")
    page = await trial.store.page("f4", Last(3))
    before = await trial.store.page("f4", Last(3, before=page.batch.offset))
    equal(values([page, before]), [1, 10, 20, 30, 40, 41], "two pages of a fork")


@chapter.promise
async def retention_ends_the_pages(trial: Trial) -> None:
    """What is no longer kept is not before a page, and a place before it is gone."""
    await trial.create("a", JSON, retention=Retention(count=4))
    offsets = [(await trial.append("a", b"%d" % number)).next_offset for number in range(10)]
    await trial.sweep()
    found = await pages(trial, "a", 3)
    equal(values(found), [6, 7, 8, 9], "what is kept")
    await refused(OffsetGone, trial.store.page("a", Last(3, before=offsets[2])), "a page before what is kept")


@chapter.durable_promise
async def pages_are_the_same_after_a_restart(trial: Trial) -> None:
    """Of what was just written, of what was written before, and over the edge between both."""
    await trial.create("a", JSON, json.dumps(list(range(50))).encode())
    await trial.restart()
    await trial.append("a", json.dumps(list(range(50, 60))).encode())
    for _ in range(2):
        for count in (5, 10, 15, 1000):
            equal(values(await pages(trial, "a", count)), list(range(60)), f"pages of {count}")
        await trial.restart()


@chapter.promise
async def a_page_of_now_is_use(trial: Trial) -> None:
    """A page counts as use for the TTL, as a read does."""
    await trial.create("a", JSON, b"[1]", expiry=Expiry(ttl=10))
    for _ in range(3):
        trial.clock.advance(8)
        await trial.store.page("a", Last(1, before=NOW))
    equal((await trial.store.info("a")).path, "a", "a stream whose pages are read")
