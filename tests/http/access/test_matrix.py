"""The matrix: every lane x every route x every proof. What is not granted is refused before the store is touched."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.test_authorize import ROUTES as SAMPLES
from tests.http.test_authorize import URL, asked, lanes
from tests.support.access import SECRET, token
from tests.support.websocket import greeted
from tests.websocket.test_access import guarded

from headwater.http.access.guard import Guard
from headwater.http.access.keys import KeySet, make_key
from headwater.http.access.proofs import TokenProofs
from headwater.http.access.routes import MESSAGES, ROUTES
from headwater.http.access.tokens import Tokens
from headwater.http.introspection import ROUTES as INTROSPECTION
from headwater.http.websocket.operations import OPERATIONS
from headwater.http.websocket.subprotocol import KINDS
from headwater.protocol.access.claims import Issuer
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Operation
from headwater.protocol.urls import AT_ROOT, AT_STREAM

JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}
P, R, A, V = Operation.PRESENCE, Operation.READ, Operation.APPEND, Operation.REVOKE

#: What test_authorize has no sample of. Method, URL, headers, body; what is asked.
MORE: dict[str, tuple[str, str, dict[str, str], bytes, set[tuple[Operation, str]]]] = {
    "presence": ("GET", f"{URL}a/-/presence", {}, b"", {(P, "a")}),
    "be there": ("POST", f"{URL}a/-/presence", JSON, b'{"member":"u1"}', {(P, "a")}),
    "schema": ("GET", f"{URL}a/-/schema", {}, b"", {(R, "a")}),
    "live with presence": ("GET", f"{URL}a?presence=1", {"accept": "text/event-stream"}, b"", {(R, "a"), (P, "a")}),
    "many": ("GET", f"{URL}-/many?stream=a&live=false", {}, b"", {(R, "a")}),
    "together": ("POST", f"{URL}-/append", LINES, b'{"stream":"a","data":1}\n', {(A, "a")}),
    "revoke": ("POST", f"{URL}-/revoke", JSON, b'{"subject":"nobody"}', {(V, "-")}),
    "kick": ("POST", f"{URL}-/kick", JSON, b'{"subject":"nobody"}', {(V, "-")}),
    "last": ("GET", f"{URL}a?last=1", {}, b"", {(R, "a")}),
    "snapshot": ("GET", f"{URL}a?offset=now", {}, b"", {(R, "a")}),
    "slow": ("GET", f"{URL}a?slow=latest", {"accept": "text/event-stream"}, b"", {(R, "a")}),
}
ALL = {**SAMPLES, **MORE}
#: Names of samples by those of the table, where they are called otherwise.
OF_TABLE = {
    "live": ["sse", "long-poll", "events", "ndjson"],
    "live with presence": ["live with presence"],
    "preflight": [],
    "connect": [],
    "single": [],
    "health": [],
    "ready": [],
    "version": [],
    "page": [],
    "session": [],
    "ticket": [],
}


def guard() -> Guard:
    """A new one, as `headwater serve` makes it."""
    issuer = Issuer(issuer="headwater", audience="headwater")
    return Guard(TokenProofs(Tokens([KeySet(issuer, (make_key("HS256", SECRET),))])))


def signer() -> str:
    """Names the guard's key."""
    return make_key("HS256", SECRET).print


def grants(asks: set[tuple[Operation, str]], without: Operation | None = None) -> dict[str, list[str]]:
    """Exactly what is asked, but for one operation."""
    found: dict[str, list[str]] = {}
    for operation, path in asks:
        if operation is not without:
            pattern = "**" if operation in (Operation.LIST, V) else path
            found.setdefault(str(operation), []).append(pattern)
    return found


