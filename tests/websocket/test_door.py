"""`-/connect`: the handshake, the order of messages, and what each of them does."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import InProcess, in_process, turns
from tests.support.websocket import CONNECT, JSON_PROTOCOL, Client, connection, greeted
from websockets.frames import Frame, Opcode

from headwater.errors import error_table
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)


def records(found: dict[str, Any]) -> list[Any]:
    assert found["t"] == "data"
    return list(found["r"])


async def refusal(server: InProcess, path: str = CONNECT, headers: bytes = JSON_PROTOCOL) -> tuple[int, str]:
    """Status and code of a handshake that fails."""
    with await server.connect() as sock:
        client = Client(sock)
        status = await client.handshake(path, headers)
        body = client._held
        while not body.endswith(b"}\n"):
            body += await asyncio.get_running_loop().sock_recv(sock, 65536)
        return status, json.loads(body)["code"]


def test_the_handshake(run: Run[None]) -> None:
    """101 with the accept of the key and the subprotocol; nothing of extensions."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, connection(server) as client:
            head = client.head.lower()
            assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head
            assert b"sec-websocket-protocol: headwater.v1+json" in head
            assert b"sec-websocket-extensions" not in head

    run(main())


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        (b"", 406, "subprotocol-not-supported"),
        (b"sec-websocket-protocol: graphql-transport-ws\r\n", 406, "subprotocol-not-supported"),
        (JSON_PROTOCOL + b"origin: https://evil.example\r\n", 403, "origin-not-allowed"),
        (JSON_PROTOCOL + b"origin: null\r\n", 403, "origin-not-allowed"),
    ],
)
def test_a_handshake_that_is_refused(run: Run[None], headers: bytes, status: int, code: str) -> None:
    """It is answered over HTTP, and the connection goes on."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            assert await refusal(server, headers=headers) == (status, code)

    run(main())


def test_a_plain_request_needs_an_upgrade(run: Run[None]) -> None:
    """426, with what it is."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            with await server.connect() as sock:
                loop = asyncio.get_running_loop()
                await loop.sock_sendall(sock, b"GET %b HTTP/1.1\r\nhost: localhost\r\n\r\n" % CONNECT.encode())
                answer = await loop.sock_recv(sock, 65536)
                assert answer.startswith(b"HTTP/1.1 426")
                assert b"\r\nupgrade: websocket\r\n" in answer

    run(main())


def test_where_a_guard_by_path_may_be_in_front(run: Run[None]) -> None:
    """A connection names its streams in messages, so that it is served only where that is said; a stream's URL is."""

    async def main() -> None:
        async with in_process(Settings(store="memory:", multi=False)) as server:
            assert await refusal(server) == (403, "multi-stream-closed")
            async with connection(server, "/v1/stream/a", b"") as client:
                assert await client.closed() == 4404

    run(main())


def test_frames_behind_the_request_are_taken(run: Run[None]) -> None:
    """A client that does not wait for the handshake loses nothing, however its bytes are cut."""

    async def main() -> None:
        hello = Frame(Opcode.TEXT, b'{"t":"hello"}').serialize(mask=True)
        async with in_process(SETTINGS) as server:
            with await server.connect() as sock:
                client = Client(sock)
                assert await client.handshake(CONNECT, JSON_PROTOCOL, hello[:5]) == 101
                await client.raw(hello[5:])
                assert (await client.next())["t"] == "welcome"

    run(main())


