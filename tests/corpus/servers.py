"""The servers that the corpus is sent to, each started once and used for all cases.

| name         | what it is                                                    | also called        |
| ------------ | ------------------------------------------------------------- | ------------------ |
| serve        | `headwater serve` in memory                                    | headwater          |
| serve-sqlite | `headwater serve` with SQLite                                  | headwater          |
| uvicorn      | a hub mounted in FastAPI under uvicorn                         | mounted            |
| hypercorn    | the same under hypercorn                                       | mounted            |
| nginx        | `headwater serve` behind nginx, as documented                  | proxies, headwater |
| haproxy      | `headwater serve` behind HAProxy, as documented                | proxies, headwater |
"""

from __future__ import annotations

import contextlib
import http.client
import json
import sqlite3
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.corpus.wire import Connection
from tests.proxies.fronts import HOST, Certificates, Front, in_front_of
from tests.proxies.hypercorns import HypercornProcess
from tests.support.processes import ServerProcess, headwater_server

#: Every server, with the further names under which a case may tell of a difference.
SERVERS: dict[str, tuple[str, ...]] = {
    "serve": ("serve", "headwater"),
    "serve-sqlite": ("serve-sqlite", "headwater"),
    "uvicorn": ("uvicorn", "mounted"),
    "hypercorn": ("hypercorn", "mounted"),
    "nginx": ("nginx", "proxies", "headwater"),
    "haproxy": ("haproxy", "proxies", "headwater"),
}
#: A stream that every server has, and what it holds; read behind each case on the same connection.
PROBE, PROBED = "/v1/stream/probe", "the probe"
FLAGS = ("--allowed-hosts", f"{HOST},loopback", "--cors-origins", f"https://{HOST},loopback")
#: Short, so that nothing waits for a quarter of a minute.
POLL = ("--long-poll-seconds", "2")

_MOUNTED = """
from fastapi import FastAPI
from headwater import Compression, Hub, Limits

origins = ("https://app.example", "loopback")
hub = Hub({store!r}, limits=Limits(long_poll_seconds=2), cors_origins=origins)
app = FastAPI(lifespan=hub.lifespan)
app.mount("/v1/stream", hub.asgi)
"""

#: With messages of WebSockets, small ones too, that may be compressed.
_DEFLATE = ("--compression", "permessage-deflate", "--compress-min-bytes", "64")
_WITH_MESSAGES = "Hub({store!r}, multi=True, compression=Compression(codings=('permessage-deflate',), min_bytes=64),"


class Reply(NamedTuple):
    """A response to the harness itself."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Target:
    """A server, and what may stand in front of it.

    Args:
        process: the server that keeps the streams.
        names: its own, and those it shares.
        front: port of the proxy in front of it, if there is one.
        tls: how a client speaks to that.
        database: file of its store, if it has one.

    Attributes:
        name: the first of `names`.
    """

    def __init__(
        self,
        process: ServerProcess,
        names: tuple[str, ...],
        *,
        front: int | None = None,
        tls: ssl.SSLContext | None = None,
        database: Path | None = None,
    ) -> None:
        self.process = process
        self.names = names
        self.name = names[0]
        self.database = database
        self._port = front or process.port
        self._tls = (tls, HOST) if tls else None
        self._inspection = "/v1/stream/-/" if "mounted" in names else "/-/"
        self._control = http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)
        self._read = 0
        assert self.ask("PUT", PROBE, PROBED, {"content-type": "text/plain"}).status in (200, 201)

    def close(self) -> None:
        """Let the harness's own connection go."""
        self._control.close()

    def connect(self) -> Connection:
        """A connection as a client has it."""
        return Connection(self._port, self._tls)

    def ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Reply:
        """A request of the harness itself, past the proxy."""
        for last in (False, True):
            try:
                self._control.request(method, path, body.encode(), headers or {})
                with self._control.getresponse() as answer:
                    return Reply(answer.status, answer.headers, answer.read())
            except (ConnectionError, http.client.HTTPException):
                # It was silent for longer than the server waits.
                self._control.close()
                if last:
                    raise
        raise AssertionError

    def streams(self, root: str) -> set[str]:
        """The paths below a root."""
        listed: dict[str, Any] = json.loads(self.ask("GET", f"{self._inspection}streams?limit=1000&prefix={root}").body)
        return {stream["path"] for stream in listed["streams"]}

    def stats(self) -> dict[str, Any]:
        """The figures of `/-/stats`."""
        found: dict[str, Any] = json.loads(self.ask("GET", f"{self._inspection}stats").body)
        return found

    def complaints(self) -> str:
        """What was written to the log since the last call that tells of a mistake in the program."""
        assert self.process.log is not None
        with self.process.log.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        self._read += len(new)
        text = new.decode(errors="replace")
        return text if "Traceback" in text or " ERROR " in text else ""

    @contextlib.contextmanager
    def commits_held(self) -> Iterator[None]:
        """No commit ends meanwhile: another program has the lock on the database."""
        assert self.database is not None
        lock = sqlite3.connect(self.database, isolation_level=None, timeout=20)
        lock.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            lock.execute("ROLLBACK")
            lock.close()


@contextlib.contextmanager
def serving(name: str, directory: Path, *, websockets: bool = False) -> Iterator[Target]:
    """One of `SERVERS`, running.

    Args:
        name: which.
        directory: an empty one.
        websockets: a mounted hub serves several streams on one connection, as the others do, and all of them offer to
            compress messages.
    """
    names, log, database = SERVERS[name], directory / "server.log", directory / "log.db"
    mounted = _MOUNTED.replace("Hub({store!r},", _WITH_MESSAGES) if websockets else _MOUNTED
    flags = (*FLAGS, *POLL, *(_DEFLATE if websockets else ()))
    with contextlib.ExitStack() as stack:
        match name:
            case "uvicorn":
                (directory / "served.py").write_text(mounted.format(store="memory:"))
                command = [sys.executable, "-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "served:app"]
                process = ServerProcess(command, health="/v1/stream/-/health", cwd=directory, log=log)
            case "hypercorn":
                process = HypercornProcess(Certificates(directory), directory, source=mounted)
            case "serve-sqlite":
                process = headwater_server(f"sqlite:{database}", *flags, log=log)
            case _:
                process = headwater_server("memory:", *flags, log=log)
        stack.enter_context(process)
        front: Front | None = None
        tls: ssl.SSLContext | None = None
        if "proxies" in names:
            certificates = Certificates(directory)
            front = stack.enter_context(in_front_of(process.port, name, certificates, directory))
            tls = certificates.trusted("http/1.1")
        kept = database if database.exists() else None
        target = Target(process, names, front=front.port if front else None, tls=tls, database=kept)
        stack.callback(target.close)
        yield target
