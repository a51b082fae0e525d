"""Channels that share a connection: frames stay whole, each channel keeps its order, and none holds up another."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from tests.hub.live.test_pushed import settle

from headwater import Hub, Limits
from headwater.http.socket_sink import TransportSink
from headwater.hub.access.end import AccessEnd
from headwater.hub.live.budget import Budget
from headwater.hub.live.connection import Connection
from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.fanout import Fanout
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.pushed import PushedReader
from headwater.hub.live.shared_connection import DistinctConnection, SharedConnection
from headwater.hub.live.sinks import BufferSink, SinkOwner
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Batch, SlowPolicy
from headwater.protocol.cursor import Event
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.slow import parse_slow

Run = Callable[[Coroutine[Any, Any, Any]], Any]

JSON = "application/json"
PROMPT = Limits(flush_seconds=0)


def netstring(data: bytes) -> bytes:
    """A frame whose end is known, so that one inside another is found out."""
    return b"%d:%b," % (len(data), data)


FRAMED = WireFormat(("netstring",), JsonLines, netstring)


def frames_of(text: bytes) -> Iterator[dict[str, Any]]:
    """The lines in whole frames; what comes last may be cut."""
    while text:
        size, colon, rest = text.partition(b":")
        if not colon:
            break
        assert size.isdigit(), f"a frame is torn: {text[:60]!r}"
        if len(rest) <= int(size):
            break
        assert rest[int(size) : int(size) + 1] == b",", f"a frame is torn: {text[:60]!r}"
        yield from map(json.loads, rest[: int(size)].splitlines())
        text = rest[int(size) + 1 :]


def values(text: bytes) -> list[Any]:
    return [line["data"] for line in frames_of(text) if "data" in line]


async def channels(
    hub: Hub, connection: Connection, names: list[str], *, slow: str = "replay", offset: str = "-1"
) -> list[PushedReader]:
    """A channel a stream, each of which is made."""
    for name in names:
        await hub.create(name, content_type=JSON)
    policy: SlowPolicy = parse_slow(slow)
    return [await hub.live.subscribe(name, offset, FRAMED, connection, slow=policy) for name in names]


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.001)


async def put(hub: Hub, name: str, *records: Any) -> None:
    """Append records in one commit."""
    await hub.append(name, json.dumps(records).encode())


# On a socket.


class SteppedSink:
    """A sink on a socket that sends what it holds when it is told to, and not before."""

    def __init__(self, sock: socket.socket, high_water: int) -> None:
        self.descriptor: int | None = sock.fileno()
        self._sock = sock
        self._high_water = high_water
        self._kept = b""
        self._full = False

    def attach(self, owner: SinkOwner) -> None:
        self._owner = owner

    def write(self, data: bytes | memoryview) -> None:
        if not self._kept:
            self._kept = bytes(data)
            self._try()
        else:
            self._kept += data
        if len(self._kept) >= self._high_water and not self._full:
            self._full = True
            self._owner.paused()

    def _try(self) -> None:
        with suppress(OSError):
            self._kept = self._kept[self._sock.send(self._kept) :]

    def send(self) -> None:
        """Try what is held."""
        if self._kept:
            self._try()
        if self._full and not self._kept:
            self._full = False
            self._owner.resumed()

    def address(self) -> str | None:
        return None

    def held(self) -> int:
        return len(self._kept)

    def finish(self) -> None: ...

    def abort(self) -> None: ...


class Flood:
    """Streams that are written at random, and one connection on which all are read, with stalls at random.

    Args:
        count: how many streams.
        records: how many are written.
        seed: of the randomness.
        stepped: bytes at which a sink is full that sends when a step says so; None: it is a transport's.
    """

    def __init__(self, count: int, records: int, seed: int, *, stepped: int | None = None) -> None:
        self._names = [f"s{number}" for number in range(count)]
        self._records = records
        self._stepped = stepped
        self._draw = random.Random(seed)
        self._written = dict.fromkeys(self._names, 0)
        self._got = dict.fromkeys(self._names, 0)
        self._closed = 0
        self._rest = b""

    async def run(self) -> None:
        """Write all, read all, and check all."""
        async with Hub(limits=TIGHT) as hub:
            if self._stepped is None:
                await self._on_transport(hub)
            else:
                ours, theirs = socket.socketpair()
                with ours, theirs:
                    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
                    ours.setblocking(False)
                    theirs.setblocking(False)
                    await self._step(hub, SteppedSink(ours, self._stepped), theirs)
            assert hub.runtime.budget.total == 0
        assert self._got == self._written

    async def _on_transport(self, hub: Hub) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as theirs:
            ours, _ = server.accept()
            ours.setblocking(False)
            theirs.setblocking(False)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
            try:
                await self._flow(hub, TransportSink(transport, hub.runtime), theirs)
            finally:
                transport.abort()

    async def _flow(self, hub: Hub, sink: TransportSink, theirs: socket.socket) -> None:
        await channels(hub, SharedConnection(hub.runtime, sink), self._names)
        reading = asyncio.create_task(self._read(theirs))
        await self._write(hub)
        await asyncio.wait_for(reading, max(120, self._records / 200))

    async def _step(self, hub: Hub, sink: SteppedSink, theirs: socket.socket) -> None:
        """The same with each step by itself: append, turn, take from the socket, try what is held."""
        await channels(hub, SharedConnection(hub.runtime, sink), self._names)
        draw = self._draw
        stalls = False
        while self._closed < len(self._names):
            left = self._records - sum(self._written.values())
            stalls = stalls if draw.random() < 0.95 else not stalls
            steps = ("append", "turn", "turn", "turn", *(("take",) if stalls else ("take", "take", "take", "send")))
            match draw.choice(steps):
                case "append" if left:
                    await self._append(hub)
                case "append":
                    for name in self._names:
                        await hub.close(name)
                case "turn":
                    await asyncio.sleep(0)
                case "take":
                    with suppress(BlockingIOError):
                        self._take(theirs.recv(draw.choice((100, 5000, 60_000, 60_000))))
                case "send":
                    sink.send()

    async def _append(self, hub: Hub) -> None:
        name = self._draw.choice(self._names)
        number = self._written[name]
        self._written[name] += 1
        pad = "x" * self._draw.choice((0, 10, 10, 100, 100, 1000, 20_000))
        await hub.append(name, {"s": name, "n": number, "pad": pad})

    async def _write(self, hub: Hub) -> None:
        for _ in range(self._records):
            await self._append(hub)
            if self._draw.random() < 0.3:
                await asyncio.sleep(0)
        for name in self._names:
            await hub.close(name)

    async def _read(self, theirs: socket.socket) -> None:
        loop, draw = asyncio.get_running_loop(), random.Random(1)
        while self._closed < len(self._names):
            self._take(await loop.sock_recv(theirs, draw.choice((10, 1000, 60_000))))
            for _ in range(draw.choice((0, 0, 0, 20))):
                await asyncio.sleep(0)

    def _take(self, data: bytes) -> None:
        assert data, "the connection ended"
        self._rest += data
        whole, self._rest = split_frames(self._rest)
        for line in frames_of(whole):
            if "data" in line:
                name, number = line["data"]["s"], line["data"]["n"]
                assert number == self._got[name], f"{name} went from {self._got[name]} to {number}"
                self._got[name] += 1
            self._closed += line.get("control") == "closed"


def split_frames(text: bytes) -> tuple[bytes, bytes]:
    """Whole frames, and the rest."""
    at = 0
    while (colon := text.find(b":", at)) > 0:
        assert text[at:colon].isdigit(), f"a frame is torn: {text[at : at + 60]!r}"
        end = colon + int(text[at:colon]) + 2
        if end > len(text):
            break
        at = end
    return text[:at], text[at:]


#: The window holds little, so that who falls behind reads the store; what a full socket holds is little, too.
TIGHT = Limits(flush_seconds=0, buffer_bytes=4096, window_bytes=20_000, read_bytes=16_384, kernel_bytes=4096)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 50])
def test_frames_stay_whole_and_in_order(run: Run, count: int) -> None:
    """Sizes and stalls at random: a socket that is full in the middle of a frame gets the rest of it first."""
    run(Flood(count, 4000, count).run())


@pytest.mark.parametrize("high_water", [500, 4096, 100_000])
@pytest.mark.parametrize("count", [2, 5])
def test_frames_stay_whole_in_any_order_of_steps(count: int, high_water: int) -> None:
    """A sink that still holds bytes while its socket has room is not overtaken."""
    asyncio.run(Flood(count, 1000, high_water + count, stepped=high_water).run())


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("count", [2, 50])
def test_frames_stay_whole_and_in_order_for_half_a_million(run: Run, count: int) -> None:
    """The same, for long: a million frames for the two together."""
    run(Flood(count, 500_000, count).run())


# In memory.


def test_a_full_connection_pauses_all_and_each_goes_on_at_its_own_offset(run: Run) -> None:
    """What came meanwhile comes when there is room again, to each channel its own."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            sink = BufferSink(high_water=3000)
            await channels(hub, SharedConnection(hub.runtime, sink), ["a", "b", "c"])
            await put(hub, "a", "x" * 4000)
            await settle()
            states = {info.path: info.state for info in await hub.live.describe()}
            assert states == dict.fromkeys("abc", "paused")
            for number in range(3):
                for name in "abc":
                    await put(hub, name, f"{name}{number}")
            await settle()
            first = sink.take()
            assert values(first) == ["x" * 4000]
            await settle()
            assert sorted(values(sink.take())) == sorted(f"{name}{number}" for name in "abc" for number in range(3))
            assert {info.state for info in await hub.live.describe()} == {"live"}
            assert hub.stats.pauses == 1

    run(main())


