"""Signals of a hub in process: sent, taken by loops, kept for who comes later, and refused by the name of a limit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.errors import (
    BadRequest,
    HubNotOpen,
    InvalidBody,
    LimitReached,
    RateLimited,
    StreamClosed,
    StreamNotFound,
    TooLarge,
)
from headwater.hub import Peer, kept_signals
from headwater.hub.formats import wire_format
from headwater.hub.kept_signals import KeptSignals
from headwater.hub.live.admission import open_or_wait
from headwater.hub.live.event_reader import ROOM
from headwater.hub.live.first_frames import FirstFrames
from headwater.hub.live.sinks import BufferSink
from headwater.hub.timers import Timers
from headwater.protocol.signals import Addressed, Signal, make_signal

JSON = "application/json"
PROMPT = Limits(flush_seconds=0)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def signals(text: bytes) -> list[dict[str, Any]]:
    found = map(json.loads, text.splitlines())
    return [line for line in found if line.get("control") == "signal" and line.pop("control")]


async def reader(hub: Hub, path: str = "s", **options: Any) -> BufferSink:
    sink = BufferSink(**options)
    await hub.subscribe(path, sink, signals=True, name="me")
    return sink


# Loops.


def test_a_loop_takes_signals(run: Run[None]) -> None:
    """With who sent them, to whom, about what; until the stream ends."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            found: list[Signal] = []

            async def take() -> None:
                found.extend([signal async for signal in hub.signals("s", name="me")])

            task = asyncio.create_task(take())
            await settle()
            assert hub.reader_count("s") == 1
            assert await hub.signal("s", {"a": 1}, sender="ada", topic="t") == 1
            assert await hub.signal("s", b"\0", to="me") == 1
            assert await hub.signal("s", 1, to="you") == 0
            await hub.append("s", 1)
            await hub.close("s")
            await asyncio.wait_for(task, 10)
            assert [(each.sender, each.to, each.topic, each.data) for each in found] == [
                ("ada", None, "t", {"a": 1}),
                (None, "me", None, b"\0"),
            ]
            assert (hub.reader_count("s"), hub.stats.readers) == (0, 0)

    run(main())


@pytest.mark.parametrize("end", ["delete", "drain", "fail", "leave"])
def test_a_loop_ends(run: Run[None], end: str) -> None:
    """With its stream, with the hub, or by itself; nothing is left of it."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)

            async def take() -> None:
                async for _ in hub.signals("s"):
                    break
                else:
                    return
                assert end == "leave"

            task = asyncio.create_task(take())
            await settle()
            match end:
                case "delete":
                    await hub.delete("s")
                case "drain":
                    hub.drain()
                case "fail":
                    await hub.fail("s", "broken")
                case "leave":
                    await hub.signal("s", 1)
            await asyncio.wait_for(task, 10)
            await settle()
            assert (hub.reader_count("s"), hub.stats.readers) == (0, 0)

    run(main())


def test_a_slow_loop_has_room_for_some(run: Run[None]) -> None:
    """What comes while it is full is dropped and counted; it goes on with what comes then."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            loop: AsyncIterator[Signal] = hub.signals("s")
            first = asyncio.ensure_future(anext(loop))
            await settle()
            for number in range(ROOM + 11):
                await hub.signal("s", number)
            assert (await first).data == 0
            await hub.signal("s", "more")
            taken = [(await anext(loop)).data for _ in range(ROOM)]
            assert taken == [*range(1, ROOM), "more"]
            assert hub.stats.signals_dropped == 11
            await loop.aclose()  # type: ignore[attr-defined]

    run(main())


