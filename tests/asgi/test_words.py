"""Words behind `-` in URLs: reserved, answered as nothing, and apart from introspection, the page and old streams."""

from __future__ import annotations

import pytest
from tests.conftest import Run

from headwater import Hub
from headwater.asgi import App
from headwater.http.introspection import ROUTES
from headwater.http.streams import PAGE_FILES
from headwater.model import StreamConfig
from headwater.protocol.urls import AT_ROOT, AT_STREAM
from headwater.testing.asgi import AsgiClient

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]
SERVED = ("many", "append", "connect", "signal", "presence", "schema")
WORDS = [
    *(f"-/{word}" for word in AT_ROOT if word not in SERVED),
    *(f"s/-/{word}" for word in AT_STREAM if word not in SERVED),
]


def apps(hub: Hub, *, introspection: bool) -> list[tuple[AsgiClient, str]]:
    """A hub as `headwater serve` has it, and as it is mounted; each with its root."""
    served = App(hub, introspection=introspection)
    mounted = App(hub, prefix="/", with_page=False, introspection=introspection)
    return [(AsgiClient(served), "/v1/stream/"), (AsgiClient(mounted), "/")]


def test_the_introspection_has_its_own_words() -> None:
    """Mounted, both are below the same `-`."""
    assert not set(ROUTES) & set(AT_ROOT)
    assert PAGE_FILES.split("/")[2] not in AT_ROOT


@pytest.mark.parametrize("introspection", [True, False])
@pytest.mark.parametrize(
    "word", [*WORDS, "-%2Fticket", "%2D/ticket", "s%2F-%2Fcancel", "s/%2d/cancel", "none/-/cancel"]
)
def test_a_reserved_word_is_nothing_yet(run: Run[None], word: str, introspection: bool) -> None:
    """404 with a sentence, whatever the method, and whether the stream is there or not; nothing is read or written."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain", body=b"kept")
            for client, root in apps(hub, introspection=introspection):
                for method in METHODS:
                    found, body = await client.request(method, root + word, b"x", {"content-type": "text/plain"})
                    assert found.status == 404, method
                    if method != "HEAD":
                        problem = found.json(body)
                        assert problem["code"] == "route-not-found"
                        assert "is reserved for" in problem["detail"]
            assert [(info.path, info.size) for info in await hub.list()] == [("s", 4)]

    run(main())


@pytest.mark.parametrize("word", ["-/append", "-/many", "-/connect", "-%2Fmany", "%2D/many"])
def test_a_word_that_is_served_takes_its_own_methods(run: Run[None], word: str) -> None:
    """And nothing that this could not be."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain", body=b"kept")
            for client, root in apps(hub, introspection=True):
                for method in METHODS:
                    found, _ = await client.request(method, root + word, b"x", {"content-type": "text/plain"})
                    its_own = {"OPTIONS": 204, "POST": 400 if "append" in word else 403}
                    if "many" in word:
                        its_own["GET"] = 403
                    if "connect" in word:
                        its_own = {"OPTIONS": 204, "GET": 426}
                    assert found.status == its_own.get(method, 405), method
            assert [(info.path, info.size) for info in await hub.list()] == [("s", 4)]

    run(main())


@pytest.mark.parametrize("word", ["s/-/signal", "s%2F-%2Fsignal", "s/%2D/signal"])
def test_a_word_below_a_stream_takes_its_own_methods(run: Run[None], word: str) -> None:
    """And nothing that the stream takes."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain", body=b"kept")
            for client, root in apps(hub, introspection=True):
                for method in METHODS:
                    found, _ = await client.request(method, root + word, b"x", {"content-type": "text/plain"})
                    assert found.status == {"OPTIONS": 204, "POST": 204}.get(method, 405), method
                    if found.status == 405:
                        assert found.headers["allow"] == "POST, OPTIONS"
            assert [(info.path, info.size) for info in await hub.list()] == [("s", 4)]

    run(main())


@pytest.mark.parametrize("introspection", [True, False])
def test_introspection_comes_and_goes_by_itself(run: Run[None], introspection: bool) -> None:
    """Its routes are below the server's `-`, or the mount's; without it the reserved words stay."""

    async def main() -> None:
        async with Hub() as hub:
            for client, root in apps(hub, introspection=introspection):
                for route in ("health", "ready", "streams", "version"):
                    found, _ = await client.request("GET", f"/-/{route}")
                    gone = 400 if root == "/" else 404
                    assert found.status == (200 if introspection else gone)
                unknown = (await client.request("GET", f"{root}-/unknown"))[0].status
                assert unknown == (404 if introspection and root == "/" else 400)
                assert (await client.request("GET", f"{root}-/ticket"))[0].status == 404

    run(main())


def test_the_words_are_below_the_root_and_nowhere_else(run: Run[None]) -> None:
    """`/-/` of a server whose streams are below `/v1/stream/` is the introspection's alone."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            found, body = await client.request("GET", "/-/many")
            assert (found.status, found.json(body)["detail"]) == (404, "there is nothing at /-/many")
            assert (await client.request("GET", "/v1/stream/-/health"))[0].status == 400

    run(main())


def test_old_streams_are_served_as_before(run: Run[None]) -> None:
    """A file may have streams with a segment `-`; only those that end in a word of the table are out of reach."""

    async def main() -> None:
        async with Hub() as hub:
            old = ["a/-", "a/-/b", "a/-/signal/x", "a/-/-/signal", "a/-/many", "a/-/signals"]
            for path in [*old, "a/-/signal"]:
                await hub.store.create(path, StreamConfig("text/plain"), b"old")
            for client, root in apps(hub, introspection=True):
                for path in old:
                    found, body = await client.request("GET", root + path)
                    assert (found.status, body) == (200, b"old"), path
                    again, _ = await client.request("PUT", root + path, b"old", {"content-type": "text/plain"})
                    assert again.status == 200
                assert (await client.request("GET", f"{root}a/-/signal"))[0].status == 405
                new, body = await client.request("PUT", f"{root}b/-/x")
                assert (new.status, new.json(body)["code"]) == (400, "invalid-path")
            assert (await hub.read_batch("a/-/signal")).records

    run(main())
