"""Catch-up reads of a hub: everything up to the tail of the moment, or an error; and what they ask of the store."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run

from headwater import Hub, Limits, Retention
from headwater.errors import HeadwaterError, OffsetGone, StoreUnavailable, StreamNotFound
from headwater.hub.catch_up import CatchUpRead, begin
from headwater.model import Batch, Extent
from headwater.stores.memory import MemoryStore
from headwater.testing import ManualClock

TEXT, JSON = "text/plain", "application/json"
LIMITS = Limits(read_bytes=100)
BODIES = [b"%d" % number * 11 for number in range(1, 60)]


class Watch:
    """Tells of the reads of a hub's store, and does something before one of them.

    Attributes:
        asked: what was read, in order.
        before: by the number of the read, from 1.
    """

    def __init__(self, hub: Hub) -> None:
        self.asked: list[tuple[str, int]] = []
        self.before: dict[int, Callable[[], Awaitable[object]]] = {}
        self._read = hub.store.read
        hub.store.read = self.read  # type: ignore[method-assign]

    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        self.asked.append((offset, bounds["limit"]))
        if act := self.before.get(len(self.asked)):
            await act()
        return await self._read(path, offset, **bounds)


async def fill(hub: Hub, content_type: str, **options: object) -> None:
    await hub.create("s", content_type=content_type, **options)  # type: ignore[arg-type]
    for body in BODIES:
        await hub.append("s", body)


async def begun(hub: Hub, path: str = "s", offset: str = "-1") -> CatchUpRead:
    return await begin(hub.live, path, offset)


async def body_of(hub: Hub, offset: str = "-1", path: str = "s") -> tuple[Extent, list[bytes]]:
    read = await begun(hub, path, offset)
    pieces = [piece async for piece in read.pieces()]
    assert read.length in (None, sum(map(len, pieces)))
    return read.extent, pieces


async def take(source: AsyncIterator[Any], into: list[Any]) -> None:
    async for each in source:
        into.append(each)  # noqa: PERF401 - what came before an error counts


@pytest.fixture(params=["memory", "sqlite", "folded"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Hub:
    """Records in memory, in SQLite's journal, and in its tables."""
    url = "memory:" if request.param == "memory" else f"sqlite:{tmp_path}/log.db?synchronous=off"
    return Hub(url, limits=LIMITS)


@pytest.mark.parametrize("content_type", [TEXT, JSON])
def test_everything_up_to_the_tail(run: Run[None], hub: Hub, content_type: str, request: pytest.FixtureRequest) -> None:
    """In pieces of `read_bytes`; whole records of a fork's source and of its own, from any offset."""

    async def main() -> None:
        async with hub:
            await fill(hub, content_type)
            middle = (await hub.read_batch("s")).next_offset
            await hub.fork("f", "s", offset=middle)
            await hub.append("f", b"7" * 250)
            await hub.append("f", b"8" * 40, close=True)
            if "folded" in request.node.name:
                await hub.store.aclose()
                await hub.store.open()
            extent, pieces = await body_of(hub)
            assert extent.next_offset == (await hub.info("s")).tail
            assert max(map(len, pieces)) <= 120
            expected = b"".join(BODIES) if content_type == TEXT else json.loads(f"[{b','.join(BODIES).decode()}]")
            assert (b"".join(pieces) if content_type == TEXT else json.loads(b"".join(pieces))) == expected
            extent, rest = await body_of(hub, middle)
            assert len(b"".join(rest)) < len(b"".join(pieces)) - 90
            extent, pieces = await body_of(hub, path="f")
            assert (extent.closed, extent.next_offset) == (True, (await hub.info("f")).tail)
            comma, end = (b",", b"]") if content_type == JSON else (b"", b"")
            assert b"".join(pieces).endswith(comma + b"7" * 250 + comma + b"8" * 40 + end)

    run(main())


def test_offsets_within_a_large_record(run: Run[None], hub: Hub) -> None:
    """A record of bytes is cut at the pieces' edges, and a read may begin at any of them."""

    async def main() -> None:
        async with hub:
            await hub.create("s", content_type="image/png")
            record = bytes(range(250)) * 5
            await hub.append("s", record)
            offset = "-1"
            for start in range(0, 1000, 100):
                _, pieces = await body_of(hub, offset)
                assert b"".join(pieces) == record[start:]
                offset = (await hub.read_batch("s", offset)).next_offset

    run(main())


def test_what_comes_later_is_not_part_of_it(run: Run[None], hub: Hub) -> None:
    """The tail and the closure are those of the head, however much is appended between the pieces."""

    async def main() -> None:
        async with hub:
            await fill(hub, JSON)
            tail = (await hub.info("s")).tail
            Watch(hub).before = {3: lambda: hub.append("s", b"5" * 300), 4: lambda: hub.close("s")}
            extent, pieces = await body_of(hub)
            assert (extent.next_offset, extent.closed) == (tail, False)
            assert json.loads(b"".join(pieces)) == [int(body) for body in BODIES]
            _, rest = await body_of(hub, extent.next_offset)
            assert b"".join(rest) == b"[" + b"5" * 300 + b"]"

    run(main())


