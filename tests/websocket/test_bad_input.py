"""What a client should not send: each has its code or its error, costs what the limits say, and others nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process, turns
from tests.support.websocket import CONNECT, JSON_PROTOCOL, Client, connection, greeted, single
from websockets.frames import Frame, Opcode

from headwater.errors import error_table
from headwater.http.websocket.session import Session
from headwater.http.websocket.sink import MessageSink
from headwater.protocol.websocket import frames
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)
#: Close codes that docs/reference/websocket.md names.
DOCUMENTED = {1000, 1002, 1003, 1007, 1009, 1011, 1012, 1013, *(cls.ws_close for cls in error_table())}
WORDS = ["hello", "sub", "unsub", "ack", "append", "create", "head", "read", "delete", "auth", "ping", "signal", "nix"]
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    7,
    2**53,
    10**30,
    0.5,
    "",
    "a",
    "a/*",
    "-1",
    "now",
    "x" * 3000,
    "\x00",
    [],
    [1],
    [[]],
    {},
]
FIELDS = ["id", "path", "s", "o", "r", "b", "p", "from", "last", "window", "slow", "missing", "token", "data", "match"]


def message(chance: random.Random) -> bytes:
    """Something like a message."""
    found: dict[str, Any] = {"t": chance.choice(WORDS)}
    for _ in range(chance.randrange(6)):
        found[chance.choice(FIELDS)] = chance.choice(VALUES)
    return json.dumps(found).encode()


def noise(chance: random.Random) -> bytes:
    """A frame that may be wrong in any part."""
    data = message(chance) if chance.random() < 0.7 else chance.randbytes(chance.randrange(300))
    opcode = chance.choices([Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING, Opcode.CLOSE], [80, 4, 4, 8, 4])[0]
    if opcode in (Opcode.PING, Opcode.CLOSE):
        data = data[:125]
    whole = bytearray(
        Frame(opcode, data, fin=chance.random() < 0.95 or opcode >= 8).serialize(mask=chance.random() < 0.98)
    )
    if chance.random() < 0.05:
        whole[chance.randrange(min(len(whole), 8))] ^= 1 << chance.randrange(8)
    return bytes(whole)


@pytest.mark.parametrize("seed", [0, 2])
def test_noise(run: Run[None], seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of frames and messages: a documented close code or an error of the table, and no mistake of ours."""

    async def main() -> None:
        chance = random.Random(seed)
        async with in_process(SETTINGS) as server, greeted(server) as other:
            await server.hub.create("a", content_type=JSON)
            await other.ask("sub", path="a")
            for _ in range(30):
                client = Client(await server.connect())
                with client.sock:
                    bare = chance.random() < 0.3
                    path, headers = (
                        ("a?raw=1", b"") if bare else ("-/connect", b"sec-websocket-protocol: headwater.v1+json\r\n")
                    )
                    assert await client.handshake(f"/v1/stream/{path}", headers) == 101
                    sent = b"" if bare else Frame(Opcode.TEXT, b'{"t":"hello"}').serialize(mask=True)
                    sent += b"".join(noise(chance) for _ in range(40)) + Frame(Opcode.CLOSE, b"\x03\xe8").serialize(
                        mask=True
                    )
                    for start in range(0, len(sent), 997):
                        try:
                            await client.raw(sent[start : start + 997])
                        except OSError:
                            break
                    code = await client.closed()
                    assert code is None or code in DOCUMENTED or 3000 <= code < 5000 or 1000 <= code < 1015, code
            assert (await other.ask("ping"))["t"] == "pong"
            await server.hub.append("a", "still here")
            while (await other.until(t="data"))["r"][-1] != "still here":
                pass
            await turns()
            assert server.hub.stats.pushed == 1
            assert server.hub.stats.readers == 1
            assert not len(server.hub.intake)
            assert server.hub.stats.errors["internal"] == 0

    with caplog.at_level(logging.ERROR):
        run(main())
    assert not caplog.records


