"""Attacks 25 to 32: spellings of a URL. The decision is about the stream that the store would be asked for."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded, status
from tests.http.access.test_matrix import guard
from tests.http.test_authorize import asked, lanes
from tests.support.access import token
from tests.support.inprocess import rest_of
from tests.support.websocket import greeted

from headwater import Hub
from headwater.testing import as_principal
from headwater.testing.asgi import AsgiClient

#: By a token that may read `acl/a` and nothing else. 404: it was asked for, and is not there.
SPELLINGS: dict[str, int] = {
    "acl/a": 404,
    "acl%2Fa": 404,
    "%61cl/a": 404,
    "acl%252Fa": 403,
    "acl/%61%62": 403,
    "acl/%2e%2e/x": 400,
    "acl/../acl/a": 400,
    "acl/./a": 400,
    "acl//a": 400,
    "//acl/a": 400,
    "acl/a/": 400,
    "acl/a%2F": 400,
    "acl/a;x": 403,
    "acl/a;x=1/../a": 400,
    "acl/a%00": 400,
    "acl/a%": 400,
    "acl/a%zz": 400,
    "acl\\a": 400,
    "acl%5Ca": 400,
    "ACL/a": 403,
    "acl/A": 403,
    "acl/a%20": 403,
    "acl/a%0a": 400,
    "acl/a%23": 403,
    "acl/a%3Fx": 403,
    "acl/%EF%BC%8E": 403,
    "acl/%C0%AF": 400,
    "acl/e%CC%81": 400,
    "acl/%C3%A9": 403,
    "v1/stream/acl/a": 403,
}


@lanes
@pytest.mark.parametrize("url", SPELLINGS)
def test_spellings(run: Run[None], lane: str, url: str) -> None:
    """Of a stream that may be read, and of others that look like it."""
    shown = {"authorization": f"Bearer {token(streams={'read': ['acl/a']})}"}

    async def main() -> None:
        async with asked(lane, guard()) as (_, store, send):
            for method in ("GET", "HEAD"):
                assert await send(method, f"{ROOT}{url}", shown, b"") == SPELLINGS[url], method
            assert bool(store.used) is (SPELLINGS[url] == 404)

    run(main())


def test_two_that_look_the_same(run: Run[None], tmp_path: Path) -> None:
    """NFC and NFD are two streams in an old file; with access only one of them can be named, on each wire."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            await server.hub.create("caf\u00e9", content_type="application/json")
            everything = token("u1")
            assert await status(server, "GET", f"{ROOT}caf%C3%A9", everything) == 200
            assert await status(server, "GET", f"{ROOT}cafe%CC%81", everything) == 400
            assert await status(server, "GET", f"{ROOT}-/many?stream=cafe%CC%81&live=false", everything) == 400
            async with greeted(server, token=everything) as client:
                assert (await client.ask("sub", path="caf\u00e9"))["t"] == "sub"
                assert (await client.ask("sub", path="cafe\u0301"))["code"] == "invalid-path"
                assert (await client.ask("append", path="cafe\u0301", r=[1], create={}))["code"] == "invalid-path"

    run(main())


RESERVED = [
    "-/access/revoked",
    "%2D/access/revoked",
    "-%2Faccess%2Frevoked",
    "-/access%2Frevoked",
    "./-/access/revoked",
    "%2e/-/access/revoked",
    "x/../-/access/revoked",
    "/-/access/revoked",
    "%2F-/access/revoked",
    "-/access/sessions",
    "-/access/tickets",
    "runs/r1",
    "runs%2Fr1",
    "%72uns/r1",
    "runs",
]


@pytest.mark.parametrize("url", RESERVED)
def test_what_the_program_keeps_for_itself(run: Run[None], tmp_path: Path, url: str) -> None:
    """With a token that may everything: refused by every method, and on a WebSocket; and no list names it."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            everything = token("u1")
            await server.hub.revoke("somebody", issuer="headwater")
            await server.hub.create("runs/r1", content_type="application/json")
            for method, body in [("GET", b""), ("HEAD", b""), ("POST", b"1"), ("PUT", b""), ("DELETE", b"")]:
                more = ("content-type: application/json",) if method in ("POST", "PUT") else ()
                code = await status(server, method, f"{ROOT}{url}", everything, *more, body=body)
                assert code in (400, 403, 404, 405), (method, code)
            name = url.replace("%2F", "/").replace("%2D", "-").replace("%72", "r").replace("%2e", ".")
            async with greeted(server, token=everything) as client:
                for message in ("sub", "head", "read", "delete"):
                    answer = await client.ask(message, path=name)
                    assert answer.get("code") in ("invalid-path", "stream-private", "stream-not-found"), answer
            assert (await server.hub.store.info("-/access/revoked")).tail
            assert (await server.hub.info("runs/r1")).tail

    run(main())


OTHERS_WORDS = [
    ("x-original-url", f"{ROOT}acl/a"),
    ("x-original-uri", f"{ROOT}acl/a"),
    ("x-rewrite-url", f"{ROOT}acl/a"),
    ("x-forwarded-prefix", "/v1/stream/acl"),
    ("x-http-method-override", "GET"),
    ("x-method-override", "GET"),
    ("forwarded", "for=127.0.0.1;host=x"),
]


@lanes
@pytest.mark.parametrize(("name", "value"), OTHERS_WORDS)
def test_words_that_are_not_ours(run: Run[None], lane: str, name: str, value: str) -> None:
    """Headers by which other programs are told another path or method change nothing."""
    shown = {"authorization": f"Bearer {token(streams={'read': ['acl/a']})}", name: value}

    async def main() -> None:
        async with asked(lane, guard()) as (_, store, send):
            assert await send("GET", f"{ROOT}secret", shown, b"") == 403
            json = {"content-type": "application/json"}
            assert await send("POST", f"{ROOT}acl/a", {**shown, **json}, b"1") == 403
            assert store.used == []

    run(main())


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://localhost/v1/stream/acl/a", 404),
        ("http://localhost/v1/stream/secret", 403),
        ("http://u:p@localhost/v1/stream/acl/a", 400),
    ],
)
def test_whole_urls(run: Run[None], tmp_path: Path, target: str, code: int) -> None:
    """A target in absolute form is the same request."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            assert await status(server, "GET", target, token(streams={"read": ["acl/a"]})) == code

    run(main())


def test_a_mounted_hub(run: Run[None]) -> None:
    """Its mount's prefix, twice, is a stream of that name."""

    async def main() -> None:
        async with Hub(access=as_principal("u1", read=["acl/a"])) as hub:
            app = Starlette(routes=[Mount("/streams", hub.asgi)])
            client = AsgiClient(app)
            found = {}
            for path in ("/streams/acl/a", "/streams/streams/acl/a", "/streams/acl%2Fa", "/streams/secret"):
                async with client.open("GET", path, b"", {}) as response:
                    found[path] = response.status
            assert [*found.values()] == [404, 403, 404, 403]

    run(main())


def test_a_target_in_two_lines(run: Run[None], tmp_path: Path) -> None:
    """What could be read as two requests by somebody is none."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            sock = await server.connect()
            by = token(streams={"read": ["acl/a"]})
            head = f"GET {ROOT}acl/a\rGET {ROOT}secret HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {by}\r\n\r\n"
            with sock:
                await asyncio.get_running_loop().sock_sendall(sock, head.encode())
                told = await rest_of(sock)
            assert told.startswith(b"HTTP/1.1 4"), told
            assert told.count(b"HTTP/1.1 ") == 1

    run(partial(main)())