def test_what_cannot_be_sent(run: Run[None]) -> None:
    """The error says what, and nobody is told anything."""

    async def main() -> None:
        hub = Hub(limits=PROMPT)
        with pytest.raises(HubNotOpen):
            await hub.signal("s", 1)
        async with hub:
            await hub.create("s", content_type=JSON)
            await hub.create("closed", content_type=JSON, closed=True)
            sink = await reader(hub)
            sink.take()
            with pytest.raises(StreamNotFound):
                await hub.signal("none", 1)
            with pytest.raises(StreamNotFound):
                await anext(hub.signals("none"))
            with pytest.raises(StreamClosed):
                await hub.signal("closed", 1)
            assert [signal async for signal in hub.signals("closed")] == []
            with pytest.raises(InvalidBody):
                await hub.signal("s", b"")
            with pytest.raises(InvalidBody):
                await hub.signal("s", object())
            with pytest.raises(TooLarge, match="max_signal_bytes=4096"):
                await hub.signal("s", "x" * 4095)
            with pytest.raises(BadRequest, match="from"):
                await hub.signal("s", 1, sender="a\nb")
            with pytest.raises(BadRequest, match="say from"):
                await hub.signal("s", 1, keep=1)
            with pytest.raises(BadRequest, match="signal_keep_seconds=60"):
                await hub.signal("s", 1, sender="a", keep=61)
            with pytest.raises(BadRequest, match="keep"):
                await hub.signal("s", 1, sender="a", keep=-1)
            for wrong in ({"sender": 1}, {"to": b"x"}, {"topic": 1}, {"keep": "1"}):
                with pytest.raises(TypeError):
                    await hub.signal("s", 1, **wrong)
            assert await hub.signal("s", "x" * 4094) == 1
            assert len(signals(sink.take())) == 1
            assert hub.stats.signals == 1

    run(main())


def test_a_stream_that_waits_is_none(run: Run[None]) -> None:
    """A reader that came before its stream is told signals from when the stream is there."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("other")
            sink, form = BufferSink(), wire_format("ndjson", signals=True)
            with await open_or_wait(hub.live, "s", "-1", slow=None, peer=Peer(), first_bytes=100) as came:
                hub.live.push(came, form, sink)
            with pytest.raises(StreamNotFound):
                await hub.signal("s", 1)
            await hub.create("s", content_type=JSON)
            await settle()
            assert await hub.signal("s", 2) == 1
            await hub.delete("s")
            with pytest.raises(StreamNotFound):
                await hub.signal("s", 3)
            assert [each["data"] for each in signals(sink.take())] == [2]

    run(main())


def test_while_the_hub_drains(run: Run[None]) -> None:
    """Readers that were let go are told nothing more, and nothing fails."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sink = await reader(hub)
            hub.drain()
            assert await hub.signal("s", 1) == 0
            assert json.loads(sink.take().splitlines()[-1])["control"] == "detached"

    run(main())


def test_rates(run: Run[None]) -> None:
    """Of one sender to all streams, of one stream from all senders; the program has the second one only."""

    async def main() -> None:
        async with Hub(limits=Limits(signal_rate=3, stream_signal_rate=5)) as hub:
            for path in "ab":
                await hub.create(path, content_type=JSON)
            sender, signal = hub.signal_sender, make_signal(Addressed(), JSON, b"1")

            def send(by: str, path: str) -> None:
                sender.check(by, Addressed(), 1)
                sender.send_at_once(path, signal, by)

            readers = [await reader(hub, path) for path in "ab"]
            for path in "aba":
                send("x", path)
            with pytest.raises(RateLimited, match="signal_rate=3"):
                send("x", "b")
            for _ in range(3):
                send("y", "a")
            with pytest.raises(RateLimited, match="stream_signal_rate=5"):
                send("z", "a")
            with pytest.raises(RateLimited, match="stream_signal_rate=5"):
                await hub.signal("a", 1)
            for _ in range(4):
                await hub.signal("b", 1)
            assert [len(signals(each.take())) for each in readers] == [5, 5]
            assert hub.stats.signals == 10

    run(main())


# What is kept.


