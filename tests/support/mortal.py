"""A real server that is killed and comes back, and who writes to it all the same."""

from __future__ import annotations

import asyncio
import socket

from tests.support.processes import ServerProcess
from tests.support.wanderer import Dialled, Source


class Mortal:
    """A server that is killed and comes back; see `Reaches`.

    Args:
        process: that runs.
    """

    def __init__(self, process: ServerProcess) -> None:
        self._process = process
        self._dialled = Dialled(process)
        self._lives = asyncio.Event()
        self._lives.set()

    async def connect(self) -> socket.socket:
        """See `Reaches.connect`; while it is dead, it is waited for."""
        while True:
            try:
                return await self._dialled.connect()
            except OSError:
                await self._lives.wait()

    async def restart(self) -> None:
        """Kill it, and start it again."""
        self._lives.clear()
        await asyncio.to_thread(self._process.kill)
        await asyncio.to_thread(self._process.start)
        self._lives.set()

    async def post(self, path: str, body: str, **headers: str) -> int:
        """The status of a POST below the streams, however often it has to be sent.

        Args:
            path: behind the prefix.
            body: JSON.
            headers: more of them, with underscores for dashes.
        """
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = "\r\n".join(
            [
                f"POST /v1/stream/{path} HTTP/1.1",
                "host: localhost",
                "content-type: application/json",
                "connection: close",
                *lines,
                f"content-length: {len(body)}",
                "",
                "",
            ]
        )
        while (status := await self._post((head + body).encode())) is None:
            pass
        return status

    async def _post(self, request: bytes) -> int | None:
        with await self.connect() as sock:
            try:
                await asyncio.get_running_loop().sock_sendall(sock, request)
                return int((await Source(sock, None).until(b"\r\n\r\n")).split()[1])
            except (EOFError, ConnectionError):
                return None


class Producer:
    """Writes to one, each body once.

    Args:
        server: where.
        id: of the producer.

    Attributes:
        sent: how many were acknowledged.
    """

    def __init__(self, server: Mortal, id: str) -> None:
        self.sent = 0
        self._server = server
        self._id = id

    async def write(self, path: str, body: str) -> None:
        """Append to a stream."""
        headers = {"producer_id": self._id, "producer_epoch": "0", "producer_seq": str(self.sent)}
        assert await self._server.post(path, body, **headers) in (200, 204)
        self.sent += 1
