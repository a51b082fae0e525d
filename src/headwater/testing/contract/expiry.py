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

chapter = Chapter("expiry")


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
async def a_watched_stream_does_not_expire(trial: Trial) -> None:
    """A stream with a TTL lives as long as somebody watches; its TTL begins when the last one leaves."""
    store = trial.store
    watched = {"a", "none"}
    await trial.create("a", TEXT, b"x", expiry=Expiry(ttl=1))
    await trial.create("b", TEXT, b"x", expiry=Expiry(ttl=1))
    end = store.attend(watched.__contains__)
    for _ in range(3):
        trial.clock.advance(3600)
        equal((await store.info("a")).size, 1, "size of the watched stream")
        equal([info.path for info in await store.list()], ["a"], "the list")
        await trial.sweep()
    await trial.append("a", b"y")
    trial.clock.advance(3600)
    equal((await trial.create("a", TEXT, expiry=Expiry(ttl=1))).created, False, "a create at the watched path")
    await trial.fork("f", "a", expiry=Expiry(ttl=86400))
    equal(await trial.contents("a"), (b"x", b"y"), "contents of the watched stream")
    trial.clock.advance(3600)
    store.touch({"a": store.time()})
    end()
    trial.clock.advance(0.5)
    await store.info("a")
    trial.clock.advance(0.5)
    await refused(StreamNotFound, store.info("a"), "info a second after the last one left")
    await trial.sweep()
    await refused(StreamGone, store.info("a"), "info after a sweep; the path is held by its fork")


@chapter.promise
async def a_watched_stream_with_a_ttl_of_zero_lives(trial: Trial) -> None:
    """As long as somebody watches, and no longer."""
    store = trial.store
    end = store.attend("a".__eq__)
    await trial.create("a", TEXT, b"x", expiry=Expiry(ttl=0))
    await trial.sweep()
    equal(await trial.contents("a"), (b"x",), "contents of the watched stream")
    end()
    await _check_gone(trial, "a")


@chapter.promise
async def a_date_counts_watched_or_not(trial: Trial) -> None:
    """A stream with an expiry date is gone at that moment, whoever watches."""
    store = trial.store
    store.attend("a".__eq__)
    await trial.create("a", TEXT, b"x", expiry=Expiry(at=trial.clock() + 60))
    trial.clock.advance(60)
    store.touch({"a": store.time()})
    await _check_gone(trial, "a")
    await trial.sweep()
    await _check_gone(trial, "a")


@chapter.promise
async def the_last_use_only_moves_on(trial: Trial) -> None:
    """A touch starts the TTL again from its time; one of the past, of the future or of another stream does no harm."""
    store = trial.store
    await trial.create("a", expiry=Expiry(ttl=60))
    await trial.create("b", TEXT, b"x")
    trial.clock.advance(50)
    store.touch({"a": store.time() - 20, "b": store.time(), "none": store.time()})
    store.touch({"a": store.time() - 40})
    trial.clock.advance(39)
    await trial.sweep()
    await store.info("a")
    store.touch({"a": store.time() + 3600})
    trial.clock.advance(60)
    await refused(StreamNotFound, store.info("a"), "info 60 seconds after the last touch")
    store.touch({"a": store.time()})
    await refused(StreamNotFound, store.info("a"), "info after a touch that came too late")
    await refused(StreamNotFound, store.info("none"), "info of a stream that was touched and never made")
    equal(await trial.contents("b"), (b"x",), "contents of a stream without a TTL")


@chapter.promise
async def many_are_touched_at_once(trial: Trial) -> None:
    """One call notes the uses of all streams that are watched; it is no read, and is told to nobody."""
    store, told = trial.store, list[Change]()
    paths = [f"s/{number:03}" for number in range(300)]
    for path in (*paths, "left"):
        await trial.create(path, expiry=Expiry(ttl=60))
    store.watch(told.append)
    trial.clock.advance(50)
    store.touch(dict.fromkeys(paths, store.time()))
    await trial.sweep()
    trial.clock.advance(50)
    listed = [info.path for info in await store.list(limit=1000)]
    equal(listed, paths, "streams 50 seconds after the touch")
    await trial.sweep()
    equal([(change.path, change.deleted) for change in told], [("left", True)], "the changes told")


@chapter.promise
async def a_jump_of_the_clock_kills_nothing(trial: Trial) -> None:
    """When the clock is set forward or back, a TTL goes on where it was; a date is a date."""
    store, clock = trial.store, trial.clock
    for name, seconds in (("ahead", 86400.0), ("back", -86400.0)):
        await trial.create(name, TEXT, b"x", expiry=Expiry(ttl=60))
        await trial.create(f"{name}-used", TEXT, b"x", expiry=Expiry(ttl=60))
        await trial.create(f"{name}-dated", expiry=Expiry(at=clock() + 3600))
        clock.advance(30)
        clock.jump(seconds)
        await trial.append(f"{name}-used", b"y")
        await store.info(name)
        await trial.sweep()
        equal(round(store.time() - clock(), 3), 0, "the store's time after a sweep")
        clock.advance(29)
        await trial.sweep()
        await store.info(name)
        clock.advance(1)
        await refused(StreamNotFound, store.info(name), f"info 60 seconds after the last use, set {name}")
        equal(await trial.contents(f"{name}-used"), (b"x", b"y"), "contents of the one used meanwhile")
    await refused(StreamNotFound, store.info("ahead-dated"), "info of the dated stream that the clock has passed")
    await store.info("back-dated")


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
