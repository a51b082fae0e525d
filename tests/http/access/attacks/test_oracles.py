"""Attacks 33 to 38: whoever may not, learns nothing: not even whether there is such a stream."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded, send
from tests.support.access import token
from tests.support.inprocess import InProcess, rest_of, turns
from tests.support.websocket import greeted, single

#: May everything below `mine`, and nothing else.
MINE = {
    name: ["mine", "mine/**", "a"] if name == "list" else ["mine", "mine/**"]
    for name in ("read", "append", "close", "create", "delete", "signal", "presence")
}
#: One that is there, one that is not, one that is closed, one that was deleted.
NAMES = ("zz-is", "zz-not", "zz-ended", "zz-was")
JSON = ("content-type: application/json",)
STREAM = "text/event-stream"

#: Method, target with a place for the stream's name, headers, body.
REQUESTS: dict[str, tuple[str, str, tuple[str, ...], bytes]] = {
    "read": ("GET", "{}", (), b""),
    "from an offset": ("GET", "{}?offset=0000000000000001_0000000000000001", (), b""),
    "head": ("HEAD", "{}", (), b""),
    "with its etag": ("GET", "{}", ('if-none-match: "x"', "if-none-match: *"), b""),
    "only if it is there": ("POST", "{}", (*JSON, "if-match: *"), b"1"),
    "last": ("GET", "{}?last=1", (), b""),
    "before": ("GET", "{}?last=1&before=0000000000000001_0000000000000001", (), b""),
    "snapshot": ("GET", "{}?offset=now", (), b""),
    "slow": ("GET", "{}?slow=conflate:key", (f"accept: {STREAM}",), b""),
    "events": ("GET", "{}", (f"accept: {STREAM}",), b""),
    "wait for it": ("GET", "{}?missing=wait", (f"accept: {STREAM}",), b""),
    "long-poll": ("GET", "{}?offset=now&live=long-poll", (), b""),
    "append": ("POST", "{}", JSON, b"1"),
    "another type": ("POST", "{}", ("content-type: text/plain",), b"1"),
    "a body that is none": ("POST", "{}", JSON, b"{"),
    "large": ("POST", "{}", (*JSON, "expect: 100-continue"), b"1" * 1000),
    "a producer's": (
        "POST",
        "{}",
        (*JSON, "producer-id: p", "producer-epoch: 0", "producer-seq: 0"),
        b"1",
    ),
    "create": ("PUT", "{}", JSON, b""),
    "create as another one": ("PUT", "{}", ("content-type: text/plain", "stream-ttl: 7"), b""),
    "create it only": ("PUT", "{}", (*JSON, "if-none-match: *"), b""),
    "append that creates": ("POST", "{}", (*JSON, "stream-create: true"), b"1"),
    "fork from it": ("PUT", "mine/fork", (f"stream-forked-from: {ROOT}{{}}",), b""),
    "close": ("POST", "{}", ("stream-closed: true",), b""),
    "delete": ("DELETE", "{}", (), b""),
    "signal": ("POST", "{}/-/signal", JSON, b"1"),
    "who is there": ("GET", "{}/-/presence", (), b""),
    "be there": ("POST", "{}/-/presence", JSON, b"{}"),
    "schema": ("GET", "{}/-/schema", (), b""),
    "streams": ("GET", "/-/streams?prefix={}/", (), b""),
    "readers": ("GET", "/-/readers?path={}/", (), b""),
    "stats": ("GET", "/-/stats?{}", (), b""),
    "many": ("GET", "-/many?stream={}&live=false", (), b""),
    "together": (
        "POST",
        "-/append",
        ("content-type: application/x-ndjson",),
        b'{"stream":"mine/x","data":1,"create":true}\n{"stream":"{}","data":1}\n',
    ),
    "with a question": ("OPTIONS", "{}", (), b""),
}


async def told(server: InProcess, name: str, stream: str, by: str | None) -> bytes:
    """The whole response, without what is of the moment."""
    method, target, headers, body = REQUESTS[name]
    target = target.replace("{}", stream)
    sock = await send(
        server,
        method,
        target if target.startswith("/") else ROOT + target,
        by,
        *[each.replace("{}", stream) for each in headers],
        "connection: close",
        body=body.replace(b"{}", stream.encode()),
    )
    with sock:
        found = await rest_of(sock)
    return re.sub(rb"date: [^\r]*\r\n", b"", found).replace(stream.encode(), b"~")


@pytest.mark.parametrize("name", REQUESTS)
def test_no_oracle(run: Run[None], tmp_path: Path, name: str) -> None:
    """A stream that is there, one that is not, one that is closed and one that was deleted: the same bytes; and nothing
    was done, also where others of the request's streams are granted."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            hub = server.hub
            await hub.create("mine", content_type="application/json")
            for stream in ("zz-is", "zz-ended", "zz-was"):
                await hub.create(stream, content_type="application/json", ttl=900, body=b"[1,2,3]")
            await hub.close("zz-ended")
            await hub.delete("zz-was")
            tail = (await hub.info("zz-is")).tail
            before = {info.path for info in await hub.list()}
            for by in (None, token("u1", streams=MINE), token("u1", secret=b"x" * 32)):
                answers = [await told(server, name, stream, by) for stream in NAMES]
                assert len(set(answers)) == 1, answers
                status = int(answers[0].split()[1])
                allowed = (204,) if name == "with a question" else (401, 403)
                assert status in allowed, answers[0]
                if status == 401:
                    assert b"www-authenticate: Bearer" in answers[0]
                if status == 403:
                    assert b'www-authenticate: Bearer error="insufficient_scope"' in answers[0]
            assert {info.path for info in await hub.list()} == before
            assert (await hub.info("zz-is")).tail == tail

    run(main())


