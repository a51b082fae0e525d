"""Slow readers under each policy, pushed and pulled: what they get, and that every gap is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.support.hub_clock import HubClock

from headwater import Hub, Limits
from headwater.errors import BadRequest, StoreUnavailable
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Batch, SlowPolicy
from headwater.protocol.cursor import Data, Detached, Failed, Gap
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.slow import parse_slow
from headwater.stores.memory import MemoryStore

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = "application/json"
LINES = WireFormat(("ndjson",), JsonLines, lambda data: data)
#: Feeds are flushed at the next turn of the event loop, whatever the last flush took.
PROMPT = Limits(flush_seconds=0)
#: A pulled reader counts as slow at once.
AT_ONCE = Limits(flush_seconds=0, slow_seconds=0)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def lines(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def pushed(hub: Hub, slow: str, values: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """What a reader gets that is full while values are appended; and the offsets after each."""
    sink = BufferSink(high_water=1)
    await hub.live.subscribe("s", "-1", LINES, sink, slow=parse_slow(slow))
    await settle()
    offsets = [(await hub.append("s", value)).next_offset for value in values]
    text = b""
    for _ in range(10):
        text += sink.take()
        await settle()
    sink.lose()
    return lines(text), offsets


def test_replay_leaves_nothing_out(run: Run) -> None:
    """The default: every record, from the log."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            told, _ = await pushed(hub, "replay", [{"n": number} for number in range(5)])
            assert [line["data"]["n"] for line in told if "data" in line] == list(range(5))
            assert hub.stats.gaps.total() == 0

    run(main())


def test_latest_skips_to_the_tail_and_tells_the_gap(run: Run) -> None:
    """The gap's offsets fetch exactly what was left out, and the reader goes on live."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            start = (await hub.info("s")).tail
            told, offsets = await pushed(hub, "latest", [{"n": number} for number in range(5)])
            (gap,) = [line for line in told if line.get("control") == "gap"]
            assert (gap["from"], gap["to"]) == (start, offsets[-1])
            assert not [line for line in told if "data" in line]
            missed = [record.json()["n"] async for record in hub.read("s", gap["from"])]
            assert missed == list(range(5))
            assert hub.stats.gaps.total() == 1

    run(main())


@pytest.mark.parametrize("window", [1, 10_000])
def test_conflate_gives_the_newest_of_each_key(run: Run, window: int) -> None:
    """From memory or from the store: the gap first, then the survivors in order; without a loss there is no gap."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, window_bytes=window, read_bytes=20)) as hub:
            await hub.create("s", content_type=JSON)
            values = [{"k": key, "n": number} for number, key in enumerate("abacab")]
            told, offsets = await pushed(hub, "conflate:k", values)
            (gap,) = [line for line in told if line.get("control") == "gap"]
            assert gap["to"] == offsets[-1]
            assert [line["data"]["n"] for line in told if "data" in line] == [3, 4, 5]
            told, _ = await pushed(hub, "conflate:n", [{"n": 77}, {"n": 78}])
            assert [line["data"]["n"] for line in told if "data" in line][-2:] == [77, 78]

    run(main())


def test_conflate_gives_the_survivors_of_a_stream_that_was_closed_meanwhile(run: Run) -> None:
    """The gap, the survivors, and then the end."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sink = BufferSink(high_water=1)
            await hub.live.subscribe("s", "-1", LINES, sink, slow=parse_slow("conflate:k"))
            await settle()
            for number, key in enumerate("aab"):
                await hub.append("s", {"k": key, "n": number})
            await hub.close("s")
            text = b""
            while sink.ended is None or sink.held():
                text += sink.take()
                await settle()
            told = [line.get("control") or line["data"]["n"] for line in lines(text)]
            assert told == ["up-to-date", "gap", 1, 2, "closed"]

    run(main())


@pytest.mark.parametrize(("slow_seconds", "write_seconds"), [(10, 20), (0, 600)])
def test_disconnect_tells_and_ends(
    run: Run, monkeypatch: pytest.MonkeyPatch, slow_seconds: float, write_seconds: float
) -> None:
    """A reader that stays full is told to come back, and its sink is cut if it never takes even that; 0 is at once."""
    clock = HubClock(monkeypatch)

    async def main() -> None:
        limits = Limits(flush_seconds=0, slow_seconds=slow_seconds, write_seconds=write_seconds)
        async with Hub(limits=limits) as hub:
            await hub.create("s", content_type=JSON)
            sink = BufferSink(high_water=1)
            cuts: list[None] = []
            monkeypatch.setattr(sink, "abort", lambda: cuts.append(None))
            await hub.live.subscribe("s", "-1", LINES, sink, slow=parse_slow("disconnect"))
            await clock.move(hub, slow_seconds + 1)
            assert not hub.stats.readers
            assert sink.ended == "finished"
            assert not cuts
            await clock.move(hub, write_seconds + 1)
            assert len(cuts) == 1
            assert lines(sink.take())[-1]["control"] == "detached"

    run(main())


def test_a_policy_needs_a_fitting_stream(run: Run) -> None:
    """Conflation of text is refused before anything is sent, and nobody is counted in."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            with pytest.raises(BadRequest):
                await hub.live.open_reader("s", "-1", slow=parse_slow("conflate:k"))
            assert hub.stats.readers == 0

    run(main())


