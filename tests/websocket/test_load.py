"""Connections that take, ask or acknowledge too little or too much, on a real server: nobody else has less for it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.http import call
from tests.support.inprocess import in_process, turns
from tests.support.processes import ServerProcess, headwater_server
from tests.support.sockets import resident
from tests.support.wanderer import Dialled
from tests.support.websocket import CONNECT, HEADERS, JSON_PROTOCOL, Client, greeted
from tests.websocket.test_cost import counted
from websockets.frames import Frame, Opcode

from headwater.server.settings import Settings

pytestmark = pytest.mark.slow

STREAMS = 50
PADDING = "x" * 100
#: What a server may grow by for what is asked of it here, and what its allocator keeps of it.
GROWTH = 24_000_000


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with headwater_server("memory:", "--connection-requests", "1000") as process:
        for number in range(STREAMS):
            assert call(process, "PUT", f"/v1/stream/s/{number}", content_type="application/json").status == 201
        yield process


@asynccontextmanager
async def door(server: ServerProcess) -> AsyncIterator[Client]:
    with await Dialled(server).connect() as sock:
        client = Client(sock)
        assert await client.handshake(CONNECT, JSON_PROTOCOL) == 101
        await client.send(t="hello")
        assert (await client.next())["t"] == "welcome"
        yield client


async def append_rounds(server: ServerProcess, rounds: int) -> None:
    """A record to every stream, so often."""
    async with door(server) as writer:
        for number in range(rounds):
            for stream in range(STREAMS):
                record = {"n": number, "p": PADDING}
                await writer.send(t="append", id=stream, path=f"s/{stream}", r=[record])
            for _ in range(STREAMS):
                assert (await writer.next())["t"] == "ok"


class Subscriber:
    """Reads all streams on one connection.

    Attributes:
        numbers: of the records that came, by stream.
        last: offset that came last, by stream.
        said: how often each kind of message came.
    """

    def __init__(self, client: Client) -> None:
        self.numbers: dict[str, list[int]] = {f"s/{number}": [] for number in range(STREAMS)}
        self.last: dict[int, str] = {}
        self.said: Counter[str] = Counter()
        self._client = client
        self._paths: dict[int, str] = {}

    async def subscribe(self, **windows: int) -> None:
        """To all; with a window where one is given, by the stream's last segment behind a `w`."""
        for number in range(STREAMS):
            window = windows.get(f"w{number}", 0)
            await self._client.send(t="sub", id=number, path=f"s/{number}", window=window)
        while self.said["live"] < STREAMS:
            await self.hear()

    async def hear(self) -> dict[str, Any]:
        """Take one message."""
        told = await self._client.next()
        self.said[told["t"]] += 1
        if told["t"] == "sub":
            self._paths[told["s"]] = told["path"]
        elif told["t"] == "data":
            self.numbers[self._paths[told["s"]]] += [record["n"] for record in told["r"]]
            self.last[told["s"]] = told["o"]
        return told

    async def until(self, rounds: int, *paths: str) -> None:
        """Until these have so many records."""
        while any(len(self.numbers[path]) < rounds for path in paths):
            await self.hear()

    async def ping(self) -> None:
        """Until the server answers, behind all that it had to say."""
        await self._client.send(t="ping")
        while (await self.hear())["t"] != "pong":
            pass

    def number(self, path: str) -> int:
        """The server's of a stream."""
        return next(number for number, known in self._paths.items() if known == path)


ROUNDS = 60


def test_one_without_credit_beside_many(server: ServerProcess) -> None:
    """The others are told everything, in order, as if it were not there; it is told its window, and later the rest."""
    others = [f"s/{number}" for number in range(1, STREAMS)]

    async def main() -> None:
        async with door(server) as client:
            reader = Subscriber(client)
            await reader.subscribe(w0=1000)
            before = resident(server)
            writing = asyncio.create_task(append_rounds(server, ROUNDS))
            await reader.until(ROUNDS, *others)
            await writing
            await reader.ping()
            assert resident(server) - before < GROWTH
            starved = reader.numbers["s/0"]
            assert 1000 // len(PADDING) - 2 <= len(starved) <= 1000 // len(PADDING) + 2
            (info,) = [each for each in readers(server) if each["path"] == "s/0"]
            assert (info["state"], info["held"]) == ("paused", 0)
            while len(starved) < ROUNDS:
                number = reader.number("s/0")
                await client.send(t="ack", s=number, o=reader.last[number])
                await reader.hear()
            for path, numbers in reader.numbers.items():
                assert numbers == list(range(ROUNDS)), path

    asyncio.run(main())


def readers(server: ServerProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(server, "GET", "/-/readers?limit=1000").json()["readers"]
    return found


def test_one_that_never_acknowledges(server: ServerProcess) -> None:
    """It is told its windows and nothing more, costs nothing, and is a connection like all others."""

    async def main() -> None:
        async with door(server) as client, door(server) as healthy:
            reader, other = Subscriber(client), Subscriber(healthy)
            await reader.subscribe(**{f"w{number}": 500 for number in range(STREAMS)})
            await other.subscribe()
            before = resident(server)
            writing = asyncio.create_task(append_rounds(server, ROUNDS))
            await other.until(ROUNDS, *other.numbers)
            await writing
            await reader.ping()
            assert resident(server) - before < GROWTH
            for numbers in reader.numbers.values():
                assert numbers == list(range(len(numbers)))
                assert 500 // len(PADDING) - 2 <= len(numbers) <= 500 // len(PADDING) + 2
            assert {info["held"] for info in readers(server)} == {0}
            assert all(numbers == list(range(ROUNDS)) for numbers in other.numbers.values())

    asyncio.run(main())


def message(**fields: Any) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(fields).encode()).serialize(mask=True)


