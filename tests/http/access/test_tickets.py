"""Tickets: a part of somebody's access, good once; rows 39 to 46 of the table of attacks."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.access import token
from tests.support.inprocess import rest_of
from tests.support.lanes import OWN, ROOT, Lane, Said, guarded_lane, lanes, mounted_lane

from headwater.errors import BadRequest, RateLimited, Refused
from headwater.http.access.application import AccessRequest, ApplicationProofs
from headwater.http.access.guard import Guard
from headwater.http.authorize import Credential
from headwater.hub.access.tickets import BELOW, MAX_OF_ONE
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation

TICKET = f"{ROOT}-/ticket"
JSON = {"content-type": "application/json"}


async def asked(door: Lane, shown: dict[str, str], **body: Any) -> Said:
    return await door.say("POST", TICKET, {**OWN, **shown}, json.dumps(body).encode())


async def made(door: Lane, shown: dict[str, str] | None = None, **body: Any) -> str:
    found = await asked(door, shown or bearer("u1"), **(body or {"read": ["a"]}))
    assert found.status == 200, found.body
    text: str = found.json()["ticket"]
    return text


def bearer(sub: str, **more: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {token(sub, **more)}"}


@lanes
def test_a_ticket(run: Run[None], tmp_path: Path, lane: str) -> None:
    """It reads its streams, once, and nothing else; each way in has one."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            text = await made(door)
            assert len(text) == 43
            found = await door.say("GET", f"{ROOT}a?offset=-1&ticket={text}", OWN)
            assert (found.status, found.header("cache-control")) == (200, "private, no-cache")
            assert await door.status("GET", f"{ROOT}a?ticket={text}", OWN) == 401
            for target, status in [("b", 403), ("news/today", 200), ("-/many?stream=a&live=false", 200)]:
                mark = "&" if "?" in target else "?"
                assert await door.status("GET", f"{ROOT}{target}{mark}ticket={await made(door)}", OWN) == status, target
            with await door.events(f"{ROOT}a?ticket={await made(door)}", OWN) as events:
                await door.hub.append("a", "here")
                await door.hub.close("a")
                assert b"here" in await rest_of(events)
            wide = await made(door, read=["a", "news/*"], append=["a"], presence=["a"])
            async with door.websocket(f"{ROOT}-/connect?ticket={wide}", OWN) as (status, client):
                assert status == 101
                await client.send(t="hello")
                assert (await client.ask("sub", path="news/today"))["t"] == "sub"
                assert (await client.ask("sub", path="b"))["code"] == "not-granted"
                assert (await client.ask("delete", path="a"))["code"] == "not-granted"
            async with door.websocket(f"{ROOT}b?ticket={await made(door, read=['b'])}", OWN) as (status, client):
                assert (status, b'"data":1' in await client.message()) == (101, True)
            assert await door.hub.store.list(prefix=BELOW) == []

    run(main())


@lanes
def test_one_of_a_hundred_gets_it(run: Run[None], tmp_path: Path, lane: str) -> None:
    """Presented at the same time on as many connections."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path, store=f"sqlite:{tmp_path / 'a.db'}") as door:
            text = await made(door)
            socks = [await door.send("GET", f"{ROOT}a?ticket={text}", OWN) for _ in range(100)]
            said = [Said(await rest_of(sock)) for sock in socks]
            for sock in socks:
                sock.close()
            found = [each.status for each in said]
            assert found.count(200) == 1
            assert set(found) <= {200, 401, 429}, "the others count as failures from this address"

    run(main())


@lanes
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OWN, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),
        ({"origin": "http://localhost:81"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost.evil"}, 403),
    ],
)
def test_it_is_of_one_origin(run: Run[None], tmp_path: Path, lane: str, headers: dict[str, str], status: int) -> None:
    """Another page spends it, and gets nothing."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            text = await made(door)
            assert await door.status("GET", f"{ROOT}a?ticket={text}", headers) == status
            assert await door.status("GET", f"{ROOT}a?ticket={text}", OWN) == 401

    run(main())