def test_who_comes_later_is_told_what_is_kept(run: Run[None]) -> None:
    """The newest of each sender in each topic, with the seconds left; not what was for others, nor what has ended."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON, body=b"[1]")
            await hub.signal("s", "old", sender="ada", topic="cursor", keep=30)
            await hub.signal("s", "new", sender="ada", topic="cursor", keep=30)
            await hub.signal("s", "typing", sender="ada", topic="typing", keep=5)
            await hub.signal("s", "bob's", sender="bob", keep=60)
            await hub.signal("s", "over", sender="eve", keep=60)
            await hub.signal("s", "ended", sender="eve", keep=0)
            await hub.signal("s", "to you", sender="eve", to="you", keep=60)
            await hub.signal("s", "to me", sender="eve", to="me", keep=60)
            await hub.signal("s", "not kept", sender="ada", topic="cursor")
            text = (await reader(hub)).take()
            assert json.loads(text.splitlines()[0])["data"] == 1
            assert signals(text) == [
                {"from": "ada", "topic": "cursor", "keep": 30, "data": "new"},
                {"from": "ada", "topic": "typing", "keep": 5, "data": "typing"},
                {"from": "bob", "keep": 60, "data": "bob's"},
                {"from": "eve", "to": "me", "keep": 60, "data": "to me"},
            ]
            loop = hub.signals("s")
            assert (await anext(loop)).data == "new"
            await loop.aclose()  # type: ignore[attr-defined]
            assert len(hub.signal_sender.kept) == 6

    run(main())


def test_who_was_full_is_told_what_changed(run: Run[None]) -> None:
    """What was kept meanwhile, and what ended; not what it was told before, and nothing twice."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            await hub.signal("s", "same", sender="ada", keep=60)
            await hub.signal("s", "here", sender="bob", keep=60)
            sink = await reader(hub, high_water=300)
            assert [each["data"] for each in signals(sink.take())] == ["same", "here"]
            await hub.signal("s", "x" * 300, sender="eve", keep=60)
            await hub.signal("s", "gone", sender="bob", keep=0)
            await hub.signal("s", "dropped")
            await hub.signal("s", "came", sender="cid", keep=60)
            assert [each["data"][:3] for each in signals(sink.take())] == ["xxx"]
            await settle()
            assert [(each["data"], each["keep"]) for each in signals(sink.take())] == [("gone", 0), ("came", 60)]
            await hub.signal("s", "live")
            assert [each["data"] for each in signals(sink.take())] == ["live"]

    run(main())


def test_a_large_greeting_is_told_once(run: Run[None]) -> None:
    """It fills a connection, which is then behind; when it has drained nothing of it comes again."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            for number in range(100):
                await hub.signal("s", "x" * 500, sender=f"s{number}", keep=60)
            sink = await reader(hub, high_water=100)
            seen = []
            for _ in range(10):
                seen += signals(sink.take())
                await settle()
            assert [each["from"] for each in seen] == [f"s{number}" for number in range(100)]
            assert await hub.signal("s", 1) == 1

    run(main())


@pytest.mark.parametrize("high_water", [1, 60, 120, 10**6])
def test_a_crowd_is_told_what_is_kept(run: Run[None], high_water: int) -> None:
    """Those whose first frames are another one's, too, and those who are full by them; each is told it once."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON, body=b"[1]")
            await hub.signal("s", "kept", sender="ada", keep=60)
            form, offset = structs.replace(wire_format("ndjson", signals=True), timeless=True), "-1"
            first: list[BufferSink] = []
            for _ in range(20):
                first.append(BufferSink())
                await hub.live.subscribe("s", offset, form, first[-1])
            found = hub.live.look("s", offset, form, peer=Peer("ndjson"))
            assert found is not None
            assert isinstance(found.first, FirstFrames)
            assert b"signal" not in found.first.data
            sink = BufferSink(high_water)
            hub.live.push(found, form, sink)
            text = b""
            for _ in range(10):
                text += sink.take()
                await settle()
            assert [line.get("data") for line in map(json.loads, text.splitlines())] == [1, None, "kept"]
            assert await hub.signal("s", "live") == 21
            assert [each["data"] for each in signals(sink.take())] == ["live"]
            assert all(len(signals(each.take())) == 2 for each in first)
            assert {info.signals_told for info in await hub.live.describe()} == {1}

    run(main())


