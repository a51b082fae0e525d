"""The servers that are compared: how each is started, published to and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import servers, tools
from benchmarks.fanout import nginx, peers
from benchmarks.fanout.publisher import Grouping
from benchmarks.servers import Kind


@dataclass(frozen=True)
class Broadcaster:
    """A server that fans out.

    Attributes:
        kind: how it is started.
        publish: URL path of POST.
        events: URL path of GET.
        grouping: how several records are published at once.
        create: its stream must be created.
        missing: the reason why it cannot run here; may install it.
    """

    kind: Kind
    publish: str
    events: str
    grouping: Grouping
    create: bool = False
    missing: Callable[[], str | None] = lambda: None

    @property
    def name(self) -> str:
        """What the table calls it."""
        return self.kind.name


def _sse_starlette(port: int, data: Path) -> list[str]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    folder = str(tools.HERE / "peers")
    return [
        str(peers.python()),
        "-m",
        "uvicorn",
        "--app-dir",
        folder,
        "--port",
        str(port),
        *options,
        "sse_starlette_app:app",
    ]


FLOOR = Broadcaster(
    Kind("C floor", lambda port, data: [str(tools.compile_c("floor_server")), str(port)]),
    "/publish",
    "/events",
    "lines",
)
HEADWATER = Broadcaster(
    Kind("headwater", servers.MEMORY.command), "/v1/stream/load", "/v1/stream/load?offset=now", "array", create=True
)
NCHAN = Broadcaster(Kind("Nchan", nginx.command), "/publish", "/events", "requests", missing=nginx.missing)
SSE_STARLETTE = Broadcaster(
    Kind("sse-starlette", _sse_starlette), "/publish", "/events", "lines", missing=peers.install
)
BROADCASTERS = (FLOOR, HEADWATER, NCHAN, SSE_STARLETTE)
