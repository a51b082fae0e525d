"""What lives by a proof ends with it: on every wire, in every state, and for nobody else."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.access import guarded_settings, token
from tests.support.inprocess import InProcess, in_process, rest_of, turns
from tests.support.websocket import greeted, single

from headwater.hub.access.end import AccessEnd
from headwater.protocol.access.identity import Access

JSON = "application/json"
ROOT = "/v1/stream/"

#: A request whose response goes on, by its name.
WIRES = {
    "events": (f"{ROOT}a", "text/event-stream"),
    "ndjson": (f"{ROOT}a", "application/x-ndjson"),
    "sse": (f"{ROOT}a?offset=-1&live=sse", "*/*"),
    "long-poll": (f"{ROOT}a?offset=now&live=long-poll", "*/*"),
    "wait": (f"{ROOT}later?offset=now&live=long-poll&missing=wait", "*/*"),
    "waiting": (f"{ROOT}later?missing=wait", "text/event-stream"),
    "many events": (f"{ROOT}-/many?stream=a", "text/event-stream"),
    "many lines": (f"{ROOT}-/many?stream=a", "application/x-ndjson"),
}
wires = pytest.mark.parametrize("wire", [*WIRES])


@asynccontextmanager
async def guarded(folder: Path, **more: Any) -> AsyncIterator[InProcess]:
    async with in_process(guarded_settings(folder, **more)) as server:
        await server.hub.create("a", content_type=JSON, body=b"[1]")
        await server.hub.create("b", content_type=JSON, body=b"[1]")
        yield server


async def send(
    server: InProcess, method: str, target: str, by: str | None, *more: str, body: bytes = b""
) -> socket.socket:
    """A request on a connection of its own."""
    sock = await server.connect()
    lines = [f"{method} {target} HTTP/1.1", "host: localhost", f"content-length: {len(body)}", *more]
    if by is not None:
        lines.append(f"authorization: Bearer {by}")
    await asyncio.get_running_loop().sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode() + body)
    return sock


async def status(server: InProcess, method: str, target: str, by: str | None, *more: str, body: bytes = b"") -> int:
    sock = await send(server, method, target, by, "connection: close", *more, body=body)
    with sock:
        return int((await rest_of(sock)).split(b" ", 2)[1])


async def opened(server: InProcess, wire: str, by: str) -> socket.socket:
    """A reader of a wire, as live as it gets."""
    target, accept = WIRES[wire]
    sock = await send(server, "GET", target, by, f"accept: {accept}", "connection: close")
    await entered(server)
    return sock


async def entered(server: InProcess) -> None:
    """Something lives by a proof."""
    async with asyncio.timeout(10):
        while not len(server.hub.runtime.principals):  # noqa: ASYNC110
            await asyncio.sleep(0)
    await turns()


def is_told(wire: str, reason: str, told: bytes) -> bool:
    """Whether the end says why; a long-poll is answered 401."""
    if wire in ("long-poll", "wait"):
        return told.startswith(b"HTTP/1.1 401")
    return reason.encode() in told


@wires
def test_revoked(run: Run[None], tmp_path: Path, wire: str) -> None:
    """It ends, says so, and nothing that comes later is told; others go on, and the token is worth nothing any more."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            mine, theirs = token("u1"), token("u2")
            with await opened(server, wire, mine) as sock, await opened(server, wire, theirs) as other:
                assert await server.hub.revoke("u1", issuer="headwater") == 1
                await server.hub.append("a", "secret")
                told = await rest_of(sock)
                assert is_told(wire, "revoked", told), told
                assert b"secret" not in told
                assert await status(server, "GET", f"{ROOT}a", mine) == 401
                assert await status(server, "GET", f"{ROOT}a", theirs) == 200
                if wire != "waiting" and wire != "wait":
                    found = b""
                    async with asyncio.timeout(10):
                        while b"secret" not in found:
                            found += await asyncio.get_running_loop().sock_recv(other, 65536)
            assert server.hub.stats.access_ended == {"revoked": 1}
        assert len(server.hub.runtime.principals) == 0

    run(main())


@wires
def test_expired(run: Run[None], tmp_path: Path, wire: str) -> None:
    """It is told before, where there are words for it, and ends in its second."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            mine = token("u1", seconds=2)  # of which the second that has begun is gone
            with await opened(server, wire, mine) as sock:
                told = await rest_of(sock)
                assert 0 <= time.time() - json.loads(_claims(mine))["exp"] < 1.5
                assert is_told(wire, "expired", told), told
                if wire not in ("sse", "long-poll", "wait"):
                    assert b"expiring" in told

    run(main())


def _claims(text: str) -> bytes:
    part = text.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@wires
def test_kicked(run: Run[None], tmp_path: Path, wire: str) -> None:
    """It ends and is told when to come back; it may."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            mine = token("u1")
            with await opened(server, wire, mine) as sock:
                assert server.hub.kick("u1", issuer="headwater", retry_after=7) == 1
                told = await rest_of(sock)
                assert wire in ("long-poll", "wait") or (b"kicked" in told and b"7" in told), told
            assert await status(server, "GET", f"{ROOT}a", mine) == 200

    run(main())