@lanes
def test_only_a_part_of_one_grant(run: Run[None], tmp_path: Path, lane: str) -> None:
    """Neither wider, nor of two grants together, nor what a ticket never may."""
    mine = {"read": ["users/{sub}/**", "rooms/*"], "append": ["rooms/7"], "list": ["**"], "revoke": ["**"]}

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            shown = bearer("u1", streams=mine)
            bodies: list[tuple[dict[str, Any], int]] = [
                ({"read": ["users/u1/inbox", "users/u1/**", "rooms/7", "rooms/*"], "append": ["rooms/7"]}, 200),
                ({"read": ["users/u1"]}, 403),
                ({"read": ["users/*/inbox"]}, 403),
                ({"read": ["users/u2/inbox"]}, 403),
                ({"read": ["**"]}, 403),
                ({"read": ["rooms/**"]}, 403),
                ({"read": ["rooms/7", "rooms/7/x"]}, 403),
                ({"append": ["rooms/8"]}, 403),
                ({"close": ["rooms/7"]}, 403),
                ({"read": ["users/{sub}/inbox"]}, 400),
                ({"read": ["a*b"]}, 400),
                ({"read": "rooms/7"}, 400),
                ({"list": ["**"]}, 400),
                ({"revoke": ["**"]}, 400),
                ({}, 400),
                ({"read": ["rooms/7"], "for": 31}, 400),
                ({"read": ["rooms/7"], "for": 0}, 400),
                ({"read": ["rooms/7"], "other": 1}, 400),
            ]
            for body, status in bodies:
                assert (await asked(door, shown, **body)).status == status, body
            assert (await asked(door, {}, read=["rooms/7"])).status == 401
            assert await door.status("POST", TICKET, shown, b'{"read":["rooms/7"]}') == 403, "for whose pages?"
            evil = {**shown, "origin": "https://evil.example"}
            assert await door.status("POST", TICKET, evil, b'{"read":["rooms/7"]}') == 403
            assert await door.status("GET", TICKET, shown) == 405
            text = await made(door, shown, read=["rooms/7"])
            for target in ("-/ticket", "-/session", "-/revoke"):
                found = await door.say("POST", f"{ROOT}{target}?ticket={text}", OWN, b'{"read":["rooms/7"]}')
                assert found.status in (401, 403), target
                text = await made(door, shown, read=["rooms/7"])
            assert await door.status("GET", f"/-/streams?ticket={text}", OWN) == 403

    run(main())


