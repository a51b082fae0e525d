"""`compression`: bytes on the wire and CPU time of one group of many readers, by how it is compressed.

One process: the hub's own feed writes to TCP connections on loopback, whose other ends are emptied while no time is
taken. So the CPU time is that of append, encoding, compression and system calls, and of nothing that reads.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import resource
import socket
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec

from benchmarks import machine, tools
from headwater import Hub, Limits
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.coding import IDENTITY, Coding
from headwater.protocol.coding_gzip import GzipCoding, GzipCommon
from headwater.protocol.coding_zstd import ZstdCoding, ZstdCommon
from headwater.protocol.compressors import find
from headwater.protocol.sse_plain import PlainEvents
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.codec import Framing, JsonCodec
from headwater.protocol.websocket.deflate import COMPRESSED, Deflater
from headwater.protocol.websocket.stream_messages import StreamMessages

LEVEL = 6
NAMES = ("Ada", "Bo", "Chen", "Dara", "Eli", "Fatima", "Goran", "Hana")
STATES = ("idle", "moving", "done")


class Run(msgspec.Struct):
    """One way to compress, at one batch size.

    Attributes:
        way: its name.
        batch: records in one flush.
        wire: bytes for one record and reader.
        cpu: microseconds of CPU time for one batch and all readers.
        memory: KiB of memory a reader that the process grew by, the reader itself included.
    """

    way: str
    batch: int
    wire: float
    cpu: float
    memory: float


class SocketSink:
    """A sink on a TCP connection; `encode` is a compressor that the connection has for itself."""

    descriptor = None

    def __init__(self, listener: socket.socket, encode: Callable[[bytes], bytes] | None) -> None:
        self._other = socket.create_connection(listener.getsockname())
        self._socket, _ = listener.accept()
        self._socket.setblocking(False)
        self._other.setblocking(False)
        self._encode = encode

    def write(self, data: bytes) -> None:
        coded = data if self._encode is None else self._encode(data)
        assert self._socket.send(coded) == len(coded)

    def drain(self) -> int:
        """Empty the other end; gives how many bytes there were."""
        found = 0
        with contextlib.suppress(BlockingIOError):
            while data := self._other.recv(1 << 20):
                found += len(data)
        return found

    def close(self) -> None:
        self._socket.close()
        self._other.close()

    def attach(self, owner: object) -> None: ...

    def held(self) -> int:
        return 0

    def finish(self) -> None: ...

    def abort(self) -> None: ...


class AloneGzipCommon(GzipCommon):
    """gzip in which every piece stands alone, as if somebody joined before each."""

    def piece(self, data: bytes) -> bytes:
        self.restart()
        return super().piece(data)


class AloneGzip(GzipCoding):
    def common(self) -> GzipCommon:
        return AloneGzipCommon(self)


class AloneZstdCommon(ZstdCommon):
    """The same for zstd."""

    def piece(self, data: bytes) -> bytes:
        self.restart()
        return super().piece(data)


class AloneZstd(ZstdCoding):
    def common(self) -> ZstdCommon:
        return AloneZstdCommon(self)


def own_gzip() -> Callable[[bytes], bytes]:
    """A connection's own deflate context, with the sizes that zlib takes by itself."""
    context = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return lambda data: context.compress(data) + context.flush(zlib.Z_SYNC_FLUSH)


def own_zstd() -> Callable[[bytes], bytes]:
    """A connection's own zstd context at its usual level, with a window of 128 KiB."""
    library = find("zstd")
    names = library.CompressionParameter
    context = library.ZstdCompressor(options={names.compression_level: 3, names.window_log: 17})
    return lambda data: bytes(context.compress(data, mode=context.FLUSH_BLOCK))


def own_deflate() -> Callable[[bytes], bytes]:
    """A connection's own context of permessage-deflate, as most servers have it."""
    compress = own_gzip()
    return lambda message: frames.frame(frames.TEXT | COMPRESSED, compress(message).removesuffix(b"\x00\x00\xff\xff"))


def chunked(encode: Callable[[], Callable[[bytes], bytes]]) -> Callable[[], Callable[[bytes], bytes]]:
    """The same, in chunks of HTTP/1.1."""

    def own() -> Callable[[bytes], bytes]:
        compress = encode()
        return lambda data: _chunk(compress(data))

    return own


def events(coding: Coding = IDENTITY, frame: Callable[[bytes], bytes] | None = None) -> WireFormat:
    """Server-Sent Events in chunks, coded."""
    return WireFormat(("events", coding.token), PlainEvents, frame or _chunk, coding=coding)


def messages(framing: Framing) -> WireFormat:
    """Messages of a WebSocket of many streams, in JSON."""
    return WireFormat(("messages",), partial(StreamMessages, codec=JsonCodec(framing, "benchmark"), number=1), bytes)


class Way(NamedTuple):
    """One way to compress.

    Attributes:
        form: how the stream is told.
        own: makes what a connection has for itself; None: it has nothing.
    """

    form: Callable[[], WireFormat]
    own: Callable[[], Callable[[bytes], bytes]] | None = None