def test_one_that_never_reads() -> None:
    """Fifty streams are not told to it; a reader of the same is told all, and memory is bounded. Then it goes."""
    with headwater_server("memory:", "--write-seconds", "5", "--connection-requests", "1000") as server:
        for number in range(STREAMS):
            assert call(server, "PUT", f"/v1/stream/s/{number}", content_type="application/json").status == 201

        async def main() -> None:
            with socket.socket() as deaf:
                deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                deaf.connect(("127.0.0.1", server.port))
                subs = [
                    message(t="sub", id=number, path=f"s/{number}", window=0, **{"from": "-1"})
                    for number in range(STREAMS)
                ]
                head = b"GET %b HTTP/1.1\r\n%b%b\r\n" % (CONNECT.encode(), HEADERS, JSON_PROTOCOL)
                deaf.sendall(head + message(t="hello") + b"".join(subs))
                async with door(server) as healthy:
                    reader = Subscriber(healthy)
                    await reader.subscribe()
                    before = resident(server)
                    writing = asyncio.create_task(append_rounds(server, 4 * ROUNDS))
                    await reader.until(4 * ROUNDS, *reader.numbers)
                    await writing
                    assert all(numbers == list(range(4 * ROUNDS)) for numbers in reader.numbers.values())
                    assert resident(server) - before < GROWTH
                    stats = call(server, "GET", "/-/stats").json()
                    while stats["readers"] > STREAMS:  # cut, for it takes nothing
                        await reader.ping()
                        stats = call(server, "GET", "/-/stats").json()
                    assert stats["stalls"] == 1

        asyncio.run(main())


@pytest.mark.parametrize(
    ("asked", "allowed", "connections"),
    [(2000, 100, 3), pytest.param(100_000, 1000, 100, marks=pytest.mark.soak)],
    ids=["short", "long"],
)
def test_more_subscriptions_than_a_connection_may_have(asked: int, allowed: int, connections: int) -> None:
    """Each is answered; those over the limit by the limit's name. The same over many connections, up to all readers."""
    most = allowed * connections // 2
    with headwater_server("memory:", "--connection-subscriptions", str(allowed), "--max-readers", str(most)) as server:

        async def flood(client: Client, count: int) -> Counter[str]:
            async def ask() -> None:
                for number in range(count):
                    await client.send(t="sub", id=number, path=f"f/{number}", missing="wait")

            asking = asyncio.create_task(ask())
            told: Counter[str] = Counter()
            while sum(told.values()) < count:
                found = await client.next()
                if found["t"] == "ping":
                    continue
                assert found["t"] == "waiting" or found["detail"], found
                told[found["t"] if found["t"] == "waiting" else found["code"]] += 1
            await asking
            return told

        async def main() -> None:
            async with door(server) as one, door(server) as neighbour:
                told = await flood(one, asked)
                assert told == {"waiting": allowed, "limit-reached": asked - allowed}
                assert (await neighbour.ask("create", path="a", type="text/plain"))["t"] == "ok"
                assert (await neighbour.ask("ping"))["t"] == "pong"
                for number in range(allowed):  # whoever leaves makes room
                    await one.send(t="unsub", id=asked + number, path=f"f/{number}")
                while call(server, "GET", "/-/stats").json()["readers"]:
                    await neighbour.ask("ping")
            total: Counter[str] = Counter()
            async with asyncio.TaskGroup() as group, door(server) as neighbour:
                floods = [group.create_task(one_of(allowed)) for _ in range(connections)]
                for _ in range(20):
                    assert (await neighbour.ask("head", path="a"))["t"] == "info"
                await asyncio.wait(floods)
                for each in floods:
                    total += each.result()
            assert total["waiting"] + total["limit-reached"] == allowed * connections
            assert total["limit-reached"] >= allowed * connections - most

        held: list[Client] = []

        async def one_of(count: int) -> Counter[str]:
            sock = await Dialled(server).connect()
            client = Client(sock)
            held.append(client)
            assert await client.handshake(CONNECT, JSON_PROTOCOL) == 101
            await client.send(t="hello")
            assert (await client.next())["t"] == "welcome"
            return await flood(client, count)

        try:
            asyncio.run(main())
        finally:
            for client in held:
                client.sock.close()


#: What comes by the clock.
SAMPLED = ("LoopDelay", "Histogram", "Timers", "Wheel", "Timer", "call_when_stopping", "server_is_stopping")


def test_one_without_credit_costs_a_delivery_nothing(run: Run[None]) -> None:
    """Records of the others are told with no more calls than beside one that has credit, and nothing to be told."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0)
        async with in_process(settings) as local, greeted(local) as client:
            for number in range(STREAMS):
                await local.hub.create(f"s/{number}", content_type="application/json")
                await client.ask("sub", path=f"s/{number}", window=1 if number == 0 else 0)

            async def rounds() -> Counter[str]:
                with counted() as calls:
                    for number in range(1, STREAMS):
                        await local.hub.append(f"s/{number}", 1)
                        await turns()
                for _ in range(1, STREAMS):
                    await client.until(t="data")
                # The loop's delay is sampled now and then.
                return Counter({name: count for name, count in calls.items() if name.split(".")[0] not in SAMPLED})

            await rounds()
            beside = await rounds()
            await local.hub.append("s/0", "x")
            await client.until(t="data")
            await local.hub.append("s/0", "y")
            await rounds()
            assert {name: count for name, count in (await rounds()).items() if count > beside[name]} == {}

    run(main())
