"""Sessions: a cookie in place of a token, one sign-in each, which ends alone."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from inspect import isawaitable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.conftest import Run
from tests.support.access import token
from tests.support.inprocess import rest_of
from tests.support.lanes import OWN, ROOT, Lane, guarded_lane, lanes

from headwater import Hub
from headwater.errors import TokenRefused
from headwater.http.access.keys import KeySet, make_key
from headwater.http.access.proofs import TokenProofs
from headwater.http.access.tokens import Tokens
from headwater.http.authorize import Credential
from headwater.hub.access.sessions import BELOW, MAX_OF_ONE
from headwater.model import Principal
from headwater.protocol.access.claims import Issuer
from headwater.stores import Sweeping

SESSION = f"{ROOT}-/session"


@lanes
def test_a_session(run: Run[None], tmp_path: Path, lane: str) -> None:
    """A token is exchanged for a cookie that scripts cannot read; it reads, writes, says whose it is, and ends."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            found = await door.say("POST", SESSION, {**OWN, "authorization": f"Bearer {token('u1')}"})
            assert found.status == 200
            name, _, attributes = (found.header("set-cookie") or "").partition("=")
            secret, *rest = attributes.split("; ")
            assert (name, len(secret)) == ("headwater-loopback", 22)
            assert {"HttpOnly", "SameSite=Strict", "Path=/"} < {*rest}
            assert "Secure" not in rest
            assert secret.encode() not in found.body
            assert found.json().keys() == {"subject", "issuer", "expires"}
            assert found.header("cache-control") == "no-store"
            mine = {"cookie": f"other=1; {found.cookie}", **OWN}
            assert await door.status("GET", f"{ROOT}a", mine) == 200
            assert await door.status("POST", f"{ROOT}a", {**mine, "content-type": "application/json"}, b"2") == 204
            who = await door.say("GET", SESSION, mine)
            assert (who.json()["subject"], who.header("cross-origin-resource-policy")) == ("u1", "same-origin")
            ended = await door.say("DELETE", SESSION, mine)
            assert ended.status == 200
            assert "Max-Age=0" in (ended.header("set-cookie") or "")
            assert await door.status("GET", f"{ROOT}a", mine) == 401
            assert await door.status("GET", f"{ROOT}news/today", mine) == 401, "what is shown and bad is refused"
            assert await door.status("GET", f"{ROOT}news/today") == 200
            assert await door.status("DELETE", SESSION, mine) == 200, "who signs out is signed out"

    run(main())


@lanes
def test_only_the_hash_is_kept(run: Run[str], tmp_path: Path, lane: str) -> None:
    """Neither the store nor any route tells a session's name; nobody reads the stream that it is."""

    async def main() -> str:
        file = tmp_path / "a.db"
        async with guarded_lane(lane, tmp_path, store=f"sqlite:{file}") as door:
            mine = await door.sign_in(token("u1"))
            secret = mine["cookie"].partition("=")[2]
            (path,) = [info.path for info in await door.hub.store.list(prefix=BELOW)]
            assert secret not in path
            chief = {"authorization": f"Bearer {token('chief')}"}
            for url in (path, path.replace("-", "%2d", 1), f"./{path}"):
                assert await door.status("GET", ROOT + url, chief) in (400, 404)
            for route in ("streams", "readers", "stats"):
                assert b"sessions/" not in (await door.say("GET", f"/-/{route}", chief)).body
        return secret

    secret = run(main())
    for part in tmp_path.glob("a.db*"):
        assert secret.encode() not in part.read_bytes()


@lanes
def test_over_a_restart(run: Run[None], tmp_path: Path, lane: str) -> None:
    """A session goes on, one that was ended does not, and a revocation of its subject holds for it."""

    async def main() -> None:
        stored = f"sqlite:{tmp_path / 'a.db'}"
        async with guarded_lane(lane, tmp_path, store=stored) as door:
            mine, other, theirs = [await door.sign_in(token(sub)) for sub in ("u1", "u1", "u2")]
            assert await door.status("DELETE", SESSION, other) == 200
            count = door.hub.stream_count
        async with guarded_lane(lane, tmp_path, store=stored) as door:
            assert door.hub.stream_count == count
            assert [await door.status("GET", f"{ROOT}a", each) for each in (mine, other, theirs)] == [200, 401, 200]
            await door.hub.revoke("u1", issuer="headwater")
            assert [await door.status("GET", f"{ROOT}a", each) for each in (mine, theirs)] == [401, 200]

    run(main())


