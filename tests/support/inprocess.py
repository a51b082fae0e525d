"""Connections of `headwater serve` in the test's own event loop, over socket pairs: every turn of it is the test's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headwater.server.connection import Connection
from headwater.server.run import make_server
from headwater.server.settings import Settings
from headwater.stores import Store

#: Turns of the loop after which what was sent is read, and what can be done at once is done.
TURNS = 12


class InProcess:
    """What answers connections; made by `in_process`.

    Attributes:
        hub: behind it.
    """

    def __init__(self, settings: Settings, store: Store | None) -> None:
        self._shared = make_server(settings, store).shared
        self.hub = self._shared.service.hub

    def held(self) -> int:
        """Bytes that wait for the clients of all connections, but for live readers."""
        return sum(one.held() for one in self._shared.connections if isinstance(one, Connection))

    def _protocol(self) -> asyncio.Protocol:
        return Connection(self._shared)

    async def connect(self) -> socket.socket:
        """The client's end of a new connection; it does not block."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(self._protocol, theirs)
        return ours


@asynccontextmanager
async def in_process(settings: Settings, store: Store | None = None) -> AsyncIterator[InProcess]:
    """`headwater serve` with these settings, but for listening.

    Args:
        settings: all of them.
        store: where the logs live; None: as the settings say.
    """
    found = InProcess(settings, store)
    async with found.hub:
        yield found


async def turns(count: int = TURNS) -> None:
    """Let the loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def rest_of(client: socket.socket) -> bytes:
    """All that comes to the end of the connection, at most ten seconds."""
    loop, found = asyncio.get_running_loop(), b""
    async with asyncio.timeout(10):
        while part := await loop.sock_recv(client, 65536):
            found += part
    return found
