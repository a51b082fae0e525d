"""Pages and what browsers send by themselves; rows 73 to 80 of the table of attacks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.access import token
from tests.support.inprocess import rest_of
from tests.support.lanes import ROOT, guarded_lane, lanes, mounted_lane

from headwater.errors import OriginNotAllowed
from headwater.http.access.ambient import OwnPages
from headwater.http.access.application import AccessRequest, ApplicationProofs
from headwater.http.access.guard import Guard
from headwater.http.request import Request, take_headers
from headwater.protocol.access.identity import Access
from headwater.protocol.cors import CorsPolicy

OPERATIONS = ("read", "append", "close", "create", "delete", "signal", "presence", "list")
LISTED = "https://app.example"
#: Of an `Origin` whether it may have a cookie shown at `https://streams.example`.
ORIGINS = {
    "https://streams.example": True,
    "https://STREAMS.example:443": True,
    LISTED: True,
    "http://streams.example": False,
    "https://streams.example:8443": False,
    "https://streams.example.evil": False,
    "https://app.example.evil": False,
    "https://evil.example": False,
    "https://evil-app.example": False,
    "https://sub.app.example": False,
    "http://localhost:3000": False,
    "null": False,
    "file://": False,
    "": False,
    "https://": False,
    "https://streams.example@evil.example": False,
    "https://streams.example/": False,
}


def request(method: str, **headers: str) -> Request:
    found = Request(method, "/a", "/a", b"", {}, "1.1", [])
    pairs = {"host": "streams.example", "cookie": "c=1", **{k.replace("_", "-"): v for k, v in headers.items()}}
    take_headers(found, {name.encode(): value.encode() for name, value in pairs.items()})
    return found


def may(asked: Request, *, is_websocket: bool = False, scheme: str = "https") -> bool:
    try:
        OwnPages(CorsPolicy(("*", "loopback", LISTED))).check(asked, scheme, is_websocket=is_websocket)
    except OriginNotAllowed:
        return False
    return True


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "websocket"])
def test_which_pages_may(method: str, origin: str) -> None:
    """`*` and `loopback` name no origin whole; an unsafe method or a WebSocket without one is refused."""
    name, is_websocket = ("GET", True) if method == "websocket" else (method, False)
    assert may(request(name, origin=origin), is_websocket=is_websocket) is ORIGINS[origin]
    is_safe = method in ("GET", "HEAD")
    assert may(request(name), is_websocket=is_websocket) is is_safe
    for site, expected in [("same-origin", is_safe), ("none", is_safe), ("same-site", False), ("cross-site", False)]:
        assert may(request(name, sec_fetch_site=site), is_websocket=is_websocket) is expected, site
        own = request(name, origin="https://streams.example", sec_fetch_site=site)
        assert may(own, is_websocket=is_websocket) is (site == "same-origin")
        listed = request(name, origin=LISTED, sec_fetch_site=site)
        assert may(listed, is_websocket=is_websocket), "a listed page is of another site"


def test_where_nobody_says_that_a_proxy_encrypts() -> None:
    """A page of HTTPS is the server's own all the same; where it is HTTPS, one of HTTP is not."""
    own, plain = request("POST", origin="https://streams.example"), request("POST", origin="http://streams.example")
    assert [may(own, scheme="http"), may(plain, scheme="http")] == [True, True]
    assert [may(own, scheme="https"), may(plain, scheme="https")] == [True, False]


def access(asked: AccessRequest) -> Access | None:
    """An application's own cookie, or a key in `Authorization`."""
    who = asked.cookie("app") or (asked.authorization or "").rpartition(" ")[2]
    everything: dict[str, Any] = {each: ["**"] for each in OPERATIONS}
    return Access(who, **everything) if who else None