def test_a_conversation(run: Run[None]) -> None:
    """Everything that a client can say, sent at once, is done in its order."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, connection(server) as client:
            await client.send(t="hello", name="phone")
            await client.send(t="create", id=1, path="a", type=JSON, ttl=60)
            await client.send(t="sub", id=2, path="a")
            await client.send(t="append", id=3, path="a", r=[{"n": 1}])
            await client.send(t="append", id=4, path="a", r=[{"n": 2}, [3]], p=["me", 0, 0])
            await client.send(t="append", id=5, path="a", r=[{"n": 2}, [3]], p=["me", 0, 0])
            await client.send(t="head", id=6, path="a")
            await client.send(t="read", id=7, path="a", last=2)
            await client.send(t="ping", id=8)
            await client.send(t="close", id=9, path="a")
            welcome = await client.next()
            assert welcome["window"] == 256 * 1024
            assert welcome["limits"]["connection_requests"] == 64
            found = {}
            sub: dict[str, Any] = {}
            told: list[Any] = []
            while "end" not in found:
                message = await client.next()
                if message["t"] == "data":
                    told += message["r"]
                found["sub" if message["t"] == "sub" else message.get("id", message["t"])] = message
            sub = found["sub"]
            assert (sub["id"], sub["path"], sub["type"]) == (2, "a", JSON)
            assert told == [{"n": 1}, {"n": 2}, [3]]
            assert found[1]["created"]
            assert found[4]["o"] == found[5]["o"]
            assert found[5]["dup"]
            assert found[6]["ttl"] == 60
            assert found[7]["r"] == [{"n": 2}, [3]]
            assert found[7]["earlier"]
            assert found[8]["t"] == "pong"
            assert found[9]["closed"]
            assert found["end"] == {"t": "end", "s": sub["s"], "o": found[9]["o"], "why": "closed"}

    run(main())


def test_the_first_message_is_hello(run: Run[None]) -> None:
    """Others are refused until it came, each by itself; there is one."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, connection(server) as client:
            await client.send(t="head", id=1, path="a")
            found = await client.next()
            assert (found["t"], found["id"], found["code"]) == ("err", 1, "invalid-message")
            assert found["detail"] == "the first message is hello"
            await client.send(t="hello")
            assert (await client.next())["t"] == "welcome"
            await client.send(t="hello")
            assert "was sent already" in (await client.next())["detail"]
            assert (await client.ask("ping"))["t"] == "pong"

    run(main())


def test_a_client_that_says_nothing(run: Run[None]) -> None:
    """It is closed with 4408, and the setting is named."""

    async def main() -> None:
        async with in_process(Settings(store="memory:", hello_seconds=0.05)) as server, connection(server) as client:
            assert await client.closed() == 4408
            assert client.close_reason == "hello did not arrive within hello_seconds=0.05"

    run(main())


