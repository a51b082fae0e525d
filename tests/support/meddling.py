"""A store that meddles with a read, in the ways a log can be meddled with; and servers of every kind on it.

A stream `delete-3-…` is deleted right before its third read, `replace-3-…` created again too; `trim-3-…` loses what was
in it to its retention; of `fail-3-…` and `crash-3-…` the third read fails, as known errors and as mistakes do.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.processes import ServerProcess, headwater_server

from headwater import Compression, Hub, Limits
from headwater.asgi import App
from headwater.errors import StoreUnavailable
from headwater.model import Batch, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores import registry
from headwater.stores.base import Clock
from headwater.stores.memory import MemoryStore

ROOT = Path(__file__).parents[2]
#: Bytes of a piece, so that little data makes many; seconds for a client that takes nothing.
PIECE = 4096
WRITE_SECONDS = 1.0
LIMITS = Limits(read_bytes=PIECE, write_seconds=WRITE_SECONDS)
#: Records that a stream `trim-…` keeps.
KEPT = 1000


class MeddlingStore(MemoryStore):
    """See above."""

    def __init__(self, *, clock: Clock = time.time) -> None:
        super().__init__(clock=clock)
        self._reads: Counter[str] = Counter()

    async def read(self, path: str, offset: str, **bounds: Any) -> Batch:
        self._reads[path] += 1
        act, _, rest = path.partition("-")
        if rest.partition("-")[0] == str(self._reads[path]):
            await self._meddle(act, path)
        return await super().read(path, offset, **bounds)

    async def _meddle(self, act: str, path: str) -> None:
        match act:
            case "delete":
                await self.delete(path)
            case "replace":
                content_type = (await self.info(path)).content_type
                await self.delete(path)
                await self.create(path, StreamConfig(content_type), b"1" * 5 * PIECE)
            case "trim":
                for _ in range(KEPT):
                    await self.append(path, Append(b"1"))
                await self.sweep()
            case "fail":
                raise StoreUnavailable("the disk is gone")
            case "crash":
                raise RuntimeError("a mistake")


def from_url(location: str, options: dict[str, str], clock: Clock) -> MeddlingStore:
    """The store of `meddling:`."""
    return MeddlingStore(clock=clock)


def meddling_hub() -> Hub:
    return Hub(MeddlingStore(), limits=LIMITS, compression=Compression(min_bytes=1))


def app() -> Any:
    """An application for servers that take a factory."""
    return App(meddling_hub(), prefix="/v1/stream/", compression=Compression(min_bytes=1))


def mounted() -> Any:
    """A mounted hub."""
    from fastapi import FastAPI

    hub = meddling_hub()
    application = FastAPI(lifespan=hub.lifespan)
    application.mount("/v1/stream", hub.asgi)
    return application


def wrapped() -> Any:
    """The same behind middleware that passes bodies on by itself."""
    from starlette.middleware.base import BaseHTTPMiddleware

    application = mounted()
    application.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))
    return application


def serve(*flags: str) -> ServerProcess:
    """`headwater serve` on it."""
    limits = ["--read-bytes", str(PIECE), "--write-seconds", str(WRITE_SECONDS)]
    compression = ["--compression", "zstd,br,gzip", "--compress-min-bytes", "1"]
    server = headwater_server("meddling:", *limits, *compression, *flags)
    server._command[server._command.index("headwater.cli")] = "tests.support.meddling"
    server._cwd = ROOT
    return server


def uvicorn(factory: str) -> ServerProcess:
    command = [
        "uvicorn",
        "--factory",
        f"tests.support.meddling:{factory}",
        "--port",
        "{port}",
        "--log-level",
        "warning",
    ]
    return ServerProcess([sys.executable, "-m", *command], health="/v1/stream/-/health", cwd=ROOT)


def hypercorn() -> ServerProcess:
    command = ["hypercorn", "tests.support.meddling:app()", "--bind", "127.0.0.1:{port}", "--log-level", "warning"]
    return ServerProcess([sys.executable, "-m", *command], cwd=ROOT)


def granian() -> ServerProcess:
    flags = ["--interface", "asgi", "--factory", "--port", "{port}", "--backpressure", "1024", "--log-level", "warning"]
    return ServerProcess([sys.executable, "-m", "granian", *flags, "tests.support.meddling:app"], cwd=ROOT)


#: Every way in.
SERVERS = {
    "serve": serve,
    "mounted": lambda: uvicorn("mounted"),
    "wrapped": lambda: uvicorn("wrapped"),
    "hypercorn": hypercorn,
    "granian": granian,
}

#: Where introspection is below.
URLS = {name: "/v1/stream" if name in ("mounted", "wrapped") else "" for name in SERVERS}

if __name__ == "__main__":
    registry._MODULES["meddling"] = "tests.support.meddling"
    from headwater.cli import main

    main()
