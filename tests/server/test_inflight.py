"""Bodies that never end: together they hold what the budget says, and small appends beside them are never refused."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest
from tests.support.http import call
from tests.support.mounted import SERVERS, mounted_server
from tests.support.processes import ServerProcess, headwater_server
from tests.support.sockets import resident

from headwater import Limits

pytestmark = pytest.mark.slow

MOST = 256 * 1024
BUDGET = 8 * MOST
LIMITS = {"max_body_bytes": MOST, "max_inflight_bytes": BUDGET, "body_seconds": 60, "linger_seconds": 60}
STALLED = MOST - 1000


@pytest.fixture(params=["serve", *SERVERS], scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Each server, with a small budget."""
    if request.param in SERVERS:
        found = mounted_server(request.param, tmp_path_factory.mktemp("served"), **LIMITS)
    else:
        flags = [part for name, value in LIMITS.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        found = headwater_server("memory:", *flags)
    with found:
        call(found, "PUT", "/v1/stream/s", content_type="application/json")
        yield found


def figure(server: ServerProcess, name: str) -> int:
    prefix = "" if call(server, "GET", "/-/health").status == 200 else "/v1/stream"
    return int(call(server, "GET", f"{prefix}/-/stats").json()[name])


def until(server: ServerProcess, name: str, value: int) -> None:
    """Wait for a figure."""
    deadline = time.monotonic() + 30
    while (found := figure(server, name)) != value:
        assert time.monotonic() < deadline, (name, found)
        time.sleep(0.01)


def stalled(server: ServerProcess, address: str, size: int, sent: int) -> socket.socket:
    """A connection from an address of this machine, with a body of which the end is missing."""
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=30, source_address=(address, 0))
    raw.sendall(
        b"POST /v1/stream/s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n" % size + b" " * sent
    )
    return raw


def refused(connections: list[socket.socket], count: int) -> list[int]:
    """Which connections have got a response, when there are so many of them; each is told what to do."""
    deadline, found = time.monotonic() + 30, set[int]()
    while len(found) < count:
        assert time.monotonic() < deadline, found
        for raw in select.select([raw for number, raw in enumerate(connections) if number not in found], [], [], 1)[0]:
            head, _, body = raw.recv(65536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503")
            assert b"\r\nretry-after: 5" in head.lower()
            assert json.loads(body)["code"] == "too-many-bodies"
            found.add(connections.index(raw))
    return sorted(found)


def append_in_pieces(server: ServerProcess, chunked: bool) -> int:
    """The status of a small append whose body comes in its own segment, after it has begun to count."""
    framing, pieces = b"content-length: 5", [b"[1", b",2", b"]"]
    if chunked:
        framing, pieces = b"transfer-encoding: chunked", [b"2\r\n[1\r\n", b"2\r\n,2\r\n", b"1\r\n]\r\n0\r\n\r\n"]
    head = b"POST /v1/stream/s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (head + framing + b"\r\n\r\n", *pieces):
            raw.sendall(piece)
        return int(raw.recv(65536).split()[1])


def test_stalled_bodies_hold_what_they_may_and_disturb_nobody(server: ServerProcess) -> None:
    """Of twenty large ones six fit; the slowest goes for each that comes; small appends are all taken."""
    before = resident(server)
    with ExitStack() as stack:
        connections = []
        for number in range(20):
            connections.append(stack.enter_context(closing(stalled(server, f"127.0.1.{number + 1}", MOST, STALLED))))
            until(server, "inflight_bodies", min(number + 1, 6))
            assert append_in_pieces(server, chunked=bool(number % 2)) == 204
        assert refused(connections, 14) == list(range(14))
        until(server, "inflight_bytes", 6 * STALLED)
        for raw in connections[14:]:
            raw.sendall(b" " * (MOST - STALLED - 1) + b"7")
            assert raw.recv(65536).startswith(b"HTTP/1.1 204")
    until(server, "inflight_bodies", 0)
    assert figure(server, "inflight_bytes") == 0
    assert resident(server) - before < 2 * BUDGET + 20_000_000


def test_one_address_holds_an_eighth(server: ServerProcess) -> None:
    """Its slowest goes; those of others stay."""
    with ExitStack() as stack:
        other = stack.enter_context(closing(stalled(server, "127.0.2.1", MOST, STALLED)))
        until(server, "inflight_bodies", 1)
        connections = []
        for _ in range(5):
            connections.append(stack.enter_context(closing(stalled(server, "127.0.2.2", MOST, STALLED))))
            until(server, "inflight_bodies", 2)
            until(server, "inflight_bytes", 2 * STALLED)
        assert refused(connections, 4) == [0, 1, 2, 3]
        assert not select.select([other], [], [], 0)[0]
    until(server, "inflight_bodies", 0)


def test_small_bodies_of_one_address_hold_an_eighth_too(server: ServerProcess) -> None:
    """However small each of them is."""
    sent = 40_000
    fit = BUDGET // 8 // sent
    with ExitStack() as stack:
        connections = []
        for number in range(fit + 3):
            connections.append(stack.enter_context(closing(stalled(server, "127.0.3.1", 60_000, sent))))
            until(server, "inflight_bodies", min(number + 1, fit))
        assert refused(connections, 3) == [0, 1, 2]
        assert append_in_pieces(server, chunked=False) == 204
    until(server, "inflight_bodies", 0)


def test_sixty_bodies_of_the_largest_size_refuse_nobody_small() -> None:
    """With the limits as they are: 960 MB that never end hold a quarter of it, and each append beside them is taken."""
    limits = Limits()
    size, budget = limits.max_body_bytes, limits.max_inflight_bytes
    with headwater_server("memory:") as server, ExitStack() as stack:
        call(server, "PUT", "/v1/stream/s", content_type="application/json")
        before = resident(server)
        for number in range(60):
            stack.enter_context(closing(stalled(server, f"127.0.4.{number + 1}", size, 0))).sendall(b" " * 1000)
        connections = [stack.enter_context(closing(whole_but_one(server, number))) for number in range(60)]
        for number in range(60):
            assert append_in_pieces(server, chunked=bool(number % 2)) == 204
            assert figure(server, "inflight_bytes") <= budget
            assert resident(server) - before < 2 * budget
        held = budget * 3 // 4 // (size - 1)
        refused(connections, 60 - held)
        until(server, "inflight_bodies", 60 + held)
        assert append_in_pieces(server, chunked=False) == 204
        kept = call(server, "GET", "/v1/stream/s").json()
        assert kept == [1, 2] * 61


def whole_but_one(server: ServerProcess, number: int) -> socket.socket:
    """A connection with a body of the largest size of which a byte is missing, or that was refused before."""
    raw = stalled(server, f"127.0.5.{number + 1}", Limits().max_body_bytes, 0)
    with suppress(ConnectionError):
        raw.sendall(b" " * (Limits().max_body_bytes - 1))
    return raw
