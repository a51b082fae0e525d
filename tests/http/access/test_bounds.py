"""How often one principal and one address may do something: each limit by itself, and nobody else has less for it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, entered, guarded, opened, send
from tests.support.access import token
from tests.support.inprocess import InProcess, rest_of
from tests.support.websocket import greeted, single

from headwater import Hub, Limits
from headwater.hub.access.bounds import Doing, bounds_of
from headwater.hub.access.principals import Principals
from headwater.hub.timers import Timers
from headwater.model import Principal
from headwater.testing import as_principal
from headwater.testing.asgi import AsgiClient

JSON = "content-type: application/json"
#: What counts: method, target, headers, body; the target takes a number.
DOES: dict[str, tuple[str, str, tuple[str, ...], bytes]] = {
    "connect": ("GET", f"{ROOT}a", ("accept: text/event-stream",), b""),
    "subscribe": ("GET", f"{ROOT}-/many?stream=a&live=false", (), b""),
    "append": ("POST", f"{ROOT}a", (JSON,), b"1"),
    "create": ("PUT", f"{ROOT}new/{{}}", (JSON,), b""),
    "signal": ("POST", f"{ROOT}a/-/signal", (JSON,), b"1"),
}


async def asked(server: InProcess, doing: str, number: int, by: str | None, address: str) -> tuple[int, bytes]:
    """The status, and the head."""
    method, target, headers, body = DOES[doing]
    target = target.format(number)
    sock = await send(
        server, method, target, by, *headers, f"x-forwarded-for: {address}", "connection: close", body=body
    )
    with sock:
        found = b""
        async with asyncio.timeout(10):
            while b"\r\n\r\n" not in found:
                found += await asyncio.get_running_loop().sock_recv(sock, 65536)
    return int(found.split()[1]), found.lower()


@pytest.mark.parametrize("doing", [each for each in DOES if each != "signal"])
def test_one_principal(run: Run[None], tmp_path: Path, doing: str) -> None:
    """Two a second, from wherever; the third is 429 with when to come back. Another one, and the same name of another
    issuer, are not concerned, and what is refused is not counted."""

    async def main() -> None:
        async with guarded(tmp_path, trusted_proxies=("*",), **{f"principal_{doing}_rate": 2}) as server:
            mine, other = token("u1"), token("u2")
            codes = [await asked(server, doing, number, mine, f"10.0.0.{number}") for number in range(3)]
            assert [code < 300 for code, _ in codes] == [True, True, False]
            assert codes[2][0] == 429
            assert b"\r\nretry-after: 1\r\n" in codes[2][1]
            assert (await asked(server, doing, 3, other, "10.0.0.1"))[0] < 300
            assert server.hub.stats.access_refused == {"rate-limited": 1}

    run(main())


@pytest.mark.parametrize("doing", DOES)
@pytest.mark.parametrize(("same", "else_"), [("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8:0:1::1")])
def test_one_address(run: Run[None], tmp_path: Path, doing: str, same: str, else_: str) -> None:
    """Whoever it is; an IPv6 address counts with all of its /64."""

    async def main() -> None:
        async with guarded(tmp_path, trusted_proxies=("*",), **{f"address_{doing}_rate": 2}) as server:
            near = same if "." in same else same.replace("::1", "::ffff:2")
            codes = [(await asked(server, doing, n, token(f"u{n}"), where))[0] for n, where in enumerate([same, near])]
            assert all(code < 300 for code in codes), codes
            assert (await asked(server, doing, 2, token("u3"), same))[0] == 429
            assert (await asked(server, doing, 3, token("u3"), else_))[0] < 300

    run(main())


def test_bytes_are_paid_for(run: Run[None], tmp_path: Path) -> None:
    """A body that is larger than a second's worth is taken; the next one waits as long as it was large."""

    async def main() -> None:
        async with guarded(tmp_path, principal_byte_rate=1000) as server:
            big = b'"' + b"x" * 20_000 + b'"'
            for by, expected in [(token("u1"), 204), (token("u2"), 204), (token("u1"), 429)]:
                sock = await send(server, "POST", f"{ROOT}a", by, JSON, "connection: close", body=big)
                with sock:
                    told = await rest_of(sock)
                assert int(told.split()[1]) == expected
            after = re.search(rb"retry-after: (\d+)", told)
            assert after is not None
            assert 18 <= int(after[1]) <= 20
            async with greeted(server, token=token("u3")) as client:
                assert (await client.ask("append", path="a", r=["x" * 20_000]))["t"] == "ok"
                assert (await client.ask("append", path="a", r=[1]))["code"] == "rate-limited"

    run(main())


