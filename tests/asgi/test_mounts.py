"""Mounts: what of a path is below an application, and what clients call it, whoever set `root_path`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.conftest import Run
from tests.support.http import call
from tests.support.processes import ServerProcess

from headwater import Hub
from headwater.asgi.mounts import raw_root, raw_route_path, route_path
from headwater.asgi.types import Scope
from headwater.errors import RouteNotFound
from headwater.testing.asgi import AsgiClient

#: `root_path`, `app_root_path`, the path; what is below, and what clients call it.
PLACES: list[tuple[str, str | None, str, str, str]] = [
    ("", None, "/a", "/a", "/a"),
    ("", "", "/a", "/a", "/a"),
    # In a mount.
    ("/streams", "", "/streams/a%20b", "/a b", "/streams/a%20b"),
    ("/streams", "", "/stre%61ms/a", "/a", "/streams/a"),
    ("/streams", "", "/streams", "", "/streams"),
    ("/streams", "", "/streams/streams/a", "/streams/a", "/streams/streams/a"),
    ("/x y/s", "", "/x%20y/s/%C3%A4", "/ä", "/x%20y/s/%C3%A4"),
    # In a mount, behind a prefix that is in the path, or was stripped.
    ("/api/streams", "/api", "/api/streams/a", "/a", "/api/streams/a"),
    ("/api/streams", "/api", "/streams/a%2Fb", "/a/b", "/api/streams/a%2Fb"),
    ("/api/streams", "/api", "/streams/api/streams/a", "/api/streams/a", "/api/streams/api/streams/a"),
    ("/api", "/api", "/a", "/a", "/api/a"),
    # No mount of Starlette's: a server's `root_path`, or a framework that cuts the path.
    ("/api", None, "/api/v1/stream/a", "/v1/stream/a", "/api/v1/stream/a"),
    ("/api", None, "/v1/stream/a", "/v1/stream/a", "/api/v1/stream/a"),
    ("/api", None, "/apis/a", "/apis/a", "/api/apis/a"),
]


def scope_of(root: str, outer: str | None, raw: str) -> Scope:
    scope: dict[str, Any] = {"root_path": root, "path": unquote(raw), "raw_path": raw.encode()}
    return scope if outer is None else {**scope, "app_root_path": outer}


@pytest.mark.parametrize(("root", "outer", "raw", "below", "public"), PLACES)
def test_what_is_below(root: str, outer: str | None, raw: str, below: str, public: str) -> None:
    """Decoded, as it was sent, and as a whole."""
    scope = scope_of(root, outer, raw)
    assert route_path(scope) == below
    assert unquote(raw_route_path(scope)) == below
    assert raw.endswith(raw_route_path(scope))
    assert raw_root(scope) + raw_route_path(scope) == public
    del scope["raw_path"]  # it is optional
    assert route_path(scope) == below
    assert unquote(raw_root(scope) + raw_route_path(scope)) == unquote(public)


@pytest.mark.parametrize("raw", ["/a", "/api/a", "/apistreams/a", "/streamsa", "/", "/api/streamsx/a"])
def test_what_is_below_neither_is_nowhere(raw: str) -> None:
    """In place of another stream than the one that is meant."""
    for function in (route_path, raw_route_path):
        with pytest.raises(RouteNotFound):
            function(scope_of("/api/streams", "/api", raw))


class Stripping:
    """A proxy that takes a prefix away and says so to nobody."""

    def __init__(self, app: Any, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        path, raw = scope["path"].removeprefix(self._prefix), scope["raw_path"].removeprefix(self._prefix.encode())
        await self._app({**scope, "path": path, "raw_path": raw}, receive, send)


def below_api() -> FastAPI:
    """As people have it: deprecated, but there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FastAPI(root_path="/api")


