"""What a small append waits for beside large ones, and beside bodies that never end."""

from __future__ import annotations

import argparse
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import msgspec

from benchmarks import tools
from benchmarks.fanout.usage import family, resident_bytes
from benchmarks.servers import MEMORY, SQLITE, Kind, Server
from benchmarks.small_appends import STREAM, SmallAppends
from headwater import Limits

T = TypeVar("T")

JSON: Final = "application/json"
LARGE: Final = 16 * 1024 * 1024
#: What a record of the largest array has, so that 10,000 of them are a little under 16 MiB.
RECORD_BYTES: Final = 1650
#: Before, between and behind what is measured.
PAUSE_SECONDS: Final = 0.5
STALLED: Final = 60
#: What the server may hold of bodies that are not whole; see `Limits.max_inflight_bytes`.
BUDGET: Final = Limits().max_inflight_bytes


class Beside(msgspec.Struct, frozen=True):
    """What is sent while small appends go on.

    Attributes:
        name: in words.
        kind: content type.
        body: of one request.
        count: requests at once, each to a stream of its own.
        most: milliseconds by which a small append may wait longer than alone.
    """

    name: str
    kind: str
    body: bytes
    count: int
    most: float


def array(records: int, size: int) -> bytes:
    """A JSON array of texts that have so many bytes with their comma."""
    return b"[" + b",".join([b'"' + b"x" * (size - 3) + b'"'] * records) + b"]"


SHAPES: Final = (
    Beside("8 arrays of 10,000 numbers", JSON, b"[" + b",".join([b"1"] * 10_000) + b"]", 8, 50.0),
    Beside("8 arrays of 10,000 records of 100 bytes", JSON, array(10_000, 100), 8, 50.0),
    Beside("a body of 16 MiB", "application/octet-stream", bytes(LARGE), 1, 250.0),
    Beside("an array of 16 MiB, 10,000 records", JSON, array(10_000, RECORD_BYTES), 1, 250.0),
    Beside("a text of 16 MiB in JSON", JSON, b'"' + b"x" * (LARGE - 2) + b'"', 1, 250.0),
)


class Waited(msgspec.Struct, frozen=True):
    """Seconds of small appends.

    Attributes:
        alone: the median of their waits, with nothing beside them.
        worst_alone: the longest of each pause between two rounds.
        worst: the longest of each round.
    """

    alone: float
    worst_alone: list[float]
    worst: list[float]

    @property
    def more(self) -> float:
        """By how many milliseconds the longest wait of a round, the median of all rounds, is longer than alone."""
        return (median(self.worst) - self.alone) * 1e3

    @property
    def most(self) -> float:
        """The same of the worst round."""
        return (max(self.worst) - self.alone) * 1e3


def beside(server: Server, shape: Beside, rounds: int) -> Waited:
    """Small appends with rounds of large ones, and with pauses in between in which they are alone.

    Raises:
        RuntimeError: an append was refused.
    """
    paths = [f"/v1/stream/large/{number}" for number in range(shape.count)]
    create(server.port, STREAM, JSON)
    with ExitStack() as stack:
        connections = []
        for path in paths:
            create(server.port, path, shape.kind)
            connections.append(stack.enter_context(closing(HTTPConnection("127.0.0.1", server.port, timeout=120))))
        pool = stack.enter_context(ThreadPoolExecutor(shape.count))
        times = []
        with SmallAppends(server.port) as small:
            time.sleep(4 * PAUSE_SECONDS)
            for _ in range(rounds):
                begin = time.monotonic()
                list(pool.map(partial(send, shape), connections, paths))
                times.append((begin, time.monotonic()))
                time.sleep(2 * PAUSE_SECONDS)
    pauses = [(end + PAUSE_SECONDS, end + 2 * PAUSE_SECONDS) for _, end in times]
    alone = [small.during(*pause) for pause in pauses]
    return Waited(
        median([wait for waits in alone for wait in waits]),
        [max(waits) for waits in alone],
        [max(small.during(*each)) for each in times],
    )


