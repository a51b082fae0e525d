"""Attacks 17 to 24: what a token's own claims would make of its patterns. One fault, and it is worthless."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, guarded
from tests.http.access.test_matrix import guard
from tests.http.test_authorize import asked, lanes
from tests.support.access import token
from tests.support.websocket import greeted, single

OWN = {"read": ["users/{sub}/**"]}
TOKENS: dict[str, dict[str, Any]] = {
    **{
        f"sub {value[:12]!r}": {"sub": value, "streams": OWN}
        for value in ("../x", "a/**", "*", "**", "{sub}", "a%2Fb", "x" * 300, "a\0b", "e\u0301", "a/b", ".", "..", "")
    },
    "half an asterisk": {"streams": {"read": ["a*b"]}},
    "all, not last": {"streams": {"read": ["**/x"]}},
    "slash first": {"streams": {"read": ["/x"]}},
    "slash last": {"streams": {"read": ["x/"]}},
    "up": {"streams": {"read": ["x/../secret"]}},
    "a claim that is not named": {"streams": {"read": ["users/{tenant}/**"]}, "tenant": "t"},
    "65 patterns": {"streams": {"read": [f"a/{number}" for number in range(65)]}},
    "a long pattern": {"streams": {"read": ["x" * 257]}},
    "one of ten": {"streams": {"read": [*(f"a/{number}" for number in range(9)), "a*b"]}},
    "another operation's": {"streams": {"read": ["**"], "append": ["a*b"]}},
    "no operation": {"streams": {"read": ["**"], "admin": ["**"]}},
    "no list": {"streams": {"read": "**"}},
}


def made(claims: dict[str, Any]) -> str:
    return token(claims.get("sub", "u1"), **{name: value for name, value in claims.items() if name != "sub"})


@lanes
@pytest.mark.parametrize("claims", TOKENS.values(), ids=TOKENS)
def test_over_http(run: Run[None], lane: str, claims: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """401 without a reason, whatever is asked; the log has it, and nothing of the token."""
    caplog.set_level(logging.INFO, "headwater.access")
    shown = made(claims)

    async def main() -> None:
        async with asked(lane, guard()) as (_, store, send):
            for url in ("a", "users/x/inbox", "users/u1/inbox", "secret"):
                assert await send("GET", f"{ROOT}{url}", {"authorization": f"Bearer {shown}"}, b"") == 401, url
            assert store.used == []

    run(main())
    assert len(caplog.messages) == 4
    for message in caplog.messages:
        line = json.loads(message.partition(" ")[2])
        assert line["reason"] == "token-refused"
        assert line["detail"]
    assert not any(part in caplog.text for part in shown.split("."))


@pytest.mark.parametrize("name", ["sub '../x'", "sub 'a/**'", "sub '*'", "one of ten"])
def test_on_websockets(run: Run[None], tmp_path: Path, name: str) -> None:
    """The same on both doors."""
    shown = made(TOKENS[name])

    async def main() -> None:
        async with guarded(tmp_path) as server:
            async with greeted(server, token=shown) as client:
                for path in ("a", "users/x/inbox", "users/*", "**"):
                    assert (await client.ask("sub", path=path))["code"] == "token-refused", path
            header = f"authorization: Bearer {shown}\r\n".encode()
            sock = await server.connect()
            with sock:
                from tests.support.websocket import Client

                assert await Client(sock).handshake(f"{ROOT}a", header) == 401

    run(main())


def test_what_may_stand_there(run: Run[None], tmp_path: Path) -> None:
    """The other half: odd subjects that are one plain segment have their own streams, and no others."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            for sub in ("u1", "a@b.example", "\u00e9", "auth0|7", "a b", "x" * 255):
                await server.hub.create(f"users/{sub}/inbox", content_type="application/json")
                async with greeted(server, token=token(sub, streams=OWN)) as client:
                    assert (await client.ask("sub", path=f"users/{sub}/inbox"))["t"] == "sub", sub
                    for other in ("users/u/inbox", f"users/{sub}", f"users/{sub}x/inbox", "users/*/inbox"):
                        answer = await client.ask("sub", path=other)
                        assert answer.get("code") == ("not-granted" if "*" not in other else None), other
            async with single(
                server, "users/u1/inbox", f"authorization: Bearer {token('u1', streams=OWN)}\r\n".encode()
            ) as alone:
                assert json.loads(await alone.message())

    run(main())
