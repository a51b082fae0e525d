"""Clients that know nothing of the door, against real servers: our own, and hubs that are mounted."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets.sync.client
from tests.support.http import call
from tests.support.mounted import mounted_server
from tests.support.processes import ServerProcess, headwater_server, required
from tests.support.sockets import EVENTS, asking
from tests.support.subprotocols import BINARY
from tests.support.websocket import Packs
from tests.support.websocket_node import NODE_SAYS, PACKAGE, node_says
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

pytestmark = pytest.mark.slow

JSON = "application/json"
PROTOCOL = "headwater.v1+json"
ROOT = "/v1/stream/"
SERVERS = ["serve", "uvicorn", "hypercorn"]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """`headwater serve`, or a hub in a FastAPI application under another server."""
    name = request.param
    directory = tmp_path_factory.mktemp("served")
    found = headwater_server("memory:") if name == "serve" else mounted_server(name, directory)
    found.name = name
    with found:
        yield found


def url(server: ServerProcess, path: str) -> str:
    return server.url.replace("http", "ws") + ROOT + path


@asynccontextmanager
async def greeted(server: ServerProcess) -> AsyncIterator[ClientConnection]:
    """A connection behind `welcome`; messages are not compressed, which uvicorn would agree to."""
    async with connect(url(server, "-/connect"), subprotocols=[PROTOCOL]) as client:  # type: ignore[list-item]
        assert client.subprotocol == PROTOCOL
        await client.send('{"t":"hello"}')
        assert json.loads(await client.recv())["t"] == "welcome"
        yield client


async def until(client: ClientConnection, **fields: Any) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            found: dict[str, Any] = json.loads(await client.recv())
            if all(found.get(key) == value for key, value in fields.items()):
                return found


#: Conversations of one message and what must be in its answer, on a stream `case` that has the records 1, 2, 3.
CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"t": "head"}, {"t": "info", "type": JSON}),
    ({"t": "read"}, {"t": "page", "r": [1, 2, 3], "live": True}),
    ({"t": "read", "bytes": 1}, {"t": "page", "r": [1]}),
    ({"t": "read", "last": 1}, {"t": "page", "r": [3], "earlier": True}),
    ({"t": "read", "last": 9}, {"t": "page", "r": [1, 2, 3]}),
    ({"t": "read", "from": "now"}, {"t": "page", "live": True}),
    ({"t": "read", "from": "x"}, {"code": "invalid-offset"}),
    ({"t": "read", "last_bytes": 1}, {"code": "bad-request"}),
    ({"t": "read", "bytes": 0}, {"code": "invalid-message"}),
    ({"t": "read", "envelope": True, "last": 1}, {"t": "page", "r": [3]}),
    ({"t": "append", "r": [4]}, {"t": "ok"}),
    ({"t": "append", "r": [4, 5]}, {"t": "ok"}),
    ({"t": "append", "r": [{"ä": "\ud83d\ude00"}]}, {"t": "ok"}),
    ({"t": "append", "b": ["WzEsMl0="]}, {"t": "ok"}),
    ({"t": "append", "b": ["e30="], "type": JSON}, {"t": "ok"}),
    ({"t": "append", "r": [4], "type": "text/plain"}, {"code": "content-type-mismatch"}),
    ({"t": "append", "r": [4], "p": ["p", 0, 0]}, {"t": "ok"}),
    ({"t": "append", "r": [4], "p": ["p", 0, 1]}, {"code": "producer-gap"}),
    ({"t": "append", "r": [4], "p": ["p", 1, 1]}, {"code": "producer-gap"}),
    ({"t": "append", "r": [4], "seq": "a"}, {"t": "ok"}),
    ({"t": "append", "r": [4], "close": True}, {"t": "ok", "closed": True}),
    ({"t": "append", "close": True}, {"t": "ok", "closed": True}),
    ({"t": "append", "r": [4], "match": "x"}, {"code": "precondition-failed"}),
    ({"t": "append", "r": [4], "create": True}, {"t": "ok"}),
    ({"t": "append"}, {"code": "bad-request"}),
    ({"t": "append", "r": 4}, {"code": "invalid-message"}),
    ({"t": "append", "b": ["!"]}, {"code": "invalid-message"}),
    ({"t": "append", "b": ["e3s="]}, {"code": "invalid-body"}),
    ({"t": "append", "path": "none", "r": [1]}, {"code": "stream-not-found"}),
    ({"t": "append", "path": "made", "r": [1], "create": {"ttl": 60}, "type": JSON}, {"t": "ok", "created": True}),
    ({"t": "close"}, {"t": "ok", "closed": True}),
    ({"t": "close", "p": ["p", 0, 0]}, {"t": "ok", "closed": True}),
    ({"t": "fail", "code": "boom"}, {"t": "ok", "closed": True}),
    ({"t": "fail", "code": "BOOM"}, {"code": "bad-request"}),
    ({"t": "create", "type": JSON}, {"t": "ok"}),
    ({"t": "create", "type": "text/plain"}, {"code": "stream-exists"}),
    ({"t": "create", "type": JSON, "exclusive": True}, {"code": "precondition-failed"}),
    ({"t": "create", "path": "made", "r": ["text"], "type": "text/plain"}, {"t": "ok", "created": True}),
    ({"t": "create", "path": "made", "r": [1, 2], "type": JSON, "closed": True}, {"t": "ok", "closed": True}),
    ({"t": "create", "path": "made/*"}, {"code": "invalid-message"}),
    ({"t": "delete"}, {"t": "ok"}),
    ({"t": "delete", "match": "x"}, {"code": "precondition-failed"}),
    ({"t": "delete", "path": "none"}, {"code": "stream-not-found"}),
    ({"t": "sub"}, {"t": "sub", "type": JSON}),
    ({"t": "sub", "path": "none"}, {"code": "stream-not-found"}),
    ({"t": "sub", "path": "none", "missing": "wait"}, {"t": "waiting"}),
    ({"t": "sub", "path": "c*"}, {"code": "bad-request"}),
    ({"t": "sub", "path": "*"}, {"t": "ok"}),
    ({"t": "unsub"}, {"code": "invalid-message"}),
    ({"t": "ping"}, {"t": "pong"}),
    ({"t": "auth", "token": "x"}, {"t": "ok"}),
    ({"t": "nothing"}, {"code": "invalid-message"}),
]


def test_every_message(server: ServerProcess) -> None:
    """Each on one connection, and behind each the stream is as it was."""

    async def main() -> None:
        async with greeted(server) as client:
            for number, (message, expected) in enumerate(CASES):
                for path in ("case", "made"):
                    call(server, "DELETE", ROOT + path)
                call(server, "PUT", ROOT + "case", "[1,2,3]", content_type=JSON)
                await client.send(json.dumps({"path": "case", **message, "id": number}))
                found = await until(client, id=number)
                assert {key: found.get(key) for key in expected} == expected, (message, found)
                await client.send(json.dumps({"t": "unsub", "path": message.get("path", "case")}))

    assert len(CASES) >= 50
    asyncio.run(main())


def test_a_connection_is_taken_over_where_it_can_be(server: ServerProcess) -> None:
    """Our own connection, and uvicorn's behind its handshake: nothing but a sink is left of them."""

    async def main() -> None:
        async with greeted(server), connect(url(server, "case?missing=wait")) as one:
            await one.recv()
            pushed = json.loads(call(server, "GET", health(server, "stats")).body)["pushed"]
            assert pushed == (0 if server.name == "hypercorn" else 2)

    asyncio.run(main())


