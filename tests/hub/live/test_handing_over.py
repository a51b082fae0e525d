"""The hand-over between catching up and live, in every order in which its steps can come.

The steps of a writer, of a store that answers and tells when it likes, of readers whose sinks fill, and of the event
loop are interleaved in all ways, each on a hub of its own. Rule: whatever the order, each reader is given the log from
its place on, every record once, and its end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from copy import deepcopy
from math import factorial, prod
from typing import Any, TypeVar

import pytest
from tests.hub.live.test_pushed import JSON, LINES, controls, values

from headwater.errors import HeadwaterError
from headwater.hub import Engine, Limits
from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.pushed import PushedReader
from headwater.hub.live.sinks import BufferSink
from headwater.model import Appended, Batch, Change, Created, Extent, Last, Page, StreamConfig, StreamInfo
from headwater.protocol.ledger import Append, Watched
from headwater.protocol.wire import Encoder
from headwater.stores.base import Wants, Watcher
from headwater.stores.memory import MemoryStore

T = TypeVar("T")

PATH = "s"
#: Long enough for whatever has been let go on to come to rest.
TURNS = 100


class Gated:
    """A store in memory that answers a question, and tells of a change, when the test says so."""

    def __init__(self) -> None:
        self._inner = MemoryStore()
        self._watchers: list[Watcher] = []
        self._untold: deque[Change] = deque()
        self._asked: deque[asyncio.Future[bool]] = deque()
        self._inner.watch(self._untold.append)

    async def open(self) -> None:
        await self._inner.open()

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def create(self, path: str, config: StreamConfig, body: bytes = b"", **how: Any) -> Created:
        return await self._inner.create(path, config, body, **how)

    async def append(self, path: str, request: Append) -> Appended:
        return await self._inner.append(path, request)

    async def delete(self, path: str, **how: Any) -> None:
        await self._inner.delete(path, **how)

    async def page(self, path: str, last: Last, **how: Any) -> Page:
        return await self._inner.page(path, last, **how)

    async def list(self, *, prefix: str = "", after: str = "", limit: int = 100) -> list[StreamInfo]:
        return await self._inner.list(prefix=prefix, after=after, limit=limit)

    async def count(self) -> int:
        return await self._inner.count()

    def watch(self, watcher: Watcher, wants: Wants | None = None) -> Callable[[], None]:
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def time(self) -> float:
        return self._inner.time()

    def attend(self, watched: Watched) -> Callable[[], None]:
        return self._inner.attend(watched)

    def touch(self, times: Mapping[str, float]) -> None:
        self._inner.touch(times)

    async def info(self, path: str) -> StreamInfo:
        return await self._gate(lambda: self._inner.info(path))

    async def extent(self, path: str, offset: str) -> Extent:
        return await self._inner.extent(path, offset)

    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        if path != PATH:  # the hub's own, when it opens
            return await self._inner.read(path, offset, **bounds)
        return await self._gate(lambda: self._inner.read(path, offset, **bounds))

    async def _gate(self, work: Callable[[], Awaitable[T]]) -> T:
        then = await _outcome(work)
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        found = await _outcome(work) if await asked else then
        if isinstance(found, HeadwaterError):
            raise found
        return found

    def answer(self, *, late: bool) -> bool:
        """Answer the oldest question, as things stood when it was asked or as they stand now; False: there is none."""
        while self._asked:
            asked = self._asked.popleft()
            if not asked.done():
                asked.set_result(late)
                return True
        return False

    def tell(self) -> bool:
        """Tell of the oldest change that was not told; False: there is none."""
        if not self._untold:
            return False
        change = self._untold.popleft()
        for watcher in list(self._watchers):
            watcher(change)
        return True


class AtOnce(Gated):
    """The same with answers at once, where the hub can use them."""

    def info_at_once(self, path: str) -> StreamInfo | None:
        return self._inner.info_at_once(path)

    def read_at_once(self, path: str, offset: str, **bounds: Any) -> tuple[StreamInfo, Batch] | None:
        return self._inner.read_at_once(path, offset, **bounds)


async def _outcome(work: Callable[[], Awaitable[T]]) -> T | HeadwaterError:
    try:
        return await work()
    except HeadwaterError as error:
        return error


class World:
    """One hub, one stream, its log and readers, moved step by step."""

    def __init__(self, store: Gated, limits: Limits, high_water: int) -> None:
        self.store = store
        self.hub = Engine(store, limits=limits)
        self.log: list[int] = []
        self._high_water = high_water
        self._readers: list[tuple[BufferSink, list[bytes], str, int]] = []
        self._joins: list[asyncio.Task[PushedReader]] = []

    async def step(self, name: str) -> None:
        """Make a step; one that has nothing to do does nothing."""
        match name.split():
            case ["commit"]:
                self.log.append(len(self.log))
                await self.store.append(PATH, Append(b"%d" % self.log[-1]))
            case ["tell"]:
                self.store.tell()
            case ["early" | "late"]:
                self.store.answer(late=name == "late")
            case ["join", place]:
                self._join(place)
            case ["drain", index]:
                self._drain(int(index))
            case ["turn"]:
                await asyncio.sleep(0)

    def _join(self, place: str) -> None:
        sink = BufferSink(self._high_water)
        self._readers.append((sink, [], place, len(self.log)))
        self._joins.append(asyncio.ensure_future(self.hub.live.subscribe(PATH, place, LINES, sink)))

    def _drain(self, index: int) -> None:
        if index < len(self._readers):
            sink, parts, _, _ = self._readers[index]
            parts.append(sink.take())

    async def finish(self) -> None:
        """Let everything go on until it rests, close the stream, and have all readers end."""
        await self._rest()
        known = len(self.log)
        await self.store.append(PATH, Append(close=True))
        await self._rest()
        for join in self._joins:
            join.result()
        for sink, parts, place, committed in self._readers:
            text = b"".join(parts)
            assert sink.ended == "finished"
            assert controls(text)[-1] == "closed"
            found = values(text)
            # Where `now` is, the store says while the reader joins.
            firsts = [0] if place == "-1" else range(committed, known + 1)
            assert found in [self.log[first:] for first in firsts], found

    async def _rest(self) -> None:
        quiet = 0
        while quiet < 4:
            moved = self.store.tell() or self.store.answer(late=False)
            for index, (sink, _, _, _) in enumerate(self._readers):
                moved = bool(sink.held()) or moved
                self._drain(index)
            quiet = 0 if moved else quiet + 1
            for _ in range(TURNS // 20):
                await asyncio.sleep(0)


Threads = tuple[tuple[str, ...], ...]


def interleavings(threads: Threads) -> Iterator[list[str]]:
    """All orders of the threads' steps, each thread's own order kept."""
    if not any(threads):
        yield []
    for index, steps in enumerate(threads):
        if steps:
            for rest in interleavings((*threads[:index], steps[1:], *threads[index + 1 :])):
                yield [steps[0], *rest]


def count_of(threads: Threads) -> int:
    """How many these are."""
    return factorial(sum(map(len, threads))) // prod(factorial(len(steps)) for steps in threads)


async def check(
    threads: Threads, store: type[Gated] = Gated, *, limits: str = "all fits", high_water: int = 1, live: bool = False
) -> None:
    """Run all orders, on a stream with a record; `live`: and with a reader that is live and whose sink is empty."""
    count = 0
    for order in interleavings(threads):
        world = World(store(), LIMITS[limits], high_water)
        async with world.hub:
            await world.store.create(PATH, StreamConfig(JSON))
            assert world.store.tell()  # of the stream: every other step of this name tells of a commit
            setup = ("commit", "tell", *(LIVE if live else ()))
            try:
                for name in (*setup, *order):
                    await world.step(name)
                await asyncio.wait_for(world.finish(), 30)
            except AssertionError as error:
                raise AssertionError(f"in the order {', '.join(order)}: {error}") from error
        count += 1
    assert count == count_of(threads)


#: The window holds all, at once or a record at a time; nothing stays in memory, and a read gives one record.
LIMITS = {
    "all fits": Limits(flush_seconds=0),
    "pieces": Limits(flush_seconds=0, read_bytes=1, buffer_bytes=1),
    "one record fits": Limits(flush_seconds=0, window_bytes=1, read_bytes=1, buffer_bytes=1),
}
#: A step of a reader goes on in a turn of the event loop after it.
LIVE = ("join -1", "turn", "early", "turn", "early", "turn", "drain 0", "turn", "early", "turn", "drain 0", "turn")
WRITER = ("commit", "tell", "commit", "tell")


def reader(index: int, place: str, answer: str) -> tuple[str, ...]:
    """The steps of one that joins: the store is asked for the stream's state, then for records."""
    return (f"join {place}", "turn", answer, "turn", answer, "turn", f"drain {index}", "turn")


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("answer", ["early", "late"])
@pytest.mark.parametrize("place", ["-1", "now"])
@pytest.mark.parametrize("store", [Gated, AtOnce])
def test_a_reader_joins_in_every_order(store: type[Gated], place: str, answer: str, limits: str) -> None:
    """While records are committed and told of; its sink is full after each write."""
    asyncio.run(check((WRITER, reader(0, place, answer)), store, limits=limits))


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("answer", ["early", "late"])
@pytest.mark.parametrize("place", ["-1", "now"])
def test_a_reader_joins_another_in_every_order(place: str, answer: str, limits: str) -> None:
    """It comes to the other's feed, or does not, before, in and behind a flush."""
    asyncio.run(check((WRITER, reader(1, place, answer)), limits=limits, high_water=100_000, live=True))


