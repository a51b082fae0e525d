"""A stream at its own URL: what comes as messages, what a message does, and what the close code says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process, turns
from tests.support.websocket import Client, single
from websockets.frames import Frame, Opcode

from headwater.http.socket_sink import TransportSink
from headwater.http.websocket.single import Single
from headwater.hub.live.pushed import PushedReader
from headwater.protocol.ledger import Append
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)


async def lines(client: Client, count: int) -> list[dict[str, Any]]:
    return [json.loads(await client.message()) for _ in range(count)]


def test_the_lines_of_ndjson_are_messages(run: Run[None]) -> None:
    """Each one; the stream's end is the connection's, with 1000."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            tail = (await server.hub.create("a", content_type=JSON, body=b"[1,2]")).tail
            async with single(server, "a") as client:
                first, second, live = await lines(client, 3)
                assert (first["data"], second["data"], live) == (1, 2, {"control": "up-to-date", "offset": tail})
                await server.hub.append("a", 3, close=True)
                third, closed = await lines(client, 2)
                assert (third["data"], closed["control"]) == (3, "closed")
                assert await client.closed() == 1000
            await turns()
            assert server.hub.stats.pushed == server.hub.stats.readers == 0

    run(main())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?last=1", [{"data": 3}]),
        ("?offset=now", []),
        ("?offset=-1", [{"data": 1}, {"data": 2}, {"data": 3}]),
        ("?envelope=1&last=1", [{"at": 0, "data": 3}]),
    ],
)
def test_the_query_is_that_of_ndjson(run: Run[None], query: str, expected: list[dict[str, Any]]) -> None:
    """Where to begin, and with what."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON, body=b"[1,2,3]")
            async with single(server, f"a{query}") as client:
                found = await lines(client, len(expected) + 1)
                assert found.pop()["control"] == "up-to-date"
                assert [set(line) - {"offset"} for line in found] == [set(line) for line in expected]
                assert [line["data"] for line in found] == [line["data"] for line in expected]

    run(main())


@pytest.mark.parametrize(("content_type", "is_text"), [(JSON, True), ("text/plain", True), ("image/png", False)])
def test_records_alone(run: Run[None], content_type: str, is_text: bool) -> None:
    """Nothing else; the close code says the end."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=content_type)
            async with single(server, "a?raw=1") as client:
                await server.hub.append("a", b"[1]")
                await server.hub.append("a", b"22", close=True)
                expected = b"1" if content_type == JSON else b"[1]"
                assert await client.frame() == (0x81 if is_text else 0x82, expected)
                assert await client.message() == b"22"
                assert await client.closed() == 1000

    run(main())


def test_a_message_is_an_append(run: Run[None]) -> None:
    """It is answered with the offset; what is refused is told, and the connection goes on."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with single(server, "a?offset=now") as client:
                await client.message()
                await client.text('{"n": 1}')
                found = await lines(client, 2)
                tail = (await server.hub.info("a")).tail
                assert {"control": "appended", "offset": tail} in found
                assert {"offset": tail, "data": {"n": 1}} in found
                await client.text("no JSON")
                (refused,) = await lines(client, 1)
                assert (refused["control"], refused["code"]) == ("error", "invalid-body")
                await client.text("")
                assert (await lines(client, 1))[0]["code"] == "bad-request"
                await client.text("[2,3]")
                found = await lines(client, 3)
                assert [line["data"] for line in found if "data" in line] == [2, 3]

    run(main())


def test_a_refused_append_ends_raw_records(run: Run[None]) -> None:
    """There is no other word for it than the close code."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with single(server, "a?raw=1") as client:
                await client.text("1")
                assert await client.message() == b"1"
                await client.text("no JSON")
                assert await client.closed() == 4400
                assert client.close_reason == "invalid-body"

    run(main())


def test_messages_of_a_producer_are_counted(run: Run[None]) -> None:
    """Another connection that sends the same ones again appends nothing."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            for again in range(2):
                async with single(server, "a?offset=now&producer=me") as client:
                    await client.message()
                    for number in range(3):
                        await client.text(str(number))
                        while (line := (await lines(client, 1))[0]).get("control") != "appended":
                            pass
                        assert line.get("duplicate", False) is bool(again)
            assert [record.json() for record in (await server.hub.read_batch("a")).records] == [0, 1, 2]

    run(main())


def test_binary_messages(run: Run[None]) -> None:
    """Bytes as they are."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type="image/png")
            async with single(server, "a?raw=1") as client:
                await client.raw(Frame(Opcode.BINARY, b"\x00\xff").serialize(mask=True))
                assert await client.message() == b"\x00\xff"

    run(main())


