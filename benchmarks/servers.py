"""The servers that are compared: how each is started, and what it promises of its data."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import tools
from benchmarks.fanout import peers

START_SECONDS = 20.0
STOP_SECONDS = 20.0
#: The end of the name of a server from another checkout.
BEFORE = " before"


@dataclass(frozen=True)
class Kind:
    """A server and its store.

    Attributes:
        name: what the table calls it.
        command: the command line for a port and a folder for its data.
        durable: what it acknowledged must survive SIGKILL.
        stores: it keeps records at all.
        missing: the reason why it cannot run here; may install it.
    """

    name: str
    command: Callable[[int, Path], list[str]]
    durable: bool = False
    stores: bool = True
    missing: Callable[[], str | None] = lambda: None

    def of(self, tree: Path) -> Kind:
        """The same with the Python modules of another checkout, which needs no installation of its own."""
        path = f"PYTHONPATH={tree.resolve() / 'src'}"
        return replace(
            self, name=self.name + BEFORE, command=lambda port, data: ["env", path, *self.command(port, data)]
        )


def _headwater(store: Callable[[Path], str], *more: str) -> Callable[[int, Path], list[str]]:
    code = "from headwater.cli.serve import serve; serve()"

    def command(port: int, data: Path) -> list[str]:
        options = ["--port", str(port), "--store", store(data), "--no-banner", "--log-level", "warning", *more]
        return [sys.executable, "-c", code, *options]

    return command


def _sqlite(driver: str, *more: str) -> Callable[[int, Path], list[str]]:
    return _headwater(lambda data: f"sqlite:{data / 'streams.db'}?driver={driver}&synchronous=full", *more)


def _mounted(port: int, data: Path) -> list[str]:
    """The same hub as an ASGI application under uvicorn."""
    store = f"sqlite:{data / 'streams.db'}?driver=apsw&synchronous=full"
    app = f"asgi.App(asgi.Hub({store!r}))"
    code = f"import uvicorn, headwater.asgi as asgi; uvicorn.run({app}, port={port}, log_level='warning')"
    return [sys.executable, "-c", code]


def _reference(*, files: bool) -> Callable[[int, Path], list[str]]:
    script = str(tools.HERE / "load" / "reference_server.mjs")
    return lambda port, data: [*tools.node(), script, str(port), *([str(data)] if files else [])]


def _rust(durability: str) -> Callable[[int, Path], list[str]]:
    program = str(tools.cargo_program(peers.RUST_SERVER))
    options = ["--host", "127.0.0.1", "--durability", durability]
    return lambda port, data: [program, *options, "--port", str(port), "--data-dir", str(data)]


def _floor(*, database: bool) -> Callable[[int, Path], list[str]]:
    script = str(tools.HERE / "load" / "append_floor.py")
    return lambda port, data: [sys.executable, script, str(port), *([str(data / "floor.db")] if database else [])]


#: The least that Python does for a request, and for one that is committed.
FLOOR = Kind("floor", _floor(database=False), stores=False)
FLOOR_SQLITE = Kind("floor sqlite", _floor(database=True), stores=False)
NULL = Kind("null", lambda port, data: [str(tools.compile_c("null_server")), str(port)], stores=False)
SQLITE = Kind("headwater sqlite", _sqlite("apsw"), durable=True)
SQLITE3 = Kind("headwater sqlite3", _sqlite("sqlite3"), durable=True)
ASGI = Kind("headwater asgi", _mounted, durable=True)
MEMORY = Kind("headwater memory", _headwater(lambda data: "memory:"))
NODE_MEMORY = Kind("node memory", _reference(files=False), missing=peers.install_node)
NODE_FILES = Kind("node files", _reference(files=True), durable=True, missing=peers.install_node)
RUST_MEMORY = Kind("rust memory", _rust("memory"), missing=peers.install_rust)
RUST_WAL = Kind("rust wal", _rust("wal"), durable=True, missing=peers.install_rust)
KINDS = (SQLITE, SQLITE3, ASGI, MEMORY, NODE_MEMORY, NODE_FILES, RUST_MEMORY, RUST_WAL, FLOOR, FLOOR_SQLITE, NULL)


class Server:
    """A running server; a context, at whose end it is gone.

    Args:
        kind: what to run.
        data: folder for its data and its log.
    """

    def __init__(self, kind: Kind, data: Path) -> None:
        self.kind = kind
        self._data = data
        self.port = _free_port()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        with (self._data / "server.log").open("ab") as log:
            command = self.kind.command(self.port, self._data)
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tools.HERE)
        deadline = time.monotonic() + START_SECONDS
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"{self.kind.name} does not start: {(self._data / 'server.log').read_text()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.wait()

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