async def beginnings(door: Lane) -> list[str]:
    return sorted(info.path for info in await door.hub.store.list(prefix=BELOW, limit=1000))


@lanes
def test_a_sign_in_is_new(run: Run[None], tmp_path: Path, lane: str) -> None:
    """A name that the client chose is never taken; another subject's sign-in ends the session that was there."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            planted = f"headwater-loopback={'A' * 22}"
            first = await door.sign_in(token("u1"), planted)
            assert first["cookie"] != planted
            again = await door.sign_in(token("u1"))
            assert again["cookie"] != first["cookie"]
            before = await beginnings(door)
            refreshed = await door.sign_in(token("u1"), first["cookie"])
            assert (refreshed["cookie"], await beginnings(door)) == (first["cookie"], before)
            other = await door.sign_in(token("u2"), first["cookie"])
            assert other["cookie"] != first["cookie"]
            assert await door.status("GET", f"{ROOT}a", first) == 401
            assert await door.status("GET", f"{ROOT}a", again) == 200

    run(main())


@lanes
@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"authorization": "Basic dTE6cA=="},
        {"authorization": f"Bearer {token('u1', secret=b'x' * 32)}"},
        {"authorization": f"Bearer {token('u1', exp=int(time.time()) - 1, iat=int(time.time()) - 60)}"},
    ],
    ids=["nothing", "basic", "forged", "expired"],
)
def test_only_a_good_token_begins_or_refreshes_one(
    run: Run[None], tmp_path: Path, lane: str, shown: dict[str, str]
) -> None:
    """The session that is there stays as it is."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1"))
            before = (await door.say("GET", SESSION, mine)).body
            for cookie in ({}, mine):
                found = await door.say("POST", SESSION, {**OWN, **cookie, **shown})
                assert (found.status, found.header("set-cookie")) == (401, None)
            assert (await door.say("GET", SESSION, mine)).body == before
            assert len(await beginnings(door)) == 1

    run(main())


@lanes
def test_logout_in_one_tab_ends_the_others(run: Run[None], tmp_path: Path, lane: str) -> None:
    """All that reads by the session, on both wires; a session of the same subject elsewhere goes on."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine, elsewhere = await door.sign_in(token("u1")), await door.sign_in(token("u1"))
            with await door.events(f"{ROOT}a", mine) as tab, await door.events(f"{ROOT}a", elsewhere) as other:
                async with door.websocket(f"{ROOT}b", mine) as (status, socket):
                    assert status == 101
                    await socket.message()
                    assert (await door.say("DELETE", SESSION, mine)).json() == {"ended": 2}
                    await door.hub.append("a", "secret")
                    told = await rest_of(tab)
                    assert b"revoked" in told
                    assert b"secret" not in told
                    assert await socket.closed() == 4403
                await told_until(other, b"secret")

    run(main())


async def told_until(sock: object, end: bytes) -> bytes:
    found = b""
    async with asyncio.timeout(10):
        while end not in found:
            found += await asyncio.get_running_loop().sock_recv(sock, 65536)  # type: ignore[arg-type]
    return found


@lanes
def test_a_refresh_is_of_one_session(run: Run[None], tmp_path: Path, lane: str) -> None:
    """Its readers live on with the new end, and are not cut; a connection with the stolen token ends with that."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            first = token("u1", seconds=3)
            mine = await door.sign_in(first)
            with (
                await door.events(f"{ROOT}a", mine) as tab,
                await door.events(f"{ROOT}a", {"authorization": f"Bearer {first}"}) as stolen,
            ):
                await door.sign_in(token("u1"), mine["cookie"])
                assert b"expired" in await rest_of(stolen)
                await door.hub.append("a", "still here")
                assert b"expired" not in await told_until(tab, b"still here")
                assert await door.status("GET", f"{ROOT}a", mine) == 200

    run(main())


@lanes
def test_a_refresh_with_less(run: Run[None], tmp_path: Path, lane: str) -> None:
    """What it does not grant any more ends, and is refused when it comes back; a refresh flood is one session."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1"))
            with await door.events(f"{ROOT}a", mine) as tab:
                less = token("u1", streams={"read": ["b"]})
                for _ in range(20):
                    await door.sign_in(less, mine["cookie"])
                await door.hub.append("a", "secret")
                assert b"secret" not in await rest_of(tab)
            assert [await door.status("GET", f"{ROOT}{path}", mine) for path in ("a", "b")] == [403, 200]
            (path,) = await beginnings(door)
            assert isinstance(door.hub.store, Sweeping)
            await door.hub.store.sweep()
            info = await door.hub.store.info(path)
            assert len((await door.hub.store.read(path, info.earliest)).records) == 1, "old states are not kept"

    run(main())


@lanes
def test_expiry(run: Run[None], tmp_path: Path, lane: str) -> None:
    """Readers are told before, and end in its second; the cookie is worth nothing then."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1", seconds=2))
            with await door.events(f"{ROOT}a", mine) as tab:
                told = await rest_of(tab)
                assert b"stream-expiring" in told
                assert b"expired" in told
            assert await door.status("GET", f"{ROOT}a", mine) == 401
            assert await door.status("GET", SESSION, mine) == 401

    run(main())


