"""Who may do what on a connection: asked about each message, and again with another token and when access ends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import InProcess, turns
from tests.support.websocket import Client, greeted, single

from headwater import Access, Ask, Hub, Limits
from headwater.errors import NotAuthorized, Refused
from headwater.http.authorize import Authorize, Credential
from headwater.http.forwarded import TrustedProxies
from headwater.http.streams import StreamService
from headwater.http.websocket import expiry
from headwater.hub.live.first_frames import FROM_READERS
from headwater.server.connection import Connection
from headwater.server.shared import ConnectionLimits, Shared

JSON = "application/json"


class Guarded(InProcess):
    """A hub that asks an application."""

    def __init__(self, hub: Hub, authorize: Authorize) -> None:
        service = StreamService(hub, authorize=authorize)
        self._shared = Shared(service, ConnectionLimits(), TrustedProxies(()))
        self.hub = hub

    def _protocol(self) -> asyncio.Protocol:
        return Connection(self._shared)


@asynccontextmanager
async def guarded(authorize: Authorize) -> AsyncIterator[Guarded]:
    async with Hub(limits=Limits(flush_seconds=0)) as hub:
        for name in ("mine", "theirs", "shared"):
            await hub.create(name, content_type=JSON, body=b'["%b"]' % name.encode())
        yield Guarded(hub, authorize)


def by_token(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
    """A token names the paths that its holder may touch, or `none`."""
    token = credential.bearer
    if token is None:
        return None
    for ask in asks:
        if ask.path not in token.split(","):
            raise Refused(f"{ask.operation} of {ask.path} is not for {token}")
    return Access("me")


async def slowly(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
    """The same, which takes its time, and counts on being in a task."""
    async with asyncio.timeout(10):
        await asyncio.sleep(0.01)
    return by_token(asks, credential, client)


@pytest.fixture(params=["at-once", "awaited"])
def authorize(request: pytest.FixtureRequest) -> Authorize:
    return by_token if request.param == "at-once" else slowly


def test_each_message_is_asked_about(run: Run[None], authorize: Authorize) -> None:
    """With the token of `hello`; the order of what may be done stays."""

    async def main() -> None:
        async with guarded(authorize) as server, greeted(server, token="mine,shared") as client:
            for id, path in enumerate(["mine", "theirs", "shared", "theirs", "mine"]):
                await client.send(t="append", id=id, path=path, r=[id])
            answers: dict[int, str] = {}
            while len(answers) < 5:
                message = await client.next()
                answers[message["id"]] = message.get("code", "ok")
            assert answers == {0: "ok", 1: "refused", 2: "ok", 3: "refused", 4: "ok"}
            found = (await server.hub.read_batch("mine")).records
            assert [record.json() for record in found] == ["mine", 0, 4]
            assert len((await server.hub.read_batch("theirs")).records) == 1

    run(main())


@pytest.mark.parametrize(
    "message",
    [
        {"t": "sub"},
        {"t": "append", "r": [1]},
        {"t": "close"},
        {"t": "fail", "code": "x"},
        {"t": "create"},
        {"t": "head"},
        {"t": "read"},
        {"t": "delete"},
    ],
    ids=lambda message: str(message["t"]),
)
def test_without_a_token(run: Run[None], authorize: Authorize, message: dict[str, Any]) -> None:
    """401 in the table's words for a stream that is there and for one that is not; nothing is told of either."""

    async def main() -> None:
        async with guarded(authorize) as server, greeted(server) as client:
            for path in ("mine", "nothing"):
                answer = await client.ask(**message, path=path)
                assert (answer["code"], answer["status"]) == ("not-authorized", 401)
            assert {info.path for info in await server.hub.list()} == {"mine", "theirs", "shared"}
            assert not (await server.hub.info("mine")).closed

    run(main())


def test_a_pattern_gives_what_may_be_read(run: Run[None], authorize: Authorize) -> None:
    """Of the others nothing is told."""

    async def main() -> None:
        async with guarded(authorize) as server, greeted(server, token="mine,shared") as client:
            await client.send(t="sub", id=1, path="*")
            assert (await client.next())["t"] == "ok"
            found: list[str] = []
            while len(found) < 2:
                message = await client.next()
                assert message["t"] != "err"
                if message["t"] == "data":
                    found += message["r"]
            assert sorted(found) == ["mine", "shared"]
            await server.hub.append("theirs", 1)
            assert (await client.ask("ping"))["t"] == "pong"

    run(main())