def test_a_full_socket_is_cut(run: Run[None], tmp_path: Path) -> None:
    """What it holds is not sent any more: it would come whenever its client likes."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            mine = token("u1")
            with await opened(server, "ndjson", mine) as sock:
                reader = next(iter(server.hub.live.stream("a").followers))  # type: ignore[union-attr]
                number = 0
                while not reader.is_paused(time.monotonic()):
                    await server.hub.append("a", "x" * 60_000)
                    await asyncio.sleep(0)
                    number += 1
                    assert number < 1000
                await server.hub.revoke("u1", issuer="headwater")
                await turns()
                assert server.hub.reader_count("a") == 0
                await server.hub.append("a", "secret")
                with suppress(ConnectionError):
                    told = await rest_of(sock)
                    assert b"secret" not in told
                    assert b"detached" not in told  # which would come behind all that was held

    run(main())


def test_a_long_body_is_cut(run: Run[None], tmp_path: Path) -> None:
    """A catch-up read that its client takes slowly."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            for _ in range(12):
                await server.hub.append("a", "x" * 1_000_000)
            sock = await send(server, "GET", f"{ROOT}a", token("u1"))
            with sock:
                await entered(server)
                assert await server.hub.revoke("u1", issuer="headwater") == 1
                with suppress(ConnectionError):
                    assert len(await rest_of(sock)) < 12_000_000

    run(main())


@pytest.mark.parametrize(("how", "code"), [("revoked", 4403), ("kicked", 4409), ("expired", 4401)])
def test_a_websocket(run: Run[None], tmp_path: Path, how: str, code: int) -> None:
    """One of many streams, and one of a stream at its own URL, close with a code that says it."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            mine = token("u1", seconds=2 if how == "expired" else 300)
            header = f"authorization: Bearer {mine}\r\n".encode()
            async with greeted(server, token=mine) as client, single(server, "b", header) as alone:
                await client.ask("sub", path="a")
                await alone.message()
                if how == "revoked":
                    assert await server.hub.revoke("u1", issuer="headwater") == 2
                elif how == "kicked":
                    assert server.hub.kick("u1", issuer="headwater", retry_after=3) == 2
                await server.hub.append("a", "secret") if how != "expired" else None
                assert await client.closed() == code
                assert await alone.closed() == code

    run(main())


def test_a_body_that_outlives_its_proof(run: Run[None], tmp_path: Path) -> None:
    """It is refused when it is whole, and nothing is written."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            loop = asyncio.get_running_loop()
            for method, target in [("POST", f"{ROOT}a"), ("PUT", f"{ROOT}new"), ("POST", f"{ROOT}a/-/signal?from=u1")]:
                mine = token("u1")
                sock = await server.connect()
                head = f"{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\nconnection: close\r\n"
                head += f"content-type: {JSON}\r\nauthorization: Bearer {mine}\r\n\r\n1"
                with sock:
                    await loop.sock_sendall(sock, head.encode())
                    await turns()
                    await server.hub.revoke("u1", issuer="headwater")
                    await loop.sock_sendall(sock, b"23")
                    assert (await rest_of(sock)).startswith(b"HTTP/1.1 401"), target
            assert [record.json() for record in (await server.hub.read_batch("a")).records] == [1]
            assert {info.path for info in await server.hub.list()} - {"-/access/revoked"} == {"a", "b"}

    run(main())


def test_ten_thousand_of_one_are_gone_at_once(run: Run[None], tmp_path: Path) -> None:
    """Each ends, a hundred in a turn of the loop; one reader of somebody else stays."""

    class Stub:
        ended = ""

        def hush(self, end: AccessEnd) -> None: ...

        def end_access(self, end: AccessEnd) -> None:
            self.ended = end.reason

        def tell_expiring(self, at: float) -> None: ...

    async def main() -> None:
        from headwater.hub.access.proven import Proven

        async with guarded(tmp_path) as server:
            principals = server.hub.runtime.principals
            mine, theirs = Proven(Access("u1", issuer="x"), b"1"), Proven(Access("u1", issuer="y"), b"2")
            stubs, other = [Stub() for _ in range(10_000)], Stub()
            for stub in stubs:
                principals.enter(mine, stub)
            principals.enter(theirs, other)
            assert await server.hub.revoke("u1", issuer="x") == 10_000
            await turns(120)
            assert {stub.ended for stub in stubs} == {"revoked"}
            assert other.ended == ""

    run(main())


