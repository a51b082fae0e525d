"""Attacks 47 to 60, and what is decided twice: a proof that ends while something goes on with it."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, entered, guarded, opened, send, status
from tests.support.access import guarded_settings, token
from tests.support.inprocess import InProcess, in_process, rest_of, turns
from tests.support.websocket import Client, greeted

from headwater.hub.access.revocations import Revocation
from headwater.hub.access.revoked_log import PATH
from headwater.model import StreamConfig
from headwater.protocol.ledger import Append

JSON = "application/json"
LINES = b'{"stream":"a","data":"late"}\n{"stream":"b","data":"late"}\n'


async def revoke(server: InProcess) -> None:
    await server.hub.revoke("u1", issuer="headwater")


async def contents(server: InProcess) -> bytes:
    """All that is in the two streams."""
    batches = [await server.hub.read_batch(path) for path in ("a", "b")]
    return b"".join(record.data for batch in batches for record in batch.records)


def head(method: str, target: str, size: int, kind: str, by: str) -> bytes:
    return (
        f"{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\ncontent-type: {kind}\r\n"
        f"authorization: Bearer {by}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("method", "target", "kind", "body"),
    [
        ("POST", f"{ROOT}a", JSON, b'"late"'),
        ("PUT", f"{ROOT}new", JSON, b'["late"]'),
        ("POST", f"{ROOT}new?x", JSON, b'"late"'),
        ("POST", f"{ROOT}-/append", "application/x-ndjson", LINES),
        ("POST", f"{ROOT}a/-/signal?from=u1", JSON, b'"late"'),
        ("POST", f"{ROOT}a/-/presence", JSON, b'{"state":"late"}'),
        ("POST", f"{ROOT}-/revoke", JSON, b'{"issuer":"headwater","subject":"u2"}'),
        ("POST", f"{ROOT}-/kick", JSON, b'{"issuer":"headwater","subject":"u2"}'),
        ("POST", f"{ROOT}-/many", JSON, b'{"streams":{"a":"-1"}}'),
    ],
)
def test_a_slow_body(run: Run[None], tmp_path: Path, method: str, target: str, kind: str, body: bytes) -> None:
    """Its last byte comes behind the revocation: refused, and nothing was done."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            sock, loop = await server.connect(), asyncio.get_running_loop()
            data = head(method, target, len(body), kind, token("u1")).replace(
                b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"
            )
            with sock:
                await loop.sock_sendall(sock, data + body[:-1])
                await turns()
                await revoke(server)
                await loop.sock_sendall(sock, body[-1:])
                answer = await rest_of(sock)
            assert answer.startswith(b"HTTP/1.1 401"), answer
            assert b"late" not in await contents(server)
            assert server.hub.rooms.count("a") == 0
            assert {info.path for info in await server.hub.list()} - {PATH} == {"a", "b"}
            assert await status(server, "GET", f"{ROOT}a", token("u2")) == 200

    run(main())


