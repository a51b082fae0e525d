"""One run of the load generator against a server."""

from __future__ import annotations

import subprocess
from typing import Literal

import msgspec

from benchmarks import tools
from benchmarks.servers import Server

Format = Literal["json", "text"]
#: All connections append to one stream, or each to its own.
Layout = Literal["shared", "own"]

MEDIA_TYPES: dict[Format, str] = {"json": "application/json", "text": "text/plain"}


class Shape(msgspec.Struct, frozen=True):
    """What the clients do."""

    connections: int
    format: Format
    layout: Layout

    @property
    def streams(self) -> list[str]:
        """The URL paths of the streams, that of each connection in its place."""
        stream = "/v1/stream/load"
        return [stream] if self.layout == "shared" else [f"{stream}-{index}" for index in range(self.connections)]


class Run(msgspec.Struct, frozen=True):
    """What the generator counted, in the measured window unless said otherwise.

    Attributes:
        seconds: length of the window.
        answers: requests answered in it.
        p50_us: latency, as are the next two.
        server_cpu_seconds: of all the server's threads.
        load_cpu_seconds: of the generator.
        record_bytes: size of a request's body.
        statuses: answers by status, over the whole run.
        acknowledged: records acknowledged by connection, over the whole run; in a file of results, their sum.
    """

    seconds: float
    answers: int
    p50_us: int
    p99_us: int
    max_us: int
    server_cpu_seconds: float
    load_cpu_seconds: float
    record_bytes: int
    statuses: dict[str, int]
    acknowledged: list[int]

    @property
    def rate(self) -> float:
        """Appends per second."""
        return self.answers / self.seconds

    @property
    def server_cpu_us(self) -> float:
        """CPU time of the server for an append."""
        return self.server_cpu_seconds / self.answers * 1e6

    def shortened(self) -> Run:
        """The same for a file of results."""
        return msgspec.structs.replace(self, acknowledged=[sum(self.acknowledged)])

    @property
    def load_cpu_us(self) -> float:
        """CPU time of the generator for an append."""
        return self.load_cpu_seconds / self.answers * 1e6


def run_load(server: Server, shape: Shape, *, warmup: float, seconds: float) -> Run:
    """Append to streams that exist.

    Raises:
        RuntimeError: the generator failed, or an append was refused.
    """
    command = [
        str(tools.compile_c("append_load")),
        str(server.port),
        str(shape.connections),
        "/v1/stream/load",
        shape.layout,
        shape.format,
        f"{warmup:g}",
        f"{seconds:g}",
        str(server.pid),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=warmup + seconds + 60, check=False)
    if result.returncode:
        raise RuntimeError(f"{server.kind.name}: {result.stderr}")
    run = msgspec.json.decode(result.stdout, type=Run)
    if set(run.statuses) - {"200", "204"}:
        raise RuntimeError(f"{server.kind.name}: appends were answered {run.statuses}")
    return run
