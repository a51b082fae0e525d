"""The applications of `docs/howto/authorize.md`: who may do what in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.docs.pages import ROOT, block

from headwater.testing.asgi import AsgiClient

PAGE = ROOT / "docs" / "howto" / "authorize.md"
JSON = {"content-type": "application/json"}


@contextmanager
def application(mark: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What a block of the page defines."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"__name__": "block"}
    exec(compile(block(PAGE, "python", mark), mark, "exec", dont_inherit=True), names)
    yield names


def test_tokens(run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may write below a prefix may not read there; who may read may not write; strangers may nothing."""
    sensor, screen = ({**JSON, "authorization": f"Bearer {token}"} for token in ("t-sensor", "t-screen"))
    expected = [
        ("PUT", "sensors/12/t", sensor, 201),
        ("POST", "sensors/12/t", sensor, 204),
        ("GET", "sensors/12/t", sensor, 403),
        ("GET", "sensors/12/t", screen, 200),
        ("POST", "sensors/12/t", screen, 403),
        ("DELETE", "sensors/12/t", sensor, 403),
        ("PUT", "sensors/13/t", sensor, 403),
        ("PUT", "sensors/12/fork", {**sensor, "stream-forked-from": "sensors/12/t"}, 403),
        ("GET", "-/streams?prefix=sensors/", screen, 403),
        ("GET", "sensors/12/none", {}, 401),
        ("GET", "-/health", {}, 200),
    ]

    async def main() -> None:
        with application("file: tokens.py", tmp_path, monkeypatch) as names:
            async with names["hub"]:
                client = AsgiClient(names["app"])
                for method, path, headers, status in expected:
                    body = b"1" if method in ("PUT", "POST") else b""
                    response, _ = await client.request(method, f"/streams/{path}", body, headers)
                    assert response.status == status, (method, path)

    run(main())


def test_sessions(run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signed-in user reads their own streams; the program writes without asking."""
    cookie = {"cookie": "theme=dark; session=s3cr3t"}
    expected = [
        ("GET", "users/7/inbox", cookie, 200),
        ("HEAD", "users/7/inbox", cookie, 200),
        ("POST", "users/7/inbox", {**cookie, **JSON}, 403),
        ("GET", "users/77/inbox", cookie, 403),
        ("GET", "users/7/inbox", {"cookie": "session=other"}, 401),
        ("GET", "users/7/inbox", {}, 401),
        ("GET", "-/stats", cookie, 403),
    ]

    async def main() -> None:
        with application("file: sessions.py", tmp_path, monkeypatch) as names:
            async with names["hub"] as hub:
                for path in ("users/7/inbox", "users/77/inbox"):
                    await hub.create(path, content_type="application/json", body=b"[1]")
                client = AsgiClient(names["app"])
                for method, path, headers, status in expected:
                    response, _ = await client.request(
                        method, f"/streams/{path}", b"1" if method == "POST" else b"", headers
                    )
                    assert response.status == status, (method, path)

    run(main())


def test_access(run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their own streams for who is signed in, news for everybody, nothing else for anybody."""
    mine = {**JSON, "cookie": "session=s3cr3t"}
    expected = [
        ("GET", "users/u7/inbox", mine, 404),
        ("GET", "users/u8/inbox", mine, 403),
        ("GET", "users/u7/inbox", JSON, 401),
        ("GET", "news/today", JSON, 404),
        ("PUT", "rooms/1", mine, 403),
    ]

    async def main() -> None:
        with application("file: access.py", tmp_path, monkeypatch) as names:
            async with names["hub"]:
                client = AsgiClient(names["app"])
                for method, path, headers, status in expected:
                    async with client.open(method, f"/streams/{path}", b"", headers) as response:
                        assert response.status == status, (method, path)

    run(main())