def test_who_is_full_by_its_first_frames_is_told_none(run: Run[None]) -> None:
    """And counts as such, until it is live."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON, body=b"[1]")
            form = structs.replace(wire_format("ndjson", signals=True), timeless=True)
            for _ in range(20):
                await hub.live.subscribe("s", "-1", form, BufferSink())
            prospect = hub.live.look("s", "-1", form, peer=Peer("ndjson", "full"))
            assert prospect is not None
            assert isinstance(prospect.first, FirstFrames)
            sink = BufferSink(1)
            hub.live.push(prospect, form, sink)
            for _ in range(3):
                assert await hub.signal("s", "dropped") == 20
            (found,) = [info for info in await hub.live.describe() if info.name == "full"]
            assert (found.signals_told, found.signals_dropped) == (0, 3)
            sink.take()
            await hub.signal("s", "told")
            (found,) = [info for info in await hub.live.describe() if info.name == "full"]
            assert (found.signals_told, found.signals_dropped) == (1, 3)

    run(main())


def test_a_closed_stream_whose_reader_is_full(run: Run[None]) -> None:
    """It has not been told the end yet, and there is nobody to tell a signal."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sink = await reader(hub, high_water=1)
            await hub.append("s", 1, close=True)
            with pytest.raises(StreamClosed) as refused:
                await hub.signal("s", 1)
            assert refused.value.details["next_offset"] == (await hub.info("s")).tail
            assert hub.reader_count("s") == 1
            sink.take()

    run(main())