def test_a_channel_without_credit_delays_no_other(run: Run) -> None:
    """It is paused alone, and goes on where it stood when its reader has acknowledged what it was given."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("a", content_type=JSON)
            sink = BufferSink(high_water=1 << 20)
            connection = SharedConnection(hub.runtime, sink)
            spent = await hub.live.subscribe("a", "-1", FRAMED, connection, window=200)
            await channels(hub, connection, ["b"])
            for number in range(20):
                await put(hub, "a", f"a{number}" + "x" * 50)
                await put(hub, "b", f"b{number}")
                await settle()
            got = values(sink.take())
            assert [value for value in got if value[0] == "b"] == [f"b{number}" for number in range(20)]
            before = [value for value in got if value[0] == "a"]
            assert 0 < len(before) < 5
            states = {info.path: info.state for info in await hub.live.describe()}
            assert states == {"a": "paused", "b": "live"}
            while len(before) < 20:
                spent.acknowledge(str(spent.stands and spent.stands.offset))
                await settle()
                behind = [value for value in values(sink.take()) if value[0] == "a"]
                assert 0 < len(behind) < 5
                before += behind
            assert before == [f"a{number}" + "x" * 50 for number in range(20)]

    run(main())


@pytest.mark.parametrize(("slow", "told"), [("latest", ["new"]), ("conflate:k", ["old", "new"])])
def test_a_policy_is_the_channels(run: Run, slow: str, told: list[str]) -> None:
    """What a slow channel leaves out, another one that shares its connection does not."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            sink = BufferSink(high_water=300)
            connection = SharedConnection(hub.runtime, sink)
            await channels(hub, connection, ["s"], slow=slow)
            await channels(hub, connection, ["all"])
            await put(hub, "all", "x" * 400)
            await settle()
            for name in ("s", "all"):
                for number in range(4):
                    await put(hub, name, {"k": "old" if number == 1 else "same", "n": number, "of": name})
            await settle()
            sink.take()
            await settle()
            text = sink.take()
            while sink.held() or not text:
                await settle()
                text += sink.take()
            got = [value for value in values(text) if isinstance(value, dict)]
            assert [value["n"] for value in got if value["of"] == "all"] == [0, 1, 2, 3]
            kept = [value["n"] for value in got if value["of"] == "s"]
            assert kept == ([] if told == ["new"] else [1, 3])

    run(main())