@lanes
@pytest.mark.parametrize("name", ALL)
def test_every_route_by_every_proof(run: Run[None], lane: str, name: str) -> None:
    """Nothing, a bad token, one without each grant, one for another path: refused. With exactly the grants: served."""
    method, url, headers, body, asks = ALL[name]

    async def main() -> None:
        async with asked(lane, guard()) as (hub, store, send):

            async def by(text: str | None) -> int:
                more = {} if text is None else {"authorization": f"Bearer {text}"}
                status: int = await send(method, url, {**headers, **more}, body)
                return status

            assert await by(None) == 401
            assert await by(token(secret=b"x" * 32)) == 401
            assert await by(token(streams=None)) == 403
            for operation in {operation for operation, _ in asks}:
                assert await by(token(streams=grants(asks, operation))) == 403, operation
            other = {str(operation): ["other", "other/**", "a/x", "aa"] for operation, _ in asks}
            assert await by(token(streams=other)) == 403
            assert store.used == []
            assert hub.stats.errors["not-authorized"] == 1
            assert hub.stats.errors["token-refused"] == 1
            if name != "long-poll":  # which waits
                assert await by(token("me", streams=grants(asks))) not in (401, 403)

    run(main())


@lanes
@pytest.mark.parametrize("name", ALL)
def test_every_route_by_a_browser(run: Run[None], lane: str, name: str) -> None:
    """The same by a session's cookie, from pages of every kind, and by a ticket, which is good once."""
    method, url, headers, body, asks = ALL[name]
    never = {Operation.LIST, V}
    mark = "&" if "?" in url else "?"

    async def main() -> None:
        async with asked(lane, guard()) as (hub, store, send):

            async def by(cookie: str, **more: str) -> int:
                status: int = await send(
                    method, url, {**headers, "cookie": f"headwater-loopback={cookie}", **more}, body
                )
                return status

            async def session(**streams: Any) -> str:
                granted = Access("me", issuer="headwater", expires=time.time() + 60, **streams)
                text, _ = await hub.sessions.begin(granted, signer())
                store.used = []
                return text

            own, site = "http://localhost", "sec-fetch-site"
            assert await by("A" * 22, origin=own) == 401
            for operation in {operation for operation, _ in asks}:
                assert await by(await session(**grants(asks, operation)), origin=own) == 403, operation
            exactly = await session(**grants(asks))
            for origin in ("https://evil.example", "http://localhost.evil.example", "null", "http://localhost:81"):
                assert await by(exactly, origin=origin) == 403, origin
            for value in ("cross-site", "same-site"):
                assert await by(exactly, **{site: value}) == 403
                assert await by(exactly, origin=own, **{site: value}) == 403
            if method not in ("GET", "HEAD"):
                assert await by(exactly) == 403
                assert await by(exactly, **{site: "none"}) == 403
            assert set(store.used) <= {"page"}, "of sessions, which are no stream of anybody's"
            if name != "long-poll":
                assert await by(exactly, origin=own, **{site: "same-origin"}) not in (401, 403)

            async def by_ticket(text: str) -> int:
                status: int = await send(method, f"{url}{mark}ticket={text}", {**headers, "origin": own}, body)
                return status

            other: list[dict[str, Any]] = [{"read": ["other"]}]
            if name != "long-poll" and not never & {each for each, _ in asks}:
                other.append(grants(asks))
            for streams in other:
                text = await hub.ticket(Access("me", **streams), origin=own)
                assert (await by_ticket(text) == 403) is (streams == {"read": ["other"]})
                assert await by_ticket(text) == 401
            assert await by_ticket("A" * 43) == 401

    run(main())


def test_every_route_has_its_line() -> None:
    """The table names all that is served; each line has a sample, with the same operations."""
    names = {route.name for route in ROUTES}
    assert set(INTROSPECTION) <= names
    served = {"append": "together"}
    assert {served.get(word, word) for word in AT_ROOT} <= names, "a new word needs its line and its sample"
    assert set(AT_STREAM) - names == {"cancel"}, "a new word needs its line and its sample"
    for route in ROUTES:
        for sample in OF_TABLE.get(route.name, [route.name]):
            assert {operation for operation, _ in ALL[sample][4]} == set(route.operations), route.name