def test_pipelined_appends(run: Run[None], tmp_path: Path) -> None:
    """Those behind a revocation on one connection are refused, whether their bytes were there before it or not."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            sock, loop = await server.connect(), asyncio.get_running_loop()
            by = token("u1")
            early = head("POST", f"{ROOT}a", 7, JSON, by) + b'"early"'
            late = head("POST", f"{ROOT}b", 6, JSON, by) + b'"late"'
            with sock:
                await loop.sock_sendall(sock, early + late[:-1])
                await turns()
                await revoke(server)
                await loop.sock_sendall(sock, late[-1:] + late)
                answer = b""
                async with asyncio.timeout(10):
                    while answer.count(b"HTTP/1.1 401") < 2:
                        answer += await loop.sock_recv(sock, 65536)
            assert answer.startswith(b"HTTP/1.1 204")
            assert b"early" in await contents(server)
            assert b"late" not in await contents(server)

    run(main())


@pytest.mark.parametrize("how", ["revoked", "expired"])
@pytest.mark.parametrize("wire", ["events", "lines", "websocket"])
def test_a_pattern_meets_a_new_stream(run: Run[None], tmp_path: Path, wire: str, how: str) -> None:
    """A stream that is made behind the end of the proof is told to nobody, also where nothing had matched before."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            by = token("u1", seconds=1 if how == "expired" else 300)
            if wire == "websocket":
                async with greeted(server, token=by) as client:
                    await client.ask("sub", path="later/*")
                    await entered(server)
                    await (revoke(server) if how == "revoked" else gone(server))
                    await make_later(server)
                    assert await client.closed() == (4403 if how == "revoked" else 4401)
                return
            accept = "text/event-stream" if wire == "events" else "application/x-ndjson"
            sock = await send(
                server, "GET", f"{ROOT}-/many?stream=later/*", by, f"accept: {accept}", "connection: close"
            )
            with sock:
                await entered(server)
                await (revoke(server) if how == "revoked" else gone(server))
                await make_later(server)
                answer = await rest_of(sock)
            assert b"secret" not in answer
            assert how.encode() in answer

    async def gone(server: InProcess) -> None:
        async with asyncio.timeout(10):
            while not server.hub.stats.access_ended["expired"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def make_later(server: InProcess) -> None:
        await server.hub.create("later/1", content_type=JSON)
        await server.hub.append("later/1", "secret")

    run(main())


def test_a_message_in_pieces(run: Run[None], tmp_path: Path) -> None:
    """An append on a WebSocket whose last piece comes behind the revocation; with and without a stream that is read."""

    async def main() -> None:
        from websockets.frames import Frame, Opcode

        for reads in (True, False):
            async with guarded(tmp_path) as server, greeted(server, token=token("u1")) as client:
                if reads:
                    await client.ask("sub", path="a")
                text = json.dumps({"t": "append", "id": 99, "path": "a", "r": ["late"]}).encode()
                await client.raw(Frame(Opcode.TEXT, text[:9], fin=False).serialize(mask=True))
                await turns()
                await revoke(server)
                with suppress(OSError):
                    await client.raw(Frame(Opcode.CONT, text[9:]).serialize(mask=True))
                if reads:
                    assert await client.closed() == 4403
                else:
                    assert (await client.until(id=99))["code"] == "token-refused"
                assert b"late" not in await contents(server)

    run(main())


@pytest.mark.parametrize("state", ["full", "catching up", "draining", "long-poll"])
def test_it_expires_in_every_state(run: Run[None], tmp_path: Path, state: str) -> None:
    """On a full socket, in a long body, while the server lets its readers go, in a long-poll: gone in its second, and
    nothing that came later is told."""

    async def main() -> None:
        async with guarded(tmp_path, drain_seconds=30.0) as server:
            hub = server.hub
            if state == "catching up":
                for _ in range(12):
                    await hub.append("a", "x" * 1_000_000)
            by = token("u1", seconds=2)
            if state == "catching up":
                sock = await send(server, "GET", f"{ROOT}a", by)
                await entered(server)
            else:
                sock = await opened(server, "long-poll" if state == "long-poll" else "ndjson", by)
            if state == "full":
                reader = next(iter(hub.live.stream("a").followers))  # type: ignore[union-attr]
                while not reader.is_paused(time.monotonic()):
                    await hub.append("a", "x" * 60_000)
                    await asyncio.sleep(0)
            elif state == "draining":
                hub.drain()
            async with asyncio.timeout(10):
                while len(hub.runtime.principals):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert time.time() - claims(by)["exp"] < 1.5
            await hub.append("a", "secret")
            told = b""
            with suppress(ConnectionError):
                told = await rest_of(sock)
            assert b"secret" not in told
            sock.close()

    run(main())


def claims(text: str) -> dict[str, float]:
    import jwt

    found: dict[str, float] = jwt.decode(text, options={"verify_signature": False})
    return found


def test_a_flood_of_refreshes(run: Run[None], tmp_path: Path) -> None:
    """Bad ones are verified twenty times and then not at all; whoever goes on is closed; others go on."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            proofs = server._shared.service._permission.tokens  # type: ignore[attr-defined]
            count, real = 0, proofs.tokens.verify

            def verify(text: str) -> object:
                nonlocal count
                count += 1
                return real(text)

            proofs.tokens.verify = verify
            async with greeted(server, token=token("u2")) as other:
                await other.ask("sub", path="a")
                async with greeted(server, token=token("u1")) as client:
                    good = token("u1")
                    for number in range(200):
                        with suppress(OSError):
                            await client.send(t="auth", token=f"{good[:-6]}{number:06d}", id=number)
                    assert await client.closed() in (4429, 4401)
                assert count < 30
                await server.hub.append("a", "still")
                assert (await other.until(t="data"))["t"] == "data"

    run(main())


def test_revoked_elsewhere(run: Run[None], tmp_path: Path) -> None:
    """By another process that has the same store: who reads here ends, and the token is worthless here."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            by, other = token("u1"), token("u2")
            with await opened(server, "events", by) as sock, await opened(server, "events", other):
                entry = Revocation("headwater", time.time() + 900, time.time(), "u1")
                body = msgspec.json.encode([entry])
                await server.hub.store.append(PATH, Append(body, JSON, create=StreamConfig(JSON)))
                assert b"revoked" in await rest_of(sock)
                assert await status(server, "GET", f"{ROOT}a", by) == 401
                assert server.hub.reader_count("a") == 1

    run(main())


def test_who_comes_back(run: Run[None], tmp_path: Path) -> None:
    """With an older token, or one of the same second: 401 on every wire, also over a restart. With a newer one: in."""
    stored = {"store": f"sqlite:{tmp_path / 'a.db'}"}

    async def tried(server: InProcess, by: str) -> set[int]:
        codes = {await status(server, method, f"{ROOT}a", by) for method in ("GET", "HEAD")}
        sock = await server.connect()
        with sock:
            code = await Client(sock).handshake(f"{ROOT}a", f"authorization: Bearer {by}\r\n".encode())
            codes.add(200 if code == 101 else code)
        async with greeted(server, token=by) as client:
            answer = await client.ask("head", path="a")
            codes.add(200 if answer["t"] == "info" else {"token-refused": 401}[answer["code"]])
        return codes

    async def main() -> None:
        now = int(time.time())
        old, same, new = (token("u1", iat=now + shift, jti=str(shift)) for shift in (-60, 0, 2))
        async with guarded(tmp_path, **stored) as server:
            await server.hub.revoke("u1", issuer="headwater", before=now - 0.5)
            assert [await tried(server, each) for each in (old, same, new)] == [{401}, {401}, {200}]
        async with in_process(guarded_settings(tmp_path, **stored)) as server:
            assert [await tried(server, each) for each in (old, same, new)] == [{401}, {401}, {200}]

    run(main())
