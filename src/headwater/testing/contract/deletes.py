"""Deleting streams (protocol section 5.4)."""

from __future__ import annotations

from headwater.errors import OffsetGone, StreamNotFound
from headwater.model import Producer
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("deletes")


@chapter.promise
async def a_deleted_stream_is_not_found(trial: Trial) -> None:
    """After a delete every use of the path is refused, and no other stream is touched."""
    await trial.create("a", TEXT, b"x")
    await trial.create("b", TEXT, b"y")
    async with trial.unchanged("b"):
        await trial.store.delete("a")
        await refused(StreamNotFound, trial.store.info("a"), "info")
        await refused(StreamNotFound, trial.store.read("a", "-1"), "read")
        await refused(StreamNotFound, trial.append("a", b"x"), "append")
        await refused(StreamNotFound, trial.append("a", close=True), "close")
        await refused(StreamNotFound, trial.store.delete("a"), "delete")
    equal([info.path for info in await trial.store.list()], ["b"], "the list")


@chapter.promise
async def there_is_nothing_to_delete(trial: Trial) -> None:
    """A delete of a path without a stream is refused."""
    await refused(StreamNotFound, trial.store.delete("a"), "delete")


@chapter.promise
async def a_closed_stream_can_be_deleted(trial: Trial) -> None:
    """A delete does not ask whether the stream is closed."""
    await trial.create("a", TEXT, b"x", closed=True)
    await trial.store.delete("a")
    holds((await trial.create("a", TEXT)).created, "the path is not free")


@chapter.promise
async def a_new_stream_at_the_path_is_new(trial: Trial) -> None:
    """A stream created where another was has nothing of it: type, records, closure, producers or Stream-Seq."""
    producer = Producer("p", 5, 0)
    await trial.create("a", TEXT)
    await trial.append("a", b"old", producer=producer, seq="9", close=True)
    await trial.store.delete("a")
    created = await trial.create("a", JSON)
    equal((created.created, created.info.content_type, created.info.closed), (True, JSON, False), "the new stream")
    equal(await trial.contents("a"), (), "contents")
    answer = await trial.append("a", b"1", producer=Producer("p", 0, 0), seq="0")
    holds(not answer.duplicate, "the old stream's producer is still known")


@chapter.promise
async def offsets_are_never_used_again(trial: Trial) -> None:
    """The new stream's offsets are greater than all of the old one's, and those are gone, however often."""
    old: list[str] = []
    for _ in range(3):
        new = [(await trial.create("a")).info.tail]
        new += [(await trial.append("a", body)).next_offset for body in (b"one", b"two")]
        holds(not old or max(old) < min(new), f"offsets {new} after {old}")
        for offset in old:
            await refused(OffsetGone, trial.store.read("a", offset), f"a read from {offset} of the old stream")
        old += new
        await trial.store.delete("a")
