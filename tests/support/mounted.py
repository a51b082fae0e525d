"""A hub mounted in an application, under servers of others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.processes import ServerProcess

#: Where the hub is mounted.
MOUNT = "/v1/stream"

_APP = """
from fastapi import FastAPI
from headwater import Compression, Hub, Limits

hub = Hub("memory:", limits=Limits(**{limits!r}), multi=True, compression={compression})
app = FastAPI(lifespan=hub.lifespan)
app.mount("/v1/stream", hub.asgi)
"""


def _uvicorn(*flags: str) -> list[str]:
    return ["uvicorn", "--port", "{port}", "--log-level", "warning", *flags, "served:app"]


#: The servers, by name; each is a command behind `python -m`.
SERVERS: dict[str, Callable[[], list[str]]] = {
    "uvicorn": lambda: _uvicorn("--http", "httptools"),
    "uvicorn-h11": lambda: _uvicorn("--http", "h11"),
    "hypercorn": lambda: ["hypercorn", "--bind", "127.0.0.1:{port}", "served:app"],
}


def mounted_server(name: str, directory: Path, **limits: float) -> ServerProcess:
    """A server of `SERVERS` with a hub below `MOUNT`.

    Args:
        name: which server.
        directory: an empty one.
        limits: of the hub.
    """
    return _server(name, directory, "None", limits)


def deflating_server(name: str, directory: Path) -> ServerProcess:
    """The same, where messages of 100 bytes and more may be compressed."""
    return _server(name, directory, "Compression(codings=('permessage-deflate',), min_bytes=100)", {})


def _server(name: str, directory: Path, compression: str, limits: dict[str, float]) -> ServerProcess:
    (directory / "served.py").write_text(_APP.format(limits=limits, compression=compression))
    return ServerProcess([sys.executable, "-m", *SERVERS[name]()], health=f"{MOUNT}/-/health", cwd=directory)