@pytest.mark.parametrize(
    ("message", "code", "detail"),
    [
        ({"t": "nix"}, "invalid-message", "there is no message 'nix'"),
        ({"t": "head"}, "invalid-message", "path, or s"),
        ({"t": "head", "path": "a", "s": 1}, "invalid-message", "path, or s"),
        ({"t": "head", "s": 99}, "invalid-message", "no stream of number 99"),
        ({"t": "head", "path": "nothing"}, "stream-not-found", "nothing"),
        ({"t": "head", "path": "a/*"}, "invalid-message", "is a pattern"),
        ({"t": "head", "path": "../a"}, "invalid-path", "'..'"),
        ({"t": "head", "path": "x" * 2000}, "path-too-long", "the limit is"),
        ({"t": "head", "path": "runs/x"}, "stream-private", "not served here"),
        ({"t": "sub", "path": "nothing"}, "stream-not-found", "nothing"),
        ({"t": "sub", "path": "a", "window": -1}, "invalid-message", "max_window_bytes=16777216, not -1"),
        ({"t": "sub", "path": "a", "window": 10**12}, "invalid-message", "max_window_bytes=16777216"),
        ({"t": "sub", "path": "a", "missing": "x"}, "invalid-message", "missing takes wait"),
        ({"t": "sub", "path": "a", "slow": "x"}, "bad-request", "replay, latest"),
        ({"t": "sub", "path": "a", "from": "x"}, "invalid-offset", "is not an offset"),
        ({"t": "sub", "path": "a", "from": f"{9:016}_{0:016}"}, "invalid-offset", "another stream"),
        ({"t": "sub", "path": "a", "from": "-1", "last": 3}, "invalid-message", "each says where to begin"),
        ({"t": "sub", "path": "a", "last": 0}, "bad-request", "last must be 1 to 1000"),
        ({"t": "sub", "path": "a", "last_bytes": 3}, "bad-request", "counted in records"),
        ({"t": "unsub", "s": 99}, "invalid-message", "does not read 99"),
        ({"t": "unsub", "path": "b"}, "invalid-message", "does not read 'b'"),
        ({"t": "append", "path": "a"}, "bad-request", "empty"),
        ({"t": "append", "path": "a", "r": [], "b": []}, "bad-request", "not both"),
        ({"t": "append", "path": "a", "b": ["MQ==", "Mg=="]}, "bad-request", "b has 2 records"),
        ({"t": "append", "path": "a", "b": ["e30="], "type": "text/plain"}, "content-type-mismatch", "text/plain"),
        ({"t": "append", "path": "a", "b": ["e3s="]}, "invalid-body", "not valid JSON"),
        ({"t": "append", "path": "text", "r": [1]}, "invalid-body", "takes a string"),
        ({"t": "append", "path": "text", "r": ["a", "b"]}, "content-type-mismatch", "application/json"),
        ({"t": "append", "path": "nothing", "r": [1]}, "stream-not-found", "nothing"),
        ({"t": "append", "path": "a", "r": [1], "p": ["", 0, 0]}, "bad-request", "1 to 256"),
        ({"t": "append", "path": "a", "r": [1], "p": ["x", 0, -1]}, "bad-request", "whole numbers"),
        ({"t": "append", "path": "a", "r": [1], "p": ["x", 0, 5]}, "producer-gap", "0 is the next"),
        ({"t": "append", "path": "a", "r": [1], "match": "x"}, "precondition-failed", ""),
        ({"t": "append", "path": "a", "r": [1], "match": f"{1:016}_{9:016}"}, "precondition-failed", ""),
        ({"t": "append", "path": "a", "r": [1], "seq": ""}, "bad-request", "seq has 1 to 256"),
        ({"t": "append", "path": "new/*", "r": [1], "create": True}, "invalid-message", "is a pattern"),
        ({"t": "append", "path": "new", "r": [1], "create": {"ttl": -1}}, "bad-request", "Stream-TTL"),
        ({"t": "create", "path": "a", "type": "text/plain"}, "stream-exists", "content type"),
        ({"t": "create", "path": "a", "type": JSON, "exclusive": True}, "precondition-failed", ""),
        ({"t": "create", "path": "b", "type": "x\n"}, "bad-request", ""),
        ({"t": "create", "path": "b", "retention": "x=1"}, "bad-request", "age="),
        ({"t": "create", "path": "b", "ttl": 1, "expires_at": "2030-01-01T00:00:00Z"}, "bad-request", "exclude"),
        ({"t": "fail", "path": "a", "code": "NO"}, "bad-request", "lower-case"),
        ({"t": "delete", "path": "nothing"}, "stream-not-found", ""),
        ({"t": "delete", "path": "a", "match": f"{1:016}_{9:016}"}, "precondition-failed", ""),
        ({"t": "read", "path": "a", "bytes": 0}, "invalid-message", "read_bytes=1048576"),
        ({"t": "read", "path": "a", "bytes": 10**9}, "invalid-message", "read_bytes=1048576"),
        ({"t": "read", "path": "a", "before": "x"}, "invalid-message", "before needs last"),
        ({"t": "read", "path": "a", "last": 5, "before": "x"}, "invalid-offset", "is not an offset"),
        ({"t": "read", "path": "nothing"}, "stream-not-found", ""),
        ({"t": "hello"}, "invalid-message", "was sent already"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else None,
)
def test_what_is_refused(run: Run[None], message: dict[str, Any], code: str, detail: str) -> None:
    """With its id, the code and the words of the one table; nothing was done, and the connection goes on."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            await server.hub.create("text", content_type="text/plain")
            async with greeted(server) as client:
                await client.send(**message, **({} if message["t"] == "hello" else {"id": 5}))
                found = await client.next()
                assert (found["t"], found.get("code")) == ("err", code), found
                assert detail in found["detail"]
                assert message["t"] == "hello" or found["id"] == 5
                known = {cls.code: cls for cls in error_table()}
                assert (found["status"], found["advice"]) == (known[code].status, known[code].advice)
                assert server.hub.stats.errors[code] == 1
                assert await client.ask("ping") == {"t": "pong", "id": 1}
                assert {info.path for info in await server.hub.list()} == {"a", "text"}

    run(main())


def test_an_id_is_used_once_at_a_time(run: Run[None]) -> None:
    """While its message waits for an answer; then again."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with greeted(server) as client:
                for number in (-1, 2**53):
                    await client.send(t="head", id=number, path="a")
                    assert "whole number from 0" in (await client.next())["detail"]
                for _ in range(2):
                    await client.send(t="head", id=7, path="a")
                    assert (await client.until(id=7))["t"] == "info"

    run(main())


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame(Opcode.BINARY, b"{}").serialize(mask=True), 1003),
        (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
        (Frame(Opcode.TEXT, b"\xff").serialize(mask=True), 1007),
        (b"\x81\xff" + (2**62).to_bytes(8), 1009),
        (b"\x83\x80" + bytes(4), 1002),
    ],
    ids=["binary", "unmasked", "no-utf8", "too-big", "opcode"],
)
def test_what_breaks_the_protocol_ends_the_connection(run: Run[None], frame: bytes, code: int) -> None:
    """With the close code of the standard; nobody else is affected."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as other:
            await server.hub.create("a", content_type=JSON)
            async with greeted(server) as client:
                await client.ask("sub", path="a")
                await client.raw(frame)
                assert await client.closed() == code
            assert (await other.ask("ping"))["t"] == "pong"
            await turns()
            assert server.hub.reader_count("a") == 0
            assert server.hub.stats.pushed == 1

    run(main())


def test_a_client_that_closes(run: Run[None]) -> None:
    """Its code is given back, and its streams are left."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with greeted(server) as client:
                await client.ask("sub", path="a")
                assert server.hub.reader_count("a") == 1
                await client.close(4321)
                assert await client.closed() == 4321
            await turns()
            assert server.hub.reader_count("a") == 0
            assert server.hub.stats.pushed == 0

    run(main())


