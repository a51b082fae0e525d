"""Keys and what is demanded of tokens change while something is read by one: its text is not kept, and not needed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT, entered, guarded, opened, status
from tests.support.access import SECRET, token
from tests.support.inprocess import InProcess, rest_of, turns
from tests.support.websocket import greeted

from headwater.http.access.keys import KeySet, make_key
from headwater.http.access.tokens import Tokens
from headwater.hub.access.proven import Proven
from headwater.protocol.access.claims import Issuer

OTHER = b"y" * 32
#: By what changes: the keys, what the issuer may grant at most, and how what is read ends; empty: it goes on.
CHANGES: dict[str, tuple[list[bytes], dict[str, tuple[str, ...]] | None, str]] = {
    "nothing": ([SECRET], None, ""),
    "one more key": ([SECRET, OTHER], None, ""),
    "the key is gone": ([OTHER], None, "revoked"),
    "the issuer may less": ([SECRET], {"read": ("a",)}, "changed"),
}


def tokens_of(server: InProcess) -> Tokens:
    """As `headwater serve` has them."""
    proofs: Any = server._shared.service._permission.tokens  # type: ignore[attr-defined]
    principals = server.hub.runtime.principals
    proofs.tokens.changed = lambda: principals.ask_all_again(lambda access: bool(access.issuer))
    found: Tokens = proofs.tokens
    return found


def change(tokens: Tokens, name: str) -> None:
    secrets, ceiling, _ = CHANGES[name]
    issuer = Issuer(issuer="headwater", audience="headwater", ceiling=ceiling)
    tokens.use([KeySet(issuer, (make_key("HS256", secret),)) for secret in secrets])


@pytest.mark.parametrize("name", CHANGES)
def test_a_reader(run: Run[None], tmp_path: Path, name: str) -> None:
    """It goes on, is revoked, or comes back and is told what its token is worth now."""
    end = CHANGES[name][2]

    async def main() -> None:
        async with guarded(tmp_path) as server:
            tokens, mine = tokens_of(server), token("u1")
            with await opened(server, "events", mine) as sock:
                change(tokens, name)
                await turns()
                await server.hub.append("a", "later")
                if end:
                    told = await rest_of(sock)
                    assert f'"reason":"{end}"'.encode() in told
                    assert b"later" not in told
                else:
                    async with asyncio.timeout(10):
                        while b"later" not in await asyncio.get_running_loop().sock_recv(sock, 65536):
                            pass
            assert await status(server, "GET", f"{ROOT}a", mine) == (401 if end else 200)

    run(main())


@pytest.mark.parametrize("name", CHANGES)
def test_a_websocket(run: Run[None], tmp_path: Path, name: str) -> None:
    """It still has its token, and shows it again by itself."""
    end = CHANGES[name][2]

    async def main() -> None:
        async with guarded(tmp_path) as server:
            tokens = tokens_of(server)
            async with greeted(server, token=token("u1")) as client:
                await client.ask("sub", path="a")
                await entered(server)
                change(tokens, name)
                await turns()
                await server.hub.append("a", "later")
                if end:
                    assert await client.closed() in (4401, 4403)
                else:
                    while "later" not in str(await client.until(t="data")):
                        pass

    run(main())


def test_one_that_was_looked_at_before_and_comes_behind(run: Run[None], tmp_path: Path) -> None:
    """A request that was on its way when its key went ends as if it had been there."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            tokens, principals = tokens_of(server), server.hub.runtime.principals
            found = tokens.verify(token("u1"))
            assert isinstance(found, Proven)
            change(tokens, "the key is gone")
            ended: list[str] = []

            class Late:
                def hush(self, end: Any) -> None: ...

                def end_access(self, end: Any) -> None:
                    ended.append(end.reason)

                def tell_expiring(self, at: float) -> None: ...

            principals.enter(found, Late())
            await turns()
            assert ended == ["revoked"]
            assert len(principals) == 0

    run(main())
