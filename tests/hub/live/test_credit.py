"""Credit is a position: what is told and not acknowledged is bounded, whatever happens, and nothing is lost for it."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Run
from tests.hub.live.test_pushed import settle
from tests.support.hub_clock import HubClock

from headwater import Hub, Limits
from headwater.errors import AlreadySubscribed, InvalidOffset, LimitReached
from headwater.http.websocket.telling import TELLINGS
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.subscriptions.subscription import Subscription
from headwater.hub.live.subscriptions.whole import Subscriptions
from headwater.hub.live.subscriptions.wish import Terms, Wish
from headwater.hub.peers import NOBODY, Peer
from headwater.protocol.offsets import position_of
from headwater.protocol.paths import NOTHING_PRIVATE
from headwater.protocol.slow import parse_slow
from headwater.protocol.websocket import frames

JSON = "application/json"
PROMPT = Limits(flush_seconds=0)


class Reader:
    """A connection in this process, and what it was told: see `Holder`."""

    def __init__(self, hub: Hub, high_water: int = 1 << 20) -> None:
        self.sink = BufferSink(high_water)
        self.all = Subscriptions(hub.live, self.sink, TELLINGS["headwater.v1+json"], self, NOTHING_PRIVATE)
        self.said: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.records: dict[int, list[Any]] = defaultdict(list)
        self.offset: dict[int, str] = {}

    def access(self, wish: Wish) -> Peer:
        return NOBODY

    def stop(self) -> None:
        pass

    def shed(self, retry_after: float) -> None:
        pass

    def paused(self) -> None:
        pass

    def resumed(self) -> None:
        pass

    def lost(self) -> None:
        pass

    def read(self, path: str, window: int | None, *, start: str = "-1", slow: str | None = None) -> int:
        """Subscribe; gives the stream's number."""
        policy = None if slow is None else parse_slow(slow)
        wish = Wish(1, path, start, Terms(window, policy))
        subscription = self.all.subscribe(wish, peer=NOBODY)
        self.all.open(subscription)
        return subscription.number

    def take(self) -> list[dict[str, Any]]:
        """What came since the last time."""
        found = [json.loads(payload) for _, payload in frames.split(self.sink.take())]
        for message in found:
            number = message["s"]
            self.said[number].append(message)
            if message["t"] == "data":
                self.records[number] += message["r"]
                self.offset[number] = message["o"]
        return found

    def find(self, number: int) -> Subscription:
        found = self.all.find(number)
        assert found is not None
        return found

    def acknowledge(self, number: int, offset: str) -> None:
        channel = self.find(number).channel
        assert channel is not None
        channel.acknowledge(offset)

    def state(self, number: int) -> str | None:
        channel = self.find(number).channel
        brief = None if channel is None else channel.brief(0.0)
        return None if brief is None else brief[1]


actions = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 2), st.integers(1, 400)),
        st.tuples(st.just("ack"), st.integers(0, 2), st.integers(0, 100)),
        st.tuples(st.just("take"), st.just(0), st.just(0)),
        st.tuples(st.just("turn"), st.just(0), st.integers(1, 4)),
    ),
    max_size=60,
)


