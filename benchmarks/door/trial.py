"""One run of one server with many subscriptions on each connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.door.servers import CONNECT, DOOR
from benchmarks.door.shapes import Subscriptions
from benchmarks.fanout.publisher import Publisher, create_stream
from benchmarks.fanout.readers import Readers
from benchmarks.fanout.servers import Broadcaster
from benchmarks.fanout.shapes import PACE, Shape
from benchmarks.fanout.trial import SETTLE_SECONDS, WARM_UP_SECONDS, figures, running
from benchmarks.fanout.usage import cpu_seconds, resident_bytes
from benchmarks.turns import Figures


@contextmanager
def streaming(folder: Path, paths: tuple[str, ...]) -> Iterator[tuple[int, list[int]]]:
    """A new server with these streams; gives its port and its processes."""
    with running(DOOR, folder) as (process, pids):
        for path in paths:
            create_stream(process.port, path)
        yield process.port, pids


def measure(server: Broadcaster, shape: Subscriptions, folder: Path, *, seconds: float, grace: float) -> Figures:
    """One run on a new server; over SSE each connection reads the first stream alone, which has all records.

    Raises:
        RuntimeError: a connection was refused, a record was not taken, or no record came.
    """
    is_door = server is DOOR
    paths = tuple(shape.paths) if is_door else (server.publish,)
    with streaming(folder, paths if is_door else ()) as (port, pids):
        weight, cpu = resident_bytes(pids), cpu_seconds(pids)
        events, words = (CONNECT, (f"door={shape.streams}",)) if is_door else (server.events, server.words)
        with Readers(port, shape.connections, events, grace, program=server.reader, words=words) as readers:
            cpu, connected = cpu_seconds(pids) - cpu, readers.connected
            time.sleep(SETTLE_SECONDS)
            found: Figures = {
                "reader_bytes": (resident_bytes(pids) - weight) / shape.connections,
                "connects": shape.connections / connected.connect_seconds,
                "connect_cpu_us": cpu / shape.connections * 1e6,
            }
            with Publisher(port, paths, "array") as publisher:
                pace = Shape(shape.connections, PACE)
                warm = publisher.run(pace, WARM_UP_SECONDS)
                readers.settle(warm)
                cpu, begin = cpu_seconds(pids), time.monotonic_ns()
                published = publisher.run(pace, seconds)
                readers.tell(published)
                received = readers.result()
                cpu = cpu_seconds(pids) - cpu
    return {**found, **figures(received, published - warm, (received.last_ns - begin) / 1e9, cpu)}