def health(server: ServerProcess, route: str) -> str:
    return f"/-/{route}" if server.name == "serve" else f"{ROOT}-/{route}"


def test_two_connections_talk(server: ServerProcess) -> None:
    """Messages of a thousand appends each way arrive once, in order, with acknowledgements as credit."""

    async def main() -> None:
        call(server, "DELETE", ROOT + "talk")
        call(server, "PUT", ROOT + "talk", content_type=JSON)
        async with greeted(server) as writer, greeted(server) as reader:
            await reader.send('{"t":"sub","id":1,"path":"talk","window":500}')

            async def write() -> None:
                for number in range(1000):
                    await writer.send(json.dumps({"t": "append", "id": number, "path": "talk", "r": [number]}))
                for number in range(1000):
                    assert json.loads(await writer.recv())["id"] == number

            async def read() -> list[int]:
                found: list[int] = []
                while len(found) < 1000:
                    data = await until(reader, t="data")
                    found += data["r"]
                    await reader.send(json.dumps({"t": "ack", "s": data["s"], "o": data["o"]}))
                return found

            _, found = await asyncio.gather(write(), read())
            assert found == list(range(1000))

    asyncio.run(main())


def test_binary_messages(server: ServerProcess) -> None:
    """MessagePack and Protobuf, with libraries that know nothing of ours: records, signals and who is there."""

    async def main(packs: Packs) -> None:
        path = f"binary-{packs.name[-8:]}"
        async with connect(url(server, "-/connect"), subprotocols=[packs.name]) as client:  # type: ignore[list-item]
            assert client.subprotocol == packs.name

            async def say(**message: Any) -> None:
                await client.send(packs.pack(message).data)

            async def hear(kind: str) -> dict[str, Any]:
                async with asyncio.timeout(30):
                    while True:
                        data = await client.recv()
                        assert isinstance(data, bytes)
                        if (found := packs.unpack(data))["t"] == kind:
                            return found

            await say(t="hello", name="ada")
            await say(t="create", id=1, path=path, type="image/png")
            await say(t="sub", id=2, path=path, signals=True, presence=True)
            number = (await hear("sub"))["s"]
            await hear("live")
            await say(t="append", id=3, s=number, b=[bytes(range(256)) * 300])
            assert (await hear("data"))["b"] == [bytes(range(256)) * 300]
            await say(t="signal", s=number, b=b"\x00\xff")
            assert (await hear("signal"))["b"] == b"\x00\xff"
            await say(t="here", id=4, s=number, state=b"[1]")
            assert (await hear("here"))["member"] == "ada"
            await say(t="close", id=5, s=number)
            assert (await hear("end"))["why"] == "closed"

    for packs in BINARY:
        asyncio.run(main(packs))


