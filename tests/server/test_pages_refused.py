"""What the connection itself refuses, told to a page so that it can read it: with CORS headers, as any response."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

LINE = b"GET /v1/stream/s HTTP/1.1\r\n"
HOST = b"host: localhost\r\n"
PAGE = b"http://localhost:3000"
FOREIGN = b"http://evil.example"

#: A head with the origin in place of %b, and the status of its refusal.
HEADS = {
    "no colon behind it": (LINE + HOST + b"origin: %b\r\nbad\r\n\r\n", 400),
    "a space in a name behind it": (LINE + HOST + b"Origin:%b \r\nho st: x\r\n\r\n", 400),
    "a bad line before it": (LINE + HOST + b"bad\r\norigin: %b\r\n\r\n", 400),
    "a NUL behind it": (LINE + HOST + b"origin: %b\r\nx: a\0b\r\n\r\n", 400),
    "folded, behind it": (LINE + HOST + b"origin: %b\r\nx: a\r\n b\r\n\r\n", 400),
    "a field twice": (LINE + HOST + b"producer-id: a\r\norigin: %b\r\nproducer-id: b\r\n\r\n", 400),
    "the host twice": (LINE + HOST + b"origin: %b\r\n" + HOST + b"\r\n", 400),
    "the origin twice": (LINE + HOST + b"x: y\r\norigin: %b\r\norigin: %b\r\n\r\n", 400),
    "another version": (b"GET / HTTP/2.0\r\n" + HOST + b"origin: %b\r\n\r\n", 505),
    "too large": (LINE + HOST + b"origin: %b\r\nx: " + b"x" * 40_000, 431),
}
EARLY = "a bad line before it"
#: Of two lines none is the page's.
NOBODYS = "the origin twice"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """Pages of this machine may use it."""
    with headwater_server("memory:", "--head-seconds", "0.3") as process:
        yield process


def answer_to(server: ServerProcess, *pieces: bytes) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            raw.sendall(piece)
        found = b""
        while part := raw.recv(65536):
            found += part
        return found


def first_connection(server: ServerProcess) -> socket.socket:
    """The one that the server takes, once those before are gone; it has made a stream."""
    while True:
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        raw.sendall(b"PUT /v1/stream/s HTTP/1.1\r\ncontent-type: application/json\r\nhost: 127.0.0.1\r\n\r\n")
        if raw.recv(1000).startswith(b"HTTP/1.1 20"):
            return raw
        raw.close()


def check(answer: bytes, status: int, origin: bytes | None) -> None:
    head = answer.partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert b"\r\nvary: origin" in head
    allowed = [line for line in head.split(b"\r\n") if line.startswith(b"access-control-allow-origin")]
    assert allowed == ([b"access-control-allow-origin: " + origin] if origin is not None else [])


@pytest.mark.parametrize("what", HEADS)
def test_a_bad_head_is_told_to_its_page(server: ServerProcess, what: str) -> None:
    """Wherever the bad line is, and however the head is cut; a foreign page is told nothing."""
    form, status = HEADS[what]
    for origin in (PAGE, FOREIGN):
        head = form.replace(b"%b", origin)
        told = origin if origin is PAGE and what != NOBODYS else None
        at = head.index(origin) + 5
        # What is refused is refused at once: a line that comes later is not waited for.
        for pieces in ((head,), (head[:at], head[at:]))[: 1 if what == EARLY else 2]:
            check(answer_to(server, *pieces), status, told)


def test_what_is_behind_a_head_is_no_line_of_it(server: ServerProcess) -> None:
    """Nor is half a line."""
    check(answer_to(server, LINE + HOST + b"bad\r\n\r\norigin: " + PAGE + b"\r\n"), 400, None)
    check(answer_to(server, LINE + HOST + b"origin: " + PAGE), 408, None)


@pytest.mark.parametrize("origin", [PAGE, FOREIGN, None])
def test_a_head_that_is_late_is_told_to_its_page(server: ServerProcess, origin: bytes | None) -> None:
    """By the lines that came."""
    line = b"" if origin is None else b"origin: " + origin + b"\r\n"
    check(answer_to(server, LINE + HOST + line), 408, origin if origin is PAGE else None)


@pytest.mark.parametrize("origin", [PAGE, FOREIGN, None])
def test_one_connection_too_many_is_told_to_its_page(origin: bytes | None) -> None:
    """When its head is there; one that says nothing is told soon, and all the same."""
    with headwater_server("memory:", "--max-connections", "1") as server, ExitStack() as stack:
        kept = stack.enter_context(closing(first_connection(server)))
        line = b"" if origin is None else b"origin: " + origin + b"\r\n"
        told = origin if origin is PAGE else None
        get = answer_to(server, LINE + HOST + line, b"\r\n")
        check(get, 503, told)
        assert b"\r\nretry-after: " in get
        assert b"too-many-connections" in get
        append = b"POST /v1/stream/s HTTP/1.1\r\n" + HOST + line + b"content-type: application/json\r\n"
        body = b"7" * 100_000
        check(answer_to(server, append + b"content-length: %d\r\n\r\n" % len(body) + body), 503, told)
        check(answer_to(server), 503, None)
        kept.sendall(b"GET /v1/stream/s HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert kept.recv(1000).endswith(b"[]")


def test_more_than_that_are_told_at_once() -> None:
    """Those that wait for their heads are few: who opens connections without end does not fill the server with them."""
    with headwater_server("memory:", "--max-connections", "1") as server, ExitStack() as stack:
        stack.enter_context(closing(first_connection(server)))
        others = [
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)))
            for _ in range(100)
        ]
        for raw in others:
            check(raw.recv(65536), 503, None)