def test_who_catches_up_takes_turns_with_the_others(run: Run) -> None:
    """Of a long log one piece goes out, then what the other channels have; never two pieces before them."""

    async def main() -> None:
        limits = Limits(flush_seconds=0, buffer_bytes=2000, read_bytes=2000, window_bytes=1)
        async with Hub(limits=limits) as hub:
            await hub.create("long", content_type=JSON)
            await put(hub, "long", *(f"long{number}" + "x" * 90 for number in range(500)))
            sink = BufferSink(high_water=2000)
            connection = SharedConnection(hub.runtime, sink)
            names = [f"live{number}" for number in range(29)]
            await channels(hub, connection, names)
            await hub.live.subscribe("long", "-1", FRAMED, connection)
            await settle()
            got: list[str] = []
            for turn in range(3):
                for name in names:
                    await put(hub, name, f"{turn}")
                start = len(got)
                while sum(value == f"{turn}" for value in got[start:]) < len(names):
                    await settle()
                    got += values(sink.take())
                behind = [index for index, value in enumerate(got[start:]) if value == f"{turn}"]
                between = sum(value.startswith("long") for value in got[start : start + behind[-1]])
                # What the sink held, and a piece before each of two fillings of it: 2,000 bytes are 20 of them.
                assert between <= 3 * 20 + 20

    run(main())