def test_over_a_restart(run: Run[None], tmp_path: Path) -> None:
    """What was taken back stays so; nobody can read the list, or see that it is there."""

    async def main() -> None:
        mine, fresh = token("u1"), token("u2")
        stored = {"store": f"sqlite:{tmp_path / 'a.db'}"}
        async with guarded(tmp_path, **stored) as server:
            body = json.dumps({"subject": "u1", "issuer": "headwater"}).encode()
            assert await status(server, "POST", f"{ROOT}-/revoke", fresh, body=body) == 200
        async with in_process(guarded_settings(tmp_path, **stored)) as server:
            assert await status(server, "GET", f"{ROOT}a", mine) == 401
            assert await status(server, "GET", f"{ROOT}a", fresh) == 200
            for name in ("-/access/revoked", "%2d/access/revoked", "-%2Faccess%2Frevoked", "./-/access/revoked"):
                assert await status(server, "GET", f"{ROOT}{name}", fresh) in (400, 404), name
            sock = await send(server, "GET", "/-/streams", fresh, "connection: close")
            with sock:
                assert b"revoked" not in await rest_of(sock)

    run(main())


def test_by_http(run: Run[None], tmp_path: Path) -> None:
    """Only who may revoke; a token alone, or all of a subject's before a time."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            chief, plain = token("chief"), token("plain", streams={"read": ["**"]})
            one, two = token("u1", jti="t1"), token("u1", jti="t2")
            body = json.dumps({"issuer": "headwater", "token_id": "t1"}).encode()
            for word in ("revoke", "kick"):
                assert await status(server, "POST", f"{ROOT}-/{word}", None, body=body) == 401
                assert await status(server, "POST", f"{ROOT}-/{word}", plain, body=body) == 403
                assert await status(server, "POST", f"{ROOT}-/{word}", chief, body=b"{}") == 400
                assert await status(server, "GET", f"{ROOT}-/{word}", chief) == 405
            assert await status(server, "POST", f"{ROOT}-/revoke", chief, body=body) == 200
            assert [await status(server, "GET", f"{ROOT}a", each) for each in (one, two)] == [401, 200]
            past = json.dumps({"issuer": "headwater", "subject": "u1", "before": time.time() - 60}).encode()
            assert await status(server, "POST", f"{ROOT}-/revoke", chief, body=past) == 200
            assert await status(server, "GET", f"{ROOT}a", two) == 200
            kick = json.dumps({"issuer": "headwater", "subject": "u1"}).encode()
            assert await status(server, "POST", f"{ROOT}-/kick", chief, body=kick) == 200

    run(main())


def test_a_refresh_is_a_new_decision(run: Run[None], tmp_path: Path) -> None:
    """One that has expired makes nothing immortal, what it does not grant any more ends, and nobody takes over."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            expired = token("u1", exp=int(time.time()) - 1, iat=int(time.time()) - 60)
            async with greeted(server, token=token("u1")) as client:
                await client.ask("sub", path="a")
                await client.send(t="auth", token=expired, id=9)
                assert (await client.until(t="end"))["why"] == "forbidden"
                assert (await client.ask("sub", path="a"))["code"] == "token-refused"
                assert server.hub.reader_count("a") == 0
            async with greeted(server, token=token("u1")) as client:
                for path in ("a", "b"):
                    await client.ask("sub", path=path)
                await client.send(t="auth", token=token("u1", streams={"read": ["b"]}), id=9)
                assert (await client.until(t="end"))["why"] == "forbidden"
                assert (server.hub.reader_count("a"), server.hub.reader_count("b")) == (0, 1)
            async with greeted(server, token=token("u1")) as client:
                await client.ask("sub", path="a")
                await client.send(t="auth", token=token("u2"))
                assert await client.closed() == 4403

    run(main())


def test_a_refresh_is_of_one_connection(run: Run[None], tmp_path: Path) -> None:
    """Who has the same token elsewhere, such as a thief, ends with it."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            first = token("u1", seconds=2)
            async with greeted(server, token=first) as mine, greeted(server, token=first) as stolen:
                for client in (mine, stolen):
                    await client.ask("sub", path="a")
                await mine.send(t="auth", token=token("u1"), id=9)
                assert (await mine.until(id=9))["t"] == "ok"
                assert await stolen.closed() == 4401
                assert (await mine.ask("ping"))["t"] == "pong"

    run(main())