def applications(hub: Hub) -> dict[str, tuple[Any, str]]:
    """Applications with a hub in them, and where clients find its streams."""
    plain, rooted, inner, whole = FastAPI(), below_api(), FastAPI(), below_api()
    plain.mount("/streams", hub.asgi)
    rooted.mount("/streams", hub.asgi)
    inner.mount("/streams", hub.asgi)
    whole.mount("/", hub.asgi)
    nested = below_api()
    nested.mount("/sub", inner)
    return {
        "mounted": (plain, "/streams"),
        "nested": (Starlette(routes=[Mount("/sub", plain)]), "/sub/streams"),
        "kept": (rooted, "/api/streams"),
        "stripped": (Stripping(rooted, "/api"), "/api/streams"),
        "direct": (rooted, "/streams"),
        "kept, nested": (nested, "/api/sub/streams"),
        "kept, at the root": (whole, "/api"),
        "stripped, at the root": (Stripping(whole, "/api"), "/api"),
    }


@pytest.mark.parametrize(
    "name",
    ["mounted", "nested", "kept", "stripped", "direct", "kept, nested", "kept, at the root", "stripped, at the root"],
)
def test_a_stream_has_its_own_name_in_every_mount(run: Run[None], name: str) -> None:
    """What HTTP creates is there in process, and its `Location` is the URL under which clients know it."""

    async def main() -> None:
        async with Hub() as hub:
            app, where = applications(hub)[name]
            client = AsgiClient(app)
            made, _ = await client.request("PUT", f"{where}/jobs/a%20b", b"x", {"content-type": "text/plain"})
            assert made.status == 201
            public = where if name != "direct" else "/api/streams"
            assert made.headers["location"] == f"http://test{public}/jobs/a%20b"
            assert [info.path for info in await hub.list()] == ["jobs/a b"]
            assert (await client.request("GET", f"{where}/jobs/a%20b"))[1] == b"x"
            fork = {"stream-forked-from": made.headers["location"]}
            assert (await client.request("PUT", f"{where}/fork", headers=fork))[0].status == 201
            assert (await client.request("GET", f"{where}/-/health"))[0].status == 200
            private, _ = await client.request("PUT", f"{where}/runs/a", b"x", {"content-type": "text/plain"})
            assert private.status == 403

    run(main())


def test_a_mount_that_starlette_cannot_find_makes_nothing(run: Run[None]) -> None:
    """A nested mount behind a proxy that strips: 404, and no stream of another name."""

    async def main() -> None:
        async with Hub() as hub:
            app, _ = applications(hub)["kept, nested"]
            made, _ = await AsgiClient(Stripping(app, "/api")).request("PUT", "/api/sub/streams/a", b"x")
            assert made.status == 404
            assert await hub.list() == []

    run(main())


_SERVED = """
from fastapi import FastAPI
from headwater import Hub
from headwater.asgi import App

hub = Hub()
mounted = FastAPI(lifespan=hub.lifespan)
mounted.mount("/streams", hub.asgi)
whole = App(Hub())
"""

#: Each server with a prefix that a proxy before it strips: uvicorn adds it to the path, hypercorn only says it.
ROOTED = {
    "uvicorn": ["uvicorn", "--port", "{port}", "--root-path", "/api"],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:{port}", "--root-path", "/api"],
}


@pytest.fixture(params=[(name, app) for name in ROOTED for app in ("mounted", "whole")], ids="-".join)
def rooted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ServerProcess, str]]:
    """A server below a prefix, and where its streams are in URLs."""
    (tmp_path / "served.py").write_text(_SERVED)
    name, app = request.param
    where = "/streams" if app == "mounted" else "/v1/stream"
    health = "/streams/-/health" if app == "mounted" else "/-/health"
    command = [sys.executable, "-m", *ROOTED[name], f"served:{app}"]
    with ServerProcess(command, cwd=tmp_path, health=health) as server:
        yield server, where


@pytest.mark.slow
def test_a_server_below_a_prefix(rooted: tuple[ServerProcess, str]) -> None:
    """Requests come without the prefix; what clients are told has it."""
    server, where = rooted
    made = call(server, "PUT", f"{where}/jobs/a%20b", b"x", Content_Type="text/plain")
    assert made.status == 201
    assert made.headers["location"] == f"{server.url}/api{where}/jobs/a%20b"
    assert call(server, "GET", f"{where}/jobs/a%20b").body == b"x"
    fork = call(server, "PUT", f"{where}/fork", b"", Stream_Forked_From=made.headers["location"])
    assert fork.status == 201
