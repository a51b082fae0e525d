"""What a connection of `-/connect` costs, counted: calls of Python, writes, and bytes of memory.

Clocks are of no use on a busy machine. The figures are bounds for every supported Python; what goes over one has made
each connect or each delivery dearer.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import sys
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import InProcess, in_process, turns
from tests.support.websocket import CONNECT, HEADERS, JSON_PROTOCOL, Json

import headwater
from headwater.http.socket_sink import TransportSink
from headwater.hub.live import fanout, pushed, shared_connection
from headwater.hub.live.first_frames import FROM_READERS
from headwater.server.settings import Settings

HEAD = b"GET %b HTTP/1.1\r\n%b%b\r\n" % (CONNECT.encode(), HEADERS, JSON_PROTOCOL)
HELLO = {"t": "hello"}

#: Calls of our functions for a reader that comes to a stream with others: over SSE; and over a WebSocket with its
#: handshake, `hello` and `sub`. One of them is for the Unix sockets that are used here.
MOST_OF_SSE = 53
MOST_OF_DOOR = 76
#: Streams of a pattern, and our calls for each of them when a connection comes that reads them all, as others do.
MATCHING = 10
MOST_OF_MATCH = 60
#: Bytes of an idle connection with one subscription that our lines have allocated; the loop's are not in it.
MOST_BYTES = 2100
#: Bytes of a further subscription on it, with all that the hub keeps for it; of the stream there are other readers.
MOST_BYTES_OF_FURTHER = 600

#: Where our functions are.
OURS = str(Path(headwater.__file__).parent)


def sse(path: str) -> tuple[bytes, ...]:
    return (b"GET /v1/stream/%b HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n" % path.encode(),)


def packed(*messages: dict[str, Any]) -> bytes:
    return b"".join(Json().pack(each).serialize(mask=True) for each in messages)


def door(path: str) -> tuple[bytes, ...]:
    return HEAD, packed(HELLO, {"t": "sub", "id": 1, "path": path, "from": "-1"})


class Crowd:
    """Clients, and a server with the streams `a` and `b`."""

    def __init__(self, server: InProcess, clients: ExitStack) -> None:
        self.server = server
        self._clients = clients

    async def come(self, parts: tuple[bytes, ...], count: int = 1) -> list[socket.socket]:
        found = []
        for _ in range(count):
            client = self._clients.enter_context(await self.server.connect())
            for part in parts:
                client.sendall(part)
                await turns(20)
            found.append(client)
        return found


@asynccontextmanager
async def crowd(compression: tuple[str, ...] = ()) -> AsyncIterator[Crowd]:
    async with in_process(Settings(store="memory:", flush_seconds=0, compression=compression)) as server:
        for path in ("a", "b"):
            await server.hub.create(path, content_type="application/json", body=b'["one"]')
        with ExitStack() as clients:
            yield Crowd(server, clients)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Calls of our functions meanwhile."""
    calls = Counter[str]()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            calls[frame.f_code.co_qualname] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize(("parts", "most"), [(sse("a"), MOST_OF_SSE), (door("a"), MOST_OF_DOOR)], ids=["sse", "door"])
def test_calls_of_a_connect(run: Run[None], parts: tuple[bytes, ...], most: int) -> None:
    """What most clients ask for is known already: the head but for its key, and what others were told who came."""

    async def main() -> None:
        async with crowd() as found:
            await found.come(parts, FROM_READERS + 2)
            with counted() as calls:
                await found.come(parts)
            assert calls.total() <= most, calls

    run(main())


def test_calls_of_a_pattern(run: Run[None]) -> None:
    """Each stream that matches is told as it was told to others, too."""

    async def main() -> None:
        async with crowd() as found:
            for number in range(MATCHING):
                await found.server.hub.create(f"rooms/{number}", content_type="application/json", body=b'["one"]')
            await found.come(door("rooms/*"), FROM_READERS + 2)
            with counted() as calls:
                (client,) = await found.come(door("rooms/*"))
            assert kinds(client.recv(1 << 20)) == ["welcome", "ok", *["sub", "data", "live"] * MATCHING]
            assert calls["FanoutGroup.join"] == MATCHING
            assert calls["Subscription.begin_again"] == MATCHING, calls
            with counted() as others:
                await found.come(door("a"))
            each = (calls.total() - others.total()) / MATCHING
            assert each <= MOST_OF_MATCH, (each, calls)

    run(main())


