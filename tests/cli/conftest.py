"""A real server process, a proxy that cuts connections, and ways to run the commands."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from headwater.cli.group import group

HERE = Path(__file__).parent


class Server:
    """A server in its own process.

    Args:
        store: the store's URL.
        name: which application of served.py.
        env: further environment.
    """

    def __init__(self, store: str = "memory:", name: str = "app", **env: str) -> None:
        self._env = {**os.environ, "TEST_STORE": store, **env}
        self._name = name
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, on the same port again after a first time, and return when it answers."""
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), "--port", str(self.port), "--no-access-log"]
        process = subprocess.Popen(
            [*command, f"served:{self._name}"],
            env=self._env,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._process = process
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"running on http://[\d.]+:(\d+)", line):
                self.port = int(found[1])
                break
        health = "/streams/-/health" if self._name == "mounted" else "/-/health"
        with urlopen(self.url + health, timeout=30) as answer:
            assert answer.status == 200

    def kill(self) -> None:
        """End it without a word, as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


class Proxy:
    """A TCP proxy that cuts connections.

    Args:
        port: the server's.
        cuts: for the first connections, how many bytes of answers pass before the cut; later ones stay whole.
        losing: how many requests with a body reach the server while their answers are lost.

    Attributes:
        connections: how many there were.
        answers: how many pieces of answers passed.
    """

    def __init__(self, port: int, *, cuts: Sequence[int] = (), losing: int = 0) -> None:
        self._target = ("127.0.0.1", port)
        self._cuts = list(cuts)
        self.losing = losing
        self.connections = 0
        self.answers = 0
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Return when something true of the counts is true."""
        with self._changed:
            self._changed.wait_for(predicate)

    def count(self, *, connections: int = 0, answers: int = 0) -> None:
        """Add to the counts."""
        with self._changed:
            self.connections += connections
            self.answers += answers
            self._changed.notify_all()

    def close(self) -> None:
        """End all connections and threads."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for end in self._sockets:
            _shut(end)
        for thread in self._threads[1:]:
            thread.join()
        for end in [self._listener, *self._sockets]:
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.count(connections=1)
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                allowed = self._cuts.pop(0) if self._cuts else None
                pair = _Pair(self, client, server, allowed)
                for pump in (pair.upward, pair.downward):
                    self._threads.append(threading.Thread(target=pump))
                    self._threads[-1].start()


class _Pair:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket, allowed: int | None) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._allowed = allowed
        self._lost = False

    def upward(self) -> None:
        with suppress(OSError):
            while data := self._client.recv(65536):
                if data.startswith(b"POST ") and self._proxy.losing:
                    self._proxy.losing -= 1
                    self._lost = True
                self._server.sendall(data)
        _shut(self._server)

    def downward(self) -> None:
        with suppress(OSError):
            while (data := self._server.recv(65536)) and not self._lost:
                self._client.sendall(data[: self._allowed])
                self._proxy.count(answers=1)
                if self._allowed is not None:
                    self._allowed -= len(data)
                    if self._allowed <= 0:
                        break
        _shut(self._client)
        _shut(self._server)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


Serve = Callable[..., Server]
Cut = Callable[..., Proxy]
Call = Callable[..., Result]
Spawn = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="session")
def _shared() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(_shared: Server) -> Server:
    """A server that all tests share, each with paths of its own."""
    return _shared


@pytest.fixture
def path() -> str:
    """A path nobody else uses."""
    return f"test/{uuid4().hex}"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server of the test's own."""
    with ExitStack() as stack:

        def start(*args: str, **env: str) -> Server:
            server = Server(*args, **env)
            stack.callback(server.kill)
            server.start()
            return server

        yield start


@pytest.fixture
def cut() -> Iterator[Cut]:
    """Puts a cutting proxy before a server."""
    with ExitStack() as stack:

        def start(server: Server, *, cuts: Sequence[int] = (), losing: int = 0) -> Proxy:
            proxy = Proxy(server.port, cuts=cuts, losing=losing)
            stack.callback(proxy.close)
            return proxy

        yield start


@pytest.fixture
def call(server: Server) -> Call:
    """Runs a command in this process, against the shared server unless the arguments or `url` name another one."""

    def run(*args: str, stdin: str | bytes | None = None, url: str = server.url, **env: str) -> Result:
        runner = CliRunner(env={"HEADWATER_URL": url, **env})
        return runner.invoke(group, args, input=stdin, prog_name="headwater")

    return run


@pytest.fixture
def spawn(server: Server) -> Iterator[Spawn]:
    """Starts a command as a process of its own, with pipes."""
    with ExitStack() as stack:

        def start(
            *args: str,
            url: str = server.url,
            env: Mapping[str, str] | None = None,
            stdout: int = subprocess.PIPE,
            stderr: int = subprocess.PIPE,
        ) -> subprocess.Popen[bytes]:
            inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
            process = subprocess.Popen(
                [sys.executable, "-m", "headwater.cli", *args],
                env={**inherited, "HEADWATER_URL": url, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
            )
            stack.callback(_end, process)
            return process

        yield start


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    process.wait()
