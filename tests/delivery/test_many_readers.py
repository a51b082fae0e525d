"""Many live readers on a real server: some cut at random, some that never read, and records that go on."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from pathlib import Path

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

URL = "/v1/stream/feed"
RECORDS = 800
READERS = 60
CUT = 30
STALLED = 15
PADDING = "x" * 10_000


class Reader:
    """Follows the stream over NDJSON to its end, and comes back where it stopped when it is cut."""

    def __init__(self, server: ServerProcess, draw: random.Random | None) -> None:
        self.server = server
        self.draw = draw
        self.offset = "-1"
        self.numbers: list[int] = []
        self.closed = False
        self.cuts = 0

    async def run(self) -> None:
        while not self.closed:
            stream, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            try:
                await self._follow(stream, writer)
            finally:
                writer.close()

    async def _follow(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = f"GET {URL}?offset={self.offset} HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n\r\n"
        writer.write(request.encode())
        head = await stream.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        left = self.draw.randint(1, 1_000_000) if self.draw and self.cuts < 5 else None
        held = b""
        while (chunk := await self._chunk(stream)) is not None:
            if left is not None:
                left -= len(chunk)
                if left < 0:  # the network ends in the middle of what was just sent
                    self.cuts += 1
                    self._take(held + chunk[:left])
                    writer.transport.abort()
                    return
            held = self._take(held + chunk)

    async def _chunk(self, stream: asyncio.StreamReader) -> bytes | None:
        size = int(await stream.readuntil(b"\r\n"), 16)
        return (await stream.readexactly(size + 2))[:-2] if size else None

    def _take(self, data: bytes) -> bytes:
        *lines, rest = data.split(b"\n")
        for line in lines:
            event = json.loads(line)
            if "data" in event:
                self.numbers.append(event["data"]["n"])
                self.offset = event["offset"]
            self.closed = self.closed or event.get("control") == "closed"
        return rest


def stalled_socket(server: ServerProcess) -> socket.socket:
    """A client that asks and never reads."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.port))
    raw.sendall(f"GET {URL} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n".encode())
    return raw


def append_all(server: ServerProcess) -> None:
    for number in range(RECORDS):
        body = json.dumps({"n": number, "padding": PADDING})
        assert call(server, "POST", URL, body, content_type="application/json").status == 204
    assert call(server, "POST", URL, stream_closed="true").status == 204


def resident(server: ServerProcess) -> int:
    """Bytes of memory the server holds."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024


@pytest.mark.slow
def test_every_reader_gets_every_record_once(tmp_path: Path) -> None:
    """Readers cut anywhere and readers that never read: all others get the log, whole and in order, and so do those
    that come back; a reader that never reads costs its socket's buffer and nothing that grows."""
    draw = random.Random(17)
    with headwater_server(f"sqlite:{tmp_path}/log.db") as server:
        call(server, "PUT", URL, content_type="application/json")
        readers = [Reader(server, draw if index < CUT else None) for index in range(READERS)]
        before = resident(server)
        stalled = [stalled_socket(server) for _ in range(STALLED)]

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                for reader in readers:
                    group.create_task(reader.run())
                group.create_task(asyncio.to_thread(append_all, server))

        asyncio.run(main())
        stats = call(server, "GET", "/-/stats").json()
        grown = resident(server) - before
        for raw in stalled:
            raw.close()
    for reader in readers:
        assert reader.numbers == list(range(RECORDS))
    assert sum(reader.cuts for reader in readers) > CUT
    assert stats["pauses"] >= STALLED
    # The log is 8 MB: fifteen queues of it would be 120 MB.
    assert grown < 50_000_000, f"{grown} bytes"