#: The first of each wire is without compression.
WAYS: dict[str, Way] = {
    "none": Way(events),
    "gzip, once": Way(lambda: events(GzipCoding(LEVEL, 1, 8))),
    "zstd, once": Way(lambda: events(ZstdCoding(LEVEL, 1, 8))),
    "gzip, once, a join before each batch": Way(lambda: events(AloneGzip(LEVEL, 1, 8))),
    "zstd, once, a join before each batch": Way(lambda: events(AloneZstd(LEVEL, 1, 8))),
    "gzip, a context each": Way(lambda: events(frame=bytes), chunked(own_gzip)),
    "zstd, a context each": Way(lambda: events(frame=bytes), chunked(own_zstd)),
    "WebSocket": Way(lambda: messages(frames.frame)),
    "WebSocket, deflate, once": Way(lambda: messages(Deflater(level=LEVEL).frame)),
    "WebSocket, deflate, once, also small ones": Way(lambda: messages(Deflater(level=LEVEL, min_bytes=1).frame)),
    "WebSocket, deflate, a context each": Way(lambda: messages(lambda _, message: message), own_deflate),
}


def records(count: int) -> list[bytes]:
    """JSON objects of about 100 bytes, of which half is new in each."""
    draw = random.Random(7)
    return [
        json.dumps(
            {
                "seq": number,
                "at": 1764000000000 + 20 * number,
                "user": draw.choice(NAMES),
                "x": round(draw.random() * 1000, 3),
                "y": round(draw.random() * 1000, 3),
                "state": draw.choice(STATES),
                "flags": draw.randrange(16),
            },
            separators=(",", ":"),
        ).encode()
        for number in range(count)
    ]


async def measure(way: str, batch: int, readers: int, batches: int) -> Run:
    """Send batches to the readers of one stream."""
    make, encode = WAYS[way]
    form = make()
    data = records(batch * (batches + 1))
    bodies = [b"[" + b",".join(data[at : at + batch]) + b"]" for at in range(0, len(data), batch)]
    async with Hub(limits=Limits(flush_seconds=0, max_readers=readers)) as hub:
        await hub.create("s", content_type="application/json")
        with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
            before = _resident()
            sinks: list[Any] = [SocketSink(listener, encode() if encode else None) for _ in range(readers)]
        for sink in sinks:
            await hub.live.subscribe("s", "-1", form, sink)
        spent, wire = 0.0, 0
        for number, body in enumerate(bodies):
            began, flushes = time.process_time(), hub.stats.flushes
            await hub.append("s", body)
            while hub.stats.flushes == flushes:  # noqa: ASYNC110 - a flush has no event
                await asyncio.sleep(0)
            took = time.process_time() - began
            found = sum(sink.drain() for sink in sinks)
            if number:  # the first batch warms up
                spent += took
                wire += found
        memory = _resident() - before
    for sink in sinks:
        sink.close()
    sent = readers * batches
    return Run(way, batch, wire / (sent * batch), spent / batches * 1e6, memory / readers / 1024)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def table(runs: list[Run], facts: dict[str, str]) -> str:
    """The machine, then one table in Markdown."""
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += [
        "",
        "| records a batch | way | bytes a record | of none | CPU us a batch | more than none | KiB a reader |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    found = {(run.batch, run.way): run for run in runs}
    for run in sorted(runs, key=lambda run: run.batch):
        none = found[run.batch, "WebSocket" if run.way.startswith("WebSocket") else "none"]
        lines.append(
            f"| {run.batch} | {run.way} | {run.wire:.1f} | {run.wire / none.wire:.0%} "
            f"| {run.cpu:,.0f} | {run.cpu - none.cpu:,.0f} | {run.memory:.1f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks compression", description=__doc__)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 4, 16, 64], help="records in one flush")
    parser.add_argument("--batches", type=int, default=30, help="flushes of a run")
    parser.add_argument("--turns", type=int, default=3, help="runs of each way, taking turns; the table has medians")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="WAY", help="of the table")
    results = tools.HERE / "results" / "compression.json"
    parser.add_argument("--output", type=Path, default=results, help="file for the runs")
    options = parser.parse_args(arguments)
    taken: dict[tuple[str, int], list[Run]] = {}
    # A process for each run: memory that one gave back would hide what the next one takes.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for _ in range(options.turns):
            for batch in options.batch:
                for way in options.ways:
                    run = pool.submit(measure_now, way, batch, options.readers, options.batches).result()
                    taken.setdefault((way, batch), []).append(run)
    runs = [_median(found) for found in taken.values()]
    size = sum(map(len, records(1000))) / 1000
    what = f"JSON of {size:.0f} bytes, over plain SSE or a WebSocket"
    facts = {**machine.host(), "readers": f"{options.readers:,}", "records": what}
    print(table(runs, facts))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    found = {"machine": facts, "runs": [run for runs in taken.values() for run in runs]}
    options.output.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return 0


def measure_now(way: str, batch: int, readers: int, batches: int) -> Run:
    """A run in a process of its own."""
    return asyncio.run(measure(way, batch, readers, batches))


def _median(runs: list[Run]) -> Run:
    first = runs[0]
    return Run(
        first.way,
        first.batch,
        median(run.wire for run in runs),
        median(run.cpu for run in runs),
        median(run.memory for run in runs),
    )