@pytest.mark.parametrize("wire", ["-/many?stream=mine&stream={}", "-/many?stream=mine&stream={}&live=false"])
@pytest.mark.parametrize("accept", [STREAM, "application/x-ndjson"])
def test_one_of_several(run: Run[None], tmp_path: Path, wire: str, accept: str) -> None:
    """What may be read goes on; of what may not, it is said only that it may not."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            await server.hub.create("mine", content_type="application/json", body=b'["own"]')
            await server.hub.create("there", content_type="application/json", body=b'["secret"]')
            found = []
            for stream in ("there", "gone!"):
                target = ROOT + wire.format(stream.replace("!", "%21"))
                sock = await send(server, "GET", target, token(streams=MINE), f"accept: {accept}", "connection: close")
                with sock:
                    data = b""
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.3):
                            while part := await asyncio.get_running_loop().sock_recv(sock, 65536):
                                data += part
                assert b"own" in data
                assert b"secret" not in data
                assert b"not-granted" in data
                errors = re.findall(rb"\{[^\n]*not-granted[^\n]*\}", data)
                found.append([json.loads(each)["code"] for each in errors])
            assert found[0] == found[1]

    run(main())


def test_a_pattern_that_is_wider_than_the_grant(run: Run[None], tmp_path: Path) -> None:
    """Gives what is granted, of what there is and of what comes, over HTTP and WebSocket; the rest is not named."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            hub = server.hub
            for path in ("mine/1", "others/1"):
                await hub.create(path, content_type="application/json", body=b'["' + path.encode() + b'"]')
            by = token(streams=MINE)
            sock = await send(server, "GET", f"{ROOT}-/many?stream=**", by, "accept: application/x-ndjson")
            async with greeted(server, token=by) as client:
                await client.ask("sub", path="**")
                for path in ("mine/2", "others/2"):
                    await hub.create(path, content_type="application/json")
                    await hub.append(path, path)
                await turns(50)
                data, seen = b"", ""
                loop = asyncio.get_running_loop()
                async with asyncio.timeout(10):
                    while b'"mine/2"' not in data:
                        data += await loop.sock_recv(sock, 65536)
                    while '"mine/2"' not in seen or '"mine/1"' not in seen:
                        seen += json.dumps(await client.next())
                    assert (await client.ask("head", path="mine/1"))["t"] == "info"
                sock.close()
                for text in (data.decode(), seen):
                    assert "others" not in text, text

    run(main())


def test_on_a_websocket(run: Run[None], tmp_path: Path) -> None:
    """Each message about what may not be touched has one answer, whatever is there."""
    messages: list[dict[str, Any]] = [
        {"t": "sub"},
        {"t": "sub", "missing": "wait"},
        {"t": "sub", "from_": "now", "slow": "latest"},
        {"t": "head"},
        {"t": "read", "last": 1},
        {"t": "append", "r": [1]},
        {"t": "append", "r": [1], "create": {}},
        {"t": "create", "type": "text/plain"},
        {"t": "close"},
        {"t": "fail", "code": "x"},
        {"t": "delete"},
        {"t": "signal", "data": 1},
        {"t": "here"},
    ]

    async def main() -> None:
        async with guarded(tmp_path) as server:
            await server.hub.create("there", content_type="application/json", body=b"[1]")
            async with greeted(server, token=token(streams=MINE)) as client:
                for message in messages:
                    answers = []
                    for path in ("there", "nowhere"):
                        answer = await client.ask(**message, path=path)
                        answers.append({key: value for key, value in answer.items() if key != "id"})
                    assert answers[0] == answers[1], message
                    assert answers[0]["code"] == "not-granted"
            header = f"authorization: Bearer {token(streams=MINE)}\r\n".encode()
            for path in ("there", "nowhere"):
                sock = await server.connect()
                from tests.support.websocket import Client

                with sock:
                    assert await Client(sock).handshake(f"{ROOT}{path}", header) == 403
            async with single(server, "b", f"authorization: Bearer {token()}\r\n".encode()) as alone:
                assert json.loads(await alone.message())

    run(main())