def create(port: int, path: str, kind: str) -> None:
    """Make a stream."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("PUT", path, headers={"content-type": kind})
        if client.getresponse().status not in (200, 201):
            raise RuntimeError(f"PUT {path} was refused")


def send(shape: Beside, client: HTTPConnection, path: str) -> None:
    """Append the body of a shape."""
    client.request("POST", path, shape.body, {"content-type": shape.kind})
    response = client.getresponse()
    response.read()
    if response.status != 204:
        raise RuntimeError(f"POST {path} was answered {response.status}")


class Stalled(msgspec.Struct, frozen=True):
    """What bodies that never end cost small appends beside them.

    Attributes:
        p99: seconds, of each time beside them; `p99_alone` of the time before it.
        held: bytes of bodies that the server held, at most.
        grown: bytes by which its memory had grown, at most.
    """

    p99: list[float]
    p99_alone: list[float]
    held: int
    grown: int

    @property
    def times(self) -> float:
        """p99 beside them over p99 alone, the median of all pairs."""
        return median([beside / alone for beside, alone in zip(self.p99, self.p99_alone, strict=True)])


def stalled(server: Server, turns: int, seconds: float) -> Stalled:
    """Turns of small appends, alone and beside 60 bodies of 16 MiB of which the end is missing.

    Raises:
        RuntimeError: a small append was refused.
    """
    create(server.port, STREAM, JSON)
    before = resident_bytes(family(server.pid))
    held = grown = 0
    times: list[tuple[float, float]] = []
    with SmallAppends(server.port) as small:
        time.sleep(2 * PAUSE_SECONDS)
        for _ in range(turns):
            times.append(lasting(seconds))
            with ExitStack() as stack:
                for raw in unfinished(server.port):
                    stack.enter_context(closing(raw))
                held = max(held, int(figure(server.port, "inflight_bytes")))
                times.append(lasting(seconds))
                grown = max(grown, int(resident_bytes(family(server.pid)) - before))
    p99 = [quantiles(small.during(*each), n=100)[-1] for each in times]
    return Stalled(p99[1::2], p99[::2], held, grown)


def lasting(seconds: float) -> tuple[float, float]:
    """Wait; when it began and when it ended."""
    begin = time.monotonic()
    time.sleep(seconds)
    return begin, time.monotonic()


def unfinished(port: int) -> Iterator[socket.socket]:
    """Connections from as many addresses, each with a body of which a thousand bytes are missing."""
    path = "/v1/stream/large/0"
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {JSON}\r\n"
    data = f"{head}content-length: {LARGE}\r\n\r\n".encode() + b" " * (LARGE - 1000)
    create(port, path, JSON)
    for number in range(STALLED):
        raw = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(f"127.0.1.{number + 1}", 0))
        with suppress(ConnectionError):  # it is refused already
            raw.sendall(data)
        yield raw


def figure(port: int, name: str) -> float:
    """A figure of the server."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("GET", "/-/stats")
        found = re.search(rb'"%b":\s*([\d.]+)' % name.encode(), client.getresponse().read())
    if found is None:
        raise RuntimeError(f"there is no figure {name}")
    return float(found[1])


def main(words: Sequence[str]) -> int:
    """Measure and print; the status tells whether somebody waited too long."""
    options = _parser().parse_args(words)
    tools.BUILD.mkdir(exist_ok=True)
    late = 0
    for kind in (SQLITE, MEMORY):
        for shape in SHAPES:
            waited = fresh(kind, partial(beside, shape=shape, rounds=options.rounds))
            late += waited.more > shape.most
            print(
                f"{kind.name}, {shape.name}: alone {waited.alone * 1e3:.1f} ms, the longest wait of a pause "
                f"{median(waited.worst_alone) * 1e3:.1f} ms; beside them longer by {waited.more:.0f} ms (median of "
                f"{options.rounds} rounds), {waited.most:.0f} ms at most; allowed {shape.most:.0f} ms"
            )
        found = fresh(kind, partial(stalled, turns=options.turns, seconds=options.seconds))
        late += found.times > 1.1 or found.held > BUDGET
        print(
            f"{kind.name}, {STALLED} stalled bodies of 16 MiB: p99 {median(found.p99_alone) * 1e3:.2f} ms alone, "
            f"{median(found.p99) * 1e3:.2f} ms beside them, x {found.times:.2f} (median of {options.turns} turns); "
            f"held {found.held / 1e6:.0f} of {BUDGET / 1e6:.0f} MB, memory grew by {found.grown / 1e6:.0f} MB"
        )
    return int(late > 0)


def fresh(kind: Kind, measure: Callable[[Server], T]) -> T:
    """What a new server makes of a measurement."""
    with TemporaryDirectory(prefix="waits-", dir=tools.BUILD) as folder, Server(kind, Path(folder)) as server:
        return measure(server)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks waits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of large appends")
    parser.add_argument("--turns", type=int, default=7, help="alone and beside stalled bodies")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each of these")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
