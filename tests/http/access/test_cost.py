"""What access costs a request: counted in calls of Python, which a busy machine does not change.

Measured by turns, in microseconds of CPU: a decision 0.2 remembered and 2.2 new; a verified token of 700 bytes 0.9 and
one of 4 kB 2.9. docs/explanation/cost.md has all of it for an append and a connect.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.access.test_live import ROOT
from tests.support.access import guarded_settings, token
from tests.support.inprocess import in_process, turns

from headwater.server.settings import Settings

REQUESTS = {
    "append": ("POST", "a", "content-type: application/json", b"1"),
    "connect": ("GET", "a?offset=now", "accept: text/event-stream", b""),
}


async def calls(settings: Settings, name: str, by: str | None) -> int:
    """Calls of a request whose head, token and decision were seen before."""
    method, target, header, body = REQUESTS[name]
    lines = [f"{method} {ROOT}{target} HTTP/1.1", "host: localhost", header, f"content-length: {len(body)}"]
    lines += [] if by is None else [f"authorization: Bearer {by}"]
    data = "\r\n".join([*lines, "", ""]).encode() + body
    count = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event == "call"

    async with in_process(settings) as server:
        await server.hub.create("a", content_type="application/json")
        loop = asyncio.get_running_loop()
        for number in range(4):
            sock = await server.connect()
            with sock:
                before = sys.getprofile()
                if number == 3:
                    sys.setprofile(profile)
                await loop.sock_sendall(sock, data)
                await turns()
                sys.setprofile(before)
                assert (await loop.sock_recv(sock, 65536)).startswith((b"HTTP/1.1 204", b"HTTP/1.1 200"))
            await turns()
    return count


@pytest.mark.parametrize(("name", "most"), [("append", 16), ("connect", 33)])
def test_a_request_asks_little(run: Run[None], tmp_path: Path, name: str, most: int) -> None:
    """The credential, its hash, the guard, what is over: so many calls more than without access."""

    async def main() -> None:
        plain = await calls(Settings(store="memory:", banner=False), name, None)
        found = await calls(guarded_settings(tmp_path), name, token("u1"))
        assert 0 < found - plain <= most, (plain, found)

    run(main())