async def pulled(hub: Hub, slow: SlowPolicy) -> list[object]:
    """The events of a pulled reader that was slow over its first one, until it is up to date or ended."""
    with await hub.live.open_reader("s", "-1", slow=slow) as reader:
        await reader.next()
        for number, key in enumerate("aba"):
            await hub.append("s", {"k": key, "n": number})
        events: list[object] = []
        while True:
            event = await reader.next()
            events.append(event)
            if event is None or isinstance(event, Failed) or (isinstance(event, Data) and event.batch.up_to_date):
                return events


def test_pulled_readers_have_the_same_policies(run: Run) -> None:
    """A reader that took long over an event counts as slow; each policy as for a pushed one."""

    async def main() -> None:
        async with Hub(limits=AT_ONCE) as hub:
            await hub.create("s", content_type=JSON)
            (data,) = await pulled(hub, parse_slow("replay"))
            assert isinstance(data, Data)
            assert len(data.batch.records) == 3
            gap, data = await pulled(hub, parse_slow("latest"))
            assert isinstance(gap, Gap)
            assert isinstance(data, Data)
            assert data.batch.records == ()
            gap, data = await pulled(hub, parse_slow("conflate:k"))
            assert isinstance(gap, Gap)
            assert isinstance(data, Data)
            assert [record.json()["n"] for record in data.batch.records] == [1, 2]
            detached, end = await pulled(hub, parse_slow("disconnect"))
            assert isinstance(detached, Detached)
            assert end is None
            assert hub.stats.gaps.total() == 2

    run(main())


class Failing(MemoryStore):
    """A store whose reads fail when told to."""

    fails = False

    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        if self.fails:
            raise StoreUnavailable("no disk")
        return await super().read(path, offset, **bounds)


@pytest.mark.parametrize("push", [True, False])
def test_a_store_that_fails_under_a_slow_reader_is_told(run: Run, push: bool) -> None:
    """The reader gets the error, and the hub goes on."""

    async def main() -> None:
        store = Failing()
        async with Hub(store, limits=Limits(flush_seconds=0, slow_seconds=0, window_bytes=1)) as hub:
            await hub.create("s", content_type=JSON)
            if push:
                store.fails = False
                sink = BufferSink(high_water=1)
                await hub.live.subscribe("s", "-1", LINES, sink, slow=parse_slow("conflate:k"))
                await settle()
                await hub.append("s", {"k": 1})
                store.fails = True
                text = sink.take()
                await settle()
                text += sink.take()
                assert lines(text)[-1]["code"] == "store-unavailable"
            else:
                with await hub.live.open_reader("s", "-1", slow=parse_slow("conflate:k")) as reader:
                    await reader.next()
                    await hub.append("s", {"k": 1})
                    store.fails = True
                    assert isinstance(await reader.next(), Failed)
            store.fails = False
            assert hub.stats.readers == 0

    run(main())


@pytest.mark.parametrize("push", [True, False])
def test_a_stream_has_a_policy_of_its_own(run: Run, push: bool) -> None:
    """A reader that says nothing gets the stream's policy; one that says `replay` gets everything."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            info = await hub.create("s", content_type=JSON, slow="conflate:symbol")
            assert info.slow == parse_slow("conflate:symbol")
            for asked, policy in ((None, "conflate:symbol"), (parse_slow("replay"), "replay")):
                if push:
                    await hub.live.subscribe("s", "-1", LINES, BufferSink(), slow=asked)
                    (*_, shown) = sorted(await hub.live.describe(), key=lambda info: info.number)
                else:
                    with await hub.live.open_reader("s", "-1", slow=asked):
                        (shown,) = await hub.live.describe()
                assert shown.policy == policy

    run(main())


def test_a_stream_cannot_have_a_policy_nobody_knows(run: Run) -> None:
    """Nor one that its type has no meaning for; nothing is created."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            for slow in ("fast", "conflate:k", ""):
                with pytest.raises(BadRequest):
                    await hub.create("s", content_type="text/plain", slow=slow)
            assert hub.stream_count == 0

    run(main())
