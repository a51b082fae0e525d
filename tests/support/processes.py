"""Real server processes for tests: start, wait until they answer, kill, start again on the same port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

#: Seconds a process may take until it answers.
START_SECONDS = 60.0


def free_port() -> int:
    """A TCP port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """A server in a process of its own.

    Args:
        command: what to run; `{port}` in it is replaced.
        health: path that answers 200 when the server is ready.
        cwd: where to run it.
        tls: how a client checks it, if it speaks TLS; its name is then `localhost`.
        log: file for what it writes to standard error; None: nobody reads it.
        socks: sockets that listen, which the process inherits under the same numbers; `port` is the first one's. Of a
            Unix socket there is none, and nobody waits for the server: who connects does.

    Attributes:
        name: for the tests that tell several apart.
        log: as given.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        health: str = "/-/health",
        cwd: Path | None = None,
        tls: ssl.SSLContext | None = None,
        log: Path | None = None,
        socks: Sequence[socket.socket] = (),
    ) -> None:
        self.name = ""
        self.tls = tls
        self.log = log
        self._socks = socks
        self._has_port = not socks or socks[0].family != socket.AF_UNIX
        self.port = 0 if not self._has_port else socks[0].getsockname()[1] if socks else free_port()
        self.url = f"https://localhost:{self.port}" if tls else f"http://127.0.0.1:{self.port}"
        self._command = [part.format(port=self.port) for part in command]
        self._health = health
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        inherited = [sock.fileno() for sock in self._socks]
        with open(self.log or os.devnull, "ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self._cwd, stderr=log, pass_fds=inherited)
        deadline = time.monotonic() + START_SECONDS
        while self._has_port:
            with (
                contextlib.suppress(OSError, urllib.error.URLError),
                urllib.request.urlopen(self.url + self._health, timeout=5, context=self.tls),
            ):
                return
            code = self._process.poll()
            assert code is None, f"{self._command} ended with {code} before it answered"
            assert time.monotonic() < deadline, f"{self._command} did not answer within {START_SECONDS:g} s"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it without a word, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait(self) -> int:
        """Wait until it has ended by itself, and give its exit code."""
        assert self._process is not None
        code = self._process.wait(timeout=30)
        self._process = None
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, and give its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
        self.kill()


def headwater_server(
    store: str, *flags: str, tls: ssl.SSLContext | None = None, log: Path | None = None
) -> ServerProcess:
    """`headwater serve` with a store."""
    command = [sys.executable, "-m", "headwater.cli", "serve", "--no-banner", "--log-level", "warning"]
    return ServerProcess([*command, "--port", "{port}", "--store", store, *flags], tls=tls, log=log)


def required(what: str, found: bool) -> None:
    """Skip a test that needs what this machine has not; in CI that is a failure."""
    import pytest

    if found:
        return
    if os.environ.get("CI"):
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"needs {what}")


@contextlib.contextmanager
def running(*servers: ServerProcess) -> Iterator[None]:
    """Several servers at once."""
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
        yield