@lanes
@pytest.mark.parametrize(
    "cookies",
    [
        "headwater-loopback=",
        "headwater-loopback=x",
        f"headwater-loopback={'A' * 22}",
        f"headwater-loopback={'A' * 9000}",
        "{mine}; headwater-loopback=" + "A" * 22,
    ],
    ids=["empty", "short", "unknown", "long", "two"],
)
def test_what_is_no_session(run: Run[None], tmp_path: Path, lane: str, cookies: str) -> None:
    """It is refused, and asks the store once at most; the name for HTTPS counts for nothing here."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1"))
            shown = {"cookie": cookies.format(mine=mine["cookie"])}
            for _ in range(30):
                assert await door.status("GET", f"{ROOT}a", shown) == 401
            secure = {"cookie": mine["cookie"].replace("headwater-loopback", "__Host-headwater")}
            assert await door.status("GET", f"{ROOT}a", secure) == 401
            assert await door.status("GET", f"{ROOT}a", mine) == 200

    run(main())


def test_a_refresh_brings_nothing_back(run: Run[None], tmp_path: Path) -> None:
    """One that comes together with the logout: whichever is first, the name is worth nothing behind it."""

    async def main() -> None:
        async with guarded_lane("own", tmp_path, store=f"sqlite:{tmp_path / 'a.db'}") as door:
            for _ in range(10):
                mine = await door.sign_in(token("u1"))
                refreshed, ended = await asyncio.gather(
                    door.sign_in(token("u1"), mine["cookie"]), door.say("DELETE", SESSION, mine)
                )
                assert ended.status == 200
                assert await door.status("GET", f"{ROOT}a", mine) == 401
                if refreshed != mine:
                    assert await door.status("GET", f"{ROOT}a", refreshed) == 200
                    await door.say("DELETE", SESSION, refreshed)
            assert await beginnings(door) == []

    run(main())


def test_published_keys(run: Run[None]) -> None:
    """A session of a token that a published key signed: keys are fetched for its cookie, and it ends with the key."""
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    point = {
        name: base64.urlsafe_b64encode(number.to_bytes(32)).rstrip(b"=").decode()
        for name, number in (("x", numbers.x), ("y", numbers.y))
    }
    published = [{"kty": "EC", "crv": "P-256", "kid": "k1", **point}]
    url, issuer = "https://issuer.example/keys", Issuer(issuer="headwater", audience="headwater")

    async def fetch(asked: str) -> bytes:
        return json.dumps({"keys": published}).encode()

    def proofs(hub: Hub) -> TokenProofs:
        found = TokenProofs(Tokens([KeySet(issuer, (), url, "ES256")], fetch))
        found.keep(hub.sessions)
        return found

    async def main() -> None:
        async with Hub() as hub:
            now = int(time.time())
            claims = {"iss": "headwater", "aud": "headwater", "sub": "u1", "iat": now, "exp": now + 60}
            shown = {b"authorization": b"Bearer " + jwt.encode(claims, private, "ES256").encode()}
            found = proofs(hub)(Credential(shown), None)
            proven = await found if isawaitable(found) else found
            assert proven is not None
            name, _ = await hub.sessions.begin(proven, proven.signer)
            cookie = Credential({b"cookie": f"headwater-loopback={name}".encode(), b"host": b"localhost"})
            for keys, refused in [(list(published), False), ([], True)]:
                published[:] = keys
                again = proofs(hub)(cookie, None)  # as after a restart: nothing was fetched yet
                assert isawaitable(again)
                if refused:
                    with pytest.raises(TokenRefused):
                        await again
                else:
                    assert (await again).principal == Principal("u1", "headwater")

    run(main())


def test_one_principal_has_so_many(run: Run[None], tmp_path: Path) -> None:
    """One that signs in on and on ends its own oldest sessions, and fills nothing; others keep theirs."""

    async def main() -> None:
        async with guarded_lane("own", tmp_path) as door:
            theirs, first = await door.sign_in(token("u2")), await door.sign_in(token("u1"))
            shown = token("u1")
            for _ in range(MAX_OF_ONE):
                last = await door.sign_in(shown)
            assert len(await beginnings(door)) == MAX_OF_ONE + 1
            assert [await door.status("GET", f"{ROOT}a", each) for each in (first, last, theirs)] == [401, 200, 200]
            before = door.hub.stream_count
            assert await door.status("DELETE", SESSION, last) == 200
            assert door.hub.stream_count == before - 1

    run(main())


@lanes
def test_a_key_that_is_gone_ends_its_sessions(run: Run[None], tmp_path: Path, lane: str) -> None:
    """Also where the session is remembered, and where its reader lives."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1"))
            assert door.hub.sessions.still.__self__ is not None  # type: ignore[attr-defined]
            tokens = door.hub.sessions.still.__self__.tokens  # type: ignore[attr-defined]
            principals = door.hub.runtime.principals
            tokens.changed = lambda: principals.ask_all_again(lambda access: bool(access.issuer))
            with await door.events(f"{ROOT}a", mine) as tab:
                issuer = Issuer(issuer="headwater", audience="headwater")
                tokens.use([KeySet(issuer, (make_key("HS256", b"y" * 32),))])
                assert b"revoked" in await rest_of(tab)
            assert await door.status("GET", f"{ROOT}a", mine) == 401

    run(main())


