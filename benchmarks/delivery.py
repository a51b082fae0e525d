"""What Python adds to a delivery, and how long live streams wait beside a long one on the same connection."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import os
import re
import socket
import subprocess
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import uvloop

from benchmarks import tools
from benchmarks.servers import MEMORY, SQLITE, Kind, Server
from headwater import Hub, Limits
from headwater.hub.formats import wire_format
from headwater.hub.live.sinks import SinkOwner

RECORD: Final = {"user": "u1234567", "text": "x" * 50}
#: Live streams beside the long one, and records a second to each.
LIVE: Final = 29
RATE: Final = 4
#: Seconds of a read without the long stream.
ALONE_SECONDS: Final = 3.0
#: What the system holds for the client at most.
CLIENT_BYTES: Final = 64 * 1024
ROOT: Final = "/v1/stream/"


class Socket:
    """A sink whose descriptor is written to, and that never holds anything; see `Sink`."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor: int | None = descriptor

    def attach(self, owner: SinkOwner) -> None:
        """See `Sink.attach`."""

    def write(self, data: bytes | memoryview) -> None:
        """See `Sink.write`."""
        assert self.descriptor is not None
        os.write(self.descriptor, data)

    def held(self) -> int:
        """See `Sink.held`."""
        return 0

    def address(self) -> str | None:
        """See `Sink.address`."""
        return None

    def finish(self) -> None:
        """See `Sink.finish`."""

    def abort(self) -> None:
        """See `Sink.abort`."""


def _in_c() -> ctypes.CDLL:
    tools.BUILD.mkdir(exist_ok=True)
    library, source = tools.BUILD / "send_all.so", tools.HERE / "load" / "send_all.c"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "-o", str(library), str(source)], check=True)
    return ctypes.CDLL(str(library))


class Turns:
    """The same frame to many sockets: by the hub, by a loop of `os.write`, and by one of `send` in C.

    Args:
        pairs: of sockets; the hub writes to the first ones.
    """

    def __init__(self, pairs: Sequence[tuple[socket.socket, socket.socket]]) -> None:
        self._library = _in_c()
        self._count = len(pairs)
        self._first = pairs[0][1]
        self._ours = array("i", [ours.fileno() for ours, _ in pairs])
        self._theirs = array("i", [theirs.fileno() for _, theirs in pairs])
        self.found: dict[str, list[float]] = {"hub": [], "os.write": [], "send in C": []}

    def take(self) -> int:
        """Take out what has come; gives the bytes."""
        taken: int = self._library.take_all(ctypes.c_void_p(self._theirs.buffer_info()[0]), self._count)
        return taken

    def turn(self, flush: Callable[[], object]) -> None:
        """One turn of each.

        Args:
            flush: has the hub tell a record.
        """
        self._measure("hub", flush)
        frame = self._first.recv(65536, socket.MSG_PEEK)
        assert self.take() == len(frame) * self._count
        self._measure("os.write", lambda: self._by_python(frame))
        assert self.take() == len(frame) * self._count
        self._measure("send in C", lambda: self._in_c(frame))
        assert self.take() == len(frame) * self._count

    def _by_python(self, frame: bytes) -> None:
        for descriptor in self._ours:
            os.write(descriptor, frame)

    def _in_c(self, frame: bytes) -> None:
        self._library.send_all(ctypes.c_void_p(self._ours.buffer_info()[0]), self._count, frame, len(frame))

    def _measure(self, name: str, work: Callable[[], object]) -> None:
        begin = time.thread_time_ns()
        work()
        self.found[name].append((time.thread_time_ns() - begin) / 1000 / self._count)


async def share(readers: int, rounds: int) -> dict[str, float]:
    """CPU microseconds of a delivery, medians."""
    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(readers)]
        for pair in pairs:
            for end in pair:
                stack.enter_context(end).setblocking(False)
        turns = Turns(pairs)
        async with Hub(limits=Limits(flush_seconds=0, drain_seconds=0)) as hub:
            hub.runtime.flusher.schedule = lambda stream: None  # type: ignore[method-assign] # it is done here
            await hub.create("s", content_type="application/json")
            for ours, _ in pairs:
                await hub.live.subscribe("s", "-1", wire_format("sse"), Socket(ours.fileno()))
            stream = hub.live.stream("s")
            assert stream is not None
            turns.take()
            gc.disable()
            for number in range(rounds):
                await hub.append("s", {**RECORD, "n": number})
                turns.turn(lambda: stream.flush(1 << 20))
            gc.enable()
    return {name: median(values) for name, values in turns.found.items()}


