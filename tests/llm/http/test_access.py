"""Runs and chats by an access: every route, every operation, every proof; what is live ends with it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from tests.conftest import Run
from tests.http.access.test_matrix import grants

from headwater import Hub
from headwater.errors import BadRequest
from headwater.http.access.application import AccessRequest
from headwater.http.access.routes import RUNS
from headwater.llm.http.access import owner_of
from headwater.llm.http.chat import Chat, ChatRequest
from headwater.llm.http.runs import Watch
from headwater.llm.runs.runs import Runs
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation
from headwater.testing.asgi import AsgiClient

JSON = {"content-type": "application/json"}
ORIGIN = {"origin": "http://test"}
BODY = json.dumps({"id": "c1", "messages": [{"id": "m", "role": "user", "parts": []}]}).encode()

#: Method, path and body of each route of the table; `RUN` is a run of the chat `c1`.
SAMPLES: dict[str, tuple[str, str, bytes]] = {
    "chat begin": ("POST", "/api/chat", BODY),
    "chat watch": ("GET", "/api/chat/c1/stream?ended=true", b""),
    "chat state": ("GET", "/api/chat/c1", b""),
    "chat stop": ("POST", "/api/chat/c1/stop", b""),
    "run state": ("GET", "/runs/RUN", b""),
    "run watch": ("GET", "/runs/RUN/stream", b""),
    "run stop": ("POST", "/runs/RUN/stop", b""),
}


async def answered(request: ChatRequest) -> AsyncIterator[str]:
    yield "Hello"


class App:
    """An application with a hub that asks, whose cookie names who asks, with what they may."""

    def __init__(self, recheck: float | None = None) -> None:
        self.granted: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self.recheck = recheck
        self.hub = Hub(access=self.access)
        self.runs = Runs(self.hub)
        self.app = FastAPI()
        Chat(self.runs, lambda request: answered(request)).install(self.app)
        self.app.mount("/runs", Watch(self.runs))
        self.client = AsgiClient(self.app)

    async def access(self, request: AccessRequest) -> Access | None:
        self.asked += 1
        name = request.cookie("app") or ""
        return Access(name, recheck=self.recheck, **self.granted[name]) if name in self.granted else None

    async def say(self, route: str, run: str, **headers: str) -> int:
        method, path, body = SAMPLES[route]
        response, _ = await self.client.request(method, path.replace("RUN", run), body, {**JSON, **headers})
        return response.status


def test_every_route_has_its_sample() -> None:
    """And each line its operation; the proxy has tests of its own."""
    assert {route.name for route in RUNS} - {"proxy"} == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_route_by_every_proof(run: Run[None], name: str) -> None:
    """Nothing, another operation, another path, another site's page: refused. Exactly that: served; the run is mine."""
    route = next(each for each in RUNS if each.name == name)
    (operation,) = route.operations

    async def main() -> None:
        app = App()
        app.granted["all"] = {str(each): ["**"] for each in (Operation.CREATE, Operation.READ, Operation.CLOSE)}
        async with app.hub, app.runs:
            response, _ = await app.client.request("POST", "/api/chat", BODY, {**JSON, **ORIGIN, "cookie": "app=all"})
            mine = response.headers["headwater-run"]
            path = "chats/c1" if name.startswith("chat") else f"runs/{mine}"
            assert await app.say(name, mine, **ORIGIN) == 401
            assert await app.say(name, mine, cookie="app=nobody", **ORIGIN) == 401
            app.granted["none"] = {}
            app.granted["other"] = {str(each): ["chats/c2", "runs/x", "c1"] for each in Operation}
            app.granted["without"] = {
                str(each): [path] for each in Operation if each not in (operation, Operation.LIST, Operation.REVOKE)
            }
            for who in ("none", "other", "without"):
                assert await app.say(name, mine, cookie=f"app={who}", **ORIGIN) == 403, who
            assert await app.say(name, mine, cookie="app=all", origin="http://evil.example") == 403
            assert await app.say(name, mine, cookie="app=all", **{"sec-fetch-site": "cross-site"}) == 403
            before = app.asked
            assert await app.say(name, mine, cookie="app=all", **ORIGIN) == 200
            assert app.asked == before + 1, "the application is asked once for a request"
            app.granted["exactly"] = grants({(operation, path)})
            # A run is its principal's, also where another one may do the same there.
            status = {"chat begin": 200, "chat watch": 204}.get(name, 404)
            assert await app.say(name, mine, cookie="app=exactly", **ORIGIN) == status

    run(main())


def test_the_same_subject_of_two_issuers_is_two(run: Run[None]) -> None:
    """Neither sees the other's chats."""
    issuers = {"a": "", "b": "https://b.example", "c": "https://b.example/"}

    def access(request: AccessRequest) -> Access | None:
        issuer = issuers.get(request.cookie("app") or "")
        return None if issuer is None else Access("u1", issuer=issuer, create=["**"], read=["**"])

    async def main() -> None:
        async with Hub(access=access) as hub, Runs(hub) as runs:
            client = AsgiClient(Chat(runs, lambda request: answered(request)))
            await client.request("POST", "/api/chat", BODY, {**JSON, **ORIGIN, "cookie": "app=a"})
            for who, status in [("a", 200), ("b", 404), ("c", 404)]:
                response, _ = await client.request("GET", "/api/chat/c1", headers={"cookie": f"app={who}"})
                assert response.status == status, who

    run(main())


