"""A crowd that waits for one path: let in piece by piece when the stream is made, and each told all of it, once."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise
from pathlib import Path

import pytest
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.errors import LimitReached
from headwater.hub.formats import wire_format
from headwater.hub.live.admission import open_or_wait
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.stream import ADMITTED
from headwater.hub.peers import NOBODY
from headwater.model import Change

JSON = "application/json"


async def crowd(hub: Hub, count: int) -> list[BufferSink]:
    """Readers that come before the stream."""
    form, sinks = wire_format("events"), []
    for _ in range(count):
        came = await open_or_wait(hub.live, "late", "-1", slow=None, peer=NOBODY, first_bytes=65_536)
        sinks.append(BufferSink(high_water=1 << 20))
        hub.live.push(came, form, sinks[-1])
    return sinks


def numbers(data: bytes) -> list[int]:
    """The records of an event stream."""
    return [int(found) for found in re.findall(rb"^data:(\d+)$", data, re.MULTILINE)]


@pytest.mark.parametrize("store", ["memory:", "sqlite:"])
@pytest.mark.parametrize("count", [2000, pytest.param(10_000, marks=pytest.mark.soak)])
@pytest.mark.timeout(300)
def test_a_path_that_a_crowd_waits_for(run: Run[None], tmp_path: Path, store: str, count: int) -> None:
    """Records that come while it is let in are told behind the first ones. No turn of the loop lets in too many."""

    async def main() -> None:
        location = store + str(tmp_path / "hub.db") * (store == "sqlite:")
        async with Hub(location, limits=Limits(max_readers=count)) as hub:
            sinks = await crowd(hub, count)
            assert hub.stats.readers == hub.reader_count("late") == count
            for sink in sinks:
                assert b"stream-waiting" in sink.take()
            turns: list[int] = []

            async def look() -> None:
                while True:
                    turns.append(sum(1 for sink in sinks[:: count // 1000] if sink.held()))
                    await asyncio.sleep(0)

            looking = asyncio.ensure_future(look())
            await hub.create("late", content_type=JSON, body=b"[0,1,2]")
            for number in range(3, 10):
                await hub.append("late", number)
            await hub.close("late")
            while hub.stats.readers:  # noqa: ASYNC110
                await asyncio.sleep(0)
            looking.cancel()
            step = max(after - before for before, after in pairwise(turns))
            # Of the thousand that are looked at; a turn may end one piece and begin another.
            assert step <= 2 * ADMITTED * 1000 // count + 1
            for sink in sinks:
                told = sink.take()
                assert numbers(told) == list(range(10))
                assert (told.count(b"stream-created"), told.count(b"stream-closed")) == (1, 1)
                assert sink.ended == "finished"
            assert hub.live.stream("late") is None

    run(main())


def test_who_waits_is_let_in_also_where_another_reader_was_faster(
    run: Run[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It found the stream in the store before this told of it, which is no news then."""

    async def main() -> None:
        async with Hub() as hub:
            (sink,) = await crowd(hub, 1)
            held: list[Change] = []
            monkeypatch.setattr(hub.live, "apply", held.append)
            await hub.create("late", content_type=JSON, body=b"[1]")
            monkeypatch.undo()
            with await hub.live.open_reader("late", "-1"):
                for change in held:
                    hub.live.apply(change)
                told = b""
                while numbers(told) != [1]:
                    told += sink.take()
                    await asyncio.sleep(0)
            assert told.count(b"stream-created") == 1
            sink.lose()

    run(main())


def test_who_waits_in_a_full_hub_has_its_place(run: Run[None]) -> None:
    """It counted as a reader already, and is not refused when its stream is made; a newcomer is."""

    async def main() -> None:
        async with Hub(limits=Limits(max_readers=3)) as hub:
            sinks = await crowd(hub, 3)
            with pytest.raises(LimitReached):
                await crowd(hub, 1)
            await hub.create("late", content_type=JSON, body=b"[1]")
            told = [b""] * 3
            while not all(numbers(each) == [1] for each in told):
                told = [before + sink.take() for before, sink in zip(told, sinks, strict=True)]
                await asyncio.sleep(0)
            assert hub.stats.readers == hub.reader_count("late") == 3
            with pytest.raises(LimitReached):
                await hub.live.open_reader("late", "-1")
            for sink in sinks:
                sink.lose()
            assert hub.stats.readers == 0

    run(main())