@pytest.mark.slow
def test_a_reader_joins_another_in_every_order_of_more_turns() -> None:
    """The same, with a turn of the event loop at any place."""
    threads = (WRITER, reader(1, "-1", "late"), ("turn",))
    asyncio.run(check(threads, limits="one record fits", high_water=100_000, live=True))


@pytest.mark.slow
@pytest.mark.parametrize("limits", ["pieces", "one record fits"])
def test_a_live_reader_fills_and_drains_in_every_order(limits: str) -> None:
    """Live, full, behind, caught up, live: with a change under way at each."""
    asyncio.run(check((WRITER, ("drain 0", "late", "drain 0"), ("turn",) * 3), limits=limits, live=True))


def _lets_everybody_in(group: FanoutGroup, place: LogCursor, encoder: Encoder) -> bool:
    return True


def _forgets_the_place(group: FanoutGroup) -> tuple[LogCursor, Encoder]:
    """Who falls behind goes on at the stream's tail."""
    place = group.place.copy()
    place.cursor.offset = group.place.window.offset
    return place, deepcopy(group.encoder)


@pytest.mark.parametrize(
    ("name", "mistake", "steps", "limits", "high_water"),
    [
        ("admits", _lets_everybody_in, reader(1, "-1", "late"), "all fits", 100_000),
        ("copies", _forgets_the_place, ("turn", "drain 0", "turn"), "pieces", 1),
    ],
)
def test_a_hub_with_a_mistake_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    mistake: Callable[..., Any],
    steps: tuple[str, ...],
    limits: str,
    high_water: int,
) -> None:
    """The check can fail: some order shows each of these."""
    monkeypatch.setattr(FanoutGroup, name, mistake)
    with pytest.raises(AssertionError, match="in the order"):
        asyncio.run(check((WRITER, steps), limits=limits, high_water=high_water, live=True))
