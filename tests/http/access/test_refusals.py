"""What is refused and what is taken back: one line each, with what an operator needs and no secret."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded, send, status
from tests.http.test_authorize import asked, lanes
from tests.support.access import SECRET, token
from tests.support.inprocess import rest_of
from tests.support.websocket import greeted, single

from headwater.errors import NotGranted
from headwater.http.access.guard import Guard
from headwater.hub.access.refusals import MAX_TEXT, Refusals, Refused
from headwater.hub.stats import Stats
from headwater.model import Principal
from headwater.protocol.asks import Ask, Operation

LOGGER = "headwater.access"


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    """The events, and what they say."""
    found = []
    for record in caplog.records:
        if record.name == LOGGER:
            event, _, text = record.getMessage().partition(" ")
            found.append((event, json.loads(text)))
    return found


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("none", {"reason": "not-authorized", "op": ["read"], "path": ["a"]}),
        (
            "bad",
            {
                "reason": "token-refused",
                "op": ["read"],
                "path": ["a"],
                "proof": "authorization",
                "detail": "no key of its issuer fits its name and its signature",
            },
        ),
        (
            "less",
            {
                "reason": "not-granted",
                "op": ["read"],
                "path": ["a"],
                "subject": "u1",
                "issuer": "headwater",
                "proof": "authorization",
            },
        ),
        (
            "often",
            {
                "reason": "rate-limited",
                "op": ["append"],
                "path": ["a"],
                "subject": "u1",
                "issuer": "headwater",
                "proof": "authorization",
                "detail": "principal_append_rate=1 a second is what one principal may do, and it is done",
            },
        ),
    ],
)
def test_a_line_a_refusal(
    run: Run[None], tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str, expected: dict[str, Any]
) -> None:
    """Exactly one, with the client's own address; and a figure by reason."""
    caplog.set_level(logging.INFO, LOGGER)
    by = {
        "none": None,
        "bad": token("u1", secret=b"x" * 32),
        "less": token("u1", streams={"append": ["a"]}),
        "often": token("u1"),
    }[case]

    async def main() -> None:
        async with guarded(tmp_path, trusted_proxies=("*",), principal_append_rate=1) as server:
            where = "x-forwarded-for: 192.0.2.7"
            if case == "often":
                for _ in range(2):
                    await status(server, "POST", f"{ROOT}a", by, where, "content-type: application/json", body=b"1")
            else:
                await status(server, "GET", f"{ROOT}a", by, where)
            assert lines(caplog) == [("access.refused", {**expected, "address": "192.0.2.7"})]
            assert server.hub.stats.access_refused == {expected["reason"]: 1}
            sock = await send(server, "GET", "/-/metrics", token("chief"), "connection: close")
            with sock:
                told = await rest_of(sock)
            assert f'headwater_access_refused_total{{reason="{expected["reason"]}"}} 1.0'.encode() in told

    run(main())
    if by is not None:
        for piece in by.split("."):
            assert piece not in caplog.text


@lanes
def test_the_lanes_have_the_same_line(run: Run[None], caplog: pytest.LogCaptureFixture, lane: str) -> None:
    """Own connection and ASGI, sync and remembered heads."""
    caplog.set_level(logging.INFO, LOGGER)

    async def main() -> None:
        async with asked(lane, Guard(None, {"read": ["b"]})) as (_, _, post):
            for _ in range(3):
                assert await post("POST", f"{ROOT}a", {"content-type": "application/json"}, b"1") == 401
        expected = {"reason": "not-authorized", "op": ["append"], "path": ["a"]}
        found = lines(caplog)
        assert [event for event, _ in found] == ["access.refused"] * 3
        assert all(line.items() >= expected.items() for _, line in found)

    run(main())