def test_aiohttp(server: ServerProcess) -> None:
    """Another library, which offers compression and is told no."""

    async def main() -> None:
        call(server, "DELETE", ROOT + "case")
        call(server, "PUT", ROOT + "case", "[1]", content_type=JSON)
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url(server, "-/connect"), protocols=[PROTOCOL], compress=15) as client:
                await client.send_json({"t": "hello"})
                assert (await client.receive_json())["t"] == "welcome"
                await client.send_json({"t": "sub", "id": 1, "path": "case"})
                assert [(await client.receive_json())["t"] for _ in range(3)] == ["sub", "data", "live"]
            async with session.ws_connect(url(server, "case?raw=1")) as one:
                assert await one.receive_json() == 1
                call(server, "DELETE", ROOT + "case")
                closed = await one.receive()
                assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4404)

    asyncio.run(main())


def test_the_synchronous_client_of_websockets(server: ServerProcess) -> None:
    """A program without an event loop."""
    call(server, "DELETE", ROOT + "case")
    call(server, "PUT", ROOT + "case", "[1]", content_type=JSON)
    with websockets.sync.client.connect(url(server, "case?raw=1")) as client:
        assert client.recv(timeout=20) == "1"
        client.send("2")
        assert client.recv(timeout=20) == "2"


