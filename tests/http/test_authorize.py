"""Who may do what: the application is asked on every way in, with every path, before the store is touched."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any

import pytest
from tests.conftest import Run

from headwater import Hub
from headwater.asgi.exchange import serve
from headwater.errors import Refused
from headwater.http.authorize import Authorize, Credential
from headwater.http.forwarded import TrustedProxies
from headwater.http.streams import StreamService
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation
from headwater.server.connection import Connection
from headwater.server.shared import ConnectionLimits, Shared
from headwater.stores.memory import MemoryStore
from headwater.testing.asgi import AsgiClient

R, A, C, N, D, L = (
    Operation.READ,
    Operation.APPEND,
    Operation.CLOSE,
    Operation.CREATE,
    Operation.DELETE,
    Operation.LIST,
)
JSON = {"content-type": "application/json"}
URL = "/v1/stream/"

#: Method, URL, headers, body; what is asked.
ROUTES: dict[str, tuple[str, str, dict[str, str], bytes, set[tuple[Operation, str]]]] = {
    "append": ("POST", f"{URL}a", JSON, b"1", {(A, "a")}),
    "close": ("POST", f"{URL}a", {"stream-closed": "true"}, b"", {(C, "a")}),
    "append and close": ("POST", f"{URL}a", {**JSON, "stream-closed": "true"}, b"1", {(A, "a"), (C, "a")}),
    "fail": ("POST", f"{URL}a", {**JSON, "stream-failure": "x"}, b"1", {(A, "a"), (C, "a")}),
    "append that creates": ("POST", f"{URL}new", {**JSON, "stream-create": "true"}, b"1", {(A, "new"), (N, "new")}),
    "create": ("PUT", f"{URL}new", JSON, b"", {(N, "new")}),
    "fork": ("PUT", f"{URL}new", {"stream-forked-from": f"{URL}a"}, b"", {(N, "new"), (R, "a")}),
    "delete": ("DELETE", f"{URL}a", {}, b"", {(D, "a")}),
    "head": ("HEAD", f"{URL}a", {}, b"", {(R, "a")}),
    "read": ("GET", f"{URL}a", {}, b"", {(R, "a")}),
    "conditional read": ("GET", f"{URL}a", {"if-none-match": '"x"'}, b"", {(R, "a")}),
    "read by type": ("GET", f"{URL}a", {"accept": "application/x-ndjson;q=0.5, text/*"}, b"", {(R, "a")}),
    "long-poll": ("GET", f"{URL}a?offset=now&live=long-poll", {}, b"", {(R, "a")}),
    "sse": ("GET", f"{URL}a?offset=-1&live=sse", {}, b"", {(R, "a")}),
    "events": ("GET", f"{URL}a", {"accept": "text/event-stream"}, b"", {(R, "a")}),
    "ndjson": ("GET", f"{URL}a", {"accept": "application/x-ndjson"}, b"", {(R, "a")}),
    "encoded": ("GET", f"{URL}%61%2Fb", {}, b"", {(R, "a/b")}),
    "signal": ("POST", f"{URL}a/-/signal?from=me", JSON, b"1", {(Operation.SIGNAL, "a")}),
    "streams": ("GET", "/-/streams?prefix=a", {}, b"", {(L, "a")}),
    "readers": ("GET", "/-/readers?path=a", {}, b"", {(L, "a")}),
    "stats": ("GET", "/-/stats", {}, b"", {(L, "")}),
    "overview": ("GET", "/-/overview", {}, b"", {(L, "")}),
    "metrics": ("GET", "/-/metrics", {}, b"", {(L, "")}),
}
#: What names no stream is for everybody.
PUBLIC = ["/-/health", "/-/ready", "/-/version", "/"]


class WatchedStore(MemoryStore):
    """A store that notes which of its methods are used."""

    used: list[str]

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if callable(found) and not name.startswith("_") and "used" in super().__getattribute__("__dict__"):
            super().__getattribute__("used").append(name)
        return found


Send = Callable[..., Awaitable[int]]


@asynccontextmanager
async def asked(lane: str, authorize: Authorize) -> AsyncIterator[tuple[Hub, WatchedStore, Send]]:
    """A hub with a stream `a`, and how to send requests to it and get their status."""
    store = WatchedStore()
    async with Hub(store) as hub:
        await hub.create("a", content_type="application/json", body=b"[1]")
        service = StreamService(hub, authorize=authorize)
        shared = Shared(service, ConnectionLimits(), TrustedProxies(()))
        client = AsgiClient(partial(serve, service))

        async def by_asgi(method: str, url: str, headers: dict[str, str], body: bytes) -> int:
            async with client.open(method, url, body, {"host": "localhost", **headers}) as response:
                return response.status

        async def by_socket(method: str, url: str, headers: dict[str, str], body: bytes) -> int:
            lines = [f"{method} {url} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            ours, theirs = socket.socketpair()
            for end in (ours, theirs):
                end.setblocking(False)
            loop = asyncio.get_running_loop()
            with closing(ours):
                await loop.connect_accepted_socket(lambda: Connection(shared), theirs)
                await loop.sock_sendall(ours, "\r\n".join([*lines, "", ""]).encode() + body)
                head = await asyncio.wait_for(loop.sock_recv(ours, 65536), 10)
            return int(re.findall(rb"HTTP/1.1 (\d+)", head)[0])

        store.used = []
        yield hub, store, by_socket if lane == "socket" else by_asgi


lanes = pytest.mark.parametrize("lane", ["socket", "asgi"])


@lanes
@pytest.mark.parametrize("kind", ["at once", "awaited"])
@pytest.mark.parametrize("name", ROUTES)
def test_everything_is_asked_before_the_store(run: Run[None], lane: str, kind: str, name: str) -> None:
    """A refusal is 403, and no method of the store was called."""
    method, url, headers, body, expected = ROUTES[name]
    found: list[tuple[Ask, ...]] = []

    def refuse(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access:
        found.append(asks)
        assert credential.bearer == "t"
        raise Refused("this is somebody else's")

    async def refuse_later(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access:
        await asyncio.sleep(0)
        return refuse(asks, credential, client)

    async def main() -> None:
        authorize: Authorize = refuse if kind == "at once" else refuse_later
        async with asked(lane, authorize) as (hub, store, send):
            assert await send(method, url, {**headers, "authorization": "Bearer t"}, body) == 403
            assert store.used == []
            assert {(ask.operation, ask.path) for asks in found for ask in asks} == expected
            assert hub.stats.errors["refused"] == 1

    run(main())


@lanes
def test_a_decision_is_not_remembered(run: Run[None], lane: str) -> None:
    """The same bytes are asked about each time; also where the head is known, and on a connection that is kept."""
    answers = [True, False, True, False]

    def authorize(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
        return Access("u") if answers.pop(0) else None

    async def main() -> None:
        async with asked(lane, authorize) as (_, _, send):
            statuses = [await send("POST", f"{URL}a", JSON, b"1") for _ in range(4)]
            assert statuses == [204, 401, 204, 401]

    run(main())


@lanes
def test_what_has_expired_is_no_access(run: Run[None], lane: str) -> None:
    """401, with the word of how a credential is shown."""

    def authorize(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
        return Access("u", expires=1.0)

    async def main() -> None:
        async with asked(lane, authorize) as (_, store, send):
            assert await send("GET", f"{URL}a", {}, b"") == 401
            assert store.used == []

    run(main())


@lanes
@pytest.mark.parametrize("url", PUBLIC)
def test_what_names_no_stream_is_for_everybody(run: Run[None], lane: str, url: str) -> None:
    """Health, readiness, version and the page; preflights as well, which have no credential."""

    def authorize(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
        raise AssertionError(asks)

    async def main() -> None:
        async with asked(lane, authorize) as (_, _, send):
            assert await send("GET", url, {}, b"") == 200
            assert await send("OPTIONS", f"{URL}a", {}, b"") == 204

    run(main())


def test_a_body_that_was_not_announced_is_refused(run: Run[None]) -> None:
    """Somebody who may only close could append with it."""

    def authorize(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
        assert [ask.operation for ask in asks] == [C]
        return Access("u")

    async def main() -> None:
        async with asked("asgi", authorize) as (hub, _, send):
            assert await send("POST", f"{URL}a", {**JSON, "stream-closed": "true", "content-length": "0"}, b"1") == 400
            assert not (await hub.info("a")).closed

    run(main())


@lanes
def test_a_mistake_in_the_function_lets_nobody_in(run: Run[None], lane: str) -> None:
    """500, and the store is not asked."""

    def authorize(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
        raise ZeroDivisionError

    async def main() -> None:
        async with asked(lane, authorize) as (_, store, send):
            assert await send("GET", f"{URL}a", {}, b"") == 500
            assert store.used == []

    run(main())


@lanes
def test_live_readers_keep_their_access(run: Run[None], lane: str) -> None:
    """So that it can be looked at while they read."""

    async def authorize(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
        return Access("u42", expires=1e12)

    async def main() -> None:
        async with asked(lane, authorize) as (hub, _, send):
            peers = []
            real = hub.live.open

            async def watched(*args: Any, **options: Any) -> Any:
                peers.append(options["peer"])
                return await real(*args, **options)

            hub.live.open = watched  # type: ignore[method-assign]
            hub.live.look = lambda *args, **options: None  # type: ignore[method-assign]
            assert await send("GET", f"{URL}a", {"accept": "text/event-stream"}, b"") == 200
            assert [peer.access for peer in peers] == [Access("u42", expires=1e12)]

    run(main())


def test_what_a_request_shows() -> None:
    """A token, a cookie; and nothing where there is none, or where it cannot be read."""
    shown = Credential({b"authorization": b"bearer  abc ", b"cookie": b'a=1; session="x y"'})
    assert (shown.bearer, shown.cookie("session"), shown.cookie("none")) == ("abc", "x y", None)
    for headers in ({}, {b"authorization": b"Basic abc", b"cookie": b"\x00;;;=="}, {b"authorization": b"Bearer"}):
        shown = Credential(headers)
        assert (shown.bearer, shown.cookie("session")) == (None, None)