def test_what_a_crowd_was_told_is_told_to_who_may_read_it(run: Run[None], authorize: Authorize) -> None:
    """First frames that are kept for the next ones who match a pattern are not for all of them."""

    async def main() -> None:
        async with guarded(authorize) as server, AsyncExitStack() as clients:

            async def told(token: str) -> list[str]:
                client = await clients.enter_async_context(greeted(server, token=token))
                await client.send(t="sub", id=1, path="*", from_="-1")
                found = [(await client.until(t="data"))["r"][0] for _ in token.split(",")]
                assert (await client.ask("ping"))["t"] == "pong"
                return sorted(found)

            for _ in range(FROM_READERS + 2):
                assert await told("mine,shared") == ["mine", "shared"]
            assert await told("shared") == ["shared"]
            before = Counter(dict(server.hub.stats.errors))
            client = await clients.enter_async_context(greeted(server))
            await client.send(t="sub", id=1, path="*", from_="-1")
            assert [(await client.next())["t"] for _ in range(1)] == ["ok"]
            assert await client.ask("ping") == {"t": "pong", "id": 1}
            assert Counter(dict(server.hub.stats.errors)) == before

    run(main())


def test_another_token(run: Run[None], authorize: Authorize) -> None:
    """What is read is checked again: what the new one does not allow ends, all else goes on."""

    async def main() -> None:
        async with guarded(authorize) as server, greeted(server, token="mine,shared") as client:
            numbers = {path: (await client.ask("sub", path=path))["s"] for path in ("mine", "shared")}
            await client.send(t="auth", token="shared,theirs", id=50)
            end = await client.until(t="end")
            assert (end["s"], end["why"]) == (numbers["mine"], "forbidden")
            assert (await client.until(id=50))["t"] == "ok"
            await server.hub.append("mine", "secret")
            await server.hub.append("shared", "news")
            assert (await client.until(t="data"))["r"] == ["news"]
            assert (await client.ask("sub", path="mine"))["code"] == "refused"
            assert (await client.ask("sub", path="theirs"))["t"] == "sub"

    run(main())


def test_what_is_waited_for_and_may_not_be_read_any_more(run: Run[None], authorize: Authorize) -> None:
    """It is refused: there is no number by which its end could be told."""

    async def main() -> None:
        async with guarded(authorize) as server, greeted(server, token="mine,later") as client:
            waiting = await client.ask("sub", path="later", missing="wait")
            assert waiting["t"] == "waiting"
            await client.send(t="auth", id=99, token="mine")
            refused = await client.next()
            assert (refused["t"], refused["id"], refused["code"]) == ("err", waiting["id"], "refused")
            assert (await client.next()) == {"t": "ok", "id": 99}
            await server.hub.create("later", content_type=JSON)
            assert (await client.ask("ping"))["t"] == "pong"

    run(main())


