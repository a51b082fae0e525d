"""Sessions on every wire: a logout, an expiry, a refresh; rows 47 to 54 of the table of attacks."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.conftest import Run
from tests.http.access.test_live import WIRES, is_told, wires
from tests.support.access import token
from tests.support.inprocess import rest_of, turns
from tests.support.lanes import ROOT, Lane, guarded_lane, lanes

SESSION = f"{ROOT}-/session"
LIVE = [each for each in WIRES if each not in ("long-poll", "wait", "waiting")]


async def opened(door: Lane, wire: str, shown: dict[str, str]) -> socket.socket:
    """A reader of a wire, as live as it gets."""
    target, accept = WIRES[wire]
    before = len(door.hub.runtime.principals)
    sock = await door.send("GET", target, {"accept": accept, **shown})
    async with asyncio.timeout(10):
        while len(door.hub.runtime.principals) <= before:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await turns()
    return sock


@lanes
@wires
def test_logout(run: Run[None], tmp_path: Path, lane: str, wire: str) -> None:
    """What reads by the session ends, and is told nothing that comes later."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1"))
            with await opened(door, wire, mine) as sock:
                assert (await door.say("DELETE", SESSION, mine)).json() == {"ended": 1}
                await door.hub.append("a", "secret")
                told = await rest_of(sock)
                assert is_told(wire, "revoked", told), told
                assert b"secret" not in told
            assert len(door.hub.runtime.principals) == 0

    run(main())


@lanes
def test_expiry_and_a_late_refresh(run: Run[None], tmp_path: Path, lane: str) -> None:
    """Each ends in its second. A refresh that comes behind that is a new sign-in, and brings nothing back."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1", seconds=3))
            socks = {wire: await opened(door, wire, mine) for wire in WIRES}
            for wire, sock in socks.items():
                with sock:
                    told = await rest_of(sock)
                    assert is_told(wire, "expired", told), told
            assert (await door.sign_in(token("u1"), mine["cookie"]))["cookie"] != mine["cookie"]
            assert await door.status("GET", f"{ROOT}a", mine) == 401

    run(main())


@lanes
def test_a_refresh(run: Run[None], tmp_path: Path, lane: str) -> None:
    """What reads goes on beyond the first end, on every wire."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            first = token("u1", seconds=3)
            mine = await door.sign_in(first)
            socks = [await opened(door, wire, mine) for wire in LIVE]
            assert await door.sign_in(token("u1"), mine["cookie"]) == mine
            # Whoever has the first token ends with it, and so says when it is over.
            with await door.events(f"{ROOT}b", {"authorization": f"Bearer {first}"}) as other:
                assert b"expired" in await rest_of(other)
            await door.hub.append("a", "after")
            door.hub.drain()
            for sock in socks:
                with sock:
                    told = await rest_of(sock)
                    assert b"after" in told
                    assert b"expired" not in told

    run(main())


@lanes
def test_a_connection_of_many_streams(run: Run[None], tmp_path: Path, lane: str) -> None:
    """With a refresh that grants less, what is covered goes on; with a logout the connection ends."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = await door.sign_in(token("u1"))
            async with door.websocket(f"{ROOT}-/connect", mine) as (status, client):
                assert status == 101
                await client.send(t="hello")
                for path in ("a", "b"):
                    assert (await client.ask("sub", path=path))["t"] == "sub"
                await door.sign_in(token("u1", streams={"read": ["b"]}), mine["cookie"])
                assert (await client.until(t="end"))["why"] == "forbidden"
                assert (await client.ask("sub", path="a"))["code"] == "not-granted"
                await door.hub.append("b", "still here")
                while "still here" not in str(await client.next()):
                    pass
                assert (await door.say("DELETE", SESSION, mine)).json() == {"ended": 1}
                assert await client.closed() == 4403

    run(main())


def test_in_every_state(run: Run[None], tmp_path: Path) -> None:
    """A logout reaches a reader that is full, a body on its way, and one that catches up; nothing more is sent."""

    async def main() -> None:
        async with guarded_lane("own", tmp_path) as door:
            for _ in range(12):
                await door.hub.append("a", "x" * 1_000_000)
            for target, accept in [(f"{ROOT}a", "*/*"), (f"{ROOT}a", "application/x-ndjson")]:
                mine = await door.sign_in(token("u1"))
                more: dict[str, Any] = {"accept": accept, **mine}
                with await door.send("GET", target, more) as sock:
                    async with asyncio.timeout(10):
                        while not len(door.hub.runtime.principals):  # noqa: ASYNC110
                            await asyncio.sleep(0)
                    assert (await door.say("DELETE", SESSION, mine)).json() == {"ended": 1}
                    await door.hub.append("a", "secret")
                    with suppress(ConnectionError):
                        told = await rest_of(sock)
                        assert len(told) < 12_000_000
                        assert b"secret" not in told

    run(main())