def test_a_stream_that_is_waited_for(run: Run[None]) -> None:
    """With `?missing=wait` its lines come when it is made."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, single(server, "a?missing=wait") as client:
            assert await lines(client, 1) == [{"control": "waiting", "offset": "-1"}]
            await server.hub.create("a", content_type=JSON, body=b"[1]")
            assert [line.get("data") for line in await lines(client, 2)] == [None, 1]

    run(main())


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        ("nothing", 4404, "stream-not-found"),
        (f"a?offset={9:016}_{0:016}", 4400, "invalid-offset"),
        ("a?last_bytes=5", 4400, "bad-request"),
        ("a?slow=conflate:k", None, ""),
        ("text?slow=conflate:k", 4400, "bad-request"),
    ],
)
def test_what_is_wrong_with_the_stream(run: Run[None], path: str, code: int | None, reason: str) -> None:
    """It is told in words and by the close code: a page sees nothing of a handshake that fails."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            await server.hub.create("text", content_type="text/plain")
            async with single(server, path) as client:
                (line,) = await lines(client, 1)
                if code is not None:
                    assert (line["control"], line["code"]) == ("error", reason)
                    assert await client.closed() == code
                    assert client.close_reason == reason

    run(main())


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("a?raw=2", b"", 400),
        ("a?raw=1&envelope=1", b"", 400),
        ("a?live=sse", b"", 400),
        ("a?producer=", b"", 400),
        ("a?last=x", b"", 400),
        ("runs/x", b"", 403),
        ("a/-/signal", b"", 404),
        ("-/nothing", b"", 400),
        ("a", b"sec-websocket-protocol: headwater.v1+json\r\n", 406),
        ("a", b"origin: https://evil.example\r\n", 403),
    ],
)
def test_what_cannot_connect(run: Run[None], path: str, headers: bytes, status: int) -> None:
    """It is refused over HTTP."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            with await server.connect() as sock:
                assert await Client(sock).handshake(f"/v1/stream/{path}", headers) == status

    run(main())


def test_a_deleted_stream(run: Run[None]) -> None:
    """4404; a failed one 4409, a server that stops 1012."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            for name in "abc":
                await server.hub.create(name, content_type=JSON)
            async with single(server, "a") as one, single(server, "b?raw=1") as two, single(server, "c") as three:
                await server.hub.delete("a")
                assert await one.closed() == 4404
                await server.hub.fail("b", "boom")
                assert await two.closed() == 4409
                assert two.close_reason == "boom"
                await three.message()
                server.hub.drain()
                assert json.loads(await three.message())["control"] == "detached"
                assert await three.closed() == 1012

    run(main())


def test_a_client_that_leaves(run: Run[None]) -> None:
    """Its reader goes, with a close frame or without."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with single(server, "a") as client:
                await client.message()
                assert server.hub.reader_count("a") == 1
                await client.close()
                assert await client.closed() == 1000
                await turns()
                assert server.hub.reader_count("a") == 0
            async with single(server, "a") as client:
                await client.message()
            await turns()
            assert server.hub.reader_count("a") == server.hub.stats.pushed == 0

    run(main())


def noted(monkeypatch: pytest.MonkeyPatch) -> list[Single]:
    """Those that are made from now on."""
    made: list[Single] = []
    init = Single.__init__

    def note(self: Single, *arguments: Any) -> None:
        init(self, *arguments)
        made.append(self)

    monkeypatch.setattr(Single, "__init__", note)
    return made


def test_a_stream_that_ends_as_its_client_goes(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the connection goes on, such as its timer: it is told that the client is gone."""
    made = noted(monkeypatch)

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with single(server, "a") as client:
                await client.message()
                stream = server.hub.live.stream("a")
                assert stream is not None
                server.hub.post("a", Append(close=True), lambda _: None)
                made[0].connection.sink.abort()  # which the loop tells in another turn
                stream.flush(10**6)
            await turns()
            assert made[0].is_over
            assert made[0]._round is None
            assert server.hub.stats.pushed == 0

    run(main())


def test_what_it_says_itself_holds_back_what_others_write(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A record does not pass the answer to an append that the socket has not taken yet."""
    held_back: list[PushedReader] = []
    made = noted(monkeypatch)

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with single(server, "a") as client:
                await client.message()
                monkeypatch.setattr(PushedReader, "hold_back", lambda self: held_back.append(self))
                monkeypatch.setattr(TransportSink, "held", lambda self: 1)
                made[0].write(b"")
                assert len(held_back) == 1
                monkeypatch.undo()

    run(main())
