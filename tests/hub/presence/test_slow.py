"""Readers that are full, late, or come in the middle: each one's list is the truth when it has taken what there is."""

from __future__ import annotations

import asyncio
import json
import random
from functools import partial

import pytest
from tests.conftest import Run
from tests.protocol.presence.room_model import Reader
from tests.support.hub_clock import HubClock

from headwater import Hub, Limits
from headwater.errors import BadRequest
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat, with_kind
from headwater.protocol.ephemeral import PRESENCE, as_line
from headwater.protocol.ndjson import JsonLines

PATH = "rooms/7"
FORM = with_kind(WireFormat(("lines",), partial(JsonLines), bytes), PRESENCE, as_line)


class Taking:
    """A reader whose sink is taken out from time to time.

    Attributes:
        sink: where it is written to.
        list: what it was told.
        records: that it was told.
    """

    def __init__(self, high_water: int) -> None:
        self.sink = BufferSink(high_water)
        self.list = Reader()
        self.records: list[int] = []

    def take(self) -> bool:
        """Take out what is there; whether there was anything."""
        text = self.sink.take()
        for line in map(json.loads, text.splitlines()):
            if line.get("control") == "presence":
                self.list.take(line)
            elif "data" in line:
                self.records.append(line["data"])
        return bool(text)


def test_lists_of_slow_readers_become_the_truth(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Some are full at every list, and are told it as often as they missed something, not for ever."""

    clock = HubClock(monkeypatch)

    async def main() -> None:
        chance = random.Random(7)
        async with Hub(limits=Limits(presence_changes=1000, flush_seconds=0.01)) as hub:
            await hub.create(PATH, content_type="application/json", body=b"[0]")
            room = hub.presence(PATH)
            readers = [Taking(size) for size in (1, 300, 5000, 10**9)]
            for reader in readers:
                await hub.live.subscribe(PATH, "-1", FORM, reader.sink)
            members = {}
            for step in range(150):
                id = f"m{chance.randrange(30)}"
                if id not in members:
                    members[id] = await room.join(id, {"step": step})
                elif chance.random() < 0.5:
                    members.pop(id).leave()
                else:
                    members[id].change({"step": step})
                if chance.random() < 0.5:
                    await hub.append(PATH, step + 1)
                if chance.random() < 0.3:
                    chance.choice(readers).take()
                if chance.random() < 0.1:
                    readers.append(Taking(chance.choice([1, 2000])))
                    await hub.live.subscribe(PATH, "-1", FORM, readers[-1].sink)
                await clock.move(hub, 0.01)
            truth = {member.id: member.state for member in room.members()}

            def is_told() -> bool:
                """Every reader is taken out at each look, so that what waits for it comes."""
                moved = [reader.take() for reader in readers]
                return not any(moved) and all(reader.list.members == truth for reader in readers)

            async with asyncio.timeout(30):
                while not is_told():
                    await clock.move(hub, 0.05)
            frames = hub.stats.presence_frames
            for reader in readers:
                assert len(reader.list.told) <= frames + 1
                assert reader.records == sorted(set(reader.records))

    run(main())


def test_a_sink_of_a_program(run: Run[None]) -> None:
    """Signals and presence on one of them, in the two formats that have a place for both."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            lines, events = BufferSink(), BufferSink()
            await hub.subscribe(PATH, lines, presence=True, signals=True)
            await hub.subscribe(PATH, events, wire="events", presence=True)
            await hub.presence(PATH).join("ada")
            await hub.signal(PATH, 1)
            text = lines.take()
            assert text.count(b'{"control":"presence"') == 2
            assert text.count(b'{"control":"signal"') == 1
            assert events.take().count(b"event: stream-presence\n") == 2
            with pytest.raises(BadRequest):
                await hub.subscribe(PATH, BufferSink(), wire="sse", presence=True)

    run(main())


def test_presence_is_no_signal_in_the_figures(run: Run[None]) -> None:
    """What a reader missed of it is made up for."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            await hub.live.subscribe(PATH, "-1", FORM, BufferSink())
            await hub.presence(PATH).join("ada")
            (info,) = await hub.live.describe()
            assert (info.signals_told, info.signals_dropped) == (None, None)

    run(main())
