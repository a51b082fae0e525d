"""A restart on an inherited socket under load: kept connections, new ones and live readers, nobody refused."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow

STREAM = "/v1/stream/s"
#: Those that keep a connection, and as many that open one for each request.
WORKERS = 8
RESTARTS = 2


@dataclass
class Load:
    """Requests that append a record each, and what became of them.

    Attributes:
        pause: seconds between two requests of a worker.
        sent: how many were made.
        acknowledged: their records.
        longest: seconds from a request's first byte to its response.
        ends: no more are made but one.
        last: the record of that.
    """

    port: int
    pause: float
    sent: int = 0
    acknowledged: list[int] = field(default_factory=list)
    longest: float = 0.0
    ends: bool = False
    last: int | None = None
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def advance(self, count: int) -> None:
        """Until so many more were acknowledged."""
        wanted = len(self.acknowledged) + count
        while len(self.acknowledged) < wanted:
            self._more.clear()
            await self._more.wait()

    async def keep(self) -> None:
        """Request after request on one connection, which is opened again when it was closed between two."""
        reader, writer = await self._open()
        while not self.ends:
            if reader.at_eof():
                writer.close()
                reader, writer = await self._open()
            if not await self.append(reader, writer, "keep-alive"):
                writer.close()
                reader, writer = await self._open()
            await asyncio.sleep(self.pause)
        writer.close()

    async def open_each(self) -> None:
        """A connection for each request."""
        while not self.ends:
            await self.open_once()
            await asyncio.sleep(self.pause)

    async def open_once(self) -> None:
        """One request."""
        reader, writer = await self._open()
        await self.append(reader, writer, "close")
        writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def append(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: str) -> bool:
        """Whether the connection can be used again."""
        body = str(self.sent)
        self.sent += 1
        head = f"POST {STREAM} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        writer.write(f"{head}connection: {connection}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        begin = time.monotonic()
        response = await reader.readuntil(b"\r\n\r\n")
        self.longest = max(self.longest, time.monotonic() - begin)
        assert response.startswith(b"HTTP/1.1 204 "), response
        self.acknowledged.append(int(body))
        self._more.set()
        return b"connection: close" not in response.lower()


async def read_all(port: int, load: Load, *, quiet: float = 60.0) -> list[int]:
    """A live reader that comes back with Last-Event-ID whenever its connection ends, until it has the last record."""
    records: list[int] = []
    last = ""
    while not records or records[-1] != load.last:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        again = f"last-event-id: {last}\r\n" if last else ""
        head = f"GET {STREAM}?offset=-1 HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n{again}\r\n"
        writer.write(head.encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        told: list[int] = []
        while line := await asyncio.wait_for(reader.readline(), quiet):
            if line.startswith(b"data:") and line[5:].strip().isdigit():
                told.append(int(line[5:]))
            elif line.startswith(b"id:") and line[3:].strip():
                last = line[3:].strip().decode()
            elif line == b"\n":
                records, told = records + told, []
                if records and records[-1] == load.last:
                    break
        writer.close()
    return records


async def restart_under_load(server: ServerProcess, requests: int, readers: int, pause: float) -> Load:
    """`requests` appends or more, half of them on kept connections, through the restarts."""
    load = Load(server.port, pause)
    async with asyncio.TaskGroup() as group:
        read = [group.create_task(read_all(server.port, load)) for _ in range(readers)]
        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(load.keep())
                workers.create_task(load.open_each())
            for _ in range(RESTARTS):
                await load.advance(requests // (RESTARTS + 1))
                assert await asyncio.to_thread(server.stop) == 0
                await asyncio.to_thread(server.start)
            await load.advance(requests // (RESTARTS + 1))
            load.ends = True
        load.last = load.sent
        await load.open_once()
    assert {tuple(task.result()) for task in read} == {tuple(read[0].result())}
    assert sorted(read[0].result()) == sorted(load.acknowledged)
    return load


@pytest.mark.parametrize(
    ("requests", "readers", "pause"),
    [(300, 30, 0.02), pytest.param(1000, 1000, 0.5, marks=pytest.mark.soak, id="thousands")],
)
def test_nobody_is_refused_lost_or_done_twice(tmp_path: Path, requests: int, readers: int, pause: float) -> None:
    """Every request is answered and its record stored once; every reader has each record once, in one order."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as sock:
        command = [sys.executable, "-m", "headwater.cli", "serve", "--log-level", "warning", "--no-banner"]
        flags = ["--store", f"sqlite:{tmp_path}/log.db", "--fd", str(sock.fileno())]
        with ServerProcess([*command, *flags], socks=[sock]) as server:
            assert call(server, "PUT", STREAM, content_type="application/json").status == 201
            load = asyncio.run(restart_under_load(server, requests, readers, pause))
            stored = call(server, "GET", STREAM).json()
    text = "%d requests, %d readers, %d restarts: the longest waited %.1f s"
    logging.getLogger(__name__).info(text, load.sent, readers, RESTARTS, load.longest)
    assert sorted(load.acknowledged) == list(range(load.sent))
    assert sorted(stored) == list(range(load.sent))
