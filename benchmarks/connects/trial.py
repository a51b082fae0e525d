"""One run of one server: connections that are opened for one request each, and what they cost it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from benchmarks import tools
from benchmarks.connects.requests import Request, create_stream
from benchmarks.connects.servers import Peer
from benchmarks.fanout.usage import cpu_seconds, family
from benchmarks.servers import Server
from benchmarks.turns import Figures

#: For a server to close what its clients have closed.
SETTLE_SECONDS: Final = 0.2
#: One connect of so many goes before a measurement, for what compiles or grows while it runs.
WARM_UP: Final = 5


@dataclass(frozen=True)
class Shape:
    """What the clients do.

    Attributes:
        connects: how many, at most.
        at_once: connections that are open at the same time.
        seconds: after so long no connection is opened.
    """

    request: Request
    connects: int
    at_once: int
    seconds: float

    @property
    def text(self) -> str:
        """The shape in words."""
        return f"connects: {self.request.text}, {self.at_once} at a time"


class Connected(msgspec.Struct):
    """What the load generator counted.

    Attributes:
        connects: connections that were answered.
        seconds: from the first one's opening to the last one's response.
        p50_us: from before connect() to the response, or to its first event; the next two alike.
        cpu_seconds: of the generator.
    """

    connects: int
    seconds: float
    p50_us: int
    p99_us: int
    max_us: int
    cpu_seconds: float


def connect(port: int, shape: Shape) -> Connected:
    """Open the connections of a shape.

    Raises:
        RuntimeError: one was refused, closed or answered with an error, or responses are missing after twice the
            shape's seconds.
    """
    until = "event" if shape.request.to_event else "response"
    numbers = [str(port), str(shape.connects), str(shape.at_once), until, f"{shape.seconds:g}"]
    command = [str(tools.compile_c("connect_load")), *numbers, shape.request.encode(port)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=2 * shape.seconds + 60, check=False)
    if result.returncode:
        raise RuntimeError(result.stderr.strip())
    return msgspec.json.decode(result.stdout, type=Connected)


def measure(peer: Peer, shape: Shape, responses: Sequence[str], folder: Path) -> Figures:
    """One run on a new server.

    Raises:
        RuntimeError: see `connect`.
    """
    with TemporaryDirectory(dir=folder) as data, Server(peer.kind(responses), Path(data)) as server:
        if peer.stores:
            create_stream(server.port)
        connect(server.port, replace(shape, connects=shape.connects // WARM_UP + 1))
        time.sleep(SETTLE_SECONDS)
        pids = family(server.pid)
        cpu = cpu_seconds(pids)
        connected = connect(server.port, shape)
        time.sleep(SETTLE_SECONDS)
        cpu = cpu_seconds(pids) - cpu
    return {
        "connects": connected.connects,
        "cpu_us": cpu / connected.connects * 1e6,
        "rate": connected.connects / connected.seconds,
        "p50_us": connected.p50_us,
        "p99_us": connected.p99_us,
        "max_us": connected.max_us,
        "load_cpu_us": connected.cpu_seconds / connected.connects * 1e6,
        "load_busy": connected.cpu_seconds / connected.seconds,
    }
