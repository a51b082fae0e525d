"""An answer that comes before the end of its request: the client gets it, whatever it still sends. Raw bytes."""

from __future__ import annotations

import json
import select
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

#: What each server takes of a body, and of one behind its answer.
MAX_BODY = 100_000
LINGER_BYTES = 8_000_000
#: Longer than a busy machine takes to send `MUCH`.
LINGER_SECONDS = 5
#: More than sockets hold on their way: the server must read, so that it can all be sent.
MUCH = 6_000_000

_APP = """
from headwater import Hub
from headwater.hub import Limits
from headwater.asgi import App

app = App(Hub(limits=Limits(max_body_bytes={}, linger_bytes={}, linger_seconds={})))
"""


def _ours(directory: Path) -> ServerProcess:
    flags = ["--max-body-bytes", MAX_BODY, "--linger-bytes", LINGER_BYTES, "--linger-seconds", LINGER_SECONDS]
    return headwater_server("memory:", "--head-seconds", "30", "--keep-alive-seconds", "1", *map(str, flags))


def _uvicorn(directory: Path) -> ServerProcess:
    return _stock(directory, "uvicorn", "--port", "{port}")


def _hypercorn(directory: Path) -> ServerProcess:
    return _stock(directory, "hypercorn", "--bind", "127.0.0.1:{port}")


def _stock(directory: Path, module: str, *flags: str) -> ServerProcess:
    (directory / "served.py").write_text(_APP.format(MAX_BODY, LINGER_BYTES, LINGER_SECONDS))
    return ServerProcess([sys.executable, "-m", module, "served:app", *flags], cwd=directory)


SERVERS = {"headwater serve": _ours, "uvicorn": _uvicorn, "hypercorn": _hypercorn}


