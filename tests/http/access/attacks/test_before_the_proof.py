"""Attacks 81 to 88: whoever has shown nothing yet, or something worthless, takes next to nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2  # noqa: F401 what is loaded with the first fetch is not what is waited for
import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded
from tests.http.access.test_tokens import ISSUER, by_rsa, verified
from tests.support.access import token
from tests.support.inprocess import turns
from tests.support.websocket import connection, greeted
from tests.websocket.test_access import guarded as asked_for_each
from websockets.frames import Frame, Opcode

from headwater import Access
from headwater.errors import KeysUnavailable, TokenRefused
from headwater.http.access import jwks
from headwater.http.access.jwks import MAX_BYTES, fetch_by_http
from headwater.http.access.keys import KeySet
from headwater.http.access.tokens import Tokens
from headwater.http.websocket.session import HELLO_BYTES

#: Far more than the server may take of somebody it does not know.
FLOOD = 4 * 1024 * 1024


def test_many_that_show_nothing(run: Run[None], tmp_path: Path) -> None:
    """Each has its seconds, and is then closed; who comes meanwhile with a proof is served."""

    async def main() -> None:
        async with guarded(tmp_path, hello_seconds=1.0) as server:

            async def silent() -> None:
                async with connection(server) as client:
                    assert await client.closed() == 4408

            async with greeted(server, token=token()) as good, asyncio.timeout(30):
                silents = [asyncio.create_task(silent()) for _ in range(60)]
                assert (await good.ask("sub", path="a"))["t"] == "sub"
                await asyncio.gather(*silents)
            await turns()
            assert len(server.hub.runtime.holders) == 0

    run(main())


@pytest.mark.parametrize("how", ["one message", "pieces", "one that ends"])
def test_a_flood_before_hello(run: Run[None], tmp_path: Path, how: str) -> None:
    """Of the first message 16 KiB are taken; behind `hello` a message may be as large as a body."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            async with connection(server) as client:
                if how == "one that ends":
                    text = json.dumps({"t": "hello", "name": "x" * HELLO_BYTES}).encode()
                    await client.raw(Frame(Opcode.TEXT, text).serialize(mask=True))
                else:
                    frame = Frame(Opcode.TEXT, b"x" * FLOOD, fin=how != "pieces").serialize(mask=True)
                    with suppress(OSError):
                        await client.raw(frame)
                assert await client.closed() == 1009
            assert server.hub.intake.held == 0
            async with greeted(server, token=token()) as client:
                assert (await client.ask("append", path="a", r=["x" * 100_000]))["t"] == "ok"

    run(main())


def test_a_body_without_a_proof_is_not_read(run: Run[None], tmp_path: Path) -> None:
    """The head is refused; nobody waits for the rest, and nothing of it is held."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            sock, loop = await server.connect(), asyncio.get_running_loop()
            head = f"POST {ROOT}a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000000\r\n"
            head += "content-type: application/json\r\n\r\n"
            with sock:
                await loop.sock_sendall(sock, head.encode() + b"x" * 1000)
                await turns()
                assert (await loop.sock_recv(sock, 65536)).startswith(b"HTTP/1.1 401")
                assert server.hub.intake.held == 0

    run(main())


def test_messages_before_the_application_has_said(run: Run[None]) -> None:
    """Ten thousand names while a function thinks: none is looked up, and next to none is read."""
    asked: list[Any] = []
    go = asyncio.Event()

    async def slowly(asks: Any, credential: Any, client: Any) -> Access | None:
        asked.append(asks)
        await go.wait()
        return None

    async def main() -> None:
        async with asked_for_each(slowly) as server, greeted(server, token="t") as client:
            before = server.hub.stats.websocket_messages.copy()
            sending = asyncio.create_task(many(client))
            await turns(200)
            told = server.hub.stats.websocket_messages - before
            assert sum(told.values()) == 1
            assert len(asked) == 1
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            go.set()

    async def many(client: Any) -> None:
        for number in range(10_000):
            await client.send(t="sub", id=number, path=f"documents/{number}")

    run(main())


# An issuer's keys.


@asynccontextmanager
async def issuer(answer: Callable[[asyncio.StreamWriter], Any]) -> AsyncIterator[tuple[str, list[str]]]:
    """A URL, and the targets that were asked for."""
    targets: list[str] = []
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                targets.append((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
                await answer(writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys", targets
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def huge(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + b'{"keys":[' + b" " * MAX_BYTES)
    for _ in range(100):
        writer.write(b" " * 65536)
        await writer.drain()


async def large(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"keys":[]}' + b" " * MAX_BYTES)
    await writer.drain()


async def slow(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{")
    while True:
        await asyncio.sleep(0.02)
        writer.write(b" ")
        await writer.drain()


async def redirects(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def another(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 307 X\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize("answer", [huge, large, slow, redirects, another], ids=lambda answer: answer.__name__)
def test_an_issuers_keys(monkeypatch: pytest.MonkeyPatch, answer: Callable[[asyncio.StreamWriter], Any]) -> None:
    """Closed: 503 for tokens of that issuer, one request, no other address, and soon."""
    if answer is slow:
        monkeypatch.setattr(jwks, "FETCH_SECONDS", 1.0)

    async def main() -> None:
        async with issuer(answer) as (url, targets):
            verifier = Tokens([KeySet(ISSUER, (), url, "RS256")], fetch_by_http)
            async with asyncio.timeout(10):
                for _ in range(5):
                    with pytest.raises(KeysUnavailable):
                        await verified(verifier, by_rsa())
            assert targets == ["/keys"]

    asyncio.run(main())


def test_a_storm_of_unknown_keys() -> None:
    """Thousands of tokens with names of keys that nobody has: one fetch more at most, and none is told why."""

    async def main() -> None:
        async def answer(writer: asyncio.StreamWriter) -> None:
            writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"keys":[]}')
            await writer.drain()

        async with issuer(answer) as (url, targets):
            verifier = Tokens([KeySet(ISSUER, (), url, "RS256")], fetch_by_http)
            text = by_rsa(kid="k0")
            for _ in range(500):
                with pytest.raises(TokenRefused):
                    await verified(verifier, text)
            assert len(targets) == 1

    asyncio.run(main())
