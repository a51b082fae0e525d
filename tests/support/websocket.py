"""A client of a WebSocket in the test's own event loop, over a socket pair: every turn of the loop is the test's."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from tests.support.inprocess import InProcess
from websockets.frames import Frame, Opcode

from headwater.protocol.websocket import frames

#: Of the whole handshake but for the request line.
HEADERS = (
    b"host: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
)
JSON_PROTOCOL = b"sec-websocket-protocol: headwater.v1+json\r\n"


class Packs(Protocol):
    """A subprotocol as a client has it.

    Attributes:
        name: of it.
    """

    name: str

    def pack(self, message: dict[str, Any]) -> Frame:
        """A message to send."""
        ...

    def unpack(self, data: bytes) -> dict[str, Any]:
        """A message that came."""
        ...


class Json:
    """See `Packs`."""

    name = "headwater.v1+json"

    def pack(self, message: dict[str, Any]) -> Frame:
        """See `Packs`."""
        return Frame(Opcode.TEXT, json.dumps(message).encode())

    def unpack(self, data: bytes) -> dict[str, Any]:
        """See `Packs`."""
        found: dict[str, Any] = json.loads(data)
        return found


CONNECT = "/v1/stream/-/connect"


class Client:
    """One connection behind its handshake.

    Attributes:
        sock: the client's end; it does not block.
        packs: its subprotocol.
        head: of the response.
        close_code: that the server sent; None: it did not.
        close_reason: of the same.
    """

    def __init__(self, sock: socket.socket, packs: Packs | None = None) -> None:
        self.sock = sock
        self.packs = packs or Json()
        self.head = b""
        self.close_code: int | None = None
        self.close_reason = ""
        self._held = b""
        self._next = 0

    async def handshake(self, path: str, headers: bytes = b"", behind: bytes = b"") -> int:
        """Ask for a WebSocket; gives the status of the response."""
        await self.raw(b"GET %b HTTP/1.1\r\n%b%b\r\n%b" % (path.encode(), HEADERS, headers, behind))
        while b"\r\n\r\n" not in self._held:
            await self._more()
        self.head, _, self._held = self._held.partition(b"\r\n\r\n")
        return int(self.head.split()[1])

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def send(self, **message: Any) -> None:
        """Send a message; `from_` is `from`."""
        if "from_" in message:
            message["from"] = message.pop("from_")
        await self.raw(self.packs.pack(message).serialize(mask=True))

    async def text(self, text: str) -> None:
        """Send a text message."""
        await self.raw(Frame(Opcode.TEXT, text.encode()).serialize(mask=True))

    async def ask(self, t: str, **fields: Any) -> dict[str, Any]:
        """Send a message with a new id, and wait for its answer; all else is read over."""
        self._next += 1
        await self.send(t=t, id=self._next, **fields)
        return await self.until(id=self._next)

    async def until(self, **fields: Any) -> dict[str, Any]:
        """The next message with these fields."""
        async with asyncio.timeout(20):
            while True:
                found = await self.next()
                if all(found.get(key) == value for key, value in fields.items()):
                    return found

    async def next(self) -> dict[str, Any]:
        """The next message.

        Raises:
            EOFError: the server has closed, or the connection is gone.
        """
        return self.packs.unpack(await self.message())

    async def message(self) -> bytes:
        """The payload of the next message; pings are answered."""
        while True:
            first, payload = await self.frame()
            if first in (frames.TEXT, frames.BINARY):
                return payload
            if first == frames.PING:
                await self.raw(Frame(Opcode.PONG, payload).serialize(mask=True))
            elif first == frames.CLOSE:
                self.close_code = int.from_bytes(payload[:2]) if payload else 1005
                self.close_reason = payload[2:].decode()
                raise EOFError(f"{self.close_code} {self.close_reason}")

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: its first byte, and the payload."""
        while (found := _first_frame(self._held)) is None:
            await self._more()
        size, first, payload = found
        self._held = self._held[size:]
        return first, payload

    async def _more(self) -> None:
        async with asyncio.timeout(20):
            part = await asyncio.get_running_loop().sock_recv(self.sock, 1 << 20)
        if not part:
            raise EOFError("the connection is gone")
        self._held += part

    async def cut(self) -> None:
        """Read to the end, and answer nothing."""
        with suppress(EOFError, OSError):
            while True:
                await self.frame()

    async def closed(self) -> int | None:
        """Read to the end; gives the close code, if one came. The server's close frame is answered."""
        with suppress(EOFError, ConnectionResetError):
            while True:
                await self.message()
        if self.close_code is not None:
            await self.close(1000 if self.close_code == 1005 else self.close_code)
            with suppress(EOFError, OSError):
                while True:
                    await self._more()
        return self.close_code

    async def close(self, code: int = 1000) -> None:
        """Send a close frame."""
        with suppress(OSError):  # it may be gone already
            await self.raw(Frame(Opcode.CLOSE, code.to_bytes(2)).serialize(mask=True))


def _first_frame(data: bytes) -> tuple[int, int, bytes] | None:
    if len(data) < 2:
        return None
    size, at = data[1], 2
    if size >= 126:
        at += 2 if size == 126 else 8
        size = int.from_bytes(data[2:at])
    if len(data) < at + size:
        return None
    return at + size, data[0], data[at : at + size]


@asynccontextmanager
async def connection(
    server: InProcess, path: str = CONNECT, headers: bytes = JSON_PROTOCOL, packs: Packs | None = None
) -> AsyncIterator[Client]:
    """A client behind its handshake."""
    sock = await server.connect()
    with sock:
        client = Client(sock, packs)
        assert await client.handshake(path, headers) == 101
        yield client


@asynccontextmanager
async def greeted(server: InProcess, packs: Packs | None = None, **hello: Any) -> AsyncIterator[Client]:
    """A client of `-/connect` behind `hello` and `welcome`."""
    packs = packs or Json()
    header = b"sec-websocket-protocol: %b\r\n" % packs.name.encode()
    async with connection(server, headers=header, packs=packs) as client:
        await client.send(t="hello", **hello)
        assert (await client.next())["t"] == "welcome"
        yield client


@asynccontextmanager
async def single(server: InProcess, path: str, headers: bytes = b"") -> AsyncIterator[Client]:
    """A client of a stream's own URL."""
    async with connection(server, f"/v1/stream/{path}", headers) as client:
        yield client