@lanes
def test_https(run: Run[None], tmp_path: Path, lane: str) -> None:
    """Behind a trusted proxy that encrypts, the cookie is of this host alone; without, it counts for nothing."""

    async def main() -> None:
        trust: dict[str, Any] = {"trusted_proxies": ("*",)} if lane == "own" else {}
        async with guarded_lane(lane, tmp_path, **trust) as door:
            shown = {"authorization": f"Bearer {token('u1')}"}
            behind = {"x-forwarded-proto": "https", "origin": "https://localhost"}
            found = await door.say("POST", SESSION, {**shown, **behind})
            cookie = found.header("set-cookie") or ""
            assert cookie.startswith("__Host-headwater=")
            assert "; Secure" in cookie
            assert await door.status("GET", f"{ROOT}a", {"cookie": found.cookie, **behind}) == 200
            assert await door.status("GET", f"{ROOT}a", {"cookie": found.cookie}) == 401
            plain = {**shown, **behind, "origin": "http://localhost"}
            assert await door.status("POST", SESSION, plain) == 403, "a page that came unencrypted is another origin"

    run(main())


@lanes
def test_a_line_a_refusal(run: Run[None], tmp_path: Path, lane: str, caplog: pytest.LogCaptureFixture) -> None:
    """Of a sign-in and of a ticket, as of everything else: why, and by what; never what was shown."""
    caplog.set_level(logging.INFO, "headwater.access")
    forged, evil = token("u1", secret=b"x" * 32), {"origin": "https://evil.example"}

    def why() -> list[tuple[str, str]]:
        found = [json.loads(text) for event, text in told(caplog) if event == "access.refused"]
        caplog.clear()
        return [(each["reason"], each.get("proof", "none")) for each in found]

    async def main() -> None:
        async with guarded_lane(lane, tmp_path, cors_origins=("*",)) as door:
            mine, shown = await door.sign_in(token("u1")), {"authorization": f"Bearer {token('u1')}"}
            caplog.clear()
            await door.say("POST", SESSION, {**OWN, "authorization": f"Bearer {forged}"})
            assert why() == [("token-refused", "authorization")]
            await door.say("POST", SESSION, {**evil, **shown})
            assert why() == [("origin-not-allowed", "authorization")]
            await door.say("DELETE", SESSION, {**mine, **evil})
            assert why() == [("origin-not-allowed", "cookie")]
            await door.say("POST", f"{ROOT}-/ticket", shown, b'{"read":["a"]}')
            assert why() == [("origin-not-allowed", "authorization")]
            await door.say("GET", f"{ROOT}a?ticket={'A' * 43}", OWN)
            assert why() == [("token-refused", "ticket")]
            await door.say("GET", f"{ROOT}a", {"cookie": f"headwater-loopback={'A' * 22}"})
            assert why() == [("token-refused", "cookie")]

    run(main())


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    parts = [record.getMessage().partition(" ") for record in caplog.records if record.name == "headwater.access"]
    return [(event, text) for event, _, text in parts]