def test_a_client_that_vanishes(run: Run[None]) -> None:
    """Its streams are left, also those that it waits for."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with greeted(server) as client:
                await client.ask("sub", path="a")
                await client.ask("sub", path="later", missing="wait")
                await client.ask("sub", path="b/*")
                assert server.hub.stats.readers == 2
            await turns()
            assert server.hub.stats.readers == 0
            assert server.hub.stats.disconnects == 1
            assert server.hub.live.patterns.count == 0

    run(main())


def test_a_ping_of_the_protocol(run: Run[None]) -> None:
    """It is answered with its payload, also before hello."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, connection(server) as client:
            await client.raw(Frame(Opcode.PING, b"are you there").serialize(mask=True))
            assert await client.frame() == (0x8A, b"are you there")

    run(main())


def test_a_silent_connection(run: Run[None]) -> None:
    """Both are asked once a heartbeat: the page by a message, the browser by a ping. Who answers neither is cut."""

    async def main() -> None:
        settings = Settings(store="memory:", heartbeat_seconds=0.3)
        async with in_process(settings) as server, greeted(server) as client:
            assert (await client.frame())[1] == b'{"t":"ping"}'
            assert (await client.frame())[0] == 0x89
            await client.cut()
            await turns()
            assert server.hub.stats.pushed == 0

    run(main())


def test_a_client_that_answers_pings_is_kept(run: Run[None]) -> None:
    """As a browser does, without the page's knowing."""

    async def main() -> None:
        settings = Settings(store="memory:", heartbeat_seconds=0.2)
        async with in_process(settings) as server, greeted(server) as client:
            for _ in range(6):
                assert await client.message() == b'{"t":"ping"}'

    run(main())