@pytest.mark.parametrize("library", ["node", "ws"])
def test_node(server: ServerProcess, library: str) -> None:
    """Node's own `WebSocket`, which is that of browsers, and the package `ws`, which offers compression."""
    required("the npm package ws (make tests/clients/node_modules)", library == "node" or PACKAGE.is_dir())
    call(server, "DELETE", ROOT + "node")
    said = node_says(server.url + ROOT, library, waits=server.name != "hypercorn")
    assert said == (NODE_SAYS if server.name != "hypercorn" else NODE_SAYS[:-1])


def test_a_page_of_another_origin(server: ServerProcess) -> None:
    """It is refused before anything is upgraded."""

    async def main() -> None:
        with pytest.raises(InvalidStatus) as caught:
            await connect(url(server, "case"), origin="https://evil.example")  # type: ignore[arg-type]
        assert caught.value.response.status_code == 403

    asyncio.run(main())


def test_a_reader_lives_through_crashes(tmp_path: Path) -> None:
    """SIGKILL while a producer writes and a reader reads: every record once and in order, by the offsets of both."""
    server = headwater_server(f"sqlite:{tmp_path}/log.db")

    async def write(count: int) -> None:
        number = 0
        while number < count:
            with suppress(ConnectionClosed, OSError, InvalidHandshake):
                async with greeted(server) as client:
                    while number < count:
                        fields = {"path": "log", "r": [number], "type": JSON, "create": True, "p": ["w", 0, number]}
                        await client.send(json.dumps({"t": "append", "id": number, **fields}))
                        await until(client, t="ok", id=number)
                        number += 1
            await asyncio.sleep(0.01)

    async def read(count: int, found: list[int]) -> None:
        offset = "-1"
        while len(found) < count:
            with suppress(ConnectionClosed, OSError, InvalidHandshake):
                async with greeted(server) as client:
                    await client.send(
                        json.dumps({"t": "sub", "id": 1, "path": "log", "from": offset, "missing": "wait"})
                    )
                    while len(found) < count:
                        data = await until(client, t="data")
                        found += data["r"]
                        offset = data["o"]
                        await client.send(json.dumps({"t": "ack", "s": data["s"], "o": offset}))
            await asyncio.sleep(0.01)

    async def main() -> None:
        found: list[int] = []
        writing = asyncio.create_task(write(600))
        reading = asyncio.create_task(read(600, found))
        for threshold in (100, 250, 400):
            while len(found) < threshold:  # noqa: ASYNC110 - the reader has no event for it
                await asyncio.sleep(0.005)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await asyncio.gather(writing, reading)
        assert found == list(range(600))

    with server:
        asyncio.run(main())


@pytest.mark.parametrize("name", SERVERS)
def test_a_stop_is_told(tmp_path: Path, name: str) -> None:
    """SIGTERM: `drain`, then 1012, and the process ends; also with members, and at a stream's own URL."""
    log = tmp_path / "log"
    server = headwater_server("memory:", log=log) if name == "serve" else mounted_server(name, tmp_path)

    async def main() -> None:
        assert call(server, "PUT", f"{ROOT}room", content_type=JSON).status == 201
        events = asking(server, f"{ROOT}room", accept=EVENTS)
        async with greeted(server) as client, connect(url(server, "room?presence=1")) as bare:
            await client.send(json.dumps({"t": "sub", "id": 1, "path": "room", "presence": True, "signals": True}))
            await client.send(json.dumps({"t": "here", "id": 2, "path": "room", "member": "me", "state": 1}))
            await until(client, t="here")
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            assert 0 <= (await until(client, t="drain"))["after"] <= 5
            for each in (client, bare):
                with suppress(ConnectionClosed):
                    async for _ in each:
                        pass
                assert each.close_code == 1012
            # uvicorn ends by the signal that it was sent.
            assert await stopping in (0, -signal.SIGTERM)
        with events, events.makefile("rb") as body:
            assert b"stream-detached" in body.read()

    with server:
        asyncio.run(main())
    assert name != "serve" or log.read_text() == ""