def test_a_message_that_is_not_whole(run: Run[None]) -> None:
    """What has come of it counts as a body under way does, until it is whole or the connection is gone."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            whole = Frame(Opcode.TEXT, b'{"t":"ping","x":"%b"}' % (b"x" * 100_000)).serialize(mask=True)
            await client.raw(whole[:50_000])
            await turns(30)
            assert server.hub.intake.held == 50_000 - 14
            await client.raw(whole[50_000:])
            assert (await client.next())["t"] == "pong"
            assert server.hub.intake.held == 0
            await client.raw(whole[:50_000])
            await turns(30)
            assert len(server.hub.intake) == 1
        await turns(30)

    run(main())


def test_the_slowest_messages_go_when_they_are_too_many(run: Run[None]) -> None:
    """With 1013; the others are taken."""

    async def main() -> None:
        settings = Settings(store="memory:", max_body_bytes=100_000, max_inflight_bytes=800_000)
        async with in_process(settings) as server:
            clients = []
            for _ in range(12):
                found = connection(server)
                clients.append((found, await found.__aenter__()))
            part = Frame(Opcode.BINARY, bytes(99_000)).serialize(mask=True)[:90_000]
            for _, client in clients:
                await client.raw(part)
                await turns(30)
            assert await clients[0][1].closed() == 1013
            assert clients[0][1].close_reason == "too-many-bodies"
            assert server.hub.intake.held <= 800_000
            for found, _ in clients:
                await found.__aexit__(None, None, None)

    run(main())


LATE = Settings(store="memory:", body_seconds=0.1, heartbeat_seconds=0.15)
PART = Frame(Opcode.TEXT, b'{"t":"ping"}').serialize(mask=True)[:5]


def test_a_message_that_does_not_come(run: Run[None]) -> None:
    """One that has begun has `body_seconds`."""

    async def main() -> None:
        async with in_process(LATE) as server, greeted(server) as client:
            await client.raw(PART)
            assert await client.closed() == 4408
            assert client.close_reason == "a message did not arrive within body_seconds=0.1"

    run(main())


def test_a_message_that_does_not_come_to_a_streams_own_url(run: Run[None]) -> None:
    """As well; told in a line, too."""

    async def main() -> None:
        async with in_process(LATE) as server:
            await server.hub.create("a", content_type=JSON)
            async with single(server, "a") as client:
                await client.raw(PART)
                assert (await client.until(control="error"))["code"] == "request-timeout"
                assert await client.closed() == 4408

    run(main())


async def told(client: Client, **fields: Any) -> dict[str, Any]:
    """The next message with these fields. Pings are not answered: that would come in the middle of a frame."""
    while True:
        first, payload = await client.frame()
        assert first in (frames.TEXT, frames.PING), payload
        if first == frames.TEXT and fields.items() <= (found := json.loads(payload)).items():
            return dict(found)


def test_messages_without_a_pause_are_not_late(run: Run[None]) -> None:
    """Each has `body_seconds` of its own, also where all that is read ends in the middle of one."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            [session] = server.hub.runtime.holders
            assert isinstance(session, Session)
            sink, begun = session.connection.sink, 0.0
            assert isinstance(sink, MessageSink)
            whole = Frame(Opcode.TEXT, b'{"t":"ping","id":1}').serialize(mask=True)
            await client.raw(whole[:5])
            for _ in range(5):
                await turns(30)
                assert sink.partial_since > begun
                begun = sink.partial_since
                await client.raw(whole[5:] + whole[:5])
                await client.until(id=1)
                assert server.hub.intake.held == 5 - 2  # without its head

    run(main())


