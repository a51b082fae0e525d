"""Attacks 61 to 66: connections that carry several people, heads that were seen before, names that break a response."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded
from tests.support.access import token
from tests.support.inprocess import InProcess, turns
from tests.support.websocket import greeted, single

JSON = "application/json"


def request(method: str, target: str, by: str | None, body: bytes = b"", *more: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "host: localhost", f"content-length: {len(body)}", *more]
    if body:
        lines.append(f"content-type: {JSON}")
    if by is not None:
        lines.append(f"authorization: Bearer {by}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def codes(server: InProcess, requests: list[bytes], *, at_once: bool) -> list[int]:
    """The statuses of requests on one connection, as a proxy sends those of several clients."""
    sock, loop, found = await server.connect(), asyncio.get_running_loop(), b""
    with sock:
        if at_once:
            await loop.sock_sendall(sock, b"".join(requests))
        for number, each in enumerate(requests, 1):
            if not at_once:
                await loop.sock_sendall(sock, each)
            async with asyncio.timeout(10):
                while len(re.findall(rb"HTTP/1.1 (\d+)", found)) < number:
                    found += await loop.sock_recv(sock, 65536)
    return [int(code) for code in re.findall(rb"HTTP/1.1 (\d+)", found)]


@pytest.mark.parametrize("at_once", [True, False], ids=["pipelined", "one by one"])
def test_several_people_on_one_connection(run: Run[None], tmp_path: Path, at_once: bool) -> None:
    """Each request is its own sender's, whatever came before it on the connection."""
    mine, theirs = token("u1", streams={"append": ["a"]}), token("u2", streams={"append": ["b"]})
    bad = token("u1", secret=b"x" * 32)
    plan = [(mine, 204), (theirs, 403), (mine, 204), (None, 401), (mine, 204), (bad, 401), (theirs, 403), (mine, 204)]

    async def main() -> None:
        async with guarded(tmp_path) as server:
            requests = [request("POST", f"{ROOT}a", by, b"1") for by, _ in plan]
            assert await codes(server, requests, at_once=at_once) == [code for _, code in plan]
            heads = [request("HEAD", f"{ROOT}a", by) for by in (mine, token("u3"), mine, None)]
            assert await codes(server, heads, at_once=at_once) == [403, 200, 403, 401]

    run(main())


def test_a_connection_that_is_kept(run: Run[None], tmp_path: Path) -> None:
    """The very same bytes: granted, then revoked, and granted to who has a newer token."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            sock, loop = await server.connect(), asyncio.get_running_loop()

            async def ask(by: str) -> int:
                await loop.sock_sendall(sock, request("POST", f"{ROOT}a", by, b"1"))
                async with asyncio.timeout(10):
                    return int((await loop.sock_recv(sock, 65536)).split()[1])

            with sock:
                first = token("u1", jti="1")
                assert [await ask(first) for _ in range(3)] == [204] * 3
                await server.hub.revoke(token_id="1", issuer="headwater")
                assert [await ask(first) for _ in range(3)] == [401] * 3
                assert await ask(token("u1", jti="2")) == 204

    run(main())


SPLITS = ["a%0d%0aset-cookie:%20x=1", "a%0aset-cookie:x=1", "a%0d%0a%0d%0a<script>", "a%00b", "a%e2%80%a8b"]


@pytest.mark.parametrize("text", SPLITS)
@pytest.mark.parametrize(
    "target",
    ["a?reader={}", "a?event={}", "a/-/signal?from={}", "a/-/signal?topic={}", "{}", "-/many?stream={}", "a?offset={}"],
)
def test_no_response_is_split(run: Run[None], tmp_path: Path, target: str, text: str) -> None:
    """Whatever a client calls itself or a stream, the response has the lines that the server wrote."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            method = "POST" if "signal" in target else "GET"
            body = b"1" if method == "POST" else b""
            sock, loop = await server.connect(), asyncio.get_running_loop()
            data = request(method, ROOT + target.format(text), token(), body, "accept: text/event-stream")
            with sock:
                await loop.sock_sendall(sock, data)
                await turns()
                async with asyncio.timeout(10):
                    told = await loop.sock_recv(sock, 65536)
            head = told.partition(b"\r\n\r\n")[0]
            assert b"set-cookie" not in head.lower()
            assert head.count(b"HTTP/1.1 ") == 1
            assert b"\n\r\n<script>" not in told
            assert all(b":" in line for line in head.split(b"\r\n")[1:])

    run(main())


def test_two_proofs_in_one_request(run: Run[None], tmp_path: Path) -> None:
    """Two headers `Authorization`, or one with two tokens: refused, never the better of the two."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            good, bad = token("u1"), token("u1", secret=b"x" * 32)
            for first, second in ((good, bad), (bad, good), (good, good)):
                twice = request("GET", f"{ROOT}a", first, b"", f"authorization: Bearer {second}")
                assert (await codes(server, [twice], at_once=True))[0] in (400, 401)
                joined = request("GET", f"{ROOT}a", f"{first}, Bearer {second}")
                assert await codes(server, [joined], at_once=True) == [401]

    run(main())


def test_a_bad_proof_is_not_passed_over(run: Run[None], tmp_path: Path) -> None:
    """Also where everybody may do what is asked, on every wire; without one it may be done."""

    async def main() -> None:
        async with guarded(tmp_path, public_read=("**",), public_append=("**",)) as server:
            bad = token("u1", secret=b"x" * 32)
            for method, target, body in [
                ("GET", f"{ROOT}a", b""),
                ("HEAD", f"{ROOT}a", b""),
                ("POST", f"{ROOT}a", b"1"),
                ("GET", f"{ROOT}-/many?stream=a&live=false", b""),
                ("GET", f"{ROOT}-/many?stream=*&live=false", b""),
            ]:
                found = await codes(server, [request(method, target, by, body) for by in (None, bad)], at_once=False)
                assert [code // 100 for code in found] == [2, 4], (target, found)
            for by, code in ((None, None), (bad, "token-refused")):
                hello: dict[str, Any] = {} if by is None else {"token": by}
                async with greeted(server, **hello) as client:
                    for message in ({"t": "head"}, {"t": "sub"}, {"t": "append", "r": [1]}):
                        assert (await client.ask(**message, path="a")).get("code") == code

    run(main())


def test_own_url(run: Run[None], tmp_path: Path) -> None:
    """A stream's own WebSocket reads for who may read, and appends for who may append."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            for streams, code in (({"read": ["a"]}, "not-granted"), ({"read": ["a"], "append": ["a"]}, None)):
                header = f"authorization: Bearer {token('u1', streams=streams)}\r\n".encode()
                async with single(server, "a", header) as alone:
                    await alone.text('"mine"')
                    while (told := json.loads(await alone.message())).get("control") not in ("error", "appended"):
                        pass
                    assert told.get("code") == code

    run(main())
