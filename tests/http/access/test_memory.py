"""What a live reader takes with access, counted in allocations of the whole server: its proof and its decision."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.access import GOOD_SECONDS, guarded_settings, token
from tests.support.inprocess import InProcess, in_process, turns
from tests.support.websocket import CONNECT, HEADERS, JSON_PROTOCOL
from websockets.frames import Frame, Opcode

from headwater.server.head_cache import MAX_HEADS
from headwater.server.settings import Settings

MANY = 100
#: Who came before: more than there are heads that are remembered, and so many that no table of them grows while the
#: others are counted.
FORMER = 560
STREAMS = {"read": ["users/{sub}/**", "news/*"], "append": ["rooms/7"]}


def head(credential: str | None) -> bytes:
    """A reader of Server-Sent Events."""
    lines = ["GET /v1/stream/news/a?offset=now HTTP/1.1", "host: localhost", "accept: text/event-stream"]
    lines += [] if credential is None else [f"authorization: Bearer {credential}"]
    return "\r\n".join([*lines, "", ""]).encode()


def handshake(credential: str | None) -> bytes:
    """A WebSocket that reads one stream, with its first messages."""
    hello = {"t": "hello"} if credential is None else {"t": "hello", "token": credential}
    sub = {"t": "sub", "id": 1, "path": "news/a", "from": "now"}
    sent = b"".join(Frame(Opcode.TEXT, json.dumps(each).encode()).serialize(mask=True) for each in (hello, sub))
    return b"GET %b HTTP/1.1\r\n%b%b\r\n%b" % (CONNECT.encode(), HEADERS, JSON_PROTOCOL, sent)


WIRES = {"events": head, "websocket": handshake}


async def come(server: InProcess, data: bytes) -> socket.socket:
    """One reader more."""
    found = await server.connect()
    found.sendall(data)
    await turns(6)
    return found


async def taken(settings: Settings, wire: str, credential: Callable[[int], str | None]) -> float:
    """Bytes that a further reader takes."""
    assert FORMER > MAX_HEADS
    async with in_process(settings) as server:
        await server.hub.create("news/a", content_type="application/json")
        tracemalloc.start()
        try:
            there = [await come(server, WIRES[wire](credential(number))) for number in range(1, 1 + FORMER)]
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            there += [
                await come(server, WIRES[wire](credential(number))) for number in range(1 + FORMER, 1 + FORMER + MANY)
            ]
            gc.collect()
            found = (tracemalloc.get_traced_memory()[0] - before) / MANY
        finally:
            tracemalloc.stop()
        assert server.hub.stats.readers == FORMER + MANY
        for each in there:
            each.close()
        await turns()
        return found


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(("is_own", "most"), [(False, 154), (True, 1500)], ids=["one proof", "a proof each"])
def test_a_further_reader(tmp_path: Path, is_own: bool, most: int, wire: str) -> None:
    """Of one proof 0.15 kB more than without access, with a proof of its own 1.5 kB.

    A WebSocket shows its token with each message, so that its text is kept beside that, once for all that show it.
    """
    one, expires = token("u1", streams=STREAMS), int(time.time()) + GOOD_SECONDS

    def credential(number: int) -> str | None:
        # All expire together, in one place of the timers, however long it takes to make them.
        return token(f"u{number}", streams=STREAMS, jti=f"{number:032x}", exp=expires) if is_own else one

    # Each in a loop of its own, whose tables have not been filled before.
    plain = asyncio.run(taken(Settings(store="memory:", banner=False), wire, lambda number: None))
    # What else the process allocates meanwhile is counted, too: the least of several is the reader's own.
    found = min(asyncio.run(taken(guarded_settings(tmp_path), wire, credential)) for _ in range(3))
    text = len(credential(FORMER) or "") if is_own and wire == "websocket" else 0
    assert found - plain - text <= most, (plain, found, text)
