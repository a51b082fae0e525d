"""The last records of a stream, read over and over while others are appended: milliseconds of a request."""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Final, Literal

import msgspec

from benchmarks import tools
from benchmarks.before import with_those_of
from benchmarks.fanout.command import common_options, host
from benchmarks.fanout.publisher import Publisher
from benchmarks.fanout.servers import HEADWATER, HEADWATER_SQLITE, Broadcaster
from benchmarks.fanout.trial import SETTLE_SECONDS, running
from benchmarks.results import today
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

SERVERS: Final = (HEADWATER, HEADWATER_SQLITE)
#: Records of one request.
LAST = 50
FILL_RECORDS = 1000
FORKS = 100
#: Between two requests, so that they meet all moments of the appends.
PAUSE_SECONDS = 0.002

#: What is done to the stream, beside its length.
Kind = Literal["plain", "retention", "fork"]

COLUMNS = (
    Column("p50 ms", "p50_seconds", ".2f", 1e3),
    Column("p99 ms", "p99_seconds", ".2f", 1e3),
    Column("worst ms", "worst_seconds", ".2f", 1e3, combine=max),
    Column("bytes", "body_bytes", ",.0f"),
)


class Tail(msgspec.Struct, frozen=True):
    """A stream, and how fast it grows.

    Attributes:
        rate: appends a second, each of one record.
    """

    kind: Kind
    records: int
    rate: int

    @property
    def text(self) -> str:
        """The shape in words."""
        kinds = {
            "plain": f"{self.records:,} records",
            "retention": f"{self.records:,} records kept by retention",
            "fork": f"the {FORKS}th fork of a fork of {self.records:,} records",
        }
        return f"last {LAST} of {kinds[self.kind]}, {self.rate} appends/s"


def columns(shape: str) -> Sequence[Column]:
    """The columns of the table."""
    return COLUMNS


def measure(server: Broadcaster, shape: Tail, folder: Path, requests: int) -> Figures:
    """Fill a new server's stream, let it grow, and ask for its end.

    Raises:
        RuntimeError: a stream was not made, a record not taken, or an answer does not have the records.
    """
    with running(server, folder) as (process, _):
        path = _make(process.port, f"{server.publish}-{shape.kind}", shape)
        with _growing(process.port, path, shape.rate):
            return _read(process.port, path, requests)


def _make(port: int, path: str, shape: Tail) -> str:
    """The path of the stream that is read."""
    kept = {"Stream-Retention": f"count={shape.records}"} if shape.kind == "retention" else {}
    # As many again where retention drops them.
    count = shape.records * (2 if kept else 1)
    _create(port, path, kept)
    with Publisher(port, path, "array") as publisher:
        for _ in range(count // FILL_RECORDS):
            publisher.publish(FILL_RECORDS)
    if shape.kind != "fork":
        return path
    for number in range(FORKS):
        fork = f"{path}-{number}"
        _create(port, fork, {"Stream-Forked-From": f"{path}-{number - 1}" if number else path})
        with Publisher(port, fork, "array") as publisher:
            publisher.publish(1)
    return f"{path}-{FORKS - 1}"


def _create(port: int, path: str, headers: dict[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("PUT", path, headers={"Content-Type": "application/json", **headers})
    response = connection.getresponse()
    if response.status != 201:
        raise RuntimeError(f"{path} was not made: {response.status} {response.read()!r}")
    connection.close()


@contextmanager
def _growing(port: int, path: str, rate: int) -> Iterator[None]:
    """A process of its own appends meanwhile: the reader's times must not have the writer's work in them."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    writer = context.Process(target=_append, args=(port, path, rate, stop), daemon=True)
    writer.start()
    try:
        time.sleep(SETTLE_SECONDS)
        yield
    finally:
        stop.set()
        writer.join()
    if writer.exitcode:
        raise RuntimeError("the process that appends has failed")


def _append(port: int, path: str, rate: int, stop: Event) -> None:
    with Publisher(port, path, "requests") as publisher:
        begin, turn = time.monotonic(), 0
        while not stop.wait(max(0.0, begin + turn / rate - time.monotonic())):
            publisher.publish(1)
            turn += 1


def _read(port: int, path: str, requests: int) -> Figures:
    """One request after the other on one connection.

    By a plain socket: `http.client` takes as long for an answer as the server does.
    """
    request = f"GET {path}?last={LAST} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    seconds: list[float] = []
    body = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for _ in range(requests):
            begin = time.perf_counter()
            connection.sendall(request)
            body = _answer(connection)
            seconds.append(time.perf_counter() - begin)
            time.sleep(PAUSE_SECONDS)
    found = len(msgspec.json.decode(body, type=list[msgspec.Raw]))
    if found != LAST:
        raise RuntimeError(f"the answer has {found} records, not {LAST}")
    parts = quantiles(seconds, n=100)
    return {
        "p50_seconds": parts[49],
        "p99_seconds": parts[98],
        "worst_seconds": max(seconds),
        "body_bytes": len(body),
    }


def _answer(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    if not head.startswith(b"HTTP/1.1 200") or not lengths:
        raise RuntimeError(f"the last records were answered {head!r}")
    while len(body) < int(lengths[0].partition(b":")[2]):
        body += _receive(connection)
    return body


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise RuntimeError("the server closed the connection")
    return data


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    chosen, skipped = choose(SERVERS, options.servers)
    servers = with_those_of(chosen, options.before)
    results = Results("last", today(), host(servers), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    shapes = (
        Tail("plain", FILL_RECORDS, options.rate),
        Tail("plain", options.long, options.rate),
        Tail("retention", FILL_RECORDS, options.rate),
        Tail("fork", FILL_RECORDS, options.rate),
    )
    with TemporaryDirectory(prefix="last-", dir=tools.BUILD) as folder:

        def run(server: Broadcaster, shape: Tail) -> Figures:
            return measure(server, shape, Path(folder), options.requests)

        Turns([(shape, servers, options.repetitions) for shape in shapes], run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks last", description=__doc__)
    common_options(parser, "last", SERVERS, 3)
    parser.add_argument("--rate", type=int, default=50, help="appends a second meanwhile")
    parser.add_argument("--requests", type=int, default=2000, help="how often the last records are asked for")
    parser.add_argument("--long", type=int, default=1_000_000, help="records of the long stream")
    return parser
