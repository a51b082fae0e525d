"""Catching up: bytes and records a second from the start of a long stream, for one reader and for many."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import msgspec

from benchmarks import tools
from benchmarks.before import with_those_of
from benchmarks.fanout import nginx
from benchmarks.fanout.command import common_options, counts, host
from benchmarks.fanout.publisher import RECORD_BYTES, Publisher, record
from benchmarks.fanout.readers import Readers
from benchmarks.fanout.servers import DS_NODE, DS_RUST, HEADWATER, HEADWATER_SQLITE, Broadcaster
from benchmarks.fanout.trial import SETTLE_SECONDS, running
from benchmarks.fanout.usage import cpu_seconds, family
from benchmarks.results import today
from benchmarks.servers import BEFORE, Kind, Server
from benchmarks.turns import Column, Figures, Results, Turns, choose, facts, table

#: Records of one append while the stream is filled.
FILL_RECORDS = 5000

COLUMNS = (
    Column("MB/s", "bytes_rate", ",.0f", 1e-6),
    Column("x nginx", "bytes_rate", ".2f", over="nginx file"),
    Column("records/s", "rate"),
    Column("CPU ns a record", "cpu_ns"),
    Column("bytes a record", "record_bytes", ".0f"),
    Column("heads ms", "heads_seconds", ".1f", 1e3),
    Column("lost", "lost", combine=sum),
    Column("busy", "readers_busy", ".0%"),
)


@dataclass(frozen=True)
class Source:
    """A stream, and the way it is read.

    Attributes:
        server: that has it; None: the file, in nginx.
        events: read as an event stream, or else page by page.
    """

    name: str
    server: Broadcaster | None
    events: str
    missing: Callable[[], str | None]
    reader: str = "sse_readers"

    def of(self, tree: Path) -> Self:
        """The same of another checkout."""
        assert self.server is not None
        return replace(self, name=self.name + BEFORE, server=self.server.of(tree))


def _pages(server: Broadcaster) -> Source:
    path = f"{server.publish}?offset=-1"
    return Source(f"{server.name} GET", server, path, server.missing, "page_readers")


def _events(server: Broadcaster) -> Source:
    path = server.events.replace("offset=now", "offset=-1")
    return Source(f"{server.name} SSE", server, path, server.missing)


SOURCES = (
    Source("nginx file", None, "/file", nginx.missing),
    _events(HEADWATER),
    _events(HEADWATER_SQLITE),
    _events(DS_NODE),
    _events(DS_RUST),
    _pages(HEADWATER),
    _pages(HEADWATER_SQLITE),
    _pages(DS_NODE),
    _pages(DS_RUST),
)


class CatchUp(msgspec.Struct, frozen=True):
    """How many readers, of how long a stream."""

    readers: int
    records: int

    @property
    def text(self) -> str:
        """The shape in words."""
        noun = "reader" if self.readers == 1 else "readers"
        return (
            f"catch-up: {self.readers} {noun} of {self.records * RECORD_BYTES / 1e6:.0f} MB in {self.records:,} records"
        )


def columns(shape: str) -> Sequence[Column]:
    """The columns of the table."""
    return COLUMNS


def measure(source: Source, shape: CatchUp, folder: Path, grace: float) -> Figures:
    """Fill a new server's stream and let all read it.

    Raises:
        RuntimeError: a record was not taken, or not all came.
    """
    if source.server is None:
        return _read_file(source, shape, folder, grace)
    with running(source.server, folder) as (process, pids):
        with Publisher(process.port, source.server.publish, "array") as publisher:
            for _ in range(shape.records // FILL_RECORDS):
                publisher.publish(FILL_RECORDS)
        time.sleep(SETTLE_SECONDS)
        return _read(source, shape, process.port, pids, grace)


def _read_file(source: Source, shape: CatchUp, folder: Path, grace: float) -> Figures:
    """The file has the bytes that Headwater would send as an event stream."""
    file = folder / "file"
    if not file.exists():
        with file.open("wb") as out:
            for number in range(shape.records):
                out.write(b"id:%016d_%016d\ndata:%b\n\n" % (1, number, record(number)))
    with TemporaryDirectory(dir=folder) as data:
        folder.chmod(0o755)
        with Server(Kind(source.name, nginx.static(file)), Path(data)) as process:
            time.sleep(SETTLE_SECONDS)
            return _read(source, shape, process.port, family(process.pid), grace)


def _read(source: Source, shape: CatchUp, port: int, pids: list[int], grace: float) -> Figures:
    cpu = cpu_seconds(pids)
    with Readers(port, shape.readers, source.events, grace, program=source.reader) as readers:
        readers.tell(shape.records)
        received = readers.result()
        connected = readers.connected
        cpu = cpu_seconds(pids) - cpu
    if received.lost:
        raise RuntimeError(
            f"{received.late:,} records did not come, {received.missing + received.repeated:,} are wrong"
        )
    seconds = (received.last_ns - received.opened_ns) / 1e9
    return {
        "bytes_rate": received.bytes / seconds,
        "rate": received.delivered / seconds,
        "cpu_ns": cpu / received.delivered * 1e9,
        "record_bytes": received.bytes / received.delivered,
        "heads_seconds": connected.connect_seconds,
        "lost": received.lost,
        "readers_busy": (received.cpu_seconds + connected.connect_cpu_seconds) / seconds,
    }


def main(words: Sequence[str]) -> int:
    """Measure, print the table and keep the results."""
    options = _parser().parse_args(words)
    sources, skipped = choose(SOURCES, options.servers)
    sources = with_those_of(sources, options.before)
    chosen = [source.server for source in sources if source.server is not None]
    results = Results("catchup", today(), host(chosen), skipped, [])
    tools.BUILD.mkdir(exist_ok=True)
    records = round(options.megabytes * 1e6 / RECORD_BYTES / FILL_RECORDS) * FILL_RECORDS
    with TemporaryDirectory(prefix="catchup-", dir=tools.BUILD) as folder:

        def run(source: Source, shape: CatchUp) -> Figures:
            return measure(source, shape, Path(folder), options.grace)

        often = {True: options.repetitions, False: options.many_repetitions}
        shapes = [(CatchUp(count, records), sources, often[count == 1]) for count in options.readers]
        Turns(shapes, run, columns, options.output).run(results)
    print("\n".join([*facts(results.machine, results.skipped), "", table(results, columns)]))
    return int(results.failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks catchup", description=__doc__)
    common_options(parser, "catchup", SOURCES, 3)
    parser.add_argument("--many-repetitions", type=int, default=3, help="the same where there are several readers")
    parser.add_argument("--readers", type=counts, default=[1, 100], help="numbers of readers")
    parser.add_argument("--megabytes", type=float, default=100.0, help="length of the stream")
    parser.add_argument("--grace", type=float, default=120.0, help="seconds for all of it to come")
    return parser
