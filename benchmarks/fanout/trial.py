"""One run of one server with one shape."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.fanout.publisher import Publisher, create_stream
from benchmarks.fanout.readers import Readers, Received
from benchmarks.fanout.servers import Broadcaster
from benchmarks.fanout.shapes import Shape
from benchmarks.fanout.usage import cpu_seconds, family, resident_bytes
from benchmarks.servers import Server

#: Before a measurement begins, for what connecting has left to be done.
SETTLE_SECONDS = 0.5


class Run(msgspec.Struct, frozen=True):
    """What was measured.

    Attributes:
        published: records.
        seconds: from the first record's publication to the last one's receipt.
        server_cpu_seconds: of the server's processes, meanwhile.
        reader_bytes: resident memory for each reader, where they are idle.
    """

    published: int = 0
    seconds: float = 0.0
    server_cpu_seconds: float = 0.0
    received: Received | None = None
    reader_bytes: float | None = None

    @property
    def rate(self) -> float:
        """Deliveries per second."""
        return self.received.delivered / self.seconds if self.received and self.seconds else 0.0

    @property
    def cpu_us(self) -> float:
        """CPU time of the server for a delivery."""
        return self.server_cpu_seconds / self.received.delivered * 1e6 if self.received else 0.0

    @property
    def readers_cpu_us(self) -> float:
        """CPU time of the readers for a delivery."""
        return self.received.cpu_seconds / self.received.delivered * 1e6 if self.received else 0.0

    @property
    def readers_busy(self) -> float:
        """Share of one core that the readers took."""
        return self.received.cpu_seconds / self.seconds if self.received and self.seconds else 0.0

    @property
    def lost(self) -> int:
        """Deliveries that were passed over, came twice, or were not there in time."""
        return self.received.missing + self.received.repeated + self.received.late if self.received else 0


def measure(server: Broadcaster, shape: Shape, folder: Path, *, seconds: float, grace: float) -> Run:
    """One run on a new server.

    Raises:
        RuntimeError: a connection was refused, a record was not taken, or no record came.
    """
    with TemporaryDirectory(dir=folder) as data, Server(server.kind, Path(data)) as process:
        if server.create:
            create_stream(process.port, server.publish)
        time.sleep(SETTLE_SECONDS)
        pids = family(process.pid)
        before = resident_bytes(pids)
        with Readers(process.port, shape.readers, server.events, grace) as readers:
            time.sleep(SETTLE_SECONDS)
            if not shape.rate:
                return Run(reader_bytes=(resident_bytes(pids) - before) / shape.readers)
            return _publish(server, shape, process.port, pids, readers, seconds)


def _publish(server: Broadcaster, shape: Shape, port: int, pids: list[int], readers: Readers, seconds: float) -> Run:
    with Publisher(port, server.publish, server.grouping) as publisher:
        cpu, begin = cpu_seconds(pids), time.monotonic_ns()
        published = publisher.run(shape, seconds)
        readers.tell(published)
        received = readers.result()
        cpu = cpu_seconds(pids) - cpu
    if not received.delivered:
        raise RuntimeError("no record came")
    return Run(published, (received.last_ns - begin) / 1e9, cpu, received)
