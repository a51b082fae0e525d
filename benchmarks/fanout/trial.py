"""One run of one server with one shape."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fanout.publisher import Publisher, create_stream
from benchmarks.fanout.readers import Readers, Received
from benchmarks.fanout.servers import Broadcaster
from benchmarks.fanout.shapes import Shape
from benchmarks.fanout.usage import cpu_seconds, family, resident_bytes
from benchmarks.servers import Server
from benchmarks.turns import Figures

#: Before a measurement begins, for what connecting has left to be done.
SETTLE_SECONDS = 0.5
#: Published before a measurement, for what compiles or grows while it runs.
WARM_UP_SECONDS = 1.0


@contextmanager
def running(server: Broadcaster, folder: Path) -> Iterator[tuple[Server, list[int]]]:
    """A new server with its stream, and its processes."""
    with TemporaryDirectory(dir=folder) as data, Server(server.kind, Path(data)) as process:
        if server.create:
            create_stream(process.port, server.publish)
        time.sleep(SETTLE_SECONDS)
        yield process, family(process.pid)


def readers_of(server: Broadcaster, port: int, count: int, grace: float, *words: str) -> Readers:
    """Readers of a running server."""
    return Readers(port, count, server.events, grace, program=server.reader, words=(*server.words, *words))


def measure(server: Broadcaster, shape: Shape, folder: Path, *, seconds: float, grace: float) -> Figures:
    """One run on a new server.

    Raises:
        RuntimeError: a connection was refused, a record was not taken, or no record came.
    """
    with running(server, folder) as (process, pids):
        weight, cpu = resident_bytes(pids), cpu_seconds(pids)
        with readers_of(server, process.port, shape.readers, grace) as readers:
            if shape.rate:
                time.sleep(SETTLE_SECONDS)
                return publish(server, shape, process.port, pids, readers, seconds)
            cpu, connected = cpu_seconds(pids) - cpu, readers.connected
            time.sleep(SETTLE_SECONDS)
            return {
                "reader_bytes": (resident_bytes(pids) - weight) / shape.readers,
                "connects": shape.readers / connected.connect_seconds,
                "connect_cpu_us": cpu / shape.readers * 1e6,
                "readers_busy": connected.connect_cpu_seconds / connected.connect_seconds,
            }


def publish(server: Broadcaster, shape: Shape, port: int, pids: list[int], readers: Readers, seconds: float) -> Figures:
    """Publish to readers that are connected, and await what they received."""
    with Publisher(port, server.publish, server.grouping, server.headers) as publisher:
        warm = publisher.run(shape, WARM_UP_SECONDS)
        readers.settle(warm)
        cpu, begin = cpu_seconds(pids), time.monotonic_ns()
        published = publisher.run(shape, seconds)
        readers.tell(published)
        received = readers.result()
        cpu = cpu_seconds(pids) - cpu
    return figures(received, published - warm, (received.last_ns - begin) / 1e9, cpu)


def figures(received: Received, published: int, seconds: float, cpu: float) -> Figures:
    """What one run measured.

    Args:
        seconds: from the first record's publication to the last one's receipt.
        cpu: CPU seconds of the server's processes, meanwhile.

    Raises:
        RuntimeError: no record came.
    """
    if not received.delivered:
        raise RuntimeError("no record came")
    return {
        "published": published,
        "delivered": received.delivered,
        "lost": received.lost,
        "rate": received.delivered / seconds,
        "cpu_us": cpu / received.delivered * 1e6,
        "p50_us": received.p50_us,
        "p99_us": received.p99_us,
        "p999_us": received.p999_us,
        "readers_cpu_us": received.cpu_seconds / received.delivered * 1e6,
        "readers_busy": received.cpu_seconds / seconds,
    }