@pytest.mark.parametrize(
    ("shown", "origin", "status"),
    [
        ({"cookie": "app=u1"}, "http://localhost", 204),
        ({"cookie": "app=u1"}, LISTED, 204),
        ({"cookie": "app=u1"}, "http://localhost:3000", 403),
        ({"cookie": "app=u1"}, None, 403),
        ({}, "http://localhost:3000", 401),
        ({"authorization": "Bearer u1"}, None, 204),
        ({"authorization": "Bearer u1"}, "http://localhost:3000", 204),
        ({"authorization": "Bearer u1", "cookie": "app=u1"}, None, 204),
        ({"authorization": "Basic u1"}, None, 204),
        ({"authorization": "Basic u1"}, "http://localhost:3000", 403),
        ({"authorization": "Basic u1", "sec-fetch-site": "cross-site"}, None, 403),
    ],
)
def test_an_application_with_cookies(run: Run[None], shown: dict[str, str], origin: str | None, status: int) -> None:
    """What shows a token is not concerned; what a browser remembers is, also where it is no cookie."""

    async def main() -> None:
        async with mounted_lane(Guard(ApplicationProofs(access)), cors_origins=("loopback", LISTED)) as door:
            headers = {"content-type": "application/json", **shown, **({} if origin is None else {"origin": origin})}
            found = await door.say("POST", f"{ROOT}a", headers, b"1")
            assert found.status == status, found.body
            credentials = found.header("access-control-allow-credentials")
            assert credentials == ("true" if origin == LISTED else None)

    run(main())


@lanes
@pytest.mark.parametrize("origins", [("*",), ("loopback",), (LISTED, "*"), (LISTED,)])
def test_preflights(run: Run[None], tmp_path: Path, lane: str, origins: tuple[str, ...]) -> None:
    """Credentials for origins that are named whole; never with `*`, and for nobody else."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path, cors_origins=origins) as door:
            for origin in (LISTED, "https://evil.example", "http://localhost:3000", "null"):
                asked = {"origin": origin, "access-control-request-method": "POST"}
                for target in ("a", "-/session", "-/ticket"):
                    found = await door.say("OPTIONS", f"{ROOT}{target}", asked)
                    credentials = found.header("access-control-allow-credentials")
                    assert credentials == ("true" if origin == LISTED and LISTED in origins else None)
                    if credentials is not None:
                        assert found.header("access-control-allow-origin") == LISTED

    run(main())


@lanes
def test_a_rebound_name(run: Run[None], tmp_path: Path, lane: str) -> None:
    """A page whose own name was made to mean this machine has no cookie, and none is set for it."""

    async def main() -> None:
        if lane == "uvicorn":
            return  # a mounted hub leaves names to its application
        async with guarded_lane(lane, tmp_path) as door:
            rebound = {"host": "evil.example", "origin": "http://evil.example"}
            for method, target in [("POST", "-/session"), ("POST", "-/ticket"), ("GET", "a")]:
                sock = await door.connect()
                lines = [f"{method} {ROOT}{target} HTTP/1.1", "connection: close", "content-length: 0"]
                shown = {**rebound, "authorization": f"Bearer {token('u1')}"}
                lines += [f"{name}: {value}" for name, value in shown.items()]
                with sock:
                    await asyncio.get_running_loop().sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode())
                    assert b"host-not-allowed" in await rest_of(sock)

    run(main())


@lanes
def test_a_websocket_of_another_page(run: Run[None], tmp_path: Path, lane: str) -> None:
    """With the cookie it is refused, at both addresses; without, it is nobody's."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            cookie = {"cookie": (await door.sign_in(token("u1")))["cookie"]}
            for target in ("-/connect", "a"):
                for headers in (
                    {"origin": "http://localhost:3000"},
                    {"origin": "https://evil.example"},
                    {"origin": "null"},
                    {},
                    {"origin": "http://localhost", "sec-fetch-site": "cross-site"},
                ):
                    async with door.websocket(f"{ROOT}{target}", {**cookie, **headers}) as (status, _):
                        assert status == 403, (target, headers)
                async with door.websocket(f"{ROOT}{target}", {**cookie, "origin": "http://localhost"}) as (status, _):
                    assert status == 101

    run(main())