def test_access_that_ends(run: Run[None]) -> None:
    """It is told before; then it is asked again. Who has no other is closed with 4401, and told nothing more."""
    asked: list[float] = []

    def for_a_moment(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access:
        asked.append(time.time())
        if credential.bearer == "stale":
            raise NotAuthorized("the token has expired")
        return Access("me", expires=time.time() + 0.3 if credential.bearer == "short" else None)

    async def main() -> None:
        async with guarded(for_a_moment) as server, greeted(server, token="short") as client:
            await client.ask("sub", path="mine")
            told = await client.until(t="expiring")
            assert 0 <= told["seconds"] <= 0.3
            # Still allowed for another moment, as the application says when it is asked again.
            assert (await client.until(t="expiring"))["seconds"] <= 0.3
            await client.send(t="auth", token="stale", id=7)
            assert (await client.until(t="end"))["why"] == "forbidden"
            assert (await client.until(id=7))["t"] == "ok"

    run(main())


def test_access_that_is_over_ends_the_connection(run: Run[None]) -> None:
    """With 4401: the client must show another token."""
    is_over = False

    def once(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
        return None if is_over else Access("me", expires=time.time() + 0.2)

    async def main() -> None:
        nonlocal is_over
        async with guarded(once) as server, greeted(server, token="short") as client:
            await client.ask("sub", path="mine")
            is_over = True
            assert await client.closed() == 4401
            await turns()
            assert server.hub.stats.readers == 0

    run(main())


def test_a_stream_at_its_own_url(run: Run[None], authorize: Authorize) -> None:
    """The read is asked about with the handshake, which fails; each message is an append."""

    async def main() -> None:
        async with guarded(authorize) as server:
            with await server.connect() as sock:
                assert await Client(sock).handshake("/v1/stream/mine") == 401
            with await server.connect() as sock:
                assert await Client(sock).handshake("/v1/stream/mine", b"authorization: Bearer theirs\r\n") == 403
            async with single(server, "mine", b"authorization: Bearer mine\r\n") as client:
                assert b"mine" in await client.message()
                await client.text("1")
                while b"appended" not in await client.message():
                    pass
            assert len((await server.hub.read_batch("mine")).records) == 2

    run(main())


class Changing:
    """An application that changes its mind; see `Authorize`.

    Attributes:
        then: what it does from the second question about a path on.
        asked: how often it was asked about each path.
    """

    def __init__(self, then: str, seconds: float = 0.1) -> None:
        self.then = then
        self.asked: Counter[str] = Counter()
        self._seconds = seconds

    def __call__(
        self, asks: tuple[Ask, ...], credential: Credential, client: Any
    ) -> Access | Awaitable[Access | None] | None:
        first = self.asked[asks[0].path] == 0
        self.asked[asks[0].path] += 1
        if first:
            return Access("me", expires=time.time() + self._seconds)
        return getattr(self, f"_{self.then}")()  # type: ignore[no-any-return]

    def _allows(self) -> Access:
        return Access("me", expires=time.time() + self._seconds)

    async def _allows_late(self) -> Access:
        return self._allows()

    def _revokes(self) -> None:
        return None

    async def _revokes_late(self) -> None:
        return None

    def _refuses(self) -> None:
        raise Refused("not any more")

    def _fails(self) -> None:
        raise RuntimeError("a mistake")

    async def _fails_late(self) -> None:
        raise RuntimeError("a mistake")

    async def _hangs(self) -> None:
        await asyncio.Event().wait()


ENDS = {
    "revokes": 4401,
    "revokes_late": 4401,
    "refuses": 4403,
    "fails": 1011,
    "fails_late": 1011,
    "hangs": 4401,
}


@pytest.mark.parametrize("query", ["", "?raw=1"])
@pytest.mark.parametrize(("then", "code"), ENDS.items())
def test_access_to_a_stream_at_its_own_url_ends(
    run: Run[None], monkeypatch: pytest.MonkeyPatch, then: str, code: int, query: str
) -> None:
    """The application is asked again; whatever it does but allow ends the connection, and nobody is left."""
    monkeypatch.setattr(expiry, "ANSWER", 0.05)

    async def main() -> None:
        async with guarded(Changing(then)) as server, single(server, f"mine{query}") as client:
            assert await client.closed() == code
            await server.hub.append("mine", "secret")
            await turns()
            assert (server.hub.stats.readers, server.hub.stats.pushed) == (0, 0)

    run(main())


@pytest.mark.parametrize("then", ["allows", "allows_late"])
def test_access_to_a_stream_at_its_own_url_goes_on(run: Run[None], then: str) -> None:
    """As long as the application allows it, each time for a while."""

    async def main() -> None:
        authorize = Changing(then, 0.03)
        async with guarded(authorize) as server, single(server, "mine") as client:
            while authorize.asked["mine"] < 4:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.01)
            await server.hub.append("mine", "news")
            while b"news" not in await client.message():
                pass

    run(main())


@pytest.mark.parametrize("then", ENDS)
def test_access_to_two_of_three_streams_ends(run: Run[None], monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    """Whatever the application does but allow: no record is told any more. A mistake ends what it was asked about."""
    monkeypatch.setattr(expiry, "ANSWER", 0.05)

    async def main() -> None:
        async with guarded(Changing(then, 0.15)) as server, greeted(server, token="x") as client:
            for path in ("mine", "shared"):
                await client.ask("sub", path=path, from_="now")
            await client.ask("here", path="theirs", member="me")
            if ENDS[then] == 4401:
                assert await client.closed() == 4401
            else:
                ends = 0
                while ends < 2:
                    told = await client.next()
                    assert told["t"] in ("live", "err", "end", "expiring"), told
                    ends += told["t"] == "end" and told["why"] == "forbidden"
            for path in ("mine", "shared"):
                await server.hub.append(path, "secret")
            await turns()
            assert server.hub.stats.readers == 0
            assert server.hub.presence("theirs").count == 0 or ENDS[then] == 4401

    run(main())


@pytest.mark.parametrize("then", ["fails", "fails_late", "hangs", "revokes_late"])
def test_an_application_that_fails_over_one_message(run: Run[None], then: str) -> None:
    """It is told so, with its id; what waits behind a question that is not answered waits, and nobody else does."""

    async def main() -> None:
        authorize = Changing(then, seconds=600)
        async with guarded(authorize) as server, greeted(server, token="x") as client:
            await client.ask("sub", path="mine")
            await client.send(t="head", id=50, path="mine")
            if then == "hangs":
                await client.send(t="ping", id=51)
                # What is read goes on meanwhile, and so do other connections.
                await server.hub.append("mine", "news")
                while (await client.until(t="data"))["r"] != ["news"]:
                    pass
            else:
                told = await client.until(id=50)
                assert (told["t"], told["code"]) == ("err", "not-authorized" if then == "revokes_late" else "internal")
                assert (await client.ask("ping"))["t"] == "pong"
            async with greeted(server) as other:
                assert (await other.ask("ping"))["t"] == "pong"
        assert server.hub.stats.readers == 0

    run(main())
