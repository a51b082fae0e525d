"""What a live connect costs, counted: calls of Python, the files they are in, and bytes of memory.

Clocks are of no use on a busy machine. What goes over a bound has made each connect dearer.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType

import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process, turns

import headwater
from headwater.server.settings import Settings

OURS = str(Path(headwater.__file__).parent) + "/"
GET = b"GET /v1/stream/s HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n"
ALIKE = GET.replace(b"/s ", b"/t ")
#: Where the work itself is done; what else is called hands over.
INNER = ("hub/", "protocol/", "stores/")
#: Bytes of an idle reader, above those of a connection of the event loop that does nothing.
MOST_BYTES = 600


@pytest.mark.parametrize(
    ("others", "head", "outside", "whole", "files"),
    [(20, GET, 25, 45, 19), (0, GET, 25, 92, 33), (0, ALIKE, 30, 100, 36)],
    ids=["of a stream that others read", "of a stream that nobody reads", "with a head for another stream"],
)
def test_a_live_connect_walks_a_short_way(
    run: Run[None], others: int, head: bytes, outside: int, whole: int, files: int
) -> None:
    """With a head that came before, or one alike. For the first one the store is asked, and what it needs is made."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0)
        async with in_process(settings) as served:
            served._shared.restrained = True  # as of connections by TCP, which these are not
            for path in ("s", "t"):
                await served.hub.create(path, content_type="application/json")
                await served.hub.append(path, 1)
            clients = []
            for _ in range(max(others, 1)):
                clients.append(await served.connect())
                clients[-1].sendall(GET)
                await turns()
            if not others:
                clients.pop().close()
                await turns()
            calls: Counter[str] = Counter()

            def count(frame: FrameType, event: str, _: object) -> None:
                name = frame.f_code.co_filename
                if event == "call" and name.startswith(OURS):
                    calls[name.removeprefix(OURS)] += 1

            sys.setprofile(count)
            clients.append(await served.connect())
            clients[-1].sendall(head)
            await turns()
            sys.setprofile(None)
            # A beat of the loop's delay and a new second of the date may come in between.
            assert sum(found for name, found in calls.items() if not name.startswith(INNER)) <= outside + 3, calls
            assert calls.total() <= whole + 8, calls
            assert len(calls) <= files + 4, calls
            assert b"data:1\n" in clients[-1].recv(65536)
            for client in clients:
                client.close()
            await turns()

    run(main())


class Bare(asyncio.Protocol):
    """A connection that does nothing."""

    __slots__ = ()


async def bare() -> socket.socket:
    ours, theirs = socket.socketpair()
    for end in ours, theirs:
        end.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(Bare, theirs)
    return ours


async def taken(connect: Callable[[], Awaitable[socket.socket]], count: int = 170) -> float:
    """Bytes that are allocated and kept for a connection, behind as many others."""
    clients = []
    tracemalloc.start()  # of the others, too: a table that grows lets one of theirs go
    try:
        clients = [await connect() for _ in range(count)]
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        clients += [await connect() for _ in range(count)]
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
        for client in clients:
            client.close()
        await turns()


def test_memory_of_an_idle_reader(run: Run[None]) -> None:
    """Above a connection that only is there: three objects, and places in the tables of the hub."""

    async def main() -> None:
        async with in_process(Settings(store="memory:", flush_seconds=0)) as served:
            served._shared.restrained = True
            served.hub.stats.readers_total = 10_000  # Python keeps small numbers anyway
            await served.hub.create("s", content_type="application/json", body=b"[1]")

            async def read() -> socket.socket:
                client = await served.connect()
                client.sendall(GET)
                await turns(6)
                assert b"data:1\n" in client.recv(65536)
                return client

            idle, nothing = await taken(read), await taken(bare)
            assert idle - nothing <= MOST_BYTES

    run(main())
