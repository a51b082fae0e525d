"""What a live reader takes with access, counted in allocations of the whole server: its proof and its decision."""

from __future__ import annotations

import asyncio
import gc
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.access import guarded_settings, token
from tests.support.inprocess import InProcess, in_process, turns

from headwater.server.head_cache import MAX_HEADS
from headwater.server.settings import Settings

MANY = 100
#: Who came before: more than there are heads that are remembered, and so many that no table of them grows while the
#: others are counted.
FORMER = 560
STREAMS = {"read": ["users/{sub}/**", "news/*"], "append": ["rooms/7"]}


async def come(server: InProcess, credential: str | None) -> socket.socket:
    """One reader more."""
    lines = ["GET /v1/stream/news/a?offset=now HTTP/1.1", "host: localhost", "accept: text/event-stream"]
    lines += [] if credential is None else [f"authorization: Bearer {credential}"]
    found = await server.connect()
    found.sendall("\r\n".join([*lines, "", ""]).encode())
    await turns(4)
    return found


async def taken(settings: Settings, credential: Callable[[int], str | None]) -> float:
    """Bytes that a further reader takes."""
    assert FORMER > MAX_HEADS
    async with in_process(settings) as server:
        await server.hub.create("news/a", content_type="application/json")
        tracemalloc.start()
        try:
            there = [await come(server, credential(number)) for number in range(1, 1 + FORMER)]
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            there += [await come(server, credential(number)) for number in range(1 + FORMER, 1 + FORMER + MANY)]
            gc.collect()
            found = (tracemalloc.get_traced_memory()[0] - before) / MANY
        finally:
            tracemalloc.stop()
        assert server.hub.stats.readers == FORMER + MANY
        for each in there:
            each.close()
        await turns()
        return found


@pytest.mark.parametrize(("is_own", "most"), [(False, 150), (True, 1500)], ids=["one proof", "a proof each"])
def test_a_further_reader(tmp_path: Path, is_own: bool, most: int) -> None:
    """Of one proof 0.15 kB more than without access, with a proof of its own 1.5 kB."""
    one = token("u1", streams=STREAMS)

    def credential(number: int) -> str | None:
        return token(f"u{number}", streams=STREAMS, jti=f"{number:032x}") if is_own else one

    # Each in a loop of its own, whose tables have not been filled before.
    plain = asyncio.run(taken(Settings(store="memory:", banner=False), lambda number: None))
    found = asyncio.run(taken(guarded_settings(tmp_path), credential))
    assert found - plain <= most, (plain, found)