def test_a_message_that_the_server_does_not_read_is_not_late(run: Run[None]) -> None:
    """Nor is its client taken for dead; it goes on when the server reads on."""

    async def main() -> None:
        settings = Settings(store="memory:", body_seconds=0.1, heartbeat_seconds=0.15, connection_requests=1)
        async with in_process(settings) as server, greeted(server) as client:
            going, done = asyncio.Event(), asyncio.Event()
            delete = server.hub.delete

            async def slowly(path: str, **given: Any) -> None:
                going.set()
                await done.wait()
                await delete(path, **given)

            server.hub.delete = slowly  # type: ignore[method-assign]
            await server.hub.create("a", content_type=JSON)
            ping = Frame(Opcode.TEXT, b'{"t":"ping","id":2}').serialize(mask=True)
            first = Frame(Opcode.TEXT, b'{"t":"delete","id":1,"path":"a"}').serialize(mask=True)
            await client.raw(first + ping[:5])
            await going.wait()
            for _ in range(4):
                await told(client, t="ping")
            done.set()
            assert (await told(client, id=1))["t"] == "ok"
            await client.raw(ping[5:])
            assert (await told(client, id=2))["t"] == "pong"

    run(main())


@pytest.mark.parametrize("path", [CONNECT, "/v1/stream/a"])
def test_a_flood_of_pings(run: Run[None], path: str) -> None:
    """Who takes no pongs is sent no more than it takes, and is cut as all that take nothing."""

    async def main() -> None:
        settings = Settings(store="memory:", write_seconds=0.3)
        async with in_process(settings) as server:
            await server.hub.create("a", content_type=JSON)
            client = Client(await server.connect())
            with client.sock:
                assert await client.handshake(path, JSON_PROTOCOL if path == CONNECT else b"") == 101
                ping = Frame(Opcode.PING, b"x" * 125).serialize(mask=True) * 100

                async def flood() -> None:
                    while True:
                        await client.raw(ping)

                flooding = asyncio.create_task(flood())
                with pytest.raises(OSError):  # noqa: PT011 - a reset, or a broken pipe
                    await asyncio.wait_for(flooding, 20)
            await turns()
            assert server.hub.stats.pushed == 0

    run(main())


def test_a_close_that_is_not_answered(run: Run[None]) -> None:
    """The server waits a moment for the client's close frame, and no longer."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, single(server, "nothing") as client:
            while (frame := await client.frame())[0] != frames.CLOSE:
                pass
            assert frame[1] == (4404).to_bytes(2) + b"stream-not-found"
            assert server.hub.stats.pushed == 1
            await client.cut()
            assert server.hub.stats.pushed == 0

    run(main())


@pytest.mark.parametrize("size", [1, 40], ids=["small", "with many records"])
def test_many_messages_of_one_read_let_others_in(run: Run[None], size: int) -> None:
    """They are begun in their order, a few milliseconds of them in a turn of the loop."""

    async def main() -> None:
        count = 1500 if size == 1 else 400
        async with in_process(SETTINGS) as server, greeted(server) as client, greeted(server) as other:
            await server.hub.create("a", content_type=JSON)
            appends = [{"t": "append", "id": number, "path": "a", "r": [number] * size} for number in range(count)]
            sent = b"".join(Frame(Opcode.TEXT, json.dumps(each).encode()).serialize(mask=True) for each in appends)
            sending = asyncio.create_task(client.raw(sent))
            assert (await other.ask("ping"))["t"] == "pong"
            assert server.hub.stats.appends < count
            await sending
            answers = [await client.next() for _ in range(count)]
            assert [answer["id"] for answer in answers] == list(range(count))
            records = [int(record.data) async for record in server.hub.read("a")]
            assert records == [number for number in range(count) for _ in range(size)]

    run(main())


def test_a_client_that_leaves_behind_many_messages_leaves_nothing(run: Run[None]) -> None:
    """What waits for a turn of the loop is forgotten with its connection."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as other:
            await server.hub.create("a", content_type=JSON)
            async with greeted(server) as client:
                append = Frame(Opcode.TEXT, b'{"t":"append","id":1,"path":"a","r":[1]}').serialize(mask=True)
                await client.raw(append * 1500)
            await turns()
            assert (await other.ask("ping"))["t"] == "pong"
            await turns()
            assert server.hub.stats.pushed == 1
            assert not server.hub.runtime.bulk.is_full

    run(main())
