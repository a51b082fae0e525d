"""Records and signals mixed, for readers that are live, full, catching up, coming and going.

What is promised: no record is lost or comes twice. A signal comes once or not at all, behind every record whose append
was acknowledged before it was sent and before every record that was appended later. A full connection holds no signal
that was sent since it is full.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import LOOPS, Run

from headwater import Hub, Limits
from headwater.hub.formats import wire_format
from headwater.hub.live.sinks import BufferSink
from headwater.model import Policy, SlowPolicy

JSON: Final = "application/json"
POLICIES: Final = [SlowPolicy(), SlowPolicy(Policy.LATEST), SlowPolicy(Policy.CONFLATE, "k")]


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class Reader:
    """One, and what it was given.

    Attributes:
        sink: where it is given it.
        asks: it asked for signals.
        loses: its policy leaves records out.
        text: what was taken so far.
        began: records before the first one that it is to be told.
    """

    def __init__(self, sink: BufferSink, began: int, *, asks: bool, loses: bool) -> None:
        self.sink = sink
        self.asks = asks
        self.loses = loses
        self.began = began
        self.text = b""

    @property
    def is_full(self) -> bool:
        return self.sink._full

    def take(self) -> None:
        self.text += self.sink.take()

    def check(self, sent: list[tuple[int, int]], records: int) -> int:
        """What it was given keeps the promise; gives the signals that it was told.

        Args:
            sent: for each signal the records that were acknowledged, and those that were appended, when it was sent.
            records: how many there are.
        """
        assert self.text.endswith(b"\n")
        seen, signals = self.began - 1, [-1]
        for line in map(json.loads, self.text.splitlines()):
            if line.get("control") == "signal":
                signals.append(line["data"]["s"])
                acknowledged, appended = sent[line["data"]["s"]]
                assert self.loses or acknowledged <= seen + 1 <= appended
                assert seen + 1 <= appended
            elif "data" in line:
                number = line["data"]["n"]
                assert number > seen if self.loses else number == seen + 1
                seen = number
        assert self.loses or seen + 1 == records
        assert signals == sorted(set(signals))
        assert self.asks or len(signals) == 1
        return len(signals) - 1


class World:
    """A stream, its readers, and what was done."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.readers: list[Reader] = []
        self.appended = 0
        self.acknowledged = 0
        self.sent: list[tuple[int, int]] = []
        self.told = 0
        self.asked = 0
        self.gone: list[Reader] = []
        self._appends: list[asyncio.Task[None]] = []

    async def join(self, high_water: int, policy: SlowPolicy, *, asks: bool, from_now: bool) -> None:
        await self.settle()
        sink = BufferSink(high_water)
        form = wire_format("ndjson", signals=asks)
        await self.hub.live.subscribe("s", "now" if from_now else "-1", form, sink, slow=policy)
        began = self.appended if from_now else 0
        self.readers.append(Reader(sink, began, asks=asks, loses=policy.policy is not Policy.REPLAY))

    async def append(self) -> None:
        number, self.appended = self.appended, self.appended + 1
        await self.hub.append("s", {"n": number, "k": number % 3})
        self.acknowledged += 1

    def append_later(self) -> None:
        self._appends.append(asyncio.create_task(self.append()))

    async def settle(self) -> None:
        await asyncio.gather(*self._appends)
        self._appends.clear()

    async def signal(self) -> None:
        full = [(reader, reader.sink.held()) for reader in self.readers if reader.is_full]
        number = len(self.sent)
        self.sent.append((self.acknowledged, self.appended))
        self.told += await self.hub.signal("s", {"s": number})
        self.asked += sum(reader.asks for reader in self.readers)
        for reader, held in full:
            assert reader.sink.held() == held, "a full connection was given a signal"

    def take(self, index: int) -> None:
        if self.readers:
            self.readers[index % len(self.readers)].take()

    def leave(self, index: int) -> None:
        if self.readers:
            reader = self.readers.pop(index % len(self.readers))
            reader.sink.lose()
            self.gone.append(reader)

    async def check(self) -> None:
        await self.settle()
        await turns()
        while any(reader.sink.held() for reader in self.readers):
            for reader in self.readers:
                reader.take()
            await turns(5)
        told = sum(reader.check(self.sent, self.appended) for reader in self.readers)
        stats = self.hub.stats
        assert (stats.signals, stats.signals_told) == (len(self.sent), self.told)
        assert stats.signals_told + stats.signals_dropped == self.asked
        if not self.gone:
            assert told == self.told


STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.just(0)),
        st.tuples(st.just("later"), st.just(0)),
        st.tuples(st.just("signal"), st.just(0)),
        st.tuples(st.just("take"), st.integers(0, 20)),
        st.tuples(st.just("turns"), st.integers(1, 6)),
        st.tuples(st.just("join"), st.integers(0, 47)),
        st.tuples(st.just("leave"), st.integers(0, 20)),
    ),
    max_size=60,
)


@settings(max_examples=300)
@given(STEPS, st.sampled_from([40, 200, 10_000]), st.sampled_from([0.0, 1000.0]))
def test_in_every_order(steps: list[tuple[str, int]], window: int, flush_seconds: float) -> None:
    """Whatever comes behind what."""

    async def main() -> None:
        limits = Limits(
            window_bytes=window,
            read_bytes=window,
            buffer_bytes=40,
            flush_seconds=flush_seconds,
            stream_signal_rate=10_000,
        )
        async with Hub(limits=limits) as hub:
            await hub.create("s", content_type=JSON)
            world = World(hub)
            await world.join(100, SlowPolicy(), asks=True, from_now=False)
            actions: dict[str, Callable[[int], Awaitable[None] | None]] = {
                "append": lambda _: world.append(),
                "later": lambda _: world.append_later(),
                "signal": lambda _: world.signal(),
                "turns": turns,
                "take": world.take,
                "leave": world.leave,
                "join": lambda kind: world.join(
                    (30, 100, 300, 10**6)[kind % 4],
                    POLICIES[kind // 4 % 3],
                    asks=bool(kind // 12 % 2),
                    from_now=bool(kind // 24),
                ),
            }
            for name, value in steps:
                work = actions[name](value)
                if work is not None:
                    await work
            await world.check()

    loop = LOOPS["asyncio"]()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_readers(run: Run[None], seed: int) -> None:
    """A tenth is full most of the time, a tenth comes late and far behind; records and signals by turns."""
    rng = random.Random(seed)

    async def main() -> None:
        limits = Limits(window_bytes=2000, read_bytes=1000, buffer_bytes=200, flush_seconds=0, stream_signal_rate=10**5)
        async with Hub(limits=limits) as hub:
            await hub.create("s", content_type=JSON)
            world = World(hub)
            for _ in range(100):
                await world.append()

            async def join(count: int, high_water: int) -> None:
                for _ in range(count):
                    policy, asks = rng.choice(POLICIES), rng.random() < 0.8
                    await world.join(high_water, policy, asks=asks, from_now=rng.random() < 0.5)

            await join(800, 10**6)
            await join(100, 400)
            for number in range(300):
                for _ in range(rng.randrange(3)):
                    world.append_later()
                if rng.random() < 0.3:
                    await world.settle()
                await world.signal()
                await turns(rng.randrange(4))
                if number % 3 == 0:
                    await join(1, rng.choice((100, 10**6)))
                for reader in rng.sample(world.readers, 40):
                    if not reader.is_full or rng.random() < 0.2:
                        reader.take()
            await world.check()
            assert hub.stats.signals_dropped > 1000
            assert hub.stats.signals_told > 100_000

    run(main())


def test_what_a_reader_costs_that_is_full(run: Run[None]) -> None:
    """A hundred thousand signals past a full reader leave it with what it held."""

    async def main() -> None:
        async with Hub(limits=Limits(stream_signal_rate=10**6)) as hub:
            await hub.create("s", content_type=JSON)
            sink: Any = BufferSink(high_water=1)
            await hub.live.subscribe("s", "-1", wire_format("ndjson", signals=True), sink)
            held = sink.held()
            for number in range(100_000):
                await hub.signal("s", number)
            assert sink.held() == held
            assert (hub.stats.signals_told, hub.stats.signals_dropped) == (0, 100_000)

    run(main())
