"""Servers on a socket that outlives them: a restart refuses nobody and loses nothing."""

from __future__ import annotations

import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, free_port

pytestmark = pytest.mark.slow

SERVE = [sys.executable, "-m", "headwater.cli", "serve", "--log-level", "warning"]
#: Start a command as systemd does: the descriptors from 3 on, and the variables with the process's own number.
ACTIVATE = """
import fcntl, os, sys
fds, *command = sys.argv[1:]
moved = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in fds.split(",")]
for number, fd in enumerate(moved):
    os.dup2(fd, 3 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(moved)))
os.execv(command[0], command)
"""

Launch = Callable[..., ServerProcess]


def by_flag(command: list[str], sock: socket.socket) -> ServerProcess:
    """A server that is given a socket by its number."""
    return ServerProcess([*command, "--fd", str(sock.fileno())], socks=[sock])


def by_variables(command: list[str], *socks: socket.socket, log: Path | None = None) -> ServerProcess:
    """A server that is given sockets as systemd does it."""
    numbers = ",".join(str(sock.fileno()) for sock in socks)
    return ServerProcess([sys.executable, "-c", ACTIVATE, numbers, *command], socks=socks, log=log)


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    """A socket that listens, as whoever starts the servers holds it."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as sock:
        yield sock


class Client:
    """Appends one record after the other, each on a connection of its own.

    Args:
        server: to which.
        name: what the records begin with.
        answered: is given each record that was acknowledged, or what went wrong.
    """

    def __init__(self, server: ServerProcess, name: str, answered: queue.Queue[str | Exception]) -> None:
        self._server = server
        self._name = name
        self._answered = answered
        self._stops = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Let it finish its last request."""
        self._stops.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stops.is_set():
            record = f'"{self._name}{number}"'
            try:
                reply = call(
                    self._server, "POST", "/v1/stream/s", record, content_type="application/json", connection="close"
                )
                assert reply.status == 204, reply
            except Exception as error:
                self._answered.put(error)
                return
            self._answered.put(record[1:-1])
            number += 1


@pytest.mark.parametrize("launch", [by_flag, by_variables])
def test_a_restart_refuses_nobody(launch: Launch, sock: socket.socket, tmp_path: Path) -> None:
    """Under clients that open a connection for each request: each is answered, and stored once and in its order."""
    command = [*SERVE, "--no-banner", "--store", f"sqlite:{tmp_path}/log.db"]
    answered: queue.Queue[str | Exception] = queue.Queue()
    acknowledged: list[str] = []

    def follow(count: int) -> None:
        for _ in range(count):
            found = answered.get(timeout=60)
            assert isinstance(found, str), found
            acknowledged.append(found)

    with launch(command, sock) as server:
        call(server, "PUT", "/v1/stream/s", content_type="application/json")
        clients = [Client(server, name, answered) for name in "abcd"]
        try:
            follow(40)
            for _ in range(3):
                assert server.stop() == 0
                server.start()
                follow(40)
        finally:
            for client in clients:
                client.stop()
        follow(answered.qsize())
        stored = call(server, "GET", "/v1/stream/s").json()
    assert sorted(stored) == sorted(acknowledged)
    for name in "abcd":
        assert [record for record in stored if record[0] == name] == [r for r in acknowledged if r[0] == name]


def test_who_comes_between_two_servers_waits(sock: socket.socket, tmp_path: Path) -> None:
    """A connection and a request that no server has seen are the next one's; a crash leaves the socket as well."""
    with by_flag([*SERVE, "--no-banner", "--store", "memory:"], sock) as server:
        for end in (server.stop, server.kill):
            end()
            with closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as raw:
                raw.sendall(b"GET /-/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                server.start()
                assert raw.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_the_sockets_own_addresses_count(sock: socket.socket, tmp_path: Path) -> None:
    """All that are announced are listened on; the banner has the first one's address, and --host is not used."""
    command = [*SERVE, "--store", "memory:", "--host", "0.0.0.0", "--port", "1"]
    with socket.create_server(("127.0.0.9", 0)) as other, by_variables(command, sock, other, log=tmp_path / "log"):
        for host, port in (sock.getsockname(), other.getsockname()):
            with closing(socket.create_connection((host, port), timeout=30)) as raw:
                raw.sendall(f"PUT /v1/stream/{host} HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n".encode())
                assert f"location: http://{host}:{port}/v1/stream/{host}\r\n".encode() in raw.recv(1000)
    assert f"Headwater serves memory: at http://127.0.0.1:{sock.getsockname()[1]}\n" in (tmp_path / "log").read_text()


def test_the_proxy_before_a_provider_takes_sockets_too(sock: socket.socket, tmp_path: Path) -> None:
    """By its flag and announced; what it prints has the socket's address."""
    command = [sys.executable, "-m", "headwater.cli", "llm", "proxy", "--upstream", "http://127.0.0.1:9/v1"]
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    for launch in (by_flag, by_variables):
        with launch([*command, "--store", "memory:"], sock) as server:
            assert call(server, "GET", "/-/health").status == 200
    with by_variables([*command, "--store", "memory:", "--host", "0.0.0.0"], sock, log=tmp_path / "log"):
        pass
    assert f"at {address}\n" in (tmp_path / "log").read_text()


def test_a_unix_socket_is_told_with_its_path(tmp_path: Path) -> None:
    """What is printed is for the configuration of a proxy."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as sock, socket.socket(socket.AF_UNIX) as raw:
        sock.bind(str(path))
        sock.listen()
        with by_variables([*SERVE, "--store", "memory:"], sock, log=tmp_path / "log"):
            raw.settimeout(60)
            raw.connect(str(path))
            raw.sendall(b"GET /-/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert raw.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert f"at the Unix socket {path}\n" in (tmp_path / "log").read_text()


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="needs systemd-socket-activate")
def test_systemd_starts_it() -> None:
    """Its own tool listens, and gives the socket to the server when the first client comes."""
    port = free_port()
    tool = ["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", *SERVE, "--no-banner", "--store", "memory:"]
    process = subprocess.Popen(tool, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert f"Listening on 127.0.0.1:{port}" in process.stderr.readline()
        with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as raw:
            raw.sendall(b"GET /-/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert raw.recv(1000).startswith(b"HTTP/1.1 200 ")
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0