class Beside:
    """Live streams on one connection, with a long one beside them or without.

    Args:
        port: of a server in a process of its own.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended = threading.Event()

    def fill(self, records: int) -> None:
        """Make the streams."""
        server = HTTPConnection("127.0.0.1", self._port)
        for name in ["long", *(f"live{each}" for each in range(LIVE))]:
            self._ask(server, "PUT", name, b"")
        part = 10_000
        for first in range(0, records, part):
            self._ask(server, "POST", "long", msgspec.json.encode([{"n": first + each} for each in range(part)]))

    def _ask(self, server: HTTPConnection, method: str, name: str, body: bytes) -> None:
        server.request(method, ROOT + name, body, {"content-type": "application/json"})
        response = server.getresponse()
        response.read()
        assert response.status < 300, response.status

    def _append(self) -> None:
        server, each = HTTPConnection("127.0.0.1", self._port), 0
        while not self._ended.wait(1 / LIVE / RATE):
            self._ask(server, "POST", f"live{each % LIVE}", b'{"sent":%.6f}' % time.monotonic())
            each += 1

    def read(self, last: bytes | None) -> tuple[list[float], float]:
        """Read while the live streams are written.

        Args:
            last: a part of the long stream's last record; None: that stream is not read, for `ALONE_SECONDS`.

        Returns:
            Seconds from before each append to a live stream until it was read, ascending; and those that all took.
        """
        streams = "&".join(f"stream=live{each}&offset=now" for each in range(LIVE)) + ("&stream=long" if last else "")
        head = f"GET {ROOT}-/many?{streams} HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n\r\n"
        delays: list[float] = []
        self._ended.clear()
        with socket.socket() as client:
            # What waits in the system for a slow client waits there for every server.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CLIENT_BYTES)
            client.settimeout(30)
            client.connect(("127.0.0.1", self._port))
            writer = threading.Thread(target=self._append)
            writer.start()
            client.sendall(head.encode())
            begin, rest, is_there = time.monotonic(), b"", False
            try:
                while not is_there:
                    data = client.recv(1 << 18)
                    assert data, "the connection ended"
                    now = time.monotonic()
                    whole, _, rest = (rest + data).rpartition(b"\n")
                    delays += (now - float(sent) for sent in re.findall(rb'"sent":([0-9.]+)}', whole))
                    is_there = last in whole if last else now > begin + ALONE_SECONDS
                return sorted(delays), time.monotonic() - begin
            finally:
                self._ended.set()
                writer.join()


def beside(kind: Kind, records: int) -> str:
    """Live records alone, and beside a long stream, as a line."""
    with TemporaryDirectory(prefix="delivery-", dir=tools.BUILD) as folder, Server(kind, Path(folder)) as server:
        one = Beside(server.port)
        one.fill(records)
        alone, _ = one.read(None)
        found, seconds = one.read(b'{"n":%d}' % (records - 1))
    return (
        f"{kind.name}: {records:,} records in {seconds:.1f} s; {len(found)} records of {LIVE} live streams beside them "
        f"waited {_quantiles(found)}; {len(alone)} alone {_quantiles(alone)}"
    )


def _quantiles(delays: Sequence[float]) -> str:
    p50, p99, most = (1000 * delays[min(len(delays) - 1, int(len(delays) * part))] for part in (0.5, 0.99, 1))
    return f"{p50:.1f} ms (p50), {p99:.1f} (p99), {most:.1f} (the longest)"


def main(words: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m benchmarks delivery", description=__doc__)
    parser.add_argument("--readers", type=int, default=1000, help="sockets that are written to")
    parser.add_argument("--rounds", type=int, default=100, help="records, of which there are medians")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--records", type=int, default=1_000_000, help="of the long stream")
    options = parser.parse_args(words)
    tools.BUILD.mkdir(exist_ok=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(options.runs):
            found = runner.run(share(options.readers, options.rounds))
            own = found["hub"] - found["send in C"]
            print("CPU us a delivery:", ", ".join(f"{name} {us:.2f}" for name, us in found.items()), f"; own {own:.2f}")
    for kind in (MEMORY, SQLITE):
        print(beside(kind, options.records))
    return 0
