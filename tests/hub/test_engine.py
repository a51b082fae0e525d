"""The hub in process: create, append, read, drain, limits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headwater import Hub, Limits, Producer, Record, Retention
from headwater.errors import (
    BadRequest,
    ContentTypeMismatch,
    HeadwaterError,
    HubNotOpen,
    InvalidBody,
    InvalidOffset,
    InvalidPath,
    LimitReached,
    PreconditionFailed,
    ShuttingDown,
    StoreUnavailable,
    StreamClosed,
    StreamExists,
    StreamFailed,
    StreamNotFound,
    TooLarge,
    TooManyRecords,
)
from headwater.model import Batch, ForkPoint, StreamConfig
from headwater.protocol.cursor import Detached, Idle, State
from headwater.protocol.ledger import Append
from headwater.stores.memory import MemoryStore

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = "application/json"


async def collect(hub: Hub, path: str, offset: str = "-1", *, live: bool = False) -> list[Record]:
    return [record async for record in hub.read(path, offset, live=live)]


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_what_is_appended_is_read(run: Run) -> None:
    """Values come back in order, each with the offset to go on from."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a/b", content_type=JSON)
            for value in ({"n": 1}, [2, 3], "four", None):
                await hub.append("a/b", value)
            await hub.append("a/b", b'[{"n": 5}, 6]')
            records = await collect(hub, "a/b")
            assert [record.json() for record in records] == [{"n": 1}, [2, 3], "four", None, {"n": 5}, 6]
            assert await collect(hub, "a/b", records[3].offset) == records[4:]
            assert await collect(hub, "a/b", "now") == []

    run(main())


def test_text_and_bytes(run: Run) -> None:
    """Text streams take text, others bytes; anything else is refused with the type's name."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("t", content_type="text/plain")
            await hub.append("t", "héllo")
            await hub.append("t", bytearray(b" you"))
            assert b"".join(record.data for record in await collect(hub, "t")).decode() == "héllo you"
            with pytest.raises(InvalidBody, match="dict"):
                await hub.append("t", {"not": "text"})
            await hub.create("j", content_type=JSON)
            with pytest.raises(InvalidBody):
                await hub.append("j", object())

    run(main())


def test_an_append_of_nothing_is_refused(run: Run) -> None:
    """As over HTTP: only a close may be without data. In a JSON stream an empty text or list is a value."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("t", content_type="text/plain")
            await hub.create("j", content_type=JSON)
            for path, data in (("t", ""), ("t", b""), ("j", b"")):
                with pytest.raises(BadRequest, match="the body is empty"):
                    await hub.append(path, data)
            with pytest.raises(BadRequest, match="the body is empty"):
                await hub.append("new", b"", create=StreamConfig())
            with pytest.raises(BadRequest, match="the body is empty"):
                hub.post("t", Append(), lambda answer: None)
            with pytest.raises(InvalidBody, match="an empty array"):
                await hub.append("j", b"[]")
            with pytest.raises(StreamNotFound):
                await hub.info("new")
            await hub.append("j", "")
            await hub.append("j", [])
            assert [record.json() for record in await collect(hub, "j")] == ["", []]
            assert (await hub.append("t", "", close=True)).closed

    run(main())


def test_a_live_reader_sees_every_record_once(run: Run) -> None:
    """A reader that starts anywhere in the middle of writing misses nothing and repeats nothing."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            readers = []
            for number in range(60):
                await hub.append("s", number)
                if number % 7 == 0:
                    readers.append(asyncio.create_task(collect(hub, "s", live=True)))
                if number % 3 == 0:
                    await asyncio.sleep(0)
            await hub.close("s")
            for records in await asyncio.gather(*readers):
                assert [record.json() for record in records] == list(range(60))
            assert hub.stats.readers == 0

    run(main())


def test_a_reader_from_now_gets_only_what_follows(run: Run) -> None:
    """`now` skips what is there."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON, body=b"[1,2]")
            reading = asyncio.create_task(collect(hub, "s", "now", live=True))
            await settle()
            await hub.append("s", 3, close=True)
            assert [record.json() for record in await reading] == [3]

    run(main())


def test_a_reader_that_falls_behind_the_window_reads_the_log(run: Run) -> None:
    """Nothing is queued for a slow reader: what left the window comes from the store."""

    async def main() -> None:
        async with Hub(limits=Limits(window_bytes=64, read_bytes=50)) as hub:
            await hub.create("s", content_type="text/plain")
            with await hub.live.open_reader("s", "-1") as reader:
                first = await reader.next()
                assert first is not None
                for number in range(100):
                    await hub.append("s", f"{number:03d},")
                await hub.close("s")
                text = ""
                while (event := await reader.next()) is not None:
                    text += b"".join(record.data for record in event.batch.records).decode()  # type: ignore[union-attr]
                assert text == "".join(f"{number:03d}," for number in range(100))
                assert reader.state is State.ENDED
            assert hub.stats.store_reads > 1

    run(main())