@pytest.mark.parametrize("others", [0, FROM_READERS + 2])
def test_hello_and_a_subscription_are_answered_by_one_write(
    run: Run[None], monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """`welcome`, `sub`, what there is and `live`; also where another reader was told the same before."""
    written: list[bytes] = []
    write, put = TransportSink.write, fanout.put

    def spy(self: TransportSink, data: bytes) -> None:
        written.append(bytes(data))
        write(self, data)

    def spy_direct(descriptor: int, data: bytes) -> int:
        written.append(bytes(data))
        return put(descriptor, data)

    async def main() -> None:
        async with crowd() as found:
            await found.come(door("a"), others)
            monkeypatch.setattr(TransportSink, "write", spy)
            monkeypatch.setattr(pushed, "put", spy_direct)
            monkeypatch.setattr(shared_connection, "put", spy_direct)
            await found.come(door("a"))
            assert len(written) == 1, written
            assert kinds(written[0]) == ["welcome", "sub", "data", "live"]

    run(main())


@pytest.mark.parametrize("others", [0, FROM_READERS + 2], ids=["the first ones", "behind others"])
@pytest.mark.parametrize("behind", [[], [{"t": "ping", "id": 99}]], ids=["alone", "with more"])
def test_many_subscriptions_are_answered_by_few_writes(
    run: Run[None], monkeypatch: pytest.MonkeyPatch, others: int, behind: list[dict[str, Any]]
) -> None:
    """All that comes at once is told at once, and in its order; what is appended then is told behind it."""
    written: list[int] = []
    count = 30
    asked = [{"t": "sub", "id": each + 1, "path": f"many/{each}", "from": "-1"} for each in range(count)]
    parts = HEAD, packed(HELLO, *asked, *behind)

    def spy(descriptor: int, data: bytes) -> int:
        written.append(len(data))
        return put(descriptor, data)

    put = fanout.put

    async def main() -> None:
        async with crowd() as found:
            for each in range(count):
                await found.server.hub.create(f"many/{each}", content_type="application/json", body=b'["one"]')
            for client in await found.come(parts, others):
                client.recv(1 << 20)
            monkeypatch.setattr(shared_connection, "put", spy)
            (client,) = await found.come(parts)
            told = kinds(client.recv(1 << 20))
            assert told == ["welcome", *["sub", "data", "live"] * count, *["pong"] * len(behind)]
            assert len(written) == 1
            for number in 1, 2:
                await found.server.hub.append("many/3", number)
                await turns(20)
                assert kinds(client.recv(1 << 20)) == ["data"]

    run(main())


def test_a_client_that_takes_nothing_of_many_answers(run: Run[None]) -> None:
    """What its socket does not take is held, in its order; what comes behind it waits for its turn."""
    count = 40
    asked = [{"t": "sub", "id": each + 1, "path": f"many/{each}", "from": "-1"} for each in range(count)]
    parts = HEAD, packed(HELLO, *asked)

    async def main() -> None:
        async with crowd() as found:
            for each in range(count):
                body = b'["' + b"x" * 3000 + b'"]'
                await found.server.hub.create(f"many/{each}", content_type="application/json", body=body)
            for client in await found.come(parts, FROM_READERS + 2):
                await drained(client, b'"t":"live"', count)
            client = await found.server.connect()
            with client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                for part in parts:
                    client.sendall(part)
                    await turns(20)
                await found.server.hub.append("many/0", "behind")
                told = b""
                while b"behind" not in told or told.count(b'"t":"live"') < count:
                    told += await asyncio.get_running_loop().sock_recv(client, 1 << 14)
            assert kinds(told.partition(b"\r\n\r\n")[2])[0] == "welcome"
            assert told.count(b'"t":"data"') == count + 1
            assert told.index(b"behind") > told.index(b"xxx")

    async def drained(client: socket.socket, word: bytes, wanted: int) -> None:
        seen = 0
        while seen < wanted:
            seen += (await asyncio.get_running_loop().sock_recv(client, 1 << 20)).count(word)

    run(main())


def kinds(data: bytes) -> list[str]:
    """Of the messages in bytes."""
    return [part.split(b'"')[0].decode() for part in data.split(b'{"t":"')[1:]]


@pytest.mark.parametrize(
    ("behind", "answered"),
    [
        ([{"t": "ack", "s": 7, "o": "now"}], []),
        ([{"t": "ping", "id": 3}], ["pong"]),
        ([{"t": "nothing"}], ["err"]),
        ([{"t": "pong"}, {"t": "head", "id": 4, "path": "a"}], ["info"]),
    ],
)
def test_welcome_is_first_and_told_at_once(
    run: Run[None], behind: list[dict[str, object]], answered: list[str]
) -> None:
    """Whatever is behind `hello`, also where nothing of it is answered."""

    async def main() -> None:
        async with crowd() as found:
            (client,) = await found.come((HEAD, packed(HELLO, *behind)))
            assert kinds(client.recv(1 << 16)) == ["welcome", *answered]

    run(main())


def test_a_delivery_to_more_connections_is_more_system_calls(run: Run[None]) -> None:
    """Telling fifty connections takes the functions that telling one takes, and a few more than over SSE."""

    async def calls(count: int, parts: Callable[[str], tuple[bytes, ...]]) -> int:
        async with crowd() as found:
            clients = await found.come(parts("a"), count)
            stream = found.server.hub.live.stream("a")
            assert stream is not None
            for number in range(3):
                await found.server.hub.append("a", number)
                await turns(20)
            await found.server.hub.append("a", 3)
            with counted() as calls:
                stream.flush(10**6)
            for client in clients:
                assert client.recv(1 << 16)
            return calls.total()

    async def main() -> None:
        one, many, events = await calls(1, door), await calls(50, door), await calls(50, sse)
        assert one == many
        assert many <= events + 6

    run(main())


@pytest.mark.parametrize(("compression", "more"), [((), 0), (("permessage-deflate",), 16)])
def test_memory_of_an_idle_connection(run: Run[None], compression: tuple[str, ...], more: int) -> None:
    """Most connections have one subscription, and never any of what is made when it is needed, such as a context."""

    def allocated() -> int:
        gc.collect()
        ours = tracemalloc.Filter(inclusive=True, filename_pattern=f"{OURS}/*")
        return sum(each.size for each in tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename"))

    head, *messages = door("a")
    asks = (head.replace(b"\r\n\r\n", b"\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n"), *messages)

    async def grown(count: int) -> float:
        async with crowd(compression) as found:
            await found.come(asks, 40)
            before = allocated()
            await found.come(asks, count)
            return (allocated() - before) / count

    async def main() -> None:
        tracemalloc.start()
        try:
            assert await grown(200) <= MOST_BYTES + more
        finally:
            tracemalloc.stop()

    run(main())


def test_memory_of_a_further_subscription(run: Run[None]) -> None:
    """Of a connection that reads many streams, beside others that read them."""
    streams, connections = 20, 60

    def asks(count: int) -> tuple[bytes, ...]:
        subs = ({"t": "sub", "id": each + 1, "path": f"many/{each}", "from": "-1"} for each in range(count))
        return HEAD, packed(HELLO, *subs)

    async def grown(found: Crowd, count: int) -> float:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for client in await found.come(asks(count), connections):
            assert kinds(client.recv(1 << 16)).count("live") == count
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / connections

    async def main() -> None:
        async with crowd() as found:
            for each in range(streams):
                await found.server.hub.create(f"many/{each}", content_type="application/json", body=b'["one"]')
            tracemalloc.start()
            try:
                await grown(found, streams)
                one, all = await grown(found, 1), await grown(found, streams)
                assert (all - one) / (streams - 1) <= MOST_BYTES_OF_FURTHER
            finally:
                tracemalloc.stop()

    run(main())


@pytest.mark.parametrize("path", [b"-/connect", b"a"])
@pytest.mark.parametrize("budget", [64 << 20, 1 << 20], ids=["closed by its client", "refused"])
def test_a_message_that_never_was_whole_is_let_go(run: Run[None], path: bytes, budget: int) -> None:
    """At once, and not when Python looks for circles: their bytes would pile up for as long."""
    size = 1 << 20
    protocol = JSON_PROTOCOL if path == b"-/connect" else b""
    head = b"GET /v1/stream/%b HTTP/1.1\r\n%b%b\r\n" % (path, HEADERS, protocol)
    begun = struct.pack(">BBQ", 0x01, 0xFF, size) + b"mask" + b" " * (size - 100)

    async def one(server: InProcess) -> None:
        with await server.connect() as client:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, head)
            assert b" 101 " in await loop.sock_recv(client, 1 << 16)
            # A connection that was refused takes all the same what is on its way.
            await loop.sock_sendall(client, begun)
            await turns(20)

    async def main() -> None:
        settings = Settings(store="memory:", max_inflight_bytes=budget, max_body_bytes=size)
        async with in_process(settings) as server:
            await server.hub.create("a", content_type="application/json")
            await one(server)
            gc.collect()
            tracemalloc.start()
            gc.disable()
            try:
                for _ in range(8):
                    await one(server)
                await turns(20)
                assert tracemalloc.get_traced_memory()[0] < 2 * size
            finally:
                gc.enable()
                tracemalloc.stop()

    run(main())
