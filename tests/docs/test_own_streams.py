"""The application of `docs/howto/own-streams.md`, under uvicorn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.docs.pages import ROOT, block
from tests.support.inprocess import rest_of
from tests.support.lanes import Lane, UvicornLane, served_by_uvicorn

PAGE = ROOT / "docs" / "howto" / "own-streams.md"
SSE = {"accept": "text/event-stream"}


def test_own_streams(run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each user reads their own, live, until they sign out; what is public everybody; other sites' pages nothing."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "own"}
    exec(compile(block(PAGE, "python", "file: own.py"), "own.py", "exec", dont_inherit=True), names)

    async def main() -> None:
        async with names["hub"] as hub, served_by_uvicorn(names["app"]) as port:
            door: Lane = UvicornLane(hub, port)
            assert await door.status("POST", "/sign-in?user=ada&password=guess") == 401
            shown = {}
            for user, password in names["PASSWORDS"].items():
                found = await door.say("POST", f"/sign-in?user={user}&password={password}")
                assert "HttpOnly" in (found.header("set-cookie") or "")
                shown[user] = {"cookie": found.cookie}
            assert await door.status("POST", "/tell/ada?text=hello") == 200
            assert await door.status("GET", "/streams/users/ada/inbox", shown["ada"]) == 200
            assert await door.status("GET", "/streams/users/bob/inbox", shown["ada"]) == 403
            assert await door.status("GET", "/streams/users/ada/inbox", shown["bob"]) == 403
            assert await door.status("GET", "/streams/users/ada/inbox") == 401
            assert await door.status("GET", "/streams/news/today") == 404
            evil = {**shown["ada"], "sec-fetch-site": "cross-site"}
            assert await door.status("GET", "/streams/users/ada/inbox", evil) == 403
            assert b"EventSource" in (await door.say("GET", "/ada")).body
            with await door.events("/streams/users/ada/inbox?missing=wait", {**SSE, **shown["ada"]}) as tab:
                await door.status("POST", "/tell/ada?text=again")
                assert await door.status("POST", "/sign-out", shown["ada"]) == 200
                told = await rest_of(tab)
                assert b"hello" in told
                assert b"kicked" in told
            assert await door.status("GET", "/streams/users/ada/inbox", shown["ada"]) == 401

    run(main())
