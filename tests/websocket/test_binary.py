"""The subprotocols of MessagePack and Protobuf: what JSON does, in binary messages, with records as bytes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process
from tests.support.subprotocols import BINARY, SUBPROTOCOLS
from tests.support.websocket import CONNECT, Client, Packs, connection, greeted
from websockets.frames import Frame, Opcode

from headwater.protocol.websocket.codecs import CODECS
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)
each = pytest.mark.parametrize("packs", BINARY, ids=lambda packs: packs.name)


@each
def test_a_conversation(run: Run[None], packs: Packs) -> None:
    """Everything that a client can ask for."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs, name="ada") as client:
            made = await client.ask("create", path="a", type=JSON, r=[b'{"x": 1}'])
            assert (made["t"], made["created"]) == ("ok", True)
            sub = await client.ask("sub", path="a", from_="-1", envelope=True)
            assert (sub["t"], sub["type"]) == ("sub", JSON)
            data = await client.until(t="data")
            assert (data["s"], data["b"], len(data["at"])) == (sub["s"], [b'{"x": 1}'], 1)
            assert (await client.until(t="live"))["o"] == data["o"]
            appended = await client.ask("append", s=sub["s"], r=[b"2", b"[3]"], p=["me", 0, 0])
            assert appended["t"] == "ok"
            assert (await client.ask("append", s=sub["s"], r=[b"2", b"[3]"], p=["me", 0, 0]))["dup"] is True
            assert (await client.ask("head", path="a"))["tail"] == appended["o"]
            page = await client.ask("read", path="a", last=2)
            assert (page["b"], page["o"], page["live"]) == ([b"2", b"[3]"], appended["o"], True)
            assert page["o"][: -len(page["e"][0])] + page["e"][0] < page["o"]
            assert (await client.ask("append", path="b", r=[b"1"], type=JSON, create=True))["created"] is True
            config = {"ttl": 100, "retention": "count=5"}
            assert (await client.ask("append", path="c", r=[b"1"], type=JSON, create=config))["created"] is True
            info = await client.ask("head", path="c")
            assert (info["ttl"], info["retention"]) == (100, "count=5")
            assert (await client.ask("fail", path="b", code="boom", message="é"))["closed"] is True
            assert (await client.ask("delete", path="c"))["t"] == "ok"
            refused = await client.ask("append", path="c", r=[b"1"])
            assert (refused["code"], refused["status"]) == ("stream-not-found", 404)
            assert (await client.ask("sub", path="a"))["facts"] == {"s": sub["s"]}
            stale = await client.ask("append", path="a", r=[b"1"], match="0000000000000009_0000000000000000")
            assert stale["code"] == "precondition-failed"
            assert (await client.ask("ping"))["t"] == "pong"
            await client.ask("close", path="a")
            await client.send(t="unsub", s=999, id=50)
            assert (await client.until(id=50))["code"] == "invalid-message"

    run(main())


@each
def test_records_of_every_type(run: Run[None], packs: Packs) -> None:
    """As they are stored, also where JSON would have to code them."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs) as client:
            for path, kind, body in (
                ("json", JSON, b'{"a" : "\\u00e9"}'),
                ("text", "text/plain", "é\n".encode()),
                ("odd", "text/plain", b"\xff\xfe"),
                ("image", "image/png", bytes(range(256))),
                ("pack", "application/msgpack", b"\x93\x01\x02\x03"),
                ("proto", "application/x-protobuf", b"\x08\x01"),
            ):
                assert (await client.ask("append", path=path, b=[body], type=kind, create=True))["t"] == "ok"
                await client.ask("sub", path=path)
                assert (await client.until(t="data"))["b"] == [body]

    run(main())


@each
def test_the_other_kind_of_message_ends_the_connection(run: Run[None], packs: Packs) -> None:
    """1003, as the subprotocol has none of it."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs) as client:
            await client.text('{"t":"ping"}')
            assert await client.closed() == 1003
            assert client.close_reason == f"{packs.name} has binary messages"

    run(main())


