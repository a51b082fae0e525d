"""Forks in time: shared offsets, sources that go first, forks of forks (protocol sections 4.2 and 8)."""

from __future__ import annotations

from headwater.errors import SourceGone, StreamExists, StreamGone, StreamNotFound
from headwater.model import BEGINNING, Retention
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import TEXT, Trial

chapter = Chapter("lineage")


@chapter.promise
async def the_sources_offsets_hold_in_the_fork(trial: Trial) -> None:
    """Every offset the source gave out up to the fork point means the same place in the fork."""
    await trial.create("a")
    for body in (b"hello", b"you"):
        await trial.append("a", body)
    offsets = [batch.next_offset for batch in await trial.pieces("a", limit=1)]
    await trial.fork("f", "a")
    await trial.append("f", b"!")
    for index, offset in enumerate(offsets):
        expected = b"helloyou!"[index + 1 :]
        equal(b"".join(await trial.contents("f", offset)), expected, f"contents of the fork from {offset}")


@chapter.promise
async def a_reader_goes_on_in_the_fork(trial: Trial) -> None:
    """The offset a fork was made at can be read from in the fork, also when nothing lies before it."""
    source, offset = "a", (await trial.create("a")).info.tail
    for level in range(4):
        path = f"f{level}"
        await trial.fork(path, source, offset)
        batch = await trial.store.read(path, offset)
        equal((batch.records, batch.up_to_date), ((), True), f"a read of fork {level} from its fork offset")
        source, offset = path, batch.next_offset
    await trial.append(source, b"x")
    equal(await trial.contents(source, offset), (b"x",), "contents of the last fork from its fork offset")


@chapter.promise
async def a_forks_offsets_grow(trial: Trial) -> None:
    """A fork's offsets grow as text over the fork point, and none of its own is one of its source's."""
    await trial.create("a", TEXT, b"one")
    await trial.fork("f", "a")
    own = (await trial.append("f", b"two")).next_offset
    theirs = (await trial.append("a", b"too")).next_offset
    offsets = [batch.next_offset for batch in await trial.pieces("f", limit=1)]
    holds(offsets == sorted(set(offsets)), f"the fork's offsets do not grow: {offsets}")
    holds(own != theirs, f"two places have the offset {own}")


@chapter.promise
async def forks_of_forks_read_through(trial: Trial) -> None:
    """A fork of a fork reads the records of both, cut where each left, and pieces of any size join."""
    await trial.create("a", TEXT, b"aaaa")
    await trial.fork("b", "a", BEGINNING, 3)
    await trial.append("b", b"bbbb")
    await trial.fork("c", "b", (await trial.pieces("b", limit=5))[0].next_offset)
    await trial.append("c", b"cccc")
    await trial.fork("d", "c", BEGINNING, 2)
    await trial.append("d", b"dddd")
    for path, expected in (("b", b"aaabbbb"), ("c", b"aaabbcccc"), ("d", b"aadddd")):
        for limit in (1, 2, 3, 100):
            equal(b"".join(await trial.contents(path, limit=limit)), expected, f"{path!r} read by {limit}")


@chapter.promise
async def a_deleted_source_is_gone_but_read(trial: Trial) -> None:
    """A source deleted before its fork is gone for everybody, its path held; the fork reads on."""
    await trial.create("a", TEXT, b"one")
    await trial.fork("f", "a")
    await trial.store.delete("a")
    await refused(StreamGone, trial.store.info("a"), "info")
    await refused(StreamGone, trial.store.read("a", BEGINNING), "read")
    await refused(StreamGone, trial.append("a", b"x"), "append")
    await refused(StreamGone, trial.store.delete("a"), "a second delete")
    await refused(StreamExists, trial.create("a", TEXT), "a create at the path")
    await refused(SourceGone, trial.fork("g", "a"), "a fork")
    equal([info.path for info in await trial.store.list()], ["f"], "the list")
    await trial.append("f", b"two")
    equal(await trial.contents("f"), (b"one", b"two"), "contents of the fork")


@chapter.promise
async def the_last_fork_frees_its_sources_path(trial: Trial) -> None:
    """When the last fork is deleted, the path of its deleted source is free."""
    await trial.create("a", TEXT, b"one")
    await trial.fork("f", "a")
    await trial.fork("g", "a")
    await trial.store.delete("a")
    await trial.store.delete("f")
    await refused(StreamGone, trial.store.info("a"), "info of the source with one fork left")
    equal(await trial.contents("g"), (b"one",), "contents of the fork left")
    await trial.store.delete("g")
    await refused(StreamNotFound, trial.store.info("a"), "info of the source without forks")
    holds((await trial.create("a", TEXT)).created, "the source's path is not free")
    equal(await trial.contents("a"), (), "contents of the new stream")


@chapter.promise
async def a_chain_of_deleted_sources_goes_at_once(trial: Trial) -> None:
    """Deleting the last of a chain frees all its deleted sources; one that was not deleted stays."""
    await trial.create("root", TEXT, b"0")
    for path, source in (("a", "root"), ("b", "a"), ("c", "b")):
        await trial.fork(path, source)
        await trial.append(path, path.encode())
    await trial.store.delete("a")
    await trial.store.delete("b")
    equal(b"".join(await trial.contents("c")), b"0abc", "contents of the last fork")
    await trial.store.delete("c")
    for path in ("a", "b", "c"):
        holds((await trial.create(path, TEXT)).created, f"the path {path!r} is not free")
    equal(await trial.contents("root"), (b"0",), "contents of the source that was not deleted")


@chapter.promise
async def a_source_outlives_its_forks(trial: Trial) -> None:
    """A fork's delete leaves its source as it was; the source's delete is then a plain one."""
    await trial.create("a", TEXT, b"one")
    await trial.fork("f", "a")
    async with trial.unchanged("a"):
        await trial.store.delete("f")
    await trial.store.delete("a")
    await refused(StreamNotFound, trial.store.info("a"), "info of the source")


@chapter.promise
async def a_deleted_source_still_confirms_its_fork(trial: Trial) -> None:
    """The create of a fork, sent again, finds it even when its source is deleted or dropped its records."""
    await trial.create("a", retention=Retention(count=1))
    offset = (await trial.append("a", b"one")).next_offset
    await trial.fork("f", "a", offset)
    for body in (b"two", b"three"):
        await trial.append("a", body)
    await trial.sweep()
    holds(not (await trial.fork("f", "a", offset)).created, "the same fork made another stream")
    await trial.store.delete("a")
    holds(not (await trial.fork("f", "a", offset)).created, "the same fork made another stream")