def test_deleting_ends_live_readers_with_an_error(run: Run) -> None:
    """A deleted stream is no complete stream: its readers are told."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            reading = asyncio.create_task(collect(hub, "s", live=True))
            await settle()
            await hub.delete("s")
            with pytest.raises(StreamNotFound):
                await reading
            await hub.create("s", content_type=JSON)
            await hub.append("s", 1)
            assert len(await collect(hub, "s")) == 1

    run(main())


@pytest.mark.parametrize("live", [False, True])
def test_a_failed_stream_ends_its_readers_with_an_error(run: Run, live: bool) -> None:
    """Every record is read, then `StreamFailed` with the code: what is not complete never looks so."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON)
            await hub.append("a", 1)
            await hub.fail("a", "timeout", "no answer")
            records = hub.read("a", live=live)
            assert (await anext(records)).json() == 1
            with pytest.raises(StreamFailed, match="no answer") as caught:
                await anext(records)
            assert caught.value.details["failure"] == "timeout"
            assert caught.value.details["next_offset"] == (await hub.info("a")).tail
            with pytest.raises(StreamClosed):
                await hub.append("a", 2)

    run(main())


def test_a_live_reader_is_told_of_a_failure(run: Run) -> None:
    """It waits at the tail when the stream fails."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON)
            reader = asyncio.ensure_future(collect(hub, "a", live=True))
            await settle()
            await hub.fail("a", "lost")
            with pytest.raises(StreamFailed):
                await reader

    run(main())


def test_a_bad_failure_is_refused(run: Run) -> None:
    """And the stream stays open."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON)
            with pytest.raises(BadRequest):
                await hub.fail("a", "No Code")
            await hub.append("a", 1)

    run(main())


def test_closing_the_hub_tells_live_readers(run: Run) -> None:
    """No silent end: the loop over records gets ShuttingDown with the offset to come back to."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON, body=b"1")
            reading = asyncio.create_task(collect(hub, "s", live=True))
            await settle()
        with pytest.raises(ShuttingDown) as caught:
            await reading
        assert str(caught.value.details["offset"]).endswith("1")
        with pytest.raises(HubNotOpen):
            await hub.live.open_reader("s", "-1")

    run(main())


def test_heartbeats_and_detaching(run: Run) -> None:
    """A silent reader gets Idle; drained, it is told to come back within the window."""

    async def main() -> None:
        async with Hub(limits=Limits(heartbeat_seconds=0.001, drain_seconds=3)) as hub:
            await hub.create("s")
            with await hub.live.open_reader("s", "-1") as reader:
                await reader.next()
                assert isinstance(await reader.next(), Idle)
                hub.drain()
                event = await reader.next()
                assert isinstance(event, Detached)
                assert 0 <= event.retry_after <= 3
                assert await reader.next() is None

    run(main())


def test_a_cancelled_reader_gives_nothing_more(run: Run) -> None:
    """Who is gone is not told anything."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s")
            with await hub.live.open_reader("s", "-1") as reader:
                await reader.next()
                waiting = asyncio.create_task(reader.next())
                await settle()
                reader.cancel()
                assert await waiting is None

    run(main())


def test_a_poll_waits_for_records(run: Run) -> None:
    """A poll at the tail answers with the first records after it, at once when there are some, empty in the end."""

    async def main() -> None:
        async with Hub(limits=Limits(long_poll_seconds=0.01)) as hub:
            await hub.create("s", content_type=JSON, body=b"[1]")
            now = await hub.poll("s", "-1")
            assert len(now.records) == 1
            empty = await hub.poll("s", now.next_offset)
            assert (empty.records, empty.up_to_date) == ((), True)
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            waiting = asyncio.create_task(hub.poll("s", "now"))
            await settle()
            await hub.append("s", 2)
            assert [record.json() for record in (await waiting).records] == [2]
            waiting = asyncio.create_task(hub.poll("s", "now"))
            await settle()
            await hub.delete("s")
            with pytest.raises(StreamNotFound):
                await waiting
            await hub.create("s", content_type=JSON, closed=True)
            assert (await hub.poll("s", "now")).closed

    run(main())