MESSAGE_SAMPLES: dict[str, dict[str, Any]] = {
    "sub": {"t": "sub"},
    "append": {"t": "append", "r": [1]},
    "close": {"t": "close"},
    "fail": {"t": "fail", "code": "x"},
    "create": {"t": "create"},
    "head": {"t": "head"},
    "read": {"t": "read"},
    "delete": {"t": "delete"},
    "signal": {"t": "signal", "body": 1},
    "here": {"t": "here"},
}


def test_every_message_has_its_line() -> None:
    """Those that do something with a stream have a sample; the others are of the connection itself."""
    kinds = {KINDS[kind] for kind in OPERATIONS}
    of_connection = {"hello", "auth", "unsub", "ack", "ping", "pong"}
    assert kinds - of_connection == set(MESSAGE_SAMPLES) == {route.name for route in MESSAGES} - {"hello"}


@pytest.mark.parametrize("name", MESSAGE_SAMPLES)
def test_every_message_by_every_proof(run: Run[None], name: str) -> None:
    """As over HTTP: without the grant the answer is the same for what is there and what is not."""
    route = next(each for each in MESSAGES if each.name == name)

    async def main() -> None:
        async with guarded(guard()) as server:
            for text, code in [
                (None, "not-authorized"),
                (token(secret=b"x" * 32), "token-refused"),
                (token(streams=None), "not-granted"),
                (token(streams={str(each): ["other"] for each in Operation}), "not-granted"),
            ]:
                async with greeted(server, token=text) as client:
                    for path in ("mine", "nothing"):
                        answer = await client.ask(**MESSAGE_SAMPLES[name], path=path)
                        assert answer.get("code") == code, (text, answer)
            exactly = token(streams={str(each): ["mine"] for each in route.operations})
            async with greeted(server, token=exactly) as client:
                answer = await client.ask(**MESSAGE_SAMPLES[name], path="mine")
                assert answer.get("code") not in ("not-authorized", "not-granted", "token-refused"), answer

    run(main())


@lanes
@pytest.mark.parametrize("url", ["acl%2Fa", "acl/a", "%61cl/a"])
def test_a_spelling_is_no_way_around(run: Run[None], lane: str, url: str) -> None:
    """The decision is on the stream's own path."""

    async def main() -> None:
        async with asked(lane, guard()) as (_, store, send):
            for text, status in [(token(streams={"read": ["acl/b"]}), 403), (token(streams={"read": ["acl/a"]}), 404)]:
                assert await send("GET", f"{URL}{url}", {"authorization": f"Bearer {text}"}, b"") == status
                assert bool(store.used) is (status == 404)

    run(main())


@lanes
def test_remembered_heads_ask_too(run: Run[None], lane: str) -> None:
    """The same bytes on the same lane: 204, then 401 once the token is taken back."""

    async def main() -> None:
        async with asked(lane, guard()) as (hub, _, send):
            headers = {**JSON, "authorization": f"Bearer {token('u1')}"}
            assert [await send("POST", f"{URL}a", headers, b"1") for _ in range(3)] == [204] * 3
            await hub.revoke("u1", issuer="headwater")
            assert [await send("POST", f"{URL}a", headers, b"1") for _ in range(3)] == [401] * 3

    run(main())


@pytest.mark.parametrize("worth", [True, False])
def test_another_token_is_answered_with_what_it_is_worth(run: Run[None], worth: bool) -> None:
    """Also where nothing is read with it; a client must not take a worthless one for good."""

    async def main() -> None:
        async with guarded(guard()) as server, greeted(server, token=token("u1")) as client:
            answer = await client.ask(t="auth", token=token("u1") if worth else token("u1", secret=b"x" * 32))
            assert (answer["t"], answer.get("code")) == (("ok", None) if worth else ("err", "token-refused"))

    run(main())