def test_of_a_websocket(run: Run[None], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each message by itself, and what its token was."""
    caplog.set_level(logging.INFO, LOGGER)

    async def main() -> None:
        async with guarded(tmp_path) as server:
            less = token("u1", streams={"read": ["b"]})
            async with greeted(server, token=less) as client:
                await client.ask("append", path="a", r=["a secret"])
            async with greeted(server, token=token(secret=b"x" * 32)) as client:
                await client.ask("sub", path="rooms/*")
            async with single(server, "b", f"authorization: Bearer {less}\r\n".encode()) as alone:
                await alone.text('"a secret"')
                while json.loads(await alone.message()).get("control") != "error":
                    pass

    run(main())
    assert [(line["reason"], line.get("op"), line["proof"]) for _, line in lines(caplog)] == [
        ("not-granted", ["append"], "message"),
        ("token-refused", None, "message"),
        ("not-granted", ["append"], "authorization"),
    ]
    assert "secret" not in caplog.text


def test_a_body_that_outlives_its_proof_is_a_refusal(
    run: Run[None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With whose it was; and what took it back is a line, too."""
    caplog.set_level(logging.INFO, LOGGER)

    async def main() -> None:
        async with guarded(tmp_path) as server:
            sock = await server.connect()
            head = f"POST {ROOT}a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\nconnection: close\r\n"
            head += f"content-type: application/json\r\nauthorization: Bearer {token('u1')}\r\n\r\n1"
            import asyncio

            from tests.support.inprocess import turns

            with sock:
                await asyncio.get_running_loop().sock_sendall(sock, head.encode())
                await turns()
                await server.hub.revoke("u1", issuer="headwater", before=None)
                await asyncio.get_running_loop().sock_sendall(sock, b"2")
                assert (await rest_of(sock)).startswith(b"HTTP/1.1 401")
            server.hub.kick("u2", issuer="headwater", retry_after=3)

    run(main())
    events = lines(caplog)
    assert [event for event, _ in events] == ["access.revoked", "access.refused", "access.kicked"]
    revoked, refused, kicked = (line for _, line in events)
    assert revoked.pop("before") > 1e9
    assert revoked == {"subject": "u1", "issuer": "headwater"}
    assert (refused["subject"], refused["issuer"]) == ("u1", "headwater")
    assert kicked == {"subject": "u2", "issuer": "headwater", "retry_after": 3}


def test_paths_may_be_hashed(run: Run[None], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Then no line has one; the same path has the same hash."""
    caplog.set_level(logging.INFO, LOGGER)

    async def main() -> None:
        async with guarded(tmp_path, hash_paths=True) as server:
            for name in ("people/jane-doe", "people/jane-doe", "b"):
                await status(server, "GET", f"{ROOT}{name}", None)

    run(main())
    first, second, third = (line["path"] for _, line in lines(caplog))
    assert first == second != third
    assert "jane" not in caplog.text


def test_a_line_is_one_line_and_short(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is in the names: nobody can write a line of somebody else's."""
    caplog.set_level(logging.INFO, LOGGER)
    stats = Stats()
    refusals = Refusals(stats.access_refused)
    error = NotGranted("no")
    error.principal = Principal("s" * 5000, "i\r\nINFO forged")
    asks = [Ask(Operation.READ, f"p\n{number}" + "x" * 5000) for number in range(1000)]
    refusals.note(error, asks, "authorization", ("::1", 1))
    assert "\n" not in caplog.messages[0]
    assert len(caplog.messages[0]) < 10 * MAX_TEXT
    line = lines(caplog)[0][1]
    assert set(line) <= {field.name for field in msgspec.structs.fields(Refused)}
    assert len(line["path"]) == 8
    assert stats.access_refused == {"not-granted": 1}


def test_what_a_pattern_leaves_out_is_no_refusal(
    run: Run[None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """There may be a million streams that somebody may not read; a stream that is named and refused is one line."""
    caplog.set_level(logging.INFO, LOGGER)

    async def main() -> None:
        async with guarded(tmp_path) as server:
            for number in range(20):
                await server.hub.create(f"others/{number}")
            less = token("u1", streams={"read": ["a"]})
            assert await status(server, "GET", f"{ROOT}-/many?stream=**&live=false", less) == 200
            async with greeted(server, token=less) as client:
                await client.ask("sub", path="**")
                await client.until(t="live")
            assert await status(server, "GET", f"{ROOT}-/many?stream=**&stream=b&live=false", less) == 200
            assert [line["path"] for _, line in lines(caplog)] == [["b"]]
            assert server.hub.stats.access_refused == {"not-granted": 1}

    run(main())


def test_nobody_who_listens_costs_no_line(caplog: pytest.LogCaptureFixture) -> None:
    """It is counted all the same."""
    caplog.set_level(logging.WARNING, LOGGER)
    stats = Stats()
    Refusals(stats.access_refused).note(NotGranted("no"))
    assert (caplog.messages, stats.access_refused) == ([], {"not-granted": 1})
    assert SECRET