def test_who_has_no_address_is_not_refused_for_others(run: Run[None], tmp_path: Path) -> None:
    """Over a Unix socket without a trusted proxy nobody has one."""

    async def main() -> None:
        async with guarded(tmp_path, address_append_rate=1, public_append=("**",)) as server:
            for _ in range(5):
                assert (await asked(server, "append", 0, None, "10.0.0.1"))[0] == 204

    run(main())


def test_without_access_an_address_has_its_limits_too(run: Run[None], tmp_path: Path) -> None:
    """They are of the address alone."""
    from tests.support.inprocess import in_process

    from headwater.server.settings import Settings

    async def main() -> None:
        settings = Settings(store="memory:", banner=False, trusted_proxies=("*",), address_append_rate=1)
        async with in_process(settings) as server:
            await server.hub.create("a", content_type="application/json")
            codes = [(await asked(server, "append", 0, None, f"10.0.0.{end}"))[0] for end in (1, 1, 2)]
            assert codes == [204, 429, 204]
            async with greeted(server) as client:  # who has no address
                assert (await client.ask("append", path="a", r=[1]))["t"] == "ok"
            async with single(server, "a", b"x-forwarded-for: 10.0.0.3\r\n") as alone:
                await alone.text("1")
                await alone.text("2")
                while (told := json.loads(await alone.message())).get("control") != "error":
                    pass
                assert told["code"] == "rate-limited"

    run(main())


@pytest.mark.parametrize("wire", ["events", "ndjson", "sse", "long-poll", "many lines"])
def test_readers_of_one_principal(run: Run[None], tmp_path: Path, wire: str) -> None:
    """One more is refused, whatever its wire; another principal's is not, and who goes makes room."""

    async def main() -> None:
        async with guarded(tmp_path, max_readers_per_principal=1) as server:
            mine = token("u1")
            with await opened(server, wire, mine) as sock:
                for target, accept in [(f"{ROOT}a", "text/event-stream"), (f"{ROOT}-/many?stream=a", "*/*")]:
                    other = await send(server, "GET", target, token("u1", jti="2"), f"accept: {accept}")
                    with other:
                        told = await asyncio.get_running_loop().sock_recv(other, 65536)
                        assert told.startswith(b"HTTP/1.1 429"), told
                        assert b"max_readers_per_principal=1" in told
                async with greeted(server, token=mine) as client:
                    assert (await client.ask("sub", path="a"))["code"] == "limit-reached"
                    assert (await client.ask("head", path="a"))["code"] == "limit-reached"
                async with greeted(server, token=token("u2")) as client:
                    assert (await client.ask("sub", path="a"))["t"] == "sub"
                sock.close()
                await server.hub.append("a", 2)  # a half-closed connection is answered first
                async with asyncio.timeout(10):
                    while server.hub.runtime.principals.count(Principal("u1", "headwater")):  # noqa: ASYNC110
                        await asyncio.sleep(0)
            with await opened(server, wire, mine):
                await entered(server)

    run(main())


def test_streams_of_one_principal(run: Run[None], tmp_path: Path) -> None:
    """So many at a time, however they are made; one that is deleted makes room, one that is there costs none."""

    async def main() -> None:
        async with guarded(tmp_path, max_streams_per_principal=3) as server:
            by = token("u1")

            async def status(method: str, target: str, *headers: str, body: bytes = b"", who: str = by) -> int:
                sock = await send(server, method, f"{ROOT}{target}", who, *headers, "connection: close", body=body)
                with sock:
                    return int((await rest_of(sock)).split()[1])

            lines = b'{"stream":"t","data":1,"create":true,"type":"application/json"}\n'
            kind = "content-type: application/x-ndjson"
            assert await status("PUT", "p") == 201
            assert await status("POST", "q", JSON, "stream-create: true", body=b"1") in (200, 201, 204)
            assert await status("POST", "-/append", kind, body=lines) == 200
            async with greeted(server, token=by) as client:
                assert (await client.ask("create", path="w"))["code"] == "limit-reached"
                assert (await client.ask("append", path="w", r=[1], create={}))["code"] == "limit-reached"
            assert await status("PUT", "x") == 429
            assert await status("POST", "-/append", kind, body=lines.replace(b'"t"', b'"x"')) == 429
            assert await status("PUT", "p") == 200
            assert await status("PUT", "x", who=token("u2")) == 201
            assert await status("DELETE", "p") == 204
            assert await status("PUT", "y") == 201
            assert await status("PUT", "z") == 429
            many = await asyncio.gather(*[status("PUT", f"n/{number}", who=token("u3")) for number in range(9)])
            assert sorted(many) == [201] * 3 + [429] * 6
            assert server.hub.stats.access_refused["limit-reached"] == 0  # the hub's own limits are no access's

    run(main())