def test_channels_come_and_go(run: Run) -> None:
    """A stream that ends takes its channel along, and not the connection."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            sink = BufferSink()
            connection = SharedConnection(hub.runtime, sink)
            left, _ = await channels(hub, connection, ["a", "b"])
            await hub.close("b")
            await settle()
            assert (sink.ended, hub.stats.readers) == (None, 1)
            left.detach(1.0)
            assert (sink.ended, hub.stats.readers) == (None, 0)
            await channels(hub, connection, ["c"])
            await put(hub, "c", "on")
            await settle()
            assert values(sink.take()) == ["on"]
            connection.finish()
            assert sink.ended == "finished"

    run(main())


def test_a_lost_connection_loses_all_channels(run: Run) -> None:
    """Each is counted; nothing is left behind."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            sink = BufferSink(high_water=10)
            await channels(hub, SharedConnection(hub.runtime, sink), ["a", "b", "c"])
            assert hub.runtime.budget.total > 0
            sink.lose()
            assert (hub.stats.readers, hub.stats.disconnects, hub.runtime.budget.total) == (0, 3, 0)
            assert await hub.live.describe() == []

    run(main())


@pytest.mark.parametrize("slow_seconds", [0, 0.01])
def test_only_the_channels_go_whose_policy_says_so(run: Run, slow_seconds: float) -> None:
    """`disconnect` after `slow_seconds`; the connection itself after `write_seconds`."""

    async def main() -> None:
        limits = Limits(flush_seconds=0, slow_seconds=slow_seconds, write_seconds=0.3)
        async with Hub(limits=limits) as hub:
            sink = BufferSink(high_water=300)
            connection = SharedConnection(hub.runtime, sink)
            await channels(hub, connection, ["quick"], slow="disconnect")
            await channels(hub, connection, ["other"])
            await put(hub, "other", "x" * 400)
            await until(lambda: hub.stats.readers == 1)
            assert [info.path for info in await hub.live.describe()] == ["other"]
            await until(lambda: hub.stats.readers == 0)
            assert (sink.ended, hub.stats.readers, hub.stats.stalls) == ("aborted", 0, 1)

    run(main())


# Mistakes.


def _forgets(self: LogCursor, batch: Batch) -> Sequence[Event]:
    """Of several records the first one is left out."""
    return _take(self, msgspec.structs.replace(batch, records=batch.records[1:] or batch.records))


_take = LogCursor._take


def _writes_past(self: Connection, data: bytes | memoryview) -> None:
    self.sink.write(data)


def _stays_direct(self: Fanout[Any], member: Any) -> None:
    return


def _leaves_without_its_place(self: FanoutGroup) -> Any:
    place = self.place.copy()
    place.cursor.offset = place.window.offset
    return place, self.encoder


def _never_free(self: Budget, member: Any) -> None:
    return


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "name", "mistake", "high_water"),
    [
        (LogCursor, "_take", _forgets, 4096),
        (FanoutGroup, "copies", _leaves_without_its_place, 4096),
        (SharedConnection, "write", _writes_past, 100_000),
        (Fanout, "hold_back", _stays_direct, 100_000),
        (Budget, "free", _never_free, 4096),
    ],
    ids=["cursor", "group", "channel", "fanout", "budget"],
)
def test_a_mistake_is_found_out(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, mistake: Any, high_water: int
) -> None:
    """The flood can fail: each of these is seen in it."""
    monkeypatch.setattr(owner, name, mistake)
    with pytest.raises((AssertionError, TimeoutError)):
        asyncio.run(asyncio.wait_for(Flood(5, 2000, 5, stepped=high_water).run(), 60))


class Brings:
    """A channel whose first turn brings another one."""

    def __init__(self, bring: Callable[[], object]) -> None:
        self.slow = SlowPolicy()
        self._bring: Callable[[], object] | None = bring

    def step(self) -> bool:
        bring, self._bring = self._bring, None
        if bring is not None:
            bring()
        return False

    def pause(self) -> None:
        pass

    def resume(self, paused: float) -> None:
        pass

    def hold_back(self) -> None:
        pass

    def shares_group(self, other: object) -> bool:
        return False

    def detach(self, retry_after: float, reason: str = "") -> None:
        pass

    def hush(self, end: AccessEnd) -> None: ...

    def end_access(self, end: AccessEnd) -> None: ...

    def tell_expiring(self, at: float) -> None: ...

    def lost(self) -> None:
        pass


@pytest.mark.parametrize("kind", [SharedConnection, DistinctConnection])
def test_a_channel_that_comes_in_a_turn_has_its_own(run: Run, kind: type[Connection]) -> None:
    """As a stream that was waited for, and is let in when a full connection takes bytes again: nobody else asks."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("a", content_type=JSON)
            sink = BufferSink(high_water=1 << 20)
            connection = kind(hub.runtime, sink)
            arrival = await hub.live.open("a", "-1")
            connection.add(Brings(lambda: hub.live.push(arrival, FRAMED, connection)))
            connection.go_on()
            await put(hub, "a", "told")
            await settle()
            assert values(sink.take()) == ["told"]

    run(main())