@settings(max_examples=150)
@given(actions, st.tuples(st.integers(1, 600), st.integers(1, 600)), st.sampled_from([300, 1 << 20]))
def test_a_model(steps: list[tuple[str, int, int]], windows: tuple[int, int], high_water: int) -> None:
    """Two streams with windows and one without, on a connection that is also full at times.

    Nothing is told to a stream whose reader has not acknowledged its window; each gets its records in their order, the
    one without a window all that the connection takes; and when all is acknowledged, everything has come, once.
    """

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            reader, sent, acked, seen = Reader(hub, high_water), [0, 0, 0], [0, 0, 0], [0, 0, 0]
            sizes: list[int | None] = [*windows, None]
            numbers = [0, 0, 0]
            for index, window in enumerate(sizes):
                await hub.create(f"s{index}", content_type=JSON)
                reader.read(f"s{index}", window)

            def take() -> None:
                for message in reader.take():
                    if message["t"] == "sub":
                        numbers[int(message["path"][1:])] = message["s"]
                    elif message["t"] == "data":
                        index = numbers.index(message["s"])
                        window, end = sizes[index], position_of(message["o"])
                        # One record in any case, however large it is.
                        assert window is None or end - acked[index] <= window or len(message["r"]) == 1
                        assert window is None or seen[index] - acked[index] < window
                        seen[index] = end

            async def acknowledge(index: int, share: int) -> None:
                offset = reader.offset.get(numbers[index])
                if offset is not None:
                    # Some of what was told, at a place between two records as well.
                    at = max(acked[index], seen[index] * share // 100)
                    take()
                    acked[index] = max(acked[index], at)
                    reader.acknowledge(numbers[index], f"{offset[:17]}{at:016}")

            for kind, index, amount in steps:
                if kind == "append":
                    await hub.append(f"s{index}", {"n": sent[index], "x": "x" * amount})
                    sent[index] += 1
                elif kind == "ack":
                    await acknowledge(index, amount)
                elif kind == "take":
                    take()
                else:
                    for _ in range(amount):
                        await asyncio.sleep(0)
            for _ in range(2000):
                await settle()
                take()
                if [len(reader.records[number]) for number in numbers] == sent:
                    break
                for index in range(3):
                    await acknowledge(index, 100)
            for index, number in enumerate(numbers):
                assert [record["n"] for record in reader.records[number]] == list(range(sent[index]))
            assert hub.stats.readers == 3

    asyncio.run(main())


def test_who_acknowledges_in_time_stays_in_the_group(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the smallest window is passed: it grows with what is acknowledged."""
    left = 0
    original = FanoutGroup.leave

    def counted(self: FanoutGroup, member: Any) -> None:
        nonlocal left
        left += 1
        original(self, member)

    monkeypatch.setattr(FanoutGroup, "leave", counted)

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("a", content_type=JSON)
            readers = [Reader(hub) for _ in range(20)]
            numbers = [reader.read("a", 1000) for reader in readers]
            for count in range(200):
                await hub.append("a", {"n": count})
                await settle()
                for reader, number in zip(readers, numbers, strict=True):
                    reader.take()
                    if count % 20 == 0:
                        reader.acknowledge(number, reader.offset[number])
            for reader, number in zip(readers, numbers, strict=True):
                assert len(reader.records[number]) == 200
                assert reader.state(number) == "live"
            assert not left

    run(main())


def test_members_are_told_the_same_bytes(run: Run[None]) -> None:
    """Whatever else their connections read, and whatever their windows are."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("b", content_type=JSON)
            await hub.create("a", content_type=JSON)
            first, second = Reader(hub), Reader(hub)
            second.read("b", None)
            first.read("a", 500)
            second.read("a", None)
            await settle()
            first.take()
            second.take()
            await hub.append("a", {"x": 1})
            await settle()
            parts = [reader.sink._parts for reader in (first, second)]
            assert len(parts[0]) == len(parts[1]) == 1
            assert parts[0][0] is parts[1][0]

    run(main())


def test_a_reader_that_never_acknowledges(run: Run[None]) -> None:
    """It is told a window, keeps nobody and nothing waiting, and is shown as paused."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("a", content_type=JSON)
            idle, other = Reader(hub), Reader(hub)
            number = idle.read("a", 100)
            number_of_other = other.read("a", None)
            for count in range(100):
                await hub.append("a", count)
                await settle()
            other.take()
            idle.take()
            assert other.records[number_of_other] == list(range(100))
            told = idle.records[number]
            assert told == list(range(len(told)))
            assert sum(len(str(each)) for each in told) == 100
            assert idle.state(number) == "paused"
            infos = {info.state: info for info in await hub.live.describe()}
            assert infos["paused"].lag_records == 100 - len(told)
            assert infos["paused"].window == 100
            assert infos["paused"].unacknowledged == 100
            assert infos["live"].window is None
            assert infos["live"].unacknowledged is None

    run(main())


@pytest.mark.parametrize("place", ["told", "half"])
def test_what_was_never_sent_is_not_acknowledged(run: Run[None], place: str) -> None:
    """It is refused, and gives no credit; an earlier offset than before changes nothing."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("a", content_type=JSON)
            reader = Reader(hub)
            number = reader.read("a", 50)
            for count in range(100):
                await hub.append("a", count)
            await settle()
            reader.take()
            tail = (await hub.info("a")).tail
            with pytest.raises(InvalidOffset, match="was not told"):
                reader.acknowledge(number, tail)
            with pytest.raises(InvalidOffset):
                reader.acknowledge(number, "nonsense")
            before = len(reader.records[number])
            offset = reader.offset[number] if place == "told" else f"{tail[:17]}{25:016}"
            reader.acknowledge(number, offset)
            reader.acknowledge(number, f"{tail[:17]}{0:016}")
            await settle()
            reader.take()
            assert before < len(reader.records[number]) < 100

    run(main())


@pytest.mark.parametrize(
    ("slow", "told"),
    [("latest", ["new"]), ("conflate:k", ["y1", "x2", "new"]), ("replay", ["x1", "y1", "x2", "new"])],
)
def test_who_had_no_credit_gets_what_the_policy_says(run: Run[None], slow: str, told: list[str]) -> None:
    """A gap is told, and takes no credit."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("a", content_type=JSON)
            reader = Reader(hub)
            number = reader.read("a", 100, slow=slow)
            await hub.append("a", {"k": "first", "v": "x" * 200})
            await settle()
            reader.take()
            assert reader.state(number) == "paused"
            for key, value in (("x", "x1"), ("y", "y1"), ("x", "x2")):
                await hub.append("a", {"k": key, "v": value})
            await settle()
            assert reader.take() == []
            reader.acknowledge(number, reader.offset[number])
            await settle()
            if slow != "replay":
                gaps = [message for message in reader.take() if message["t"] == "gap"]
                assert [gap.get("why", "slow") for gap in gaps] == ["slow"]
            await hub.append("a", {"k": "new", "v": "new"})
            await settle()
            reader.take()
            assert [record["v"] for record in reader.records[number]][1:] == told

    run(main())


def test_who_stays_without_credit_is_let_go_where_the_policy_says(
    run: Run[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`disconnect` ends the subscription alone, with the reason."""
    clock = HubClock(monkeypatch)

    async def main() -> None:
        limits = Limits(flush_seconds=0, slow_seconds=10)
        async with Hub(limits=limits) as hub:
            await hub.create("a", content_type=JSON)
            await hub.create("b", content_type=JSON)
            reader = Reader(hub)
            number, other = reader.read("a", 10, slow="disconnect"), reader.read("b", None)
            await hub.append("a", "x" * 100)
            await settle()
            await clock.move(hub, 9)
            reader.take()
            assert not any(message["t"] == "end" for message in reader.said[number])
            await clock.move(hub, 2)
            reader.take()
            assert reader.said[number][-1]["why"] == "detached"
            assert reader.said[number][-1]["code"] == "slow"
            await hub.append("b", 1)
            await settle()
            reader.take()
            assert reader.records[other] == [1]
            assert hub.stats.readers == 1

    run(main())


def test_one_for_each_stream(run: Run[None]) -> None:
    """A second one is refused with the number of the first; so is one more than may be."""

    async def main() -> None:
        async with Hub(limits=Limits(connection_subscriptions=2)) as hub:
            for name in "abc":
                await hub.create(name, content_type=JSON)
            reader = Reader(hub)
            number = reader.read("a", None)
            reader.read("b", None)
            with pytest.raises(AlreadySubscribed) as caught:
                reader.read("a", None)
            assert caught.value.details == {"s": number}
            with pytest.raises(LimitReached, match="connection_subscriptions=2"):
                reader.read("c", None)
            reader.find(number).leave("left")
            reader.read("c", None)

    run(main())
