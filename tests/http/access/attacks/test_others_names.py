"""Attacks 89 to 94: to be somebody else among those who are there, and to be too many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded, send, status
from tests.support.access import SECRET, token
from tests.support.inprocess import InProcess, rest_of
from tests.support.websocket import greeted

from headwater.model import Principal

JSON = ("content-type: application/json",)


@pytest.fixture
def two_issuers(tmp_path: Path) -> dict[str, str]:
    """See `of_two`."""
    return of_two(tmp_path)


def of_two(tmp_path: Path) -> dict[str, str]:
    """Settings with two issuers, each with a secret of its own."""
    for name, secret in (("one", SECRET), ("two", b"t" * 32)):
        (tmp_path / f"{name}.key").write_bytes(secret)
    text = "".join(
        f'[[keys]]\nissuer = "{issuer}"\naudience = "headwater"\nalgorithm = "HS256"\nfile = "{tmp_path}/{name}.key"\n'
        for issuer, name in (("headwater", "one"), ("other", "two"))
    )
    (tmp_path / "keys.toml").write_text(text)
    return {"access_keys": str(tmp_path / "keys.toml"), "access_key_file": ""}


def of_other(sub: str) -> str:
    return token(sub, iss="other", secret=b"t" * 32)


async def members(server: InProcess) -> list[dict[str, object]]:
    sock = await send(server, "GET", f"{ROOT}a/-/presence", token("chief"), "connection: close")
    with sock:
        found: list[dict[str, object]] = json.loads((await rest_of(sock)).partition(b"\r\n\r\n")[2])["members"]
    return found


def test_nobody_is_there_as_somebody_else(run: Run[None], tmp_path: Path) -> None:
    """By its id in a body, a query or a message; what a state says is only a state."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            mine = token("u1")
            claims = b'{"id":"u2","state":{"id":"u2"}}'
            assert await status(server, "POST", f"{ROOT}a/-/presence", mine, *JSON, body=claims) == 403
            joins = f"{ROOT}a?presence=join&member=u2&member_key=0.{'a' * 32}"
            assert await status(server, "GET", joins, mine, "accept: text/event-stream") == 403
            async with greeted(server, token=mine) as client:
                assert (await client.ask("here", path="a", member="u2"))["code"] == "refused"
                assert (await client.ask("here", path="a", state={"id": "u2"}))["t"] == "here"
                assert [member["id"] for member in await members(server)] == ["u1"]
                assert (await client.ask("signal", path="a", from_="u2", data=1))["code"] == "refused"
            assert await status(server, "POST", f"{ROOT}a/-/signal?from=u2", mine, *JSON, body=b"1") == 403

    run(main())


def test_two_issuers_with_one_name(run: Run[None], tmp_path: Path, two_issuers: dict[str, str]) -> None:
    """Who is there as `7` of one issuer is not moved, changed or ended by `7` of another; nor are its readers, rates
    and revocations."""

    async def main() -> None:
        async with guarded(tmp_path, **two_issuers, signal_rate=2) as server:
            async with greeted(server, token=token("7")) as mine, greeted(server, token=of_other("7")) as theirs:
                assert (await mine.ask("here", path="a", state="mine"))["t"] == "here"
                assert (await theirs.ask("here", path="a", state="theirs"))["code"] == "member-taken"
                leave = b'{"leave":true}'
                code = await status(server, "POST", f"{ROOT}a/-/presence", of_other("7"), *JSON, body=leave)
                assert code == 403
                assert [(each["id"], each["state"]) for each in await members(server)] == [("7", "mine")]
                for _ in range(2):
                    assert (await theirs.ask("signal", path="a", data=1))["t"] == "ok"
                assert (await theirs.ask("signal", path="a", data=1))["code"] == "rate-limited"
                assert (await mine.ask("signal", path="a", data=1))["t"] == "ok"
                await mine.ask("sub", path="a")
                await theirs.ask("sub", path="a")
                await server.hub.revoke("7", issuer="other")
                assert await theirs.closed() == 4403
                assert (await mine.ask("ping"))["t"] == "pong"
            assert await status(server, "GET", f"{ROOT}a", of_other("7")) == 401
            assert await status(server, "GET", f"{ROOT}a", token("7")) == 200

    run(main())


