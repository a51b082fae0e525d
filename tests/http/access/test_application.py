"""The application's own function: asked once for a request, and again while something is read."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.conftest import Run

from headwater import Access, AccessRequest, Hub, Limits
from headwater.http.access import application
from headwater.hub.access import principals
from headwater.testing import as_principal
from headwater.testing.asgi import AsgiClient

COOKIE = {"cookie": "session=s1"}


async def status(hub: Hub, path: str, headers: dict[str, str]) -> int:
    async with AsgiClient(hub.asgi).open("GET", path, b"", headers) as response:
        return response.status


async def until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_who_may_what(run: Run[None]) -> None:
    """Their grants, and what is public; a plain function is called in another thread."""
    threads: list[threading.Thread] = []

    def access(request: AccessRequest) -> Access | None:
        threads.append(threading.current_thread())
        return Access("u1", read=["mine/**"]) if request.cookie("session") == "s1" else None

    async def main() -> None:
        async with Hub(access=access, public={"read": ["news/*"]}) as hub:
            for path, headers, expected in [
                ("/mine/a", COOKIE, 404),
                ("/mine/a", {}, 401),
                ("/yours/a", COOKIE, 403),
                ("/news/a", {}, 404),
                ("/news/a/b", {}, 401),
            ]:
                assert await status(hub, path, headers) == expected, path
            await hub.create("yours/a")  # in process nobody is asked
        assert threading.main_thread() not in threads

    run(main())


@pytest.mark.parametrize("how", ["raises", "hangs", "gives something else"])
def test_one_that_does_not_answer(run: Run[None], monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """503, whoever asks; the store is not."""
    monkeypatch.setattr(application, "ASK_SECONDS", 0.05)

    async def access(request: AccessRequest) -> Any:
        if how == "raises":
            raise ZeroDivisionError
        if how == "hangs":
            await asyncio.sleep(60)
        return "u1"

    async def main() -> None:
        async with Hub(access=access) as hub:
            assert await status(hub, "/a", COOKIE) == 503
            assert hub.stats.errors == {"access-unknown": 1}

    run(main())


@pytest.mark.parametrize("then", ["nobody", "somebody else", "less", "raises", "the same"])
def test_asked_again(run: Run[None], monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    """Once for all readers of a credential; they end when it is of nobody, of another one, or grants something else."""
    monkeypatch.setattr(principals, "ASK_SECONDS", 0.05)
    answers: dict[str, Access | None] = {
        "nobody": None,
        "somebody else": Access("u2", read=["**"], recheck=0.05),
        "less": Access("u1", read=["b"], recheck=0.05),
        "the same": Access("u1", read=["**"], recheck=0.05),
    }
    asked: list[AccessRequest] = []
    is_over = False

    async def access(request: AccessRequest) -> Access | None:
        asked.append(request)
        if not is_over:
            return answers["the same"]
        if then == "raises":
            raise ZeroDivisionError
        return answers[then]

    async def main() -> None:
        nonlocal is_over
        async with Hub(access=access, limits=Limits(flush_seconds=0)) as hub:
            await hub.create("a", content_type="application/json")
            client = AsgiClient(hub.asgi)
            headers = {**COOKIE, "accept": "application/x-ndjson", "x-other": "1"}
            async with client.open("GET", "/a", b"", headers), client.open("GET", "/a", b"", headers):
                await until(lambda: hub.reader_count("a") == 2)
                assert len(asked) == 2
                await until(lambda: len(asked) >= 4)
                assert hub.reader_count("a") == 2
                assert asked[-1].scope is None
                assert set(asked[-1].headers) == {b"cookie"}
                is_over = True
                count = len(asked)
                if then == "the same":
                    await until(lambda: len(asked) >= count + 3)
                    assert hub.reader_count("a") == 2
                else:
                    await until(lambda: hub.reader_count("a") == 0)

    run(main())


def test_revoking_locks_nobody_out(run: Run[None]) -> None:
    """Readers end; the application is asked at the next request, and says yes."""

    async def main() -> None:
        async with Hub(access=as_principal("u1", read=["**"])) as hub:
            await hub.create("a", content_type="application/json")
            client = AsgiClient(hub.asgi)
            async with client.open("GET", "/a", b"", {**COOKIE, "accept": "application/x-ndjson"}):
                await until(lambda: hub.reader_count("a") == 1)
                assert await hub.revoke("u1") == 1
                assert hub.reader_count("a") == 0
            assert await status(hub, "/a", COOKIE) == 200

    run(main())


def test_one_or_the_other() -> None:
    """Two that decide would be two decisions."""
    with pytest.raises(ValueError, match="either"):
        Hub(access=as_principal("u"), authorize=lambda *_: None)
    for public in ({"read": ["users/{sub}"]}, {"admin": ["**"]}, {"revoke": ["**"]}):
        with pytest.raises(ValueError, match=r"public|nobody"):
            Hub(public=public)