def test_what_is_live_ends_with_its_proof(run: Run[None]) -> None:
    """A reader of a run that is revoked is told no more of it; the run goes on, for it is no request's."""

    async def main() -> None:
        app = App()
        app.granted["u1"] = {str(each): ["**"] for each in (Operation.CREATE, Operation.READ, Operation.CLOSE)}
        async with app.hub, app.runs:
            begun = await app.runs.start(forever, id="r1", owner="/u1")
            async with app.client.open("GET", "/runs/r1/stream", headers={"cookie": "app=u1"}) as response:
                assert response.status == 200
                assert response.headers["cross-origin-resource-policy"] == "same-origin"
                assert "private" in response.headers["cache-control"]
                assert await app.hub.revoke("u1") == 1
                await response.read()
            assert (await app.runs.get(begun.id)).state == "running"
            await app.runs.stop("r1", reason="enough")

    run(main())


async def forever() -> AsyncIterator[str]:
    import asyncio

    yield "Hello"
    await asyncio.Event().wait()


def test_a_function_by_path_is_asked_too(run: Run[None]) -> None:
    """`Hub(authorize=...)` decides about chats by their paths."""
    asked: list[Ask] = []

    def authorize(asks: tuple[Ask, ...], credential: object, client: object) -> Access | None:
        asked.extend(asks)
        return Access("u1") if asks[0].path == "chats/c1" else None

    async def main() -> None:
        async with Hub(authorize=authorize) as hub, Runs(hub) as runs:
            client = AsgiClient(Chat(runs, lambda request: answered(request)))
            assert (await client.request("POST", "/api/chat", BODY, JSON))[0].status == 200
            assert (await client.request("GET", "/api/chat/c2"))[0].status == 401
            assert asked == [Ask(Operation.CREATE, "chats/c1"), Ask(Operation.READ, "chats/c2")]
            chat = Chat(runs, lambda request: answered(request), owner=lambda scope: "ann")
            assert (await AsgiClient(chat).request("POST", "/api/chat", BODY, JSON))[0].status == 200
            assert len(asked) == 2, "an owner decides by itself"
            with pytest.raises(ValueError, match="owner"):
                Chat(runs, lambda request: answered(request), owner=lambda scope: "ann", access=lambda request: None)

    run(main())


async def hello() -> AsyncIterator[str]:
    yield "Hello"


def test_a_run_without_an_owner(run: Run[None]) -> None:
    """A program began it and said nothing: who is granted it and knows its id has it, and nobody else."""

    async def main() -> None:
        app = App()
        app.granted["reads"] = {"read": ["runs/r1"]}
        app.granted["another"] = {"read": ["runs/r2"], "close": ["runs/r2"]}
        app.granted["stops"] = {"close": ["runs/*"]}
        async with app.hub, app.runs:
            await app.runs.start(forever, id="r1")
            for who, expected in {"reads": (200, 403), "stops": (403, 200), "another": (403, 403)}.items():
                cookie = f"app={who}"
                assert await app.say("run state", "r1", cookie=cookie) == expected[0], who
                assert await app.say("run stop", "r1", cookie=cookie, **ORIGIN) == expected[1], who
            assert await app.say("run watch", "r1", cookie="app=reads") == 200
            assert await app.say("run state", "r2", cookie="app=another") == 404
            assert await app.say("run state", "r1") == 401

    run(main())


def test_a_run_that_the_program_begins_for_somebody(run: Run[None]) -> None:
    """It is theirs, by `owner_of`, whatever others are granted."""
    me, other = Access("u1", issuer="https://a.example/x", read=["runs/**"]), Access("u2", read=["runs/**"])

    async def main() -> None:
        async with Hub(access=lambda request: me if request.cookie("app") else other) as hub, Runs(hub) as runs:
            begun = await runs.start(hello, owner=owner_of(me))
            await runs.wait(begun.id)
            client = AsgiClient(Watch(runs))
            for headers, status in (({"cookie": "app=1"}, 200), ({}, 404)):
                assert (await client.request("GET", f"/{begun.id}", headers=headers))[0].status == status

    run(main())


@pytest.mark.parametrize("by", ["public", "owner"])
def test_who_is_nobody_in_particular(run: Run[None], by: str) -> None:
    """They have runs without an owner, and nobody's own, also where everybody may read and stop all."""
    everything = {"read": ["runs/**"], "close": ["runs/**"]}

    async def main() -> None:
        async with Hub(access=lambda request: None, public=everything) as hub, Runs(hub) as runs:
            watch = Watch(runs) if by == "public" else Watch(runs, owner=lambda scope: None)
            client = AsgiClient(watch)
            await runs.start(forever, id="theirs", owner="/u1")
            await runs.start(forever, id="nobody-s")
            for id, status in (("theirs", 404), ("nobody-s", 200)):
                assert (await client.request("GET", f"/{id}"))[0].status == status
                assert (await client.request("POST", f"/{id}/stop"))[0].status == status
            response, _ = await client.request("GET", "/theirs/stream")
            assert response.status == 404
            assert (await runs.get("theirs")).state == "running"
            await runs.stop("theirs")

    run(main())


def test_where_nobody_is_asked(run: Run[None]) -> None:
    """Whoever knows a run's id has it, as without access everywhere."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            await runs.start(hello, id="r1", owner="ann")
            assert (await AsgiClient(Watch(runs)).request("GET", "/r1"))[0].status == 200

    run(main())


def test_a_body_that_is_none(run: Run[None]) -> None:
    """It is refused before the application is asked about a chat that nobody names."""

    async def main() -> None:
        app = App()
        async with app.hub, app.runs:
            response, _ = await app.client.request("POST", "/api/chat", b"{}", {**JSON, **ORIGIN, "cookie": "app=x"})
            assert (response.status, app.asked) == (BadRequest.status, 0)

    run(main())