def test_draining_answers_polls_at_once(run: Run) -> None:
    """A long-poll under way does not hold up a stop."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s")
            waiting = asyncio.create_task(hub.poll("s", "now"))
            await settle()
            hub.drain()
            batch: Batch = await waiting
            assert batch.records == ()

    run(main())


def test_forks_share_and_part(run: Run) -> None:
    """A fork reads the source's records, and then its own."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON, body=b"[1,2,3]")
            middle = (await collect(hub, "s"))[1].offset
            info = await hub.fork("f", "s", offset=middle)
            assert info.forked_from == "s"
            await hub.append("f", 9)
            assert [record.json() for record in await collect(hub, "f")] == [1, 2, 9]
            assert [record.json() for record in await collect(hub, "s")] == [1, 2, 3]

    run(main())


def test_lists_count_and_info(run: Run) -> None:
    """Streams are listed in order and counted, with their live readers."""

    async def main() -> None:
        async with Hub() as hub:
            for path in ("b", "a/1", "a/2"):
                await hub.create(path, ttl=60, retention=Retention(count=5))
            assert [info.path for info in await hub.list(prefix="a/")] == ["a/1", "a/2"]
            assert [info.path for info in await hub.list(after="a/1", limit=1)] == ["a/2"]
            with await hub.live.open_reader("b", "-1"):
                assert (hub.reader_count("b"), hub.reader_count("a/1"), hub.stream_count) == (1, 0, 3)
            await hub.delete("b")
            assert hub.stream_count == 2
            assert (await hub.info("a/1")).retention == Retention(count=5)

    run(main())


def test_producers_are_idempotent_in_process(run: Run) -> None:
    """The same request twice is one record, and counted as a duplicate."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type=JSON)
            for _ in range(2):
                answer = await hub.append("s", 1, producer=Producer("p", 0, 0))
            assert answer.duplicate
            assert len(await collect(hub, "s")) == 1
            assert (hub.stats.appends, hub.stats.duplicates) == (2, 1)
            await hub.close("s")
            await hub.close("s")
            with pytest.raises(StreamClosed):
                await hub.append("s", 2)

    run(main())


def test_limits_are_kept_and_named(run: Run) -> None:
    """Streams, readers, bodies and paths have limits; the message names the setting; re-creating stays idempotent."""

    async def main() -> None:
        async with Hub(limits=Limits(max_streams=2, max_readers=1, max_body_bytes=4, max_path_bytes=5)) as hub:
            await hub.create("a")
            await hub.create("b")
            with pytest.raises(LimitReached, match="max_streams=2"):
                await hub.create("c")
            await hub.create("a")
            with pytest.raises(StreamExists):
                await hub.create("a", content_type=JSON)
            await hub.delete("b")
            await hub.create("c")
            with await hub.live.open_reader("a", "-1"), pytest.raises(LimitReached, match="max_readers=1"):
                await hub.live.open_reader("a", "-1")
            with pytest.raises(TooLarge, match="max_body_bytes=4"):
                await hub.append("a", b"12345")
            with pytest.raises(HeadwaterError, match="limit is 5"):
                await hub.create("123456")
            with pytest.raises(InvalidPath):
                await hub.create("a/..")

    run(main())


def test_a_bad_offset_leaves_no_reader_behind(run: Run) -> None:
    """An error before the first batch is an error of the call, and counts nobody in."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s")
            with pytest.raises(InvalidOffset):
                await hub.live.open_reader("s", "nonsense")
            with pytest.raises(StreamNotFound):
                await hub.live.open_reader("none", "-1")
            assert hub.stats.readers == 0
            assert hub.reader_count("s") == 0

    run(main())


def test_a_hub_that_is_not_open_says_so(run: Run) -> None:
    """Forgetting the lifespan is a message, not a hang."""

    async def main() -> None:
        hub = Hub()
        with pytest.raises(StoreUnavailable, match="lifespan"):
            await hub.create("s")
        async with hub.lifespan():
            await hub.create("s")
        await hub.aclose()

    run(main())


class Restless(MemoryStore):
    """A store whose sweep fails in different ways, then works."""

    def __init__(self) -> None:
        super().__init__()
        self.swept = asyncio.Event()
        self._failures: list[Exception] = [StoreUnavailable("disk full"), RuntimeError("a bug")]

    async def sweep(self) -> None:
        if self._failures:
            raise self._failures.pop(0)
        await super().sweep()
        self.swept.set()


