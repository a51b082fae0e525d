"""Half an hour of everything at once: what a server holds, in memory, descriptors and tasks, does not grow."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess
from tests.support.sockets import resident
from tests.support.websocket import CONNECT, JSON_PROTOCOL, Client

MINUTES = float(os.environ.get("SOAK_MINUTES", "5"))

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.timeout(MINUTES * 60 + 120)]

#: How often the server is looked at, in all.
LOOKS = 40
#: Clients of each kind at the same time.
AT_ONCE = 6
STREAMS = [f"/v1/stream/load/{number}" for number in range(8)]
#: Records are kept by their number, so that what is stored does not grow either.
RETENTION = {"stream_retention": "count=500"}
#: What an allocator may keep of a load that has its ups and downs.
GROWTH = 12_000_000
#: Objects that may come until the end, behind the first quarter of the time, which is not enough to fill all that is
#: remembered up to a bound (docs/explanation/cost.md). One of each act that was kept would be ten times as many.
OBJECTS = 30_000
#: `headwater serve` that writes how many tasks and objects it has into a file, when it is sent SIGUSR1; for SIGUSR2
#: without those that nobody reaches.
SERVE = """
import asyncio, gc, signal, sys
from pathlib import Path
from headwater.cli import main
told = Path(sys.argv.pop(1))
def tell(number, _):
    if number == signal.SIGUSR2:
        gc.collect()
    told.with_suffix(".new").write_text("%d %d" % (len(asyncio.all_tasks()), sys.getallocatedblocks()))
    told.with_suffix(".new").rename(told)