def test_one_piece_takes_one_read(run: Run[None]) -> None:
    """A small range is asked for once, as a whole; so is `now`."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            watch = Watch(hub)
            await hub.create("s", content_type=JSON)
            await hub.append("s", b"[1,2]")
            read = await begun(hub)
            assert (read.whole, read.length) == (b"[1,2]", 5)
            assert [piece async for piece in read.pieces()] == [b"[1,2]"]
            assert (await begun(hub, "s", "now")).whole == b"[]"
            assert watch.asked == [("-1", 100), ("now", 100)]

    run(main())


async def trim(hub: Hub) -> None:
    for body in BODIES:
        await hub.append("s", body)
    await hub.store.sweep()  # type: ignore[attr-defined]


async def replace(hub: Hub) -> None:
    await hub.delete("s")
    await fill(hub, TEXT)


async def fail(hub: Hub) -> None:
    raise StoreUnavailable("no disk")


ACTS: dict[str, tuple[Callable[[Hub], Awaitable[object]], type[HeadwaterError]]] = {
    "delete": (lambda hub: hub.delete("s"), StreamNotFound),
    "replace": (replace, OffsetGone),
    "trim": (trim, OffsetGone),
    "fail": (fail, StoreUnavailable),
}


@pytest.mark.parametrize("content_type", [TEXT, JSON])
@pytest.mark.parametrize("act", ACTS)
def test_what_cannot_be_finished_is_an_error(run: Run[None], hub: Hub, act: str, content_type: str) -> None:
    """At every piece: what was given before is the beginning of what was promised, and the end is no end."""

    async def main() -> None:
        async with hub:
            watch, (meddle, error) = Watch(hub), ACTS[act]
            pieces, number = 100, 2
            while number <= pieces:
                await fill(hub, content_type, retention=Retention(count=len(BODIES)))
                _, expected = await body_of(hub)
                pieces = len(expected)
                watch.asked.clear()
                watch.before = {number: lambda: meddle(hub)}
                given: list[bytes] = []
                with pytest.raises(error):
                    await take((await begun(hub)).pieces(), given)
                assert given == expected[: number - 1]
                watch.before.clear()
                number += 1
                if act != "delete":
                    await hub.delete("s")
            assert pieces > 10

    run(main())


def test_a_fork_keeps_what_its_source_loses(run: Run[None], hub: Hub) -> None:
    """A read of it goes on, although the source was deleted between two pieces."""

    async def main() -> None:
        async with hub:
            await fill(hub, TEXT)
            await hub.fork("f", "s")
            watch = Watch(hub)
            watch.before = {3: lambda: hub.delete("s")}
            _, pieces = await body_of(hub, path="f")
            assert b"".join(pieces) == b"".join(BODIES)
            assert len(watch.asked) == len(pieces) > 10

    run(main())


@pytest.mark.parametrize("act", ["trim", "replace", "delete"])
def test_what_happens_before_the_head_is_no_cut(run: Run[None], act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first piece and the look at the tail: the read begins again with what is there now, or is refused."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await fill(hub, TEXT, retention=Retention(count=len(BODIES)))
            inner, looks = hub.store.extent, []

            async def extent(path: str, offset: str) -> Extent:
                looks.append(offset)
                if len(looks) == 1:
                    await ACTS[act][0](hub)
                return await inner(path, offset)

            monkeypatch.setattr(hub.store, "extent", extent)
            if act == "delete":
                with pytest.raises(StreamNotFound):
                    await begun(hub)
            else:
                _, pieces = await body_of(hub)
                assert (b"".join(pieces), len(looks)) == (b"".join(BODIES), 2)

    run(main())


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("number", [2, 5])
def test_records_in_process_end_with_the_same_errors(run: Run[None], hub: Hub, act: str, number: int) -> None:
    """`Hub.read` without `live` never ends quietly before the tail."""

    async def main() -> None:
        async with hub:
            await fill(hub, TEXT, retention=Retention(count=len(BODIES)))
            meddle, error = ACTS[act]
            Watch(hub).before = {number: lambda: meddle(hub)}
            with pytest.raises((error, StreamNotFound)):
                await take(hub.read("s"), [])

    run(main())


@pytest.mark.parametrize("slow", ["latest", "conflate:k", "disconnect"])
def test_a_slow_loop_over_what_there_is_misses_nothing(run: Run[None], slow: str) -> None:
    """What the stream has for slow readers is for those who follow it live."""

    async def main() -> None:
        async with Hub(limits=Limits(read_bytes=100, slow_seconds=0.0)) as hub:
            await hub.create("s", content_type=JSON, slow=slow)
            for number in range(60):
                await hub.append("s", {"k": 1, "n": number})
            assert [record.json()["n"] async for record in hub.read("s")] == list(range(60))

    run(main())


def test_a_slow_read_keeps_its_stream_alive(run: Run[None]) -> None:
    """Between two pieces more time may pass than the TTL has; it begins again when the read has ended."""

    async def main() -> None:
        clock = ManualClock()
        async with Hub(MemoryStore(clock=clock), limits=LIMITS) as hub:
            await fill(hub, TEXT, ttl=5)
            given = []
            async with aclosing((await begun(hub)).pieces()) as pieces:
                async for piece in pieces:
                    given.append(piece)
                    clock.advance(10)
                    await hub.info("s")
            assert b"".join(given) == b"".join(BODIES)
            clock.advance(4)
            await hub.info("s")
            clock.advance(2)
            with pytest.raises(StreamNotFound):
                await hub.info("s")

    run(main())