@lanes
def test_too_late(run: Run[None], tmp_path: Path, lane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its seconds, or after what it is a part of was taken back."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            text, now = await made(door, bearer("u1"), read=["a"], **{"for": 5}), time.time()
            with monkeypatch.context() as patched:
                patched.setattr(time, "time", lambda: now + 6)
                assert await door.status("GET", f"{ROOT}a?ticket={text}", OWN) == 401
            text, other = await made(door), await made(door, bearer("u2"))
            await door.hub.revoke("u1", issuer="headwater")
            assert await door.status("GET", f"{ROOT}a?ticket={text}", OWN) == 401
            assert await door.status("GET", f"{ROOT}a?ticket={other}", OWN) == 200
            session = await door.sign_in(token("u3"))
            text = await made(door, session)
            assert await door.status("DELETE", f"{ROOT}-/session", session) == 200
            assert await door.status("GET", f"{ROOT}a?ticket={text}", OWN) == 401

    run(main())


@lanes
@pytest.mark.parametrize("how", ["logout", "less", "revoked", "expired", "refreshed"])
def test_what_came_by_it_ends_with_its_session(run: Run[None], tmp_path: Path, lane: str, how: str) -> None:
    """On both wires. A refresh that still covers it lets it go on."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            first = token("u1", seconds=3 if how in ("expired", "refreshed") else 300)
            session = await door.sign_in(first)
            with await door.events(f"{ROOT}a?ticket={await made(door, session)}", OWN) as events:
                connect = f"{ROOT}-/connect?ticket={await made(door, session)}"
                async with door.websocket(connect, OWN) as (_, client):
                    await client.send(t="hello")
                    await client.ask("sub", path="a")
                    if how == "logout":
                        found = await door.say("DELETE", f"{ROOT}-/session", session)
                        assert found.json() == {"ended": 2}
                    elif how == "less":
                        await door.sign_in(token("u1", streams={"read": ["b"]}), session["cookie"])
                    elif how == "revoked":
                        await door.hub.revoke("u1", issuer="headwater")
                    elif how == "refreshed":
                        await door.sign_in(token("u1"), session["cookie"])
                        with await door.events(f"{ROOT}b", {"authorization": f"Bearer {first}"}) as other:
                            assert b"expired" in await rest_of(other)  # when the first token is over
                    if how == "refreshed":
                        assert (await client.ask("ping"))["t"] == "pong"
                        await door.hub.append("a", "still here")
                        await door.hub.close("a")
                        told = await rest_of(events)
                        assert b"still here" in told
                        assert b"stream-detached" not in told
                        return
                    told = await rest_of(events)
                    assert (b"expired" if how == "expired" else b"revoked") in told
                    assert await client.closed() == (4401 if how == "expired" else 4403)

    run(main())


@lanes
def test_it_is_written_nowhere(run: Run[None], tmp_path: Path, lane: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in a log, nor among the readers, nor in a refusal; encoded names are found, too."""
    caplog.set_level(logging.INFO)

    async def main() -> None:
        more: dict[str, Any] = {"access_log": True} if lane == "own" else {}
        async with guarded_lane(lane, tmp_path, **more) as door:
            chief = bearer("chief")
            texts = [await made(door) for _ in range(6)]
            assert await door.status("GET", f"{ROOT}a?offset=bad&ticket={texts[0]}", OWN) == 400
            assert await door.status("GET", f"{ROOT}a?%74icket={texts[1]}", OWN) == 200
            refused = await door.say("GET", f"{ROOT}b?ticket={texts[2]}", OWN)
            assert texts[2].encode() not in refused.body
            with await door.events(f"{ROOT}a?ticket={texts[3]}", OWN):
                readers = (await door.say("GET", "/-/readers", chief)).body
                assert b'"path":"a"' in readers
            async with door.websocket(f"{ROOT}a?ticket={texts[4]}", OWN) as (status, _):
                assert status == 101
            assert await door.status("GET", f"{ROOT}a?ticket={texts[5]}", chief) == 200
            for text in texts:
                assert text.encode() not in readers
                assert text not in caplog.text
            assert "ticket=***" in caplog.text

    run(main())


@lanes
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_a_figure_and_no_line(
    run: Run[None], tmp_path: Path, lane: str, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A page makes many: they are counted, and have lines for who looks for a fault, without their text."""
    caplog.set_level(level, "headwater.access")

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            door.hub.runtime.refusals.hash_paths = True
            texts = [await made(door, read=["a"], append=["people/jane"]) for _ in range(3)]
            assert await door.status("GET", f"{ROOT}a?ticket={texts[0]}", OWN) == 200
            assert await door.status("GET", f"{ROOT}a?ticket={texts[0]}", OWN) == 401
            assert door.hub.stats.access_tickets == {"made": 3, "redeemed": 1}
            figures = (await door.say("GET", "/-/metrics", bearer("chief"))).body
            assert b'headwater_access_tickets_total{what="made"} 3.0' in figures
            found = [record.getMessage() for record in caplog.records if record.name == "headwater.access"]
            told = [json.loads(each.partition(" ")[2]) for each in found if each.startswith("access.ticket ")]
            assert len(told) == (3 if level == "DEBUG" else 0)
            for line in told:
                assert line["subject"] == "u1"
                assert line["op"] == ["read", "append"]
                assert set(line) == {"subject", "issuer", "op", "path", "origin", "seconds"}
            assert not any(text in caplog.text for text in (*texts, "jane"))

    run(main())


@lanes
def test_a_worse_proof_is_not_replaced(run: Run[None], tmp_path: Path, lane: str) -> None:
    """A ticket that is spent is refused, with the cookie of a session beside it; a token comes before a ticket."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            session, text = await door.sign_in(token("u1")), await made(door)
            shown = {**session, **bearer("u1")}
            assert await door.status("GET", f"{ROOT}a?ticket={text}", shown) == 200
            assert await door.status("GET", f"{ROOT}a?ticket={text}", session) == 200, "it was not looked at"
            assert await door.status("GET", f"{ROOT}a?ticket={text}", session) == 401
            assert await door.status("GET", f"{ROOT}news/today?ticket={text}", session) == 401
            two = f"ticket={await made(door)}&ticket={await made(door)}"
            assert await door.status("GET", f"{ROOT}a?{two}", OWN) == 401
            bad = {**session, "authorization": "Bearer x"}
            assert await door.status("GET", f"{ROOT}a?ticket={await made(door)}", bad) == 401
            async with door.websocket(f"{ROOT}-/connect?ticket={await made(door)}", OWN) as (_, client):
                await client.send(t="hello", token="bad")
                assert (await client.ask("sub", path="a"))["code"] == "token-refused"

    run(main())


@pytest.mark.parametrize("recheck", [None, 0.2])
def test_of_an_application(run: Run[None], tmp_path: Path, recheck: float | None) -> None:
    """Its function says whose a cookie is; what came by a ticket ends when the application says something else."""
    users = {"s1": "u1"}

    async def access(request: AccessRequest) -> Access | None:
        user = users.get(request.cookie("app") or "")
        return Access(user, read=[f"users/{user}/*"], recheck=recheck) if user else None

    async def main() -> None:
        stored = f"sqlite:{tmp_path / 'a.db'}"
        mine = {"cookie": "app=s1"}
        async with mounted_lane(Guard(ApplicationProofs(access)), store=stored) as door:
            await door.hub.create("users/u1/x", content_type="application/json", body=b"[1]")
            assert (await asked(door, mine, read=["users/u2/x"])).status == 403
            assert (await asked(door, {"cookie": "app=s2"}, read=["users/u1/x"])).status == 401
            assert (await asked(door, {**mine, "origin": "http://evil.example"}, read=["users/u1/x"])).status == 403
            left = await made(door, mine, read=["users/u1/*"])
            with await door.events(
                f"{ROOT}users/u1/x?ticket={await made(door, mine, read=['users/u1/*'])}", OWN
            ) as one:
                del users["s1"]
                if recheck is None:
                    await door.hub.revoke("u1")
                assert b"revoked" in await rest_of(one)
            assert await door.status("GET", f"{ROOT}users/u1/x?ticket={left}", OWN) == 401
            users["s1"] = "u1"
            other, late = [await made(door, mine, read=["users/u1/*"]) for _ in range(2)]
            await door.hub.revoke("u1")
            assert await door.status("GET", f"{ROOT}users/u1/x?ticket={late}", OWN) == 401, "nor one made before"
            other = await made(door, mine, read=["users/u1/*"])
        # Another process, which has never seen the cookie: it ends when the application would be asked.
        async with mounted_lane(Guard(ApplicationProofs(access)), store=stored) as door:
            target = f"{ROOT}users/u1/x?ticket={other}"
            if recheck is None:
                assert await door.status("GET", f"{target}&offset=-1", OWN) == 200
            else:
                with await door.events(target, OWN) as one:
                    assert b"expired" in await rest_of(one)

    run(main())


def test_of_a_program(run: Run[None], tmp_path: Path) -> None:
    """What an application makes for its own page needs no route."""

    async def main() -> None:
        async with guarded_lane("own", tmp_path) as door:
            text = await door.hub.ticket(Access("u1", read=["a"]), origin=OWN["origin"])
            assert await door.status("GET", f"{ROOT}b?ticket={text}", OWN) == 403
            text = await door.hub.ticket(Access("u1", read=["a"]), origin=OWN["origin"])
            assert await door.status("GET", f"{ROOT}a?ticket={text}", OWN) == 200
            text = await door.hub.ticket(Access("u1", read=["a"]), origin=OWN["origin"])
            await door.hub.revoke("u1")
            assert await door.status("GET", f"{ROOT}a?ticket={text}", OWN) == 401
            for access, origin, seconds in [
                (Access("u1"), "http://localhost", 30),
                (Access("u1", read=["a"]), "localhost", 30),
                (Access("u1", read=["a"]), "http://localhost", 31),
            ]:
                with pytest.raises(BadRequest):
                    await door.hub.ticket(access, origin=origin, seconds=seconds)

    run(main())


def test_by_path(run: Run[None]) -> None:
    """Where a function decides by path, a ticket names streams, each is asked, and each again."""
    found: list[tuple[Ask, ...]] = []
    may = {"users/u1/x", "users/u1/y"}

    def authorize(asks: tuple[Ask, ...], credential: Credential, client: object) -> Access | None:
        found.append(asks)
        if credential.cookie("app") != "s1":
            return None
        if any(ask.path not in may for ask in asks):
            raise Refused("not yours")
        return Access("u1", recheck=0.2)

    async def main() -> None:
        mine = {"cookie": "app=s1"}
        async with mounted_lane(authorize) as door:
            for path in sorted(may):
                await door.hub.create(path, content_type="application/json", body=b"[1]")
            for patterns, status in [(["users/u1/*"], 400), (["**"], 400), (["users/u2/x"], 403), (["-/x"], 400)]:
                assert (await asked(door, mine, read=patterns)).status == status
            assert (await asked(door, {}, read=["users/u1/x"])).status == 401
            text = await made(door, mine, read=["users/u1/x"], append=["users/u1/y"])
            assert set(found[-1]) == {Ask(Operation.READ, "users/u1/x"), Ask(Operation.APPEND, "users/u1/y")}
            assert await door.status("GET", f"{ROOT}users/u1/y?ticket={text}", OWN) == 403
            text = await made(door, mine, read=["users/u1/x"])
            with await door.events(f"{ROOT}users/u1/x?ticket={text}", OWN) as one:
                may.clear()
                assert b"revoked" in await rest_of(one)

    run(main())


def test_so_many_at_a_time(run: Run[None], tmp_path: Path) -> None:
    """A principal that has one made after the other is told to wait; nobody else is."""

    async def main() -> None:
        async with guarded_lane("own", tmp_path) as door:
            made = 0
            with pytest.raises(RateLimited):  # noqa: PT012 some are paid for while others are made
                while made < 20 * MAX_OF_ONE:
                    await door.hub.ticket(Access("u1", read=["a"]), origin=OWN["origin"])
                    made += 1
            assert made >= MAX_OF_ONE
            await door.hub.ticket(Access("u2", read=["a"]), origin=OWN["origin"])
            await door.hub.ticket(Access("u1", issuer="other", read=["a"]), origin=OWN["origin"])

    run(main())
