"""Who watches keeps a stream with a TTL alive, by every way to read live; one with a date dies on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headwater.errors import InvalidOffset, StreamNotFound
from headwater.hub import Engine
from headwater.hub.live.sinks import BufferSink
from headwater.model import Batch
from headwater.stores import Store
from headwater.stores.memory import MemoryStore
from headwater.stores.sqlite import SqliteStore
from headwater.testing import ManualClock

if TYPE_CHECKING:
    from tests.conftest import Run

Leave = Callable[[], Coroutine[Any, Any, None]]


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def _task(hub: Engine, work: Coroutine[Any, Any, Any]) -> Leave:
    task = asyncio.create_task(work)
    while hub.reader_count("a") == 0:
        assert not task.done(), task
        await asyncio.sleep(0.001)
    # Its first batch is read.
    await hub.info("a")
    await settle()

    async def leave() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await settle()

    return leave


async def iterating(hub: Engine) -> Leave:
    """`Hub.read(live=True)`."""

    async def read() -> None:
        async for _ in hub.read("a", live=True):
            pass

    return await _task(hub, read())


async def polling(hub: Engine) -> Leave:
    """A long-poll that waits."""
    return await _task(hub, hub.poll("a", "now"))


def subscribing(wire: str) -> Callable[[Engine], Coroutine[Any, Any, Leave]]:
    """A pushed reader."""

    async def subscribe(hub: Engine) -> Leave:
        sink = BufferSink()
        await hub.subscribe("a", sink, wire=wire)

        async def leave() -> None:
            sink.lose()

        return leave

    subscribe.__name__ = wire
    return subscribe


WAYS = [iterating, polling, *map(subscribing, ("events", "ndjson", "sse"))]
Way = Callable[[Engine], Coroutine[Any, Any, Leave]]


@pytest.fixture(params=["memory", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Engine, ManualClock]:
    """A hub over each store, and its clock."""
    clock = ManualClock()
    store: Store = (
        MemoryStore(clock=clock) if request.param == "memory" else SqliteStore(str(tmp_path / "log.db"), clock=clock)
    )
    return Engine(store), clock


@pytest.mark.parametrize("ttl", [1, 3600])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_who_watches_keeps_a_ttl_stream_alive(
    opened: tuple[Engine, ManualClock], run: Run[None], way: Way, ttl: int
) -> None:
    """However long, swept or not; its TTL begins when the last one leaves."""
    hub, clock = opened

    async def scenario() -> None:
        async with hub:
            await hub.create("a", content_type="text/plain", ttl=ttl)
            leave_first = await way(hub)
            leave_last = await way(hub)
            for _ in range(2):
                clock.advance(3 * ttl)
                assert (await hub.info("a")).path == "a"
                assert [info.path for info in await hub.list()] == ["a"]
                await hub.store.sweep()  # type: ignore[attr-defined]
            await leave_first()
            clock.advance(3 * ttl)
            await hub.info("a")
            await leave_last()
            assert hub.reader_count("a") == 0
            clock.advance(ttl * 0.9)
            await hub.info("a")
            clock.advance(ttl * 0.1)
            with pytest.raises(StreamNotFound):
                await hub.info("a")

    run(scenario())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_date_is_not_moved_by_who_watches(opened: tuple[Engine, ManualClock], run: Run[None], way: Way) -> None:
    """It is gone at that moment, and its readers are told by the next sweep."""
    hub, clock = opened

    async def scenario() -> None:
        async with hub:
            await hub.create("a", content_type="text/plain", expires_at=clock() + 60)
            leave = await way(hub)
            clock.advance(60)
            with pytest.raises(StreamNotFound):
                await hub.info("a")
            await hub.store.sweep()  # type: ignore[attr-defined]
            await settle()
            assert not hub.live.is_watched("a")
            await leave()

    run(scenario())


def test_who_is_refused_does_not_watch(opened: tuple[Engine, ManualClock], run: Run[None]) -> None:
    """A live read from a bad offset is no use of the stream, and nobody revives one that is over."""
    hub, clock = opened

    async def scenario() -> None:
        async with hub:
            await hub.create("a", content_type="text/plain", ttl=60)
            clock.advance(59)
            with pytest.raises(InvalidOffset):
                await hub.subscribe("a", BufferSink(), offset="nonsense")
            clock.advance(1)
            for refused in (hub.poll("a", "now"), hub.subscribe("a", BufferSink())):
                with pytest.raises(StreamNotFound):
                    await refused

    run(scenario())


def test_a_stream_that_was_watched_outlives_a_crash(tmp_path: Path, run: Run[None]) -> None:
    """By its TTL: a sweep writes down that it is in use, all streams together."""
    clock = ManualClock()
    path = str(tmp_path / "log.db")

    async def scenario() -> None:
        async with Engine(SqliteStore(path, clock=clock)) as hub:
            await hub.create("a", content_type="text/plain", ttl=60)
            await hub.subscribe("a", BufferSink())
            clock.advance(3600)
            hub.live.use_watched()
            await hub.store.sweep()  # type: ignore[attr-defined]
            for suffix in ("", "-wal"):
                (tmp_path / f"copy.db{suffix}").write_bytes((tmp_path / f"log.db{suffix}").read_bytes())
        clock.advance(59)
        copy = SqliteStore(str(tmp_path / "copy.db"), clock=clock)
        await copy.open()
        assert (await copy.info("a")).path == "a"
        await copy.aclose()

    run(scenario())


class Counting(MemoryStore):
    """Notes what it is told of uses, and what is read."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock=clock)
        self.touches: list[list[str]] = []
        self.reads = 0

    def touch(self, times: Mapping[str, float]) -> None:
        self.touches.append(sorted(times))
        super().touch(times)

    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        self.reads += 1
        return await super().read(path, offset, **bounds)


def test_watched_streams_are_touched_all_together(run: Run[None]) -> None:
    """Once a second, in one call for those with a TTL and a reader, without a read; with none there is no call."""
    clock = ManualClock()
    store = Counting(clock)

    async def scenario() -> None:
        async with Engine(store) as hub:
            hub.live.use_watched()
            assert store.touches == []
            for number in range(300):
                await hub.create(f"s/{number:03}", content_type="text/plain", ttl=60)
            await hub.create("kept", content_type="text/plain")
            for path in ("s/001", "s/002", "kept"):
                await hub.subscribe(path, BufferSink())
            reads = store.reads
            hub.live.use_watched()
            assert (store.touches, store.reads) == ([["s/001", "s/002"]], reads)

    run(scenario())
