"""Caches: what is told to who showed a proof is nobody else's; rows 67 to 72 of the table of attacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Run
from tests.support.access import token
from tests.support.inprocess import rest_of
from tests.support.lanes import OWN, ROOT, Lane, Said, guarded_lane, lanes

#: Reads by their names: target and `Accept`.
READS = {
    "catch-up": ("a", "*/*"),
    "page": ("a?last=1", "*/*"),
    "long-poll": ("a?offset=-1&live=long-poll", "*/*"),
    "many": ("-/many?stream=a&live=false", "*/*"),
    "presence": ("a/-/presence", "*/*"),
    "events": ("a", "text/event-stream"),
    "ndjson": ("a", "application/x-ndjson"),
    "sse": ("a?offset=-1&live=sse", "*/*"),
    "many live": ("-/many?stream=a", "text/event-stream"),
    "waits": ("later?missing=wait", "text/event-stream"),
}
LIVE = {"events", "ndjson", "sse", "many live", "waits"}


async def head_of(door: Lane, name: str, target: str, headers: dict[str, str]) -> Said:
    if name in LIVE:
        with await door.send("GET", target, headers) as sock:
            await door.hub.append("a", 1)
            door.hub.drain()
            return Said(await rest_of(sock))
    return await door.say("GET", target, headers)


@lanes
@pytest.mark.parametrize("name", READS)
def test_no_cache_gives_it_to_others(run: Run[None], tmp_path: Path, lane: str, name: str) -> None:
    """By token, session and ticket: neither embedded by other pages, nor kept past a logout, nor with a Referer."""
    target, accept = READS[name]

    async def main() -> None:
        for kind in ("token", "session", "ticket"):
            async with guarded_lane(lane, tmp_path) as door:
                url, shown = f"{ROOT}{target}", {"authorization": f"Bearer {token('u1')}"}
                if kind == "session":
                    shown = await door.sign_in(token("u1"))
                elif kind == "ticket":
                    mark = "&" if "?" in url else "?"
                    body = b'{"read":["**"],"presence":["**"]}'
                    ticket = (await door.say("POST", f"{ROOT}-/ticket", {**OWN, **shown}, body)).json()["ticket"]
                    url, shown = f"{url}{mark}ticket={ticket}", OWN
                found = await head_of(door, name, url, {"accept": accept, **shown})
                assert found.status == 200, found.head
                caching = found.header("cache-control") or ""
                assert "no-store" in caching or ("no-cache" in caching and "private" in caching), caching
                assert "stale" not in caching
                assert "max-age" not in caching
                policies = [
                    line for line in found.head.lower().split("\r\n") if line.startswith("cross-origin-resource")
                ]
                assert policies == ["cross-origin-resource-policy: same-origin"]
                if name not in ("presence", "many"):
                    assert "authorization, cookie" in found.head.lower()
                    assert found.header("referrer-policy") == "no-referrer"

    run(main())


@lanes
def test_a_tag_is_no_way_to_somebody_elses(run: Run[None], tmp_path: Path, lane: str) -> None:
    """After a logout, with what the browser has kept: 401 and 403, never 304."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1"))
            tag = (await door.say("GET", f"{ROOT}a", mine)).header("etag") or ""
            assert await door.status("GET", f"{ROOT}a", {**mine, "if-none-match": tag}) == 304
            theirs = await door.sign_in(token("u2", streams={"read": ["b"]}))
            assert await door.status("GET", f"{ROOT}a", {**theirs, "if-none-match": tag}) == 403
            assert await door.status("GET", f"{ROOT}a", {**theirs, "if-none-match": "*"}) == 403
            assert await door.status("DELETE", f"{ROOT}-/session", mine) == 200
            assert await door.status("GET", f"{ROOT}a", {**mine, "if-none-match": tag}) == 401
            assert await door.status("GET", f"{ROOT}a", {"if-none-match": tag}) == 401

    run(main())


@lanes
def test_what_is_public_is_as_before(run: Run[None], tmp_path: Path, lane: str) -> None:
    """Without a proof, a public stream may be kept and embedded; with one it may not."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            plain = await door.say("GET", f"{ROOT}news/today")
            assert "max-age" in (plain.header("cache-control") or "")
            assert plain.header("cross-origin-resource-policy") == "cross-origin"
            shown = await door.say("GET", f"{ROOT}news/today", await door.sign_in(token("u1")))
            assert shown.header("cache-control") == "private, no-cache"

    run(main())
