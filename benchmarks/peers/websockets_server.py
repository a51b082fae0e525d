"""Broadcast as the documentation of websockets has it; published to over a connection of its own, at /publish."""

from __future__ import annotations

import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

clients: set[ServerConnection] = set()


async def handle(connection: ServerConnection) -> None:
    """A reader, or the publisher, whose every message is answered by an empty one."""
    assert connection.request is not None
    if connection.request.path == "/publish":
        async for message in connection:
            for line in message.splitlines():
                broadcast(clients, line)
            await connection.send("")
        return
    clients.add(connection)
    try:
        await connection.wait_closed()
    finally:
        clients.discard(connection)


async def main(port: int) -> None:
    """Serve for ever."""
    async with serve(handle, "127.0.0.1", port, compression=None, backlog=4096) as server:
        await server.serve_forever()


uvloop.run(main(int(sys.argv[1])))