def test_the_sweep_goes_on_after_failures(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failed sweep is logged and tried again; a stream with live readers is used meanwhile, so it stays."""
    monkeypatch.setattr("headwater.hub.sweeper.SWEEP_SECONDS", 0.001)

    async def main() -> None:
        store = Restless()
        async with Hub(store) as hub:
            await hub.create("s", ttl=3600)
            with await hub.live.open_reader("s", "-1"):
                await store.swept.wait()
            with contextlib.suppress(StreamNotFound):
                await hub.info("s")

    with caplog.at_level(logging.WARNING, "headwater"):
        run(main())
    assert "disk full" in caplog.text
    assert "sweep failed" in caplog.text


def test_a_write_can_ask_for_the_tail_it_knows(run: Run) -> None:
    """`if_match` on append and delete, `exclusive` on create: of two who race, one finds out."""

    async def main() -> None:
        async with Hub() as hub:
            tail = (await hub.create("s", content_type="application/json", exclusive=True)).tail
            with pytest.raises(StreamExists):
                await hub.create("s", content_type="application/json", exclusive=True)
            results = await asyncio.gather(*(hub.append("s", n, if_match=tail) for n in (1, 2)), return_exceptions=True)
            [refusal] = [result for result in results if isinstance(result, PreconditionFailed)]
            now = (await hub.info("s")).tail
            assert refusal.details["next_offset"] == now
            with pytest.raises(PreconditionFailed):
                await hub.delete("s", if_match=tail)
            await hub.delete("s", if_match=now)
            await hub.create("s", exclusive=True)

    run(main())


def test_an_append_can_create_its_stream(run: Run) -> None:
    """In process as over HTTP: with a configuration, counted, and told to a reader that waits behind a delete."""

    async def main() -> None:
        async with Hub(limits=Limits(max_streams=1)) as hub:
            config = StreamConfig("application/json", retention=Retention(count=5))
            assert (await hub.append("s", [1, 2], create=config)).created
            assert not (await hub.append("s", "x", create=config)).created
            assert [record.json() for record in (await hub.read_batch("s", "-1")).records] == [[1, 2], "x"]
            assert (await hub.info("s")).retention == Retention(count=5)
            assert hub.stream_count == 1
            with pytest.raises(ContentTypeMismatch):
                await hub.append("s", "x", create=StreamConfig("text/plain"))
            with pytest.raises(LimitReached):
                await hub.append("t", b"x", create=StreamConfig())
            with pytest.raises(BadRequest):
                await hub.append("s", "x", create=StreamConfig(fork=ForkPoint("s")))
            with pytest.raises(InvalidPath):
                await hub.append("a//b", b"x", create=StreamConfig())
            await hub.delete("s")
            assert (await hub.append("t", b"x", create=StreamConfig())).created
            assert (await hub.info("t")).content_type == "application/octet-stream"

    run(main())


def test_an_array_of_too_many_values_is_refused(run: Run) -> None:
    """By append and create, in process too; a writer makes several appends of many values."""

    async def main() -> None:
        async with Hub(limits=Limits(max_append_records=10)) as hub:
            await hub.create("s", content_type="application/json")
            too_many = b"[" + b",".join([b"1"] * 11) + b"]"
            with pytest.raises(TooManyRecords, match="max_append_records=10"):
                await hub.append("s", too_many)
            with pytest.raises(TooManyRecords):
                await hub.create("t", content_type="application/json", body=too_many)
            async with hub.writer("s") as out:
                await out.write_all([[n, n] for n in range(25)])
            assert len((await hub.read_batch("s")).records) == 25

    run(main())


REFUSED = ["acl/*", "a{b}", "gru\u0308n", "a/-/b", "__ds/x", "__dsx"]


@pytest.mark.parametrize("path", REFUSED)
def test_a_new_stream_keeps_the_rules_of_paths(run: Run, path: str) -> None:
    """However it is made; nothing is there afterwards."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a")
            with pytest.raises(InvalidPath):
                await hub.create(path)
            with pytest.raises(InvalidPath):
                await hub.fork(path, "a")
            with pytest.raises(InvalidPath):
                await hub.append(path, b"x", create=StreamConfig())
            with pytest.raises(InvalidPath):
                async with hub.writer(path):
                    pass
            assert [info.path for info in await hub.list()] == ["a"]

    run(main())


@pytest.mark.parametrize("path", REFUSED)
def test_a_stream_of_before_the_rules_goes_on(run: Run, path: str) -> None:
    """It is read, appended to, created again, forked and deleted; only then its path is gone."""

    async def main() -> None:
        store = MemoryStore()
        async with Hub(store) as hub:
            await store.create(path, StreamConfig("text/plain"), b"x")
            await hub.create(path, content_type="text/plain")
            await hub.append(path, "y")
            await hub.append(path, "z", create=StreamConfig("text/plain"))
            await hub.fork("fork", path)
            for name in (path, "fork"):
                assert [record.data async for record in hub.read(name)] == [b"x", b"y", b"z"]
            await hub.delete("fork")
            await hub.delete(path)
            with pytest.raises(InvalidPath):
                await hub.create(path)

    run(main())