@each
def test_what_is_no_message_is_refused(run: Run[None], packs: Packs) -> None:
    """By itself, and the connection goes on; a value that is none is told with the id."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs) as client:
            await client.raw(Frame(Opcode.BINARY, b"\xc1\xff").serialize(mask=True))
            error = await client.next()
            assert (error["t"], error["code"]) == ("err", "invalid-message")
            refused = await client.ask("append", path="a", r=[b"1,2"], create=True, type=JSON)
            assert (refused["code"], "JSON value" in refused["detail"]) == ("invalid-message", True)
            assert (await client.ask("head", path="a"))["code"] == "stream-not-found"
            assert (await client.ask("ping"))["t"] == "pong"

    run(main())


@each
def test_credit(run: Run[None], packs: Packs) -> None:
    """Counts records' bytes, whatever the messages have."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs) as client:
            await server.hub.create("a", content_type=JSON)
            sub = await client.ask("sub", path="a", window=6)
            for value in ("abcd", "efgh"):
                await server.hub.append("a", value)
            first = await client.until(t="data")
            assert first["b"] == [b'"abcd"']
            assert (await client.ask("ping"))["t"] == "pong"
            await client.send(t="ack", s=sub["s"], o=first["o"])
            assert (await client.until(t="data"))["b"] == [b'"efgh"']

    run(main())


def test_the_client_chooses(run: Run[None]) -> None:
    """The first of those that it offers."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            names = [packs.name for packs in reversed(SUBPROTOCOLS)]
            offer = b"sec-websocket-protocol: x, %b\r\n" % ", ".join(names).encode()
            async with connection(server, headers=offer) as client:
                assert b"\r\nsec-websocket-protocol: headwater.v1+protobuf" in client.head.lower()
            sock = await server.connect()
            with sock:
                stranger = Client(sock)
                offer = b"sec-websocket-protocol: headwater.v1+cbor\r\n"
                assert await stranger.handshake(CONNECT, offer) == 406

    run(main())


def values(message: dict[str, Any]) -> list[Any]:
    """The records of a `data`, as JSON values."""
    return list(message["r"]) if "r" in message else [json.loads(each) for each in message["b"]]


def test_a_batch_is_encoded_once_for_each_subprotocol(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times, however many read; the same bytes for all of one."""
    counts = Counter[str]()
    for codec in CODECS.values():
        original = codec.data

        def counted(*args: Any, codec: Any = codec, original: Any = original, **more: Any) -> bytes:
            counts[codec.name] += 1
            found: bytes = original(*args, **more)
            return found

        monkeypatch.setattr(codec, "data", counted)

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            clients = []
            opened = [greeted(server, packs) for packs in SUBPROTOCOLS * 4]
            for one in opened:
                client = await one.__aenter__()
                await client.ask("sub", path="a", signals=True)
                await client.until(t="live")
                clients.append(client)
            for number in range(10):
                await server.hub.append("a", number)
                found = [await client.message() for client in clients]
                assert len(set(found)) == 3
                told = [client.packs.unpack(data) for client, data in zip(clients, found, strict=True)]
                assert [values(message) for message in told] == [[number]] * len(clients)
            assert counts == dict.fromkeys(CODECS, 10)
            await server.hub.signal("a", {"x": 1}, sender="ada")
            signals = [await client.next() for client in clients]
            for signal in signals:
                assert (signal["t"], signal["from"]) == ("signal", "ada")
                value = signal["data"]
                assert (json.loads(value) if isinstance(value, bytes) else value) == {"x": 1}
            for one in opened:
                await one.__aexit__(None, None, None)

    run(main())


@each
def test_signals(run: Run[None], packs: Packs) -> None:
    """Values are their text; bytes are bytes."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs, name="ada") as client:
            await server.hub.create("a", content_type=JSON)
            sub = await client.ask("sub", path="a", signals=True)
            await client.until(t="live")
            await client.send(t="signal", s=sub["s"], data=b"null", keep=9)
            told = await client.next()
            assert (told["data"], told["from"], told["keep"]) == (b"null", "ada", 9)
            await client.send(t="signal", s=sub["s"], b=b"\x00\xff")
            assert (await client.next())["b"] == b"\x00\xff"
            await client.send(t="signal", s=sub["s"], data=b"{")
            error = await client.next()
            assert error["code"] == "invalid-message"

    run(main())