def test_a_websocket_is_warned_and_then_closed(run: Run[None], tmp_path: Path) -> None:
    """Each message too many has its error, with when to come back; who listens goes on, who does not is closed."""

    async def main() -> None:
        async with guarded(tmp_path, principal_append_rate=2, connection_requests=4) as server:
            async with greeted(server, token=token("u1")) as client:
                answers = [await client.ask("append", path="a", r=[number]) for number in range(4)]
                assert [each["t"] for each in answers] == ["ok", "ok", "err", "err"]
                assert (answers[2]["code"], answers[2]["after"]) == ("rate-limited", 1)
                assert (await client.ask("head", path="a"))["t"] == "info"
                for number in range(6):
                    await client.send(t="append", id=100 + number, path="a", r=[1])
                assert await client.closed() == 4429
            async with single(server, "a", f"authorization: Bearer {token('u2')}\r\n".encode()) as alone:
                for _ in range(9):
                    await alone.text("1")
                assert await alone.closed() == 4429
            async with greeted(server, token=token("u3")) as other:
                assert (await other.ask("append", path="a", r=[1]))["t"] == "ok"

    run(main())


def test_connections_and_streams_of_websockets(run: Run[None], tmp_path: Path) -> None:
    """A connection counts with the first message that says whose it is, a pattern as one stream."""

    async def main() -> None:
        settings: dict[str, Any] = {"principal_connect_rate": 1, "principal_subscribe_rate": 2}
        async with (
            guarded(tmp_path, **settings) as server,
            greeted(server, token=token("u1")) as client,
            greeted(server, token=token("u1")) as second,
        ):
            assert (await client.ask("sub", path="a"))["t"] == "sub"
            assert (await client.ask("sub", path="no/*"))["t"] == "ok"
            assert (await client.ask("sub", path="b"))["code"] == "rate-limited"
            assert (await second.ask("head", path="a"))["code"] == "rate-limited"

    run(main())


def test_a_mounted_hub(run: Run[None]) -> None:
    """The same limits, of `Limits`."""

    async def main() -> None:
        limits = Limits(principal_append_rate=1, principal_create_rate=1)
        async with Hub(access=as_principal("u1", append=["**"], create=["**"]), limits=limits) as hub:
            await hub.create("a", content_type="application/json")
            client = AsgiClient(hub.asgi)

            async def status(method: str, path: str) -> int:
                async with client.open(method, path, b"1", {"content-type": "application/json"}) as response:
                    return response.status

            assert [await status("POST", "/a") for _ in range(2)] == [204, 429]
            assert [await status("PUT", f"/n{number}") for number in range(2)] == [201, 429]

    run(main())


def test_what_nobody_sets_costs_nothing() -> None:
    """There is no object, and so nothing is asked."""
    principals = Principals(Timers())
    assert bounds_of(Limits(), principals) is None
    for doing in Doing:
        for who in ("principal", "address"):
            name = f"{who}_{doing}_rate"
            if name != "principal_signal_rate":  # which is signal_rate
                assert bounds_of(Limits(**{name: 1}), principals) is not None, name


def test_many_clients_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of an address is over after a second."""
    now = 0.0
    clock: Callable[[], float] = lambda: now  # noqa: E731
    monkeypatch.setattr(time, "monotonic", clock)
    bounds = bounds_of(Limits(address_append_rate=1), Principals(Timers()))
    assert bounds is not None
    for number in range(20_000):
        now += 0.01
        bounds.take(Doing.APPEND, None, (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1))
    assert sum(len(rates) for _, rates in bounds._rates.values()) < 3000
