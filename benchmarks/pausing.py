"""A fast producer and one slow reader: memory over time, with a writer that waits for its readers and without."""

from __future__ import annotations

import argparse
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from benchmarks import machine, tools
from benchmarks.fanout.command import common_options
from benchmarks.fanout.usage import cpu_seconds, family, kernel_bytes, resident_bytes
from benchmarks.results import today
from benchmarks.servers import Kind, Server
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

STREAM: Final = "/v1/stream/load"
LAG_BYTES: Final = 1024 * 1024
KEPT_BYTES: Final = 4 * 1024 * 1024
SAMPLE_SECONDS: Final = 0.2
#: The reader takes so much, so often.
READ_BYTES: Final = 65_536
READ_SECONDS: Final = 0.05

COLUMNS = (
    Column("written records/s", "written_rate"),
    Column("read records/s", "read_rate"),
    Column("MB at the begin", "begin_bytes", ".1f", 1e-6),
    Column("at the end", "end_bytes", ".1f", 1e-6),
    Column("most", "most_bytes", ".1f", 1e-6),
    Column("in sockets, most", "kernel_bytes", ".1f", 1e-6),
    Column("passed over", "missing", combine=sum),
    Column("twice", "repeated", combine=sum),
    Column("CPU", "cpu_share", ".0%"),
)


@dataclass(frozen=True)
class Producer:
    """How the stream is written.

    Attributes:
        lag: bytes a reader may lag before the writer waits; 0: it never waits.
        kept: bytes of records that are kept; 0: all.
    """

    name: str
    lag: int
    kept: int
    missing: Callable[[], str | None] = lambda: None

    def kind(self, rate: int) -> Kind:
        """The server."""
        script = str(tools.HERE / "peers" / "pausing_server.py")
        return Kind(
            self.name, lambda port, data: [sys.executable, script, *map(str, (port, rate, self.lag, self.kept))]
        )


PRODUCERS = (
    Producer("waits, 4 MB kept", LAG_BYTES, KEPT_BYTES),
    Producer("never waits, all kept", 0, 0),
    Producer("never waits, 4 MB kept", 0, KEPT_BYTES),
)


class Pace(msgspec.Struct, frozen=True):
    """How fast, and how long."""

    rate: int
    seconds: float

    @property
    def text(self) -> str:
        """The shape in words."""
        reader = READ_BYTES / READ_SECONDS / 1e6
        return f"pausing: up to {self.rate:,} records/s into one reader of {reader:.1f} MB/s, {self.seconds:g} s"


class SlowReader:
    """Reads a little now and then, and looks at every record; an SSE connection."""

    _RECORD: Final = re.compile(rb'\{"n":"(\d{10})"')

    def __init__(self, port: int) -> None:
        self.records = self.missing = self.repeated = 0
        self._next = 0
        self._rest = b""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
        self._socket.connect(("127.0.0.1", port))
        head = f"GET {STREAM}?offset=-1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream"
        self._socket.sendall(f"{head}\r\n\r\n".encode())

    def read(self) -> None:
        """Take what there is, up to a bound."""
        self._socket.setblocking(False)
        with suppress(BlockingIOError):
            data = self._rest + self._socket.recv(READ_BYTES)
            end = 0
            for found in self._RECORD.finditer(data):
                number, end = int(found[1]), found.end()
                self.repeated += number < self._next
                self.missing += max(0, number - self._next)
                self._next = max(self._next, number + 1)
                self.records += 1
            self._rest = data[end:][-32:]  # a record's head may be cut

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()


class Sampler(threading.Thread):
    """Weighs a server now and then: time, resident memory, memory of its sockets, bytes written."""

    def __init__(self, port: int, pids: list[int]) -> None:
        super().__init__(daemon=True)
        self.rows: list[list[float]] = []
        self._port = port
        self._pids = pids
        self._end = threading.Event()

    def run(self) -> None:
        """Until it is stopped."""
        begin = time.monotonic()
        while not self._end.wait(SAMPLE_SECONDS):
            memory, kernel = resident_bytes(self._pids), kernel_bytes(self._port)
            row = [time.monotonic() - begin, memory, kernel, self._tail()]
            self.rows.append([round(value, 3) for value in row])

    def stop(self) -> None:
        """End it."""
        self._end.set()
        self.join()

    def _tail(self) -> float:
        client = HTTPConnection("127.0.0.1", self._port, timeout=30)
        with suppress(HTTPException, OSError):
            client.request("HEAD", STREAM)
            offset = client.getresponse().headers["stream-next-offset"]
            return float(offset.rpartition("_")[2])
        return self.rows[-1][3] if self.rows else 0.0


def measure(producer: Producer, pace: Pace, folder: Path, series: dict[str, list[list[float]]]) -> Figures:
    """One run on a new server.

    Raises:
        RuntimeError: no record came.
    """
    with TemporaryDirectory(dir=folder) as data, Server(producer.kind(pace.rate), Path(data)) as process:
        pids = family(process.pid)
        begin_bytes, cpu, begin = resident_bytes(pids), cpu_seconds(pids), time.monotonic()
        sampler, reader = Sampler(process.port, pids), SlowReader(process.port)
        sampler.start()
        while time.monotonic() < begin + pace.seconds:
            time.sleep(READ_SECONDS)
            reader.read()
        sampler.stop()
        seconds = time.monotonic() - begin
        cpu = cpu_seconds(pids) - cpu
        reader.close()
    if not reader.records:
        raise RuntimeError("no record came")
    series[producer.name] = sampler.rows
    return {
        "written_rate": sampler.rows[-1][3] / 100 / seconds,
        "read_rate": reader.records / seconds,
        "begin_bytes": begin_bytes,
        "end_bytes": sampler.rows[-1][1],
        "most_bytes": max(row[1] for row in sampler.rows),
        "kernel_bytes": max(row[2] for row in sampler.rows),
        "missing": reader.missing,
        "repeated": reader.repeated,
        "cpu_share": cpu / seconds,
    }


def columns(shape: str) -> Sequence[Column]:
    """The columns of the table."""
    return COLUMNS


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    producers, skipped = choose(PRODUCERS, options.servers, ";")
    results = Results("pausing", today(), machine.host(), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="pausing-", dir=tools.BUILD) as folder:

        def run(producer: Producer, pace: Pace) -> Figures:
            return measure(producer, pace, Path(folder), results.series)

        shapes = [(Pace(options.rate, options.seconds), producers, options.repetitions)]
        Turns(shapes, run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks pausing", description=__doc__)
    common_options(parser, "pausing", PRODUCERS, 3, ";", ours=False)
    parser.add_argument("--rate", type=int, default=100_000, help="records a second, at most")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long is written")
    return parser
