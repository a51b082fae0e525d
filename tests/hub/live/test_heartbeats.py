"""Heartbeats of pushed readers: one a group, shared by all, sent over many turns of the loop, and only in silence.

The time is moved by hand.
"""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import pytest
from tests.conftest import Run
from tests.support.hub_clock import HubClock

from headwater import Hub, Limits
from headwater.hub.live import heartbeats
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ndjson import JsonLines

JSON = "application/json"
LINES = WireFormat(("ndjson",), JsonLines, lambda data: data)
LIMITS = Limits(flush_seconds=0, heartbeat_seconds=15)


def controls(text: bytes) -> list[str]:
    return [json.loads(line).get("control", "data") for line in text.splitlines()]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HubClock:
    return HubClock(monkeypatch)


async def come(hub: Hub, count: int) -> list[BufferSink]:
    """Readers of `s` that are live."""
    sinks = [BufferSink() for _ in range(count)]
    for sink in sinks:
        await hub.live.subscribe("s", "-1", LINES, sink)
        assert controls(sink.take()) == ["up-to-date"]
    return sinks


def test_readers_of_a_group_share_its_heartbeat(run: Run[None], clock: HubClock) -> None:
    """Who came later gets the same heartbeat, at the same time as those who were there."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("s", content_type=JSON)
            (first,) = await come(hub, 1)
            await clock.move(hub, 8)
            (second,) = await come(hub, 1)
            assert not first.take()
            await clock.move(hub, 8)
            assert controls(first.take()) == controls(second.take()) == ["keepalive"]

    run(main())


def test_a_heartbeat_of_many_readers_takes_many_turns(run: Run[None], clock: HubClock) -> None:
    """In one turn at most `TURN` readers are written to; all get it, once."""
    readers = 4 * heartbeats.TURN + 10

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("s", content_type=JSON)
            sinks = await come(hub, readers)
            before = hub.stats.deliveries
            await clock.move(hub, 16, turns=0)
            sizes = [0, sum(sink.held() > 0 for sink in sinks)]
            while not all(sink.held() for sink in sinks):
                await asyncio.sleep(0)
                sizes.append(sum(sink.held() > 0 for sink in sinks))
            assert max(after - before for before, after in pairwise(sizes)) <= heartbeats.TURN
            assert all(controls(sink.take()) == ["keepalive"] for sink in sinks)
            assert hub.stats.deliveries == before + readers

    run(main())


def test_records_take_a_heartbeats_place(run: Run[None], clock: HubClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose turn has not come when a record is delivered get the record, and no heartbeat behind it."""
    monkeypatch.setattr(heartbeats, "TURN", 1)

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("s", content_type=JSON)
            sinks = await come(hub, 100)
            await clock.move(hub, 16, turns=0)
            assert sum(sink.held() > 0 for sink in sinks) == 1
            await hub.append("s", 1)
            got = [b"" for _ in sinks]
            while not all(b"data" in text for text in got):
                await asyncio.sleep(0)
                got = [text + sink.take() for text, sink in zip(got, sinks, strict=True)]
            told = [words[: words.index("data") + 1] for words in map(controls, got)]
            assert ["data"] in told
            assert all(words in (["data"], ["keepalive", "data"]) for words in told)

    run(main())


def test_each_group_has_its_own_silence(run: Run[None], clock: HubClock) -> None:
    """Groups of one heartbeat wait together; each is told 15 seconds behind what it was told last."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            told: dict[str, list[int]] = {"a": [], "b": [], "c": []}
            sinks = {path: BufferSink() for path in told}
            for path, sink in sinks.items():
                await hub.create(path, content_type=JSON)
                await hub.live.subscribe(path, "-1", LINES, sink)
                await clock.move(hub, 4)
            await hub.append("b", 1)
            await clock.move(hub, 0)
            await clock.move(hub, 0.5)
            for second in range(13, 60):
                for sink in sinks.values():
                    sink.take()
                await clock.move(hub, 1)
                for path, sink in sinks.items():
                    if controls(sink.take()) == ["keepalive"]:
                        told[path].append(second)
            assert told == {"a": [15, 30, 45], "b": [27, 42, 57], "c": [23, 38, 53]}

    run(main())


def test_a_group_that_is_empty_has_no_heartbeat(run: Run[None], clock: HubClock) -> None:
    """When the last reader is gone its group's timer finds that out, and a new reader gets a group of its own."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("s", content_type=JSON)
            with await hub.live.open_reader("s", "-1"):  # keeps the stream's window
                (gone,) = await come(hub, 1)
                gone.lose()
                await clock.move(hub, 40)
                assert not gone.take()
                (sink,) = await come(hub, 1)
                await clock.move(hub, 16)
                assert controls(sink.take()) == ["keepalive"]

    run(main())


def test_a_member_that_is_full_leaves_before_the_next_record(run: Run[None], clock: HubClock) -> None:
    """A sink that says between two records that it is full is given none of the second."""

    async def main() -> None:
        async with Hub(limits=LIMITS) as hub:
            await hub.create("s", content_type=JSON)
            sink = BufferSink(high_water=300)
            await hub.live.subscribe("s", "-1", LINES, sink)
            sink.take()
            for _ in range(30):  # heartbeats fill it
                if not hub.stats.pauses:
                    await clock.move(hub, 15)
            assert hub.stats.pauses
            held = sink.held()
            await hub.append("s", 1)
            await clock.move(hub, 20)
            assert sink.held() == held
            assert (await hub.live.describe())[0].lag_records == 1

    run(main())