def test_a_state_that_is_too_large(run: Run[None], tmp_path: Path) -> None:
    """1 MB: refused by its head, where it says its size."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            body = json.dumps({"state": "x" * 1_000_000}).encode()
            assert await status(server, "POST", f"{ROOT}a/-/presence", token(), *JSON, body=body) == 413
            assert await status(server, "POST", f"{ROOT}a/-/signal", token(), *JSON, body=body) == 413
            async with greeted(server, token=token()) as client:
                assert (await client.ask("here", path="a", state="x" * 100_000))["code"] == "state-too-large"
            assert server.hub.rooms.count("a") == 0

    run(main())


def test_churn_and_floods(run: Run[None], tmp_path: Path) -> None:
    """Coming and going, and signals at any rate, are bounded for each principal by itself."""

    async def main() -> None:
        async with guarded(tmp_path, presence_joins=5, signal_rate=5, presence_grace=0.0) as server:
            async with greeted(server, token=token("u1")) as client:
                answers = []
                for _ in range(20):
                    answers.append((await client.ask("here", path="a", state=1)).get("code"))
                    await client.ask("here", path="a", state=None)
                assert answers.count("rate-limited") >= 10
                sent = [(await client.ask("signal", path="a", data=1)).get("code") for _ in range(20)]
                assert sent.count("rate-limited") >= 10
            async with greeted(server, token=token("u2")) as other:
                assert (await other.ask("here", path="a", state=1))["t"] == "here"
                assert (await other.ask("signal", path="a", data=1))["t"] == "ok"

    run(main())


def test_states_of_two_issuers(run: Run[None], tmp_path: Path) -> None:
    """Who sends as `7` of one issuer has no state of `7` of another, nor has who only says to be `7`.

    Each is told apart, and ends its own alone.
    """

    async def main() -> None:
        public = {"public_signal": ("a",), "public_read": ("a",)}
        async with guarded(tmp_path, **of_two(tmp_path), **public) as server:
            ways = {"headwater": token("7"), "other": of_other("7"), None: None}
            for issuer, by in ways.items():
                target = f"{ROOT}a/-/signal?topic=t&keep=30" + ("&from=7" if by is None else "")
                assert await status(server, "POST", target, by, *JSON, body=json.dumps(issuer).encode()) == 204
            assert await told_first(server) == [["headwater", "headwater"], ["other", "other"], [None, None]]
            over = f"{ROOT}a/-/signal?topic=t&keep=0"
            assert await status(server, "POST", f"{over}&from=7", None, *JSON, body=b"0") == 204
            assert await told_first(server) == [["headwater", "headwater"], ["other", "other"]]
            assert await status(server, "POST", over, of_other("7"), *JSON, body=b"0") == 204
            assert await told_first(server) == [["headwater", "headwater"]]
            await server.hub.signal("a", 0, sender="7", topic="t", keep=0)
            assert await told_first(server) == [["headwater", "headwater"]]
            await server.hub.signal("a", 0, by=Principal("7", "headwater"), topic="t", keep=0)
            assert await told_first(server) == []

    run(main())


async def told_first(server: InProcess) -> list[list[str | None]]:
    """The issuers, and what they said, of the states that a new reader is told."""
    found = []
    async with greeted(server, token=token("reader")) as client:
        await client.ask("sub", path="a", signals=True)
        await server.hub.signal("a", "last")
        while (told := await client.until(t="signal"))["data"] != "last":
            assert told["from"] == "7"
            assert told.get("by", {"subject": "7"})["subject"] == "7"
            found.append([told.get("by", {}).get("issuer"), told["data"]])
    return found