@pytest.fixture(params=SERVERS, scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The application in each server."""
    with SERVERS[request.param](tmp_path_factory.mktemp("served")) as process:
        yield process


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """`headwater serve`."""
    with _ours(tmp_path_factory.mktemp("ours")) as process:
        yield process


def connect(server: ServerProcess) -> closing[socket.socket]:
    return closing(socket.create_connection(("127.0.0.1", server.port), timeout=30))


def head(path: str, *fields: str, method: str = "PUT") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", "content-type: a/b", *fields, "", ""]
    return "\r\n".join(lines).encode()


def read(raw: socket.socket) -> bytes:
    """All to the end of the connection."""
    found = b""
    while piece := raw.recv(65536):
        found += piece
    return found


def code(answer: bytes) -> tuple[int, str]:
    """Status and code of the one answer there is, which says that the connection closes."""
    top, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in top.lower()
    return int(top.split()[1]), json.loads(body)["code"]


def cuts(server: ServerProcess) -> int:
    with urllib.request.urlopen(server.url + "/-/stats", timeout=30) as answer:
        return int(json.loads(answer.read())["linger_cuts"])


def until(condition: Callable[[], bool]) -> None:
    """Wait for what comes."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def unread(raw: socket.socket) -> None:
    """Send for ever, until the connection is gone."""
    with suppress(ConnectionError):
        while True:
            raw.sendall(b"x" * 65536)


BODIES = {
    "of a declared length": (f"content-length: {MUCH}", b"x" * MUCH),
    "in chunks": ("transfer-encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (MUCH, b"x" * MUCH)),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_client_that_writes_all_before_it_reads_is_told(server: ServerProcess, kind: str) -> None:
    """413, and the connection ends as it should."""
    before = cuts(server)
    field, body = BODIES[kind]
    with connect(server) as raw:
        raw.sendall(head("/v1/stream/much", field) + body)
        assert code(read(raw)) == (413, "too-large")
    assert cuts(server) == before


@pytest.mark.parametrize("kind", BODIES)
def test_a_client_that_never_ends_is_cut(server: ServerProcess, kind: str) -> None:
    """At `linger_bytes`, and counted; others are answered meanwhile."""
    before = cuts(server)
    field = BODIES[kind][0].replace(str(MUCH), "1" + "0" * 17)
    with connect(server) as raw:
        raw.sendall(head("/v1/stream/endless", field) + (b"ffffffffff\r\n" if kind == "in chunks" else b""))
        unread(raw)
    assert cuts(server) == before + 1


def test_a_client_that_sends_no_more_is_cut(server: ServerProcess) -> None:
    """After `linger_seconds`, and counted. It has its answer before."""
    before = cuts(server)
    with connect(server) as raw:
        raw.sendall(head("/v1/stream/silent", f"content-length: {MUCH}") + b"x" * 1000)
        answer = b""
        while b"too-large" not in answer:
            answer += raw.recv(65536)
        assert cuts(server) == before
        # Nothing is unread now, so that the end is no reset.
        assert code(answer + read(raw)) == (413, "too-large")
        until(lambda: cuts(server) == before + 1)


def test_a_client_that_goes_is_not_cut(server: ServerProcess) -> None:
    """It has its answer, and says that it is through."""
    before = cuts(server)
    with connect(server) as raw:
        raw.sendall(head("/v1/stream/gone", f"content-length: {MUCH}") + b"x" * 1000)
        answer = b""
        while b"too-large" not in answer:
            answer += raw.recv(65536)
    with connect(server) as raw:
        raw.sendall(head("/v1/stream/silent", f"content-length: {MUCH}"))
        read(raw)
        until(lambda: cuts(server) == before + 1)


def test_this_side_is_closed_at_once(ours: ServerProcess) -> None:
    """Who waits for the end of the connection need not send the rest first."""
    before = cuts(ours)
    with connect(ours) as raw:
        raw.sendall(head("/v1/stream/silent", f"content-length: {MUCH}"))
        assert code(read(raw)) == (413, "too-large")
        assert cuts(ours) == before


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/9\r\n\r\n", 400),
        (head("/-/health", f"big: {'x' * 40_000}"), 431),
    ],
    ids=["what is no HTTP", "a large head"],
)
def test_a_refused_head_is_told_whatever_follows(ours: ServerProcess, sent: bytes, status: int) -> None:
    before = cuts(ours)
    with connect(ours) as raw:
        raw.sendall(sent + b"x" * MUCH)
        assert code(read(raw))[0] == status
    assert cuts(ours) == before


def test_a_slow_body_is_told_whatever_follows(tmp_path: Path) -> None:
    """In the fast lane and elsewhere: 408, also if the rest comes all at once then."""
    with headwater_server("memory:", "--body-seconds", "0.2") as server:
        for method in ("PUT", "POST"):
            with connect(server) as raw:
                raw.sendall(head("/v1/stream/slow", "content-length: 90000", method=method) + b"x")
                assert select.select([raw], [], [], 30)[0]
                raw.sendall(b"x" * MUCH)
                assert code(read(raw)) == (408, "request-timeout")


GONE = head("/nowhere", f"content-length: {MUCH}")
NEXT = b"GET /-/health HTTP/1.1\r\nhost: localhost\r\n\r\n"


def test_a_connection_goes_on_behind_a_body_that_nobody_wanted(ours: ServerProcess) -> None:
    """The answer comes first, and the next request is answered. A silent one ends like any other."""
    before = cuts(ours)
    with connect(ours) as raw:
        raw.sendall(GONE)
        answer = raw.recv(65536)
        assert answer.startswith(b"HTTP/1.1 404")
        assert b"connection: close" not in answer
        raw.sendall(b"x" * MUCH + NEXT)
        assert b"HTTP/1.1 200" in read(raw)
    with connect(ours) as raw:
        raw.sendall(GONE)
        answer = b""
        while b"route-not-found" not in answer:
            answer += raw.recv(65536)
        raw.sendall(b"x" * MUCH)
        assert b"HTTP/1.1" not in read(raw)
    assert cuts(ours) == before


def test_a_body_that_nobody_wanted_has_an_end(ours: ServerProcess) -> None:
    """The connection is cut at the limit of bytes, and counted; a silent one ends like any other."""
    before = cuts(ours)
    with connect(ours) as raw:
        raw.sendall(head("/nowhere", f"content-length: {10 * LINGER_BYTES}"))
        unread(raw)
    until(lambda: cuts(ours) == before + 1)
    with connect(ours) as raw:
        raw.sendall(GONE)
        assert read(raw).startswith(b"HTTP/1.1 404")


def test_a_client_that_closes_asks_for_no_reset(ours: ServerProcess) -> None:
    """With `connection: close`, every answer is told whatever is still sent."""
    with connect(ours) as raw:
        raw.sendall(head("/nowhere", f"content-length: {MUCH}", "connection: close") + b"x" * MUCH)
        assert code(read(raw)) == (404, "route-not-found")


def test_a_stop_does_not_wait_for_who_lingers(tmp_path: Path) -> None:
    flags = ["--max-body-bytes", "10", "--linger-seconds", "600"]
    with headwater_server("memory:", *flags) as server, connect(server) as raw:
        raw.sendall(head("/v1/stream/s", "content-length: 1000"))
        assert code(read(raw)) == (413, "too-large")
        assert server.stop() == 0


def test_a_connection_too_many_is_closed_soon(tmp_path: Path) -> None:
    """The limit of connections holds."""
    flags = ["--max-connections", "1", "--linger-seconds", "600"]
    with headwater_server("memory:", *flags) as server, connect(server), connect(server) as second:
        assert read(second).startswith(b"HTTP/1.1 503")
