"""Request heads: their size, their time, and what is no HTTP at all. Raw bytes on real sockets."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.processes import ServerProcess, headwater_server, required

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A server that waits a second for a head or a body."""
    flags = ["--head-seconds", "1", "--body-seconds", "1", "--max-header-bytes", "4096", "--keep-alive-seconds", "2"]
    with headwater_server("memory:", *flags) as process:
        yield process


def exchange(server: ServerProcess, *pieces: bytes) -> bytes:
    """Send the pieces, then read until the server closes."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
        for piece in pieces:
            raw.sendall(piece)
        found = b""
        while piece := raw.recv(65536):
            found += piece
        return found


def code(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    found: str = json.loads(body)["code"]
    return found


def test_a_connection_that_says_nothing_is_closed(server: ServerProcess) -> None:
    """A silent connection is told 408 and closed after head_seconds."""
    answer = exchange(server)
    assert answer.startswith(b"HTTP/1.1 408")
    assert code(answer) == "request-timeout"


def test_a_head_that_never_ends_is_closed(server: ServerProcess) -> None:
    """So is one that has begun, and the one after an answer on the same connection."""
    assert code(exchange(server, b"GET / HTTP/1.1\r\nhost: localhost\r\n")) == "request-timeout"
    answer = exchange(server, b"GET /-/health HTTP/1.1\r\nhost: localhost\r\n\r\nGET /-/health HTT")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nhost: localhost\r\nbig: " + b"x" * 5000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nbig: " + b"x" * 5000,
        b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
    ],
    ids=["one large header", "an unfinished one", "a long url", "many headers"],
)
def test_a_large_head_is_refused(server: ServerProcess, head: bytes) -> None:
    """431 over max_header_bytes, finished or not."""
    answer = exchange(server, head)
    assert answer.startswith(b"HTTP/1.1 431")
    assert code(answer) == "headers-too-large"


def test_a_head_below_the_limit_is_taken_however_it_comes(server: ServerProcess) -> None:
    """Whole, or cut inside a large header: each byte counts once."""
    head = b"GET /-/health HTTP/1.1\r\nhost: localhost\r\nbig: " + b"x" * 3900 + b"\r\nconnection: close\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(head), 500):
            raw.sendall(head[start : start + 500])
        assert raw.recv(65536).startswith(b"HTTP/1.1 200")
    assert exchange(server, head).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"HELLO\r\n\r\n", b"GET / HTTP/9\r\n\r\n"]
)
def test_what_is_no_http_is_refused(server: ServerProcess, junk: bytes) -> None:
    """400, whatever came."""
    answer = exchange(server, junk)
    assert answer.startswith(b"HTTP/1.1 400")
    assert code(answer) == "bad-request"


@pytest.mark.parametrize("method", [b"PUT", b"POST"], ids=["through ASGI", "in the fast lane"])
def test_a_slow_body_is_refused(server: ServerProcess, method: bytes) -> None:
    """408 after body_seconds, and the connection is closed although the client goes on sending."""
    head = method + b" /v1/stream/slow HTTP/1.1\r\nhost: localhost\r\ncontent-type: a/b\r\ncontent-length: 100\r\n\r\n"
    answer = exchange(server, head, b"x")
    assert answer.startswith(b"HTTP/1.1 408")
    assert code(answer) == "request-timeout"


def test_a_header_cannot_be_smuggled_in(server: ServerProcess) -> None:
    """A line break in a header ends the header: what follows is never part of an answer."""
    head = b"PUT /v1/stream/x HTTP/1.1\r\nhost: localhost\r\ncontent-type: a/b\x0binjected: 1\r\n"
    answer = exchange(server, head)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"injected" not in answer.partition(b"\r\n\r\n")[0]


def test_the_refused_are_counted(server: ServerProcess) -> None:
    """Every refusal is a metric."""
    exchange(server, b"HELLO\r\n\r\n")
    with urllib.request.urlopen(server.url + "/-/stats") as answer:
        assert json.loads(answer.read())["errors"]["bad-request"] >= 1


def test_an_answer_is_not_cut_by_the_next_heads_timer(server: ServerProcess) -> None:
    """A long answer on a connection whose head came in time goes on beyond head_seconds."""
    request = urllib.request.Request(server.url + "/v1/stream/long", b"x", method="PUT")
    urllib.request.urlopen(request).close()
    live = urllib.request.Request(server.url + "/v1/stream/long?offset=now&live=long-poll")
    with urllib.request.urlopen(live, timeout=60) as answer:
        assert answer.status == 204


@pytest.mark.parametrize("attack", ["-H", "-B"])
def test_slowhttptest_sees_its_connections_closed(server: ServerProcess, attack: str, tmp_path: Path) -> None:
    """A hundred slow heads, then a hundred slow bodies: all closed by the server, which answers others meanwhile."""
    program = shutil.which("slowhttptest")
    required("slowhttptest (Debian)", program is not None)
    url = server.url + "/v1/stream/attacked"
    command = [program, attack, "-c", "100", "-r", "100", "-i", "1", "-l", "12", "-s", "8192", "-t", "POST", "-u", url]
    with subprocess.Popen([*command, "-o", str(tmp_path / "x")], stdout=subprocess.PIPE, text=True) as run:  # type: ignore[list-item]
        with urllib.request.urlopen(server.url + "/-/health", timeout=5) as answer:
            assert answer.status == 200
        output, _ = run.communicate()
    assert "closed:               100" in output or "No open connections left" in output, output
