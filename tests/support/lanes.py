"""One guarded hub behind each kind of server, in the test's own event loop: our own connections, and uvicorn."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.support.access import SECRET, guarded_settings
from tests.support.inprocess import in_process, rest_of
from tests.support.websocket import JSON_PROTOCOL, Client

from headwater import Hub
from headwater.asgi.app import App
from headwater.http.access.guard import Guard
from headwater.http.access.keys import KeySet, make_key
from headwater.http.access.proofs import TokenProofs
from headwater.http.access.tokens import Tokens
from headwater.http.authorize import Authorize
from headwater.hub import Engine
from headwater.protocol.access.claims import Issuer

#: What a page of the server's own says.
OWN = {"origin": "http://localhost"}
ROOT = "/v1/stream/"

lanes = pytest.mark.parametrize("lane", ["own", "uvicorn"])


class Said:
    """A whole response.

    Attributes:
        status: of it.
        head: all of it, as text.
        body: the rest.
    """

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        self.status = int(self.head.split(" ", 2)[1])

    def header(self, name: str) -> str | None:
        """The last value of a header; None: it is not there."""
        found = [
            line.partition(":")[2].strip() for line in self.head.split("\r\n") if line.lower().startswith(name + ":")
        ]
        return found[-1] if found else None

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def cookie(self) -> str:
        """The cookie that is set, as a browser sends it."""
        return (self.header("set-cookie") or "").partition(";")[0]


class Lane:
    """A way in.

    Attributes:
        hub: behind it.
    """

    def __init__(self, hub: Engine) -> None:
        self.hub = hub

    async def connect(self) -> socket.socket:
        """A new connection; it does not block."""
        raise NotImplementedError

    async def send(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> socket.socket:
        """A request on a connection of its own, which closes behind the response."""
        sock = await self.connect()
        lines = [f"{method} {target} HTTP/1.1", "host: localhost", f"content-length: {len(body)}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        await asyncio.get_running_loop().sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode() + body)
        return sock

    async def say(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Said:
        """A request, and its whole response."""
        with await self.send(method, target, headers, body) as sock:
            return Said(await rest_of(sock))

    async def status(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> int:
        """The status of a response that ends."""
        return (await self.say(method, target, headers, body)).status

    async def sign_in(self, token: str, cookie: str = "") -> dict[str, str]:
        """Begin a session, or refresh that of a cookie; gives the headers that show it, as a page's."""
        headers = {**OWN, "authorization": f"Bearer {token}", **({"cookie": cookie} if cookie else {})}
        found = await self.say("POST", f"{ROOT}-/session", headers)
        assert found.status == 200, found.body
        return {"cookie": found.cookie, **OWN}

    async def events(self, target: str, headers: dict[str, str]) -> socket.socket:
        """A live reader, whose response has begun."""
        before = len(self.hub.runtime.principals)
        sock = await self.send("GET", target, {"accept": "text/event-stream", **headers})
        async with asyncio.timeout(10):
            while len(self.hub.runtime.principals) <= before:  # noqa: ASYNC110
                await asyncio.sleep(0)
        return sock

    @asynccontextmanager
    async def websocket(self, target: str, headers: dict[str, str]) -> AsyncIterator[tuple[int, Client]]:
        """A WebSocket, with the status of its handshake."""
        client = Client(await self.connect())
        with client.sock:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
            more = JSON_PROTOCOL if "-/connect" in target else b""
            yield await client.handshake(target, lines + more), client


class _Own(Lane):
    def __init__(self, server: Any) -> None:
        super().__init__(server.hub)
        self._server = server

    async def connect(self) -> socket.socket:
        found: socket.socket = await self._server.connect()
        return found


class UvicornLane(Lane):
    """A hub behind a port of this machine.

    Args:
        hub: as given.
        port: where its server listens.
    """

    def __init__(self, hub: Hub, port: int) -> None:
        super().__init__(hub)
        self._port = port

    async def connect(self) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
        return sock


def new_guard(**public: list[str]) -> Guard:
    """A guard, as `headwater serve` makes it of one secret."""
    issuer = Issuer(issuer="headwater", audience="headwater")
    return Guard(TokenProofs(Tokens([KeySet(issuer, (make_key("HS256", SECRET),))])), public)


@asynccontextmanager
async def guarded_lane(lane: str, folder: Path, *, store: str = "memory:", **options: Any) -> AsyncIterator[Lane]:
    """A hub with the streams `a` and `b`, of which who shows nothing may read `news/*`.

    Args:
        lane: one of `lanes`.
        folder: for its key.
        store: where its streams live.
        **options: `cors_origins`.
    """
    if lane == "own":
        async with in_process(guarded_settings(folder, store=store, public_read=("news/*",), **options)) as server:
            await _fill(server.hub)
            yield _Own(server)
        return
    async with mounted_lane(new_guard(read=["news/*"]), store=store, **options) as found:
        yield found


@asynccontextmanager
async def mounted_lane(authorize: Authorize, *, store: str = "memory:", **options: Any) -> AsyncIterator[Lane]:
    """The same under uvicorn, with whatever decides."""
    async with Hub(store) as hub:
        await _fill(hub)
        async with served_by_uvicorn(App(hub, manage_hub=False, authorize=authorize, **options)) as port:
            yield UvicornLane(hub, port)


async def _fill(hub: Engine) -> None:
    have = {info.path for info in await hub.list()}
    for path in ("a", "b", "news/today"):
        if path not in have:
            await hub.create(path, content_type="application/json", body=b"[1]")


@asynccontextmanager
async def served_by_uvicorn(app: Any) -> AsyncIterator[int]:
    """An application under uvicorn, in this event loop; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[sock]))
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110
                await asyncio.sleep(0)
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            await task
