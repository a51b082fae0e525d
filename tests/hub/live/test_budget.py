"""The budget of bytes that full sinks hold: the worst offenders go first, told where they can be, the others stay."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from headwater import Hub, Limits
from headwater.hub.live import budget
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ndjson import JsonLines

Run = Callable[[Coroutine[Any, Any, Any]], Any]
LINES = WireFormat(("ndjson",), JsonLines, lambda data: data)
TEXT = "text/plain"


def limits(most: int, **more: float) -> Limits:
    return Limits(flush_seconds=0, buffer_bytes=most, read_bytes=most, max_buffered_bytes=most, **more)  # type: ignore[arg-type]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def last(text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found


async def full(hub: Hub, path: str, size: int) -> BufferSink:
    """A sink that is full of one record."""
    await hub.create(path, content_type=TEXT)
    await hub.append(path, b"x" * size)
    sink = BufferSink(high_water=100)
    await hub.live.subscribe(path, "-1", LINES, sink)
    return sink


def test_nobody_is_let_go_below_the_limit(run: Run) -> None:
    """What drains is given back, and what is lost too: the account is empty when nobody is full."""

    async def main() -> None:
        async with Hub(limits=limits(100_000)) as hub:
            for turn in range(40):
                sink = await full(hub, f"s{turn}", 5000)
                await settle()
                assert hub.runtime.budget.total == sink.held() > 5000
                if turn % 2:
                    sink.take()
                else:
                    sink.lose()
                assert hub.runtime.budget.total == 0
            assert hub.stats.sheds == 0

    run(main())


def test_who_holds_most_goes_first(run: Run) -> None:
    """Of three that take nothing the largest is cut at once; that is enough, so the others stay."""

    async def main() -> None:
        async with Hub(limits=limits(20_000)) as hub:
            small, large, middle = [await full(hub, str(size), size) for size in (4000, 9000, 6000)]
            await settle()
            assert (small.ended, large.ended, middle.ended) == (None, None, None)
            more = await full(hub, "more", 3000)
            await settle()
            assert (small.ended, large.ended, middle.ended, more.ended) == (None, "aborted", None, None)
            assert (hub.stats.sheds, hub.stats.readers) == (1, 3)
            assert hub.runtime.budget.total == small.held() + middle.held() + more.held()

    run(main())


def test_of_equals_the_longest_full_goes_first(run: Run) -> None:
    """And an eighth of the limit is made free, so that not every new one is weighed again."""

    async def main() -> None:
        async with Hub(limits=limits(11_000)) as hub:
            sinks = [await full(hub, str(index), 1000) for index in range(12)]
            await settle()
            gone = sum(sink.ended is not None for sink in sinks)
            assert 0 < gone < 6
            assert [sink.ended for sink in sinks] == ["aborted"] * gone + [None] * (12 - gone)
            assert sinks[-1].held() * (12 - gone) == hub.runtime.budget.total <= 11_000

    run(main())


class Slow(BufferSink):
    """Takes a byte at a time."""

    def take_some(self, size: int) -> None:
        data = b"".join(self._parts)
        self._parts, self._size = [data[size:]], len(data) - size


def test_who_still_takes_bytes_is_told(run: Run) -> None:
    """Behind what its sink holds: to come back, when, and why; it then resumes where it stood."""

    async def main() -> None:
        async with Hub(limits=limits(16_000, slow_seconds=30.0)) as hub:
            await hub.create("s", content_type=TEXT)
            offset = (await hub.append("s", b"x" * 9000)).next_offset
            slow = Slow(high_water=100)
            await hub.live.subscribe("s", "-1", LINES, slow)
            slow.take_some(10)
            await full(hub, "other", 8000)
            await settle()
            assert slow.ended == "finished"
            told = last(slow.take())
            assert (told["control"], told["reason"], told["offset"]) == ("detached", "shed", offset)
            assert 0 <= told["retry_after"] <= hub.limits.drain_seconds
            assert (hub.stats.sheds, hub.stats.readers) == (1, 1)

    run(main())


def test_who_was_told_and_takes_nothing_more_is_cut(run: Run) -> None:
    """After `slow_seconds`, so that what it holds is free in the end."""

    async def main() -> None:
        async with Hub(limits=limits(16_000, slow_seconds=0.05)) as hub:
            await hub.create("s", content_type=TEXT)
            await hub.append("s", b"x" * 9000)
            slow = Slow(high_water=100)
            aborted = asyncio.Event()
            slow.abort = aborted.set  # type: ignore[method-assign]
            await hub.live.subscribe("s", "-1", LINES, slow)
            slow.take_some(10)
            await full(hub, "other", 8000)
            await aborted.wait()

    run(main())


def test_far_above_the_limit_nobody_is_waited_for(run: Run) -> None:
    """More than a quarter above it even those who were told are cut."""

    async def main() -> None:
        async with Hub(limits=limits(16_000, slow_seconds=30.0)) as hub:
            await hub.create("s", content_type=TEXT)
            await hub.append("s", b"x" * 9000)
            slow = Slow(high_water=100)
            cut = []
            slow.abort = lambda: cut.append(1)  # type: ignore[method-assign]
            await hub.live.subscribe("s", "-1", LINES, slow)
            slow.take_some(10)
            await full(hub, "other", 8000)
            await settle()
            assert (slow.ended, cut) == ("finished", [])
            for index in range(4):
                await full(hub, str(index), 1200)
            await settle()
            assert cut == [1]
            assert hub.runtime.budget.total <= 20_000

    run(main())


def test_sheds_are_logged_once_a_second(run: Run, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    """One line with their number, whatever that is."""
    monkeypatch.setattr(budget, "LOG_SECONDS", 0.5)

    async def main() -> None:
        async with Hub(limits=limits(5000)) as hub:
            for index in range(20):
                await full(hub, str(index), 1000)
            while "slow readers go" not in caplog.text:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.001)

    with caplog.at_level(logging.WARNING):
        run(main())
    assert "max_buffered_bytes=5000" in caplog.text
    assert caplog.text.count("slow readers go") < 5


def test_a_record_larger_than_the_budget_is_given_whole(run: Run) -> None:
    """Its reader is not let go for it, to come back for it, and to be let go again."""

    async def main() -> None:
        async with Hub(limits=limits(1000)) as hub:
            await hub.create("s", content_type="application/json", body=b'"%s"' % (b"x" * 50_000))
            sink = BufferSink(high_water=100)
            await hub.live.subscribe("s", "-1", LINES, sink)
            await settle()
            assert sink.held() > 50_000
            assert (sink.ended, hub.stats.sheds) == (None, 0)
            assert b"x" * 50_000 in sink.take()
            await hub.append("s", "more")
            await settle()
            assert b"more" in sink.take()

    run(main())