def test_a_stream_made_anew_keeps_nothing_of_the_old_one(run: Run[None]) -> None:
    """Nor does a hub that was closed."""

    async def main() -> None:
        hub = Hub(limits=PROMPT)
        async with hub:
            await hub.create("s", content_type=JSON)
            await hub.signal("s", "old", sender="ada", keep=60)
            await hub.delete("s")
            await hub.create("s", content_type=JSON)
            assert signals((await reader(hub)).take()) == []
            await hub.signal("s", "new", sender="ada", keep=60)
            assert [each["data"] for each in signals((await reader(hub)).take())] == ["new"]
            assert hub.signal_sender.kept.size == 8
        async with hub:
            assert (len(hub.signal_sender.kept), hub.signal_sender.kept.size) == (0, 0)

    run(main())


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"max_kept_signals": 2}, "max_kept_signals=2"),
        ({"max_sender_kept_signals": 2}, "max_sender_kept_signals=2"),
        ({"kept_signal_bytes": 20}, "kept_signal_bytes=20"),
        ({"max_kept_signal_bytes": 20}, "max_kept_signal_bytes=20"),
    ],
)
def test_limits_of_what_is_kept(run: Run[None], limits: dict[str, int], named: str) -> None:
    """One more is refused and told to nobody; those that are kept may change and end, and then there is room."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, **limits)) as hub:
            await hub.create("s", content_type=JSON)
            sink = await reader(hub)
            sink.take()
            await hub.signal("s", "12345", sender="a", topic="1", keep=60)
            await hub.signal("s", "12345", sender="a", topic="2", keep=60)
            with pytest.raises(LimitReached, match=named):
                await hub.signal("s", "12345", sender="b", topic="3", keep=60)
            assert len(signals(sink.take())) == 2
            await hub.signal("s", "54321", sender="a", topic="1", keep=60)
            await hub.signal("s", 0, sender="a", topic="none", keep=0)
            await hub.signal("s", 0, sender="a", topic="2", keep=0)
            told = signals((await reader(hub)).take())
            assert [each["data"] for each in told] == ["54321"]

    run(main())


class Clock:
    """Time as the kept signals see it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_what_is_kept_is_over(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """At its time to the second, and its memory is let go by a timer that needs nobody to come."""

    async def main() -> None:
        clock = Clock()
        monkeypatch.setattr(kept_signals, "time", clock)
        timers = Timers()
        due: list[_Timer] = []

        def after(seconds: float, call: Callable[[], object]) -> _Timer:
            due.append(_Timer(clock.now + seconds, call))
            return due[-1]

        monkeypatch.setattr(timers, "after", after)
        kept = KeptSignals(Limits(), timers, lambda _: 1)

        def told() -> list[tuple[str | None, Any]]:
            return [(event.origin.sender, event.origin.keep) for event in kept.told_first("s", 0, Peer())]

        for number, (sender, seconds) in enumerate((("a", 10), ("b", 20), ("c", 5)), 1):
            kept.put("s", 1, make_signal(Addressed(sender, keep=seconds), JSON, b"1"), number, "by")
        assert told() == [("a", 10), ("b", 20), ("c", 5)]
        clock.now += 4.5
        assert told() == [("a", 6), ("b", 16), ("c", 1)]
        clock.now += 0.5
        assert told() == [("a", 5), ("b", 15)]
        while due:
            timer = due.pop(0)
            clock.now = timer.at
            timer.call()
        assert (len(kept), kept.size, kept._streams) == (0, 0, {})
        assert clock.now == 1020.0

    run(main())


@given(st.data())
def test_the_size_of_what_is_kept(data: st.DataObject) -> None:
    """It is the sum, and the counts are right, whatever comes, ends or is made anew; no limit is passed."""
    limits = Limits(max_kept_signals=5, max_sender_kept_signals=3, kept_signal_bytes=40, max_kept_signal_bytes=60)
    patch = pytest.MonkeyPatch()
    clock, timers = Clock(), Timers()
    due: list[_Timer] = []

    def after(seconds: float, call: Callable[[], object]) -> _Timer:
        due.append(_Timer(clock.now + seconds, call))
        return due[-1]

    patch.setattr(kept_signals, "time", clock)
    patch.setattr(timers, "after", after)
    kept = KeptSignals(limits, timers, lambda _: 1)
    try:
        for number in range(1, data.draw(st.integers(1, 40))):
            path, incarnation = data.draw(st.sampled_from("abc")), data.draw(st.sampled_from([1, 1, 1, 2]))
            addressed = Addressed(
                data.draw(st.sampled_from("xyz")),
                topic=data.draw(st.sampled_from([None, "t", "u"])),
                keep=data.draw(st.integers(0, 3)),
            )
            signal, by = make_signal(addressed, JSON, b"1" * data.draw(st.integers(1, 12))), addressed.sender
            try:
                kept.check(path, incarnation, signal, by)
            except LimitReached:
                continue
            kept.put(path, incarnation, signal, number, by)
            clock.now += data.draw(st.sampled_from([0.0, 0.5, 2.0]))
            for timer in [timer for timer in due if timer.at <= clock.now]:
                due.remove(timer)
                timer.call()
            streams = kept._streams.values()
            assert kept.size == sum(one.size for found in streams for one in found.kept.values()) <= 60
            for found in streams:
                assert found.size == sum(one.size for one in found.kept.values()) <= 40
                assert len(found.kept) == sum(found.counts.values()) <= 5
                assert max(found.counts.values(), default=0) <= 3
    finally:
        patch.undo()


class _Timer:
    """One that is called by hand."""

    def __init__(self, at: float, call: Callable[[], object]) -> None:
        self.at = at
        self.call = call

    def cancel(self) -> None:
        """It does nothing any more."""
        self.call = lambda: None
