"""Streams that die by themselves (protocol sections 4 and 5.1)."""

from __future__ import annotations

from headwater.errors import (
    ContentTypeMismatch,
    InvalidBody,
    InvalidOffset,
    OffsetGone,
    StreamExists,
    StreamGone,
    StreamNotFound,
)
from headwater.model import BEGINNING, Change, Expiry, Producer
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("expiring")


async def _check_gone(trial: Trial, path: str) -> None:
    await refused(StreamNotFound, trial.store.info(path), "info")
    await refused(StreamNotFound, trial.store.read(path, BEGINNING), "read")
    await refused(StreamNotFound, trial.append(path, b"x"), "append")
    await refused(StreamNotFound, trial.store.delete(path), "delete")
    await refused(StreamNotFound, trial.fork("fork", path), "fork")
    equal([info.path for info in await trial.store.list()], [], "the list")


@chapter.promise
async def an_idle_stream_expires(trial: Trial) -> None:
    """A stream with a TTL is gone that many seconds after its last use, and not before, swept or not."""
    await trial.create("a", TEXT, b"x", expiry=Expiry(ttl=60))
    trial.clock.advance(59.5)
    equal((await trial.store.info("a")).expiry.ttl, 60, "TTL half a second before the end")
    trial.clock.advance(0.5)
    await _check_gone(trial, "a")
    await trial.sweep()
    await _check_gone(trial, "a")


@chapter.promise
async def reads_and_appends_are_use(trial: Trial) -> None:
    """A read, an append and a producer's retry start the TTL again; info and list do not."""
    producer = Producer("p", 0, 0)
    await trial.create("a", expiry=Expiry(ttl=60))
    for use in (
        lambda: trial.append("a", b"x", producer=producer),
        lambda: trial.store.read("a", BEGINNING),
        lambda: trial.append("a", b"x", producer=producer),
        lambda: trial.store.read("a", "now"),
    ):
        trial.clock.advance(59)
        await use()
    trial.clock.advance(59)
    await trial.store.info("a")
    await trial.store.list()
    await trial.sweep()
    trial.clock.advance(1)
    await refused(StreamNotFound, trial.store.info("a"), "info after 60 seconds without use")


@chapter.promise
async def a_refused_call_is_no_use(trial: Trial) -> None:
    """A read or an append that is refused does not start the TTL again."""
    await trial.create("a", JSON, b"1", expiry=Expiry(ttl=60))
    trial.clock.advance(59)
    await refused(InvalidOffset, trial.store.read("a", "nonsense"), "a read from garbage")
    await refused(InvalidBody, trial.append("a", b"{"), "a bad body")
    await refused(ContentTypeMismatch, trial.append("a", b"x", content_type=TEXT), "another type")
    trial.clock.advance(1)
    await refused(StreamNotFound, trial.store.info("a"), "info after 60 seconds without use")


@chapter.promise
async def a_date_is_not_moved(trial: Trial) -> None:
    """A stream with an expiry date is gone at that moment, used or not."""
    await trial.create("a", TEXT, b"x", expiry=Expiry(at=trial.clock() + 60, at_text="as the client wrote it"))
    trial.clock.advance(59)
    await trial.append("a", b"y")
    equal((await trial.store.info("a")).expiry.at_text, "as the client wrote it", "the date's text")
    equal(await trial.contents("a"), (b"x", b"y"), "contents a second before the end")
    trial.clock.advance(1)
    await _check_gone(trial, "a")


@chapter.promise
async def without_expiry_a_stream_stays(trial: Trial) -> None:
    """A stream without TTL or date does not expire."""
    await trial.create("a", TEXT, b"x")
    trial.clock.advance(10 * 365 * 86400)
    await trial.sweep()
    equal(await trial.contents("a"), (b"x",), "contents after ten years")


@chapter.promise
async def an_expired_path_is_free(trial: Trial) -> None:
    """A create at the path of an expired stream makes a new one, of any configuration, with new offsets."""
    old = (await trial.create("a", TEXT, b"old", expiry=Expiry(ttl=5))).info.tail
    trial.clock.advance(5)
    created = await trial.create("a", None)
    equal((created.created, created.info.size, created.info.created_at), (True, 0, trial.clock()), "the new stream")
    holds(created.info.tail > old, f"the new stream's offset {created.info.tail} is not greater than {old}")
    await refused(OffsetGone, trial.store.read("a", old), "a read from the expired stream's offset")
    trial.clock.advance(60)
    await trial.sweep()
    equal(await trial.contents("a"), (), "contents of the new stream after a sweep")


@chapter.promise
async def a_ttl_of_zero_expires_at_once(trial: Trial) -> None:
    """A stream with a TTL of 0 is created, and gone."""
    holds((await trial.create("a", expiry=Expiry(ttl=0))).created, "the stream was there before")
    await _check_gone(trial, "a")


@chapter.promise
async def an_expired_source_is_kept_for_its_forks(trial: Trial) -> None:
    """An expired stream with forks is as a deleted one: they read on, and its path is held until they go."""
    await trial.create("a", TEXT, b"one", expiry=Expiry(ttl=60))
    await trial.fork("f", "a", expiry=Expiry(ttl=1000))
    trial.clock.advance(60)
    await refused(StreamNotFound, trial.fork("g", "a"), "a fork of an expired stream")
    await refused(StreamExists, trial.create("a", TEXT), "a create at the path")
    await trial.sweep()
    await refused(StreamGone, trial.store.info("a"), "info after a sweep")
    await trial.append("f", b"two")
    equal(await trial.contents("f"), (b"one", b"two"), "contents of the fork")
    trial.clock.advance(1000)
    await trial.sweep()
    holds((await trial.create("a", TEXT)).created, "the path is not free")


@chapter.promise
async def a_fork_expires_by_its_own_use(trial: Trial) -> None:
    """A fork that inherits a TTL counts its own idle time."""
    await trial.create("a", TEXT, b"x", expiry=Expiry(ttl=60))
    await trial.fork("f", "a")
    for _ in range(3):
        trial.clock.advance(40)
        equal(await trial.contents("f"), (b"x",), "contents of the used fork")
    await refused(StreamNotFound, trial.store.info("a"), "info of the idle source")


@chapter.promise
async def a_sweep_tells_what_expired(trial: Trial) -> None:
    """A sweep tells the watchers of every stream that expired, once."""
    changes: list[Change] = []
    await trial.create("a", expiry=Expiry(ttl=5))
    await trial.create("b", expiry=Expiry(ttl=50))
    trial.store.watch(changes.append)
    trial.clock.advance(5)
    for _ in range(2):
        await trial.sweep()
    equal([(change.path, change.deleted) for change in changes], [("a", True)], "the changes told")