signal.signal(signal.SIGUSR1, tell)
signal.signal(signal.SIGUSR2, tell)
main()
"""


@dataclass(frozen=True)
class Held:
    """What the server holds at one moment."""

    memory: int
    descriptors: int
    tasks: int
    objects: int


class Load:
    """Clients of all kinds against one server; each act is one connection.

    Attributes:
        acts: by the name of the kind, how often it was done.
    """

    def __init__(self, server: ServerProcess, draw: random.Random) -> None:
        self.acts: Counter[str] = Counter()
        self._server = server
        self._draw = draw
        #: Of the act that a task does now.
        self._opened: dict[asyncio.Task[None] | None, list[asyncio.StreamWriter]] = {}

    async def go_on(self, act: Callable[[], Awaitable[None]], end: asyncio.Event) -> None:
        """One act after the other, until the end."""
        while not end.is_set():
            with contextlib.suppress(ConnectionError, EOFError, TimeoutError):
                async with asyncio.timeout(20):
                    await act()
            for writer in self._opened.pop(asyncio.current_task(), ()):  # an act may have been given up in the middle
                writer.transport.abort()
            self.acts[act.__name__] += 1

    async def append(self) -> None:
        """Some records on a kept connection."""
        reader, writer = await self._open()
        for _ in range(20):
            body = b'{"text":"%b"}' % (b"x" * self._draw.randrange(2000))
            await self._ask(reader, writer, "POST", self._stream(), body)
        writer.close()

    async def read_live(self) -> None:
        """A live reader for a while, which leaves politely or does not."""
        accept = self._draw.choice(["text/event-stream", "application/x-ndjson"])
        await self._read(f"{self._stream()}?{self._draw.choice(['offset=now', 'offset=-1', 'last=20'])}", accept)

    async def read_many(self) -> None:
        """Several streams, and a pattern, on one connection."""
        await self._read("/v1/stream/-/many?offset=now&stream=load/1&stream=load/2&stream=made/*", "text/event-stream")

    async def poll(self) -> None:
        """A long-poll, left before or after its end."""
        await self._read(f"{self._stream()}?offset=now&live=long-poll", "*/*")

    async def stall(self) -> None:
        """A reader from the start that never reads."""
        _, writer = await self._open(receive=4096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(self._head("GET", f"{self._stream()}?offset=-1", b"accept: text/event-stream\r\n"))
        await asyncio.sleep(self._draw.random() * 5)
        self._leave(writer)

    async def catch_up(self) -> None:
        """Short reads on one connection."""
        reader, writer = await self._open()
        for _ in range(5):
            target = f"{self._stream()}{self._draw.choice(['', '?last=50', '?offset=-1'])}"
            await self._ask(reader, writer, self._draw.choice(["GET", "HEAD"]), target)
        writer.close()

    async def make(self) -> None:
        """A stream that is made, written, closed and deleted."""
        reader, writer = await self._open()
        path = f"/v1/stream/made/{self._draw.randrange(10**9)}"
        for method, body in (("PUT", b""), ("POST", b"[1,2,3]"), ("GET", b""), ("DELETE", b"")):
            await self._ask(reader, writer, method, path, body)
        writer.close()

    async def cut(self) -> None:
        """A request that ends anywhere."""
        _, writer = await self._open()
        body = b'"%b"' % (b"y" * self._draw.randrange(100_000))
        data = self._head("POST", self._stream(), b"content-length: %d\r\n" % len(body)) + body
        writer.write(data[: self._draw.randrange(len(data))])
        await asyncio.sleep(0)
        self._leave(writer)

    async def talk_nonsense(self) -> None:
        """Bytes that are no HTTP."""
        reader, writer = await self._open()
        writer.write(self._draw.randbytes(self._draw.randrange(1, 4000)) + b"\r\n\r\n")
        writer.write_eof()
        await reader.read()
        self._leave(writer)

    async def subscribe(self) -> None:
        """A WebSocket with subscriptions, appends and an end in the middle."""
        sock = socket.socket()
        sock.setblocking(False)
        with sock:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._server.port))
            client = Client(sock)
            await client.handshake(CONNECT, JSON_PROTOCOL)
            await client.send(t="hello")
            for number in range(4):
                await client.send(t="sub", id=number, path=f"load/{number}", last=5)
                await client.send(t="append", id=10 + number, path=f"load/{number}", r=[{"n": number}])
            for _ in range(self._draw.randrange(1, 12)):
                await client.next()

    async def _read(self, target: str, accept: str) -> None:
        reader, writer = await self._open()
        writer.write(self._head("GET", target, b"accept: %b\r\n" % accept.encode()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._draw.random() * 3):
                while await reader.read(65_536):
                    pass
        self._leave(writer)

    async def _open(self, *, receive: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = socket.socket()
        sock.setblocking(False)
        if receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._server.port))
        reader, writer = await asyncio.open_connection(sock=sock)
        self._opened.setdefault(asyncio.current_task(), []).append(writer)
        return reader, writer

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, target: str, body: bytes = b""
    ) -> None:
        length = b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
        writer.write(self._head(method, target, length) + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert not head.startswith(b"http/1.1 5"), head
        if method != "HEAD" and b"content-length: " in head:
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        elif method != "HEAD" and b"transfer-encoding: chunked" in head:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()

    def _leave(self, writer: asyncio.StreamWriter) -> None:
        if self._draw.random() < 0.5:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def _stream(self) -> str:
        return self._draw.choice(STREAMS)

    @staticmethod
    def _head(method: str, target: str, lines: bytes) -> bytes:
        return b"%b %b HTTP/1.1\r\nhost: localhost\r\n%b\r\n" % (method.encode(), target.encode(), lines)


def look(server: ServerProcess, told: Path, number: int = signal.SIGUSR1) -> Held:
    """What the server holds now."""
    told.unlink(missing_ok=True)
    os.kill(server.pid, number)
    while not told.exists():
        # A signal is seen when the loop does something next.
        call(server, "GET", "/-/health")
    tasks, objects = map(int, told.read_text().split())
    return Held(resident(server), len(os.listdir(f"/proc/{server.pid}/fd")), tasks, objects)


async def run_load(server: ServerProcess, told: Path) -> list[Held]:
    """Before the load, at regular moments of it, and after it, when all clients have gone."""
    load, end = Load(server, random.Random(1)), asyncio.Event()
    acts = (load.append, load.read_live, load.read_many, load.poll, load.stall, load.catch_up)
    rare = (load.make, load.cut, load.talk_nonsense, load.subscribe)
    held = [await asyncio.to_thread(look, server, told)]
    async with asyncio.TaskGroup() as group:
        for act in (*acts, *rare):
            for _ in range(AT_ONCE):
                group.create_task(load.go_on(act, end))
        begin = time.monotonic()
        for number in range(1, LOOKS + 1):
            await asyncio.sleep(begin + number * MINUTES * 60 / LOOKS - time.monotonic())
            kind = signal.SIGUSR2 if number == LOOKS // 4 else signal.SIGUSR1
            held.append(await asyncio.to_thread(look, server, told, kind))
        end.set()
    last = await asyncio.to_thread(look, server, told, signal.SIGUSR2)
    while last.descriptors > held[0].descriptors:
        last = await asyncio.to_thread(look, server, told, signal.SIGUSR2)
    logging.getLogger(__name__).info("%s", dict(load.acts))
    return [*held, last]


def test_nothing_grows(tmp_path: Path) -> None:
    """Between the second quarter of the time and the last, and after it."""
    command = [sys.executable, "-c", SERVE, str(tmp_path / "tasks"), "serve", "--no-banner", "--log-level", "error"]
    flags = ["--port", "{port}", "--store", f"sqlite:{tmp_path}/log.db"]
    with ServerProcess([*command, *flags]) as server:
        for path in STREAMS:
            made = call(server, "PUT", path, content_type="application/json", **RETENTION)
            assert made.status == 201, made
        held = asyncio.run(run_load(server, tmp_path / "tasks"))
    first, *during, last = held
    early, late = during[LOOKS // 4 : LOOKS // 2], during[-LOOKS // 4 :]
    for what in ("memory", "descriptors", "tasks", "objects"):
        logging.getLogger(__name__).info("%s: %s", what, [getattr(each, what) for each in held])
    assert median(each.memory for each in late) <= median(each.memory for each in early) + GROWTH
    assert max(each.tasks for each in late) <= max(each.tasks for each in early) + 5
    assert last.objects <= during[LOOKS // 4 - 1].objects + OBJECTS
    assert last.tasks <= first.tasks
    assert last.descriptors <= first.descriptors
