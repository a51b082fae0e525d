"""A reader that is cut anywhere, and comes back over any wire at the offset that it was told last.

What it has is what was told with an offset: a record whose offset did not come is read again.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Protocol

from tests.support.processes import ServerProcess
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.websocket import CONNECT, Client, Packs

from headwater.protocol.sse import Parser

#: `-/connect` in each subprotocol.
DOOR: Final = tuple(packs.name for packs in SUBPROTOCOLS)
WIRES: Final = (*DOOR, "bare", "events", "sse", "ndjson", "long-poll")
_PACKS: Final = {packs.name: packs for packs in SUBPROTOCOLS}
_CUTS: Final = (200, 400, 900, 4000)
#: One that is shorter than a batch, so that credit runs out.
_WINDOWS: Final = (0, 120, 4096)


class Reaches(Protocol):
    """A server."""

    async def connect(self) -> socket.socket:
        """The client's end of a new connection; it does not block."""
        ...


class Dialled:
    """A server process; see `Reaches`."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server

    async def connect(self) -> socket.socket:
        """See `Reaches.connect`."""
        sock = socket.socket()
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._server.port))
        except BaseException:
            sock.close()
            raise
        return sock


class Source:
    """What comes on a socket, until it is cut.

    Args:
        sock: is not closed.
        budget: bytes after which it is cut; None: it is not.
    """

    def __init__(self, sock: socket.socket, budget: int | None) -> None:
        self.sock = sock
        self.budget = budget
        self._held = b""

    async def more(self) -> bytes:
        """Some bytes.

        Raises:
            EOFError: it was cut.
        """
        if self._held:
            held, self._held = self._held, b""
            return held
        if self.budget == 0:
            raise EOFError("cut by the test")
        most = 1 << 16 if self.budget is None else min(1 << 16, self.budget)
        async with asyncio.timeout(60):
            part = await asyncio.get_running_loop().sock_recv(self.sock, most)
        if not part:
            raise EOFError("the connection is gone")
        if self.budget is not None:
            self.budget -= len(part)
        return part

    async def until(self, end: bytes) -> bytes:
        """All up to some bytes, without them."""
        found = b""
        while end not in found:
            found += await self.more()
        found, _, self._held = found.partition(end)
        return found

    async def some(self, most: int) -> bytes:
        """At least one byte, at most so many."""
        part = await self.more()
        self._held = part[most:]
        return part[:most]

    async def chunks(self) -> AsyncIterator[bytes]:
        """A chunked body, in pieces, to its end."""
        while left := int(await self.until(b"\r\n"), 16):
            while left:
                part = await self.some(left)
                left -= len(part)
                yield part
            await self.until(b"\r\n")


class CutClient(Client):
    """One that reads of a source."""

    def __init__(self, source: Source, packs: Packs | None = None) -> None:
        super().__init__(source.sock, packs)
        self._source = source

    async def _more(self) -> None:
        self._held += await self._source.more()


class Wanderer:
    """See the module.

    Args:
        path: of a stream of JSON values.
        draw: where it is cut, and how it comes back.
        wires: of `WIRES`.

    Attributes:
        records: that it has.
        offset: where it comes back.
        visits: by wire.
    """

    def __init__(self, path: str, draw: random.Random, wires: tuple[str, ...] = WIRES) -> None:
        self.records: list[Any] = []
        self.offset = "-1"
        self.visits: Counter[str] = Counter()
        self._path = path
        self._draw = draw
        self._wires = wires

    async def visit(self, server: Reaches, is_enough: Callable[[], bool]) -> None:
        """Come once, and be cut; or have enough.

        Args:
            server: where the stream is.
            is_enough: whether it goes by itself, behind a record.
        """
        wire = self._draw.choice(self._wires)
        self.visits[wire] += 1
        # Now and then it is not cut, so that it comes to what is live.
        budget = self._draw.choice((None, *(self._draw.randrange(1, most) for most in _CUTS)))
        limit = len(self.records) + self._draw.randrange(1, 60) if budget is None else None
        with await server.connect() as sock:
            try:
                async for offset, records in self._told(wire, Source(sock, budget)):
                    assert offset >= self.offset
                    self.records += records
                    self.offset = offset
                    if (limit is not None and len(self.records) >= limit) or is_enough():
                        return
            except (EOFError, ConnectionError):
                return

    def _told(self, wire: str, source: Source) -> AsyncIterator[tuple[str, list[Any]]]:
        if wire in _PACKS:
            return self._door(source, _PACKS[wire])
        ways = {"bare": self._bare, "ndjson": self._ndjson, "events": self._events, "sse": self._sse}
        return ways.get(wire, self._polled)(source)

    async def _door(self, source: Source, packs: Packs) -> AsyncIterator[tuple[str, list[Any]]]:
        client = CutClient(source, packs)
        header = b"sec-websocket-protocol: %b\r\n" % packs.name.encode()
        assert await client.handshake(CONNECT, header) == 101
        window = self._draw.choice(_WINDOWS)
        await client.send(t="hello")
        await client.send(t="sub", id=1, path=self._path, from_=self.offset, window=window)
        while True:
            told = await client.next()
            assert told["t"] in ("welcome", "sub", "data", "live", "ping"), told
            if told["t"] == "data":
                values = told["r"] if "r" in told else [json.loads(each) for each in told["b"]]
                last = told["o"]
                offsets = [last[: len(last) - len(end)] + end for end in told.get("e", ())] + [last]
                # It may go in the middle of a batch.
                for offset, value in zip(offsets, values, strict=True):
                    yield offset, [value]
                if window:
                    await client.send(t="ack", s=told["s"], o=self._draw.choice(offsets))
                    await client.send(t="ack", s=told["s"], o=last)

    async def _bare(self, source: Source) -> AsyncIterator[tuple[str, list[Any]]]:
        client = CutClient(source)
        assert await client.handshake(f"/v1/stream/{self._path}?offset={self.offset}") == 101
        while True:
            yield _line(await client.message())

    async def _ask(self, source: Source, query: str, accept: str, *headers: str) -> bytes:
        head = [f"GET /v1/stream/{self._path}?{query} HTTP/1.1", "host: localhost", f"accept: {accept}", *headers]
        await asyncio.get_running_loop().sock_sendall(source.sock, "\r\n".join([*head, "", ""]).encode())
        found = await source.until(b"\r\n\r\n")
        assert found.split()[1] in (b"200", b"204"), found
        return found.lower() + b"\r\n"

    async def _ndjson(self, source: Source) -> AsyncIterator[tuple[str, list[Any]]]:
        await self._ask(source, f"offset={self.offset}", "application/x-ndjson")
        held = b""
        async for part in source.chunks():
            *lines, held = (held + part).split(b"\n")
            for line in lines:
                yield _line(line)

    async def _events(self, source: Source) -> AsyncIterator[tuple[str, list[Any]]]:
        """As `EventSource` reads: by the header, but for the first time."""
        is_first = self.offset == "-1"
        headers = () if is_first else (f"last-event-id: {self.offset}",)
        await self._ask(source, "offset=-1" if is_first else "", "text/event-stream", *headers)
        parser = Parser()
        async for part in source.chunks():
            for event in parser.feed(part):
                assert event.event in (b"", b"stream-up-to-date"), event
                yield event.id.decode() or self.offset, [] if event.event else [json.loads(event.data)]

    async def _sse(self, source: Source) -> AsyncIterator[tuple[str, list[Any]]]:
        await self._ask(source, f"offset={self.offset}&live=sse", "text/event-stream")
        parser, values = Parser(), list[Any]()
        async for part in source.chunks():
            for event in parser.feed(part):
                told = json.loads(event.data)
                if event.event == b"control":
                    assert "streamGap" not in told
                    yield told["streamNextOffset"], values
                    values = []
                else:
                    values += told

    async def _polled(self, source: Source) -> AsyncIterator[tuple[str, list[Any]]]:
        head = await self._ask(source, f"offset={self.offset}&live=long-poll", "*/*")
        offset = _header(head, b"stream-next-offset").decode()
        body = b""
        size = int(_header(head, b"content-length") or b"0")
        while len(body) < size:
            body += await source.some(size - len(body))
        yield offset, json.loads(body) if body else []


def _header(head: bytes, name: bytes) -> bytes:
    _, found, rest = head.partition(b"\r\n" + name + b": ")
    return rest.partition(b"\r\n")[0] if found else b""


def _line(line: bytes) -> tuple[str, list[Any]]:
    told = json.loads(line)
    assert told.get("control", "up-to-date") == "up-to-date", told
    return told["offset"], [told["data"]] if "data" in told else []
