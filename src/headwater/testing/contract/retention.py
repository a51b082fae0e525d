"""Retention: what a store drops of a stream that goes on (protocol section 4)."""

from __future__ import annotations

from headwater.errors import OffsetGone
from headwater.model import BEGINNING, Retention
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("retention")


async def _append_each(trial: Trial, path: str, *bodies: bytes) -> list[str]:
    return [(await trial.append(path, body)).next_offset for body in bodies]


@chapter.promise
async def a_count_is_kept(trial: Trial) -> None:
    """With a count, a sweep leaves that many records, the newest ones."""
    await trial.create("a", JSON, b"[1, 2]", retention=Retention(count=3))
    await trial.append("a", b"[3, 4, 5]")
    await trial.sweep()
    equal(await trial.contents("a"), (b"3", b"4", b"5"), "records")
    await trial.append("a", b"6")
    await trial.sweep()
    equal(await trial.contents("a"), (b"4", b"5", b"6"), "records after one more")


@chapter.promise
async def a_size_is_kept(trial: Trial) -> None:
    """With a size, a sweep leaves whole records of at most that many bytes, the newest ones."""
    await trial.create("a", retention=Retention(size=10))
    await _append_each(trial, "a", b"aaaa", b"bbbb", b"cccc", b"dd")
    await trial.sweep()
    equal(await trial.contents("a"), (b"bbbb", b"cccc", b"dd"), "records of exactly 10 bytes")
    await trial.append("a", b"e")
    await trial.sweep()
    equal(await trial.contents("a"), (b"cccc", b"dd", b"e"), "records after one more byte")
    equal((await trial.store.info("a")).size, 7, "size")


@chapter.promise
async def an_age_is_kept(trial: Trial) -> None:
    """With an age, a sweep drops the records that are that old."""
    await trial.create("a", retention=Retention(age=60))
    for body in (b"one", b"two", b"three"):
        await trial.append("a", body)
        trial.clock.advance(30)
    await trial.sweep()
    equal(await trial.contents("a"), (b"three",), "records after 90, 60 and 30 seconds")
    trial.clock.advance(30)
    await trial.sweep()
    info = await trial.store.info("a")
    equal((info.size, info.earliest), (0, info.tail), "size and earliest when all are dropped")
    equal(await trial.contents("a"), (), "records when all are dropped")


@chapter.promise
async def a_jump_of_the_clock_drops_nothing(trial: Trial) -> None:
    """When the clock is set forward or back, records are as old as before, and new ones begin with nothing."""
    for name, seconds in (("ahead", 86400.0), ("back", -86400.0)):
        await trial.create(name, retention=Retention(age=60))
        await trial.append(name, b"one")
        trial.clock.advance(30)
        trial.clock.jump(seconds)
        await trial.append(name, b"two")
        await trial.sweep()
        trial.clock.advance(29)
        await trial.append(name, b"three")
        await trial.sweep()
        equal(await trial.contents(name), (b"one", b"two", b"three"), f"records of 59 seconds, set {name}")
        trial.clock.advance(1)
        await trial.sweep()
        equal(await trial.contents(name), (b"two", b"three"), f"records after 60 seconds, set {name}")
        trial.clock.advance(59)
        await trial.sweep()
        equal(await trial.contents(name), (), f"records after 60 seconds more, set {name}")


@chapter.promise
async def the_strictest_limit_counts(trial: Trial) -> None:
    """With several limits each one holds."""
    await trial.create("a", retention=Retention(count=3, size=5, age=1000))
    await _append_each(trial, "a", b"1", b"22", b"3333", b"4")
    await trial.sweep()
    equal(await trial.contents("a"), (b"3333", b"4"), "records")


@chapter.promise
async def dropped_offsets_are_gone(trial: Trial) -> None:
    """An offset before the kept records is gone, with the earliest kept one; -1 starts there."""
    await trial.create("a", retention=Retention(count=2))
    offsets = await _append_each(trial, "a", b"one", b"two", b"three", b"four")
    await trial.sweep()
    info = await trial.store.info("a")
    equal((info.earliest, info.tail, info.size), (offsets[1], offsets[3], 9), "earliest, tail and size")
    error = await refused(OffsetGone, trial.store.read("a", offsets[0]), "a read from a dropped record's offset")
    equal(error.details.get("earliest"), info.earliest, "earliest of the error")
    equal((await trial.store.read("a", BEGINNING)).offset, info.earliest, "where a read from -1 starts")
    for offset, expected in ((offsets[1], (b"three", b"four")), (offsets[2], (b"four",)), (offsets[3], ())):
        equal(await trial.contents("a", offset), expected, f"contents from {offset}")


@chapter.promise
async def new_offsets_still_grow(trial: Trial) -> None:
    """Dropping every record does not move the tail; the next offset is greater."""
    await trial.create("a", retention=Retention(age=1))
    before = (await trial.append("a", b"x")).next_offset
    trial.clock.advance(5)
    await trial.sweep()
    equal(await trial.tail("a"), before, "tail")
    holds((await trial.append("a", b"y")).next_offset > before, "the next offset is not greater")
    equal(await trial.contents("a", before), (b"y",), "contents from the old tail")


@chapter.promise
async def without_limits_all_is_kept(trial: Trial) -> None:
    """A sweep drops nothing of a stream without retention, or within its limits."""
    await trial.create("a")
    await trial.create("b", retention=Retention(count=3, size=9, age=100))
    for path in ("a", "b"):
        await _append_each(trial, path, b"one", b"two", b"six")
    trial.clock.advance(99)
    await trial.sweep()
    for path in ("a", "b"):
        equal(await trial.contents(path), (b"one", b"two", b"six"), f"contents of {path!r}")


@chapter.promise
async def a_fork_keeps_what_its_source_drops(trial: Trial) -> None:
    """Retention of a source leaves the records that a fork inherits; its own start from there."""
    await trial.create("a", retention=Retention(count=1))
    await _append_each(trial, "a", b"one", b"two")
    await trial.fork("f", "a")
    await trial.append("a", b"three")
    for _ in range(2):
        await trial.sweep()
    equal(await trial.contents("a"), (b"three",), "contents of the source")
    equal(await trial.contents("f"), (b"one", b"two"), "contents of the fork")
    await trial.fork("g", "a")
    equal(await trial.contents("g"), (b"three",), "contents of a fork made later")
    await trial.store.delete("a")
    await trial.sweep()
    equal(await trial.contents("f"), (b"one", b"two"), "contents of the fork when its source is deleted")


@chapter.promise
async def a_closed_stream_is_trimmed_too(trial: Trial) -> None:
    """Retention goes on when a stream is closed, and a read still tells the end."""
    await trial.create("a", TEXT, b"one", closed=True, retention=Retention(age=10))
    trial.clock.advance(10)
    await trial.sweep()
    batch = await trial.store.read("a", BEGINNING)
    equal((batch.records, batch.closed), ((), True), "records and closed")
