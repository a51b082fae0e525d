"""Connections on real sockets: order, halves, floods, silence, and a client that does not read."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from tests.support.http import call, opened
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

JSON = "application/json"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with headwater_server("memory:", "--keep-alive-seconds", "2", "--body-seconds", "20") as process:
        yield process


@pytest.fixture(scope="module", params=["sqlite3", "apsw"])
def durable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    path = tmp_path_factory.mktemp("lanes") / "x.db"
    with headwater_server(f"sqlite:{path}?driver={request.param}") as process:
        yield process


def post(body: bytes, path: bytes = b"/v1/stream/s", extra: bytes = b"") -> bytes:
    head = b"POST " + path + b" HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" + extra
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def get(path: bytes, extra: bytes = b"", method: bytes = b"GET") -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\nhost: localhost\r\n" + extra + b"\r\n"


LAST = b"connection: close\r\n"


def connect(server: ServerProcess) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


def exchange(server: ServerProcess, *pieces: bytes) -> bytes:
    """Send the pieces, then read until the server closes."""
    with closing(connect(server)) as raw:
        for piece in pieces:
            raw.sendall(piece)
        return rest_of(raw)


def rest_of(raw: socket.socket) -> bytes:
    answer = b""
    while part := raw.recv(65536):
        answer += part
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answer)]


def test_pipelined_requests_are_answered_in_order(server: ServerProcess) -> None:
    """Fast and slow requests on one connection, sent at once, cut in two anywhere, or byte by byte."""
    requests = (
        post(b"1")
        + post(b"2", extra=b"origin: http://localhost\r\n")
        + post(b"nonsense")
        + get(b"/v1/stream/s")
        + post(b"3")
        + get(b"/v1/stream/s", method=b"HEAD")
        + b"\r\n"
        + post(b"4", b"/v1/stream/none")
        + get(b"/v1/stream/none")
        + post(b"5", extra=LAST)
    )
    expected = [204, 204, 400, 200, 204, 200, 404, 404, 204]
    cuts = [[requests], [requests[index : index + 1] for index in range(len(requests))]]
    cuts += [[requests[:cut], requests[cut:]] for cut in range(1, len(requests), 7)]
    for pieces in cuts:
        call(server, "DELETE", "/v1/stream/s")
        call(server, "PUT", "/v1/stream/s", content_type=JSON)
        assert statuses(exchange(server, *pieces)) == expected
        assert call(server, "GET", "/v1/stream/s").json() == [1, 2, 3, 5]


def test_a_client_that_vanishes_in_its_body_has_said_nothing(server: ServerProcess) -> None:
    """Half a body is not appended."""
    call(server, "PUT", "/v1/stream/half", content_type=JSON)
    before = call(server, "GET", "/-/stats").json()["disconnects"]
    with closing(connect(server)) as raw:
        raw.sendall(post(b'{"a": 1}', b"/v1/stream/half")[:-2])
    while call(server, "GET", "/-/stats").json()["disconnects"] == before:
        pass
    assert call(server, "GET", "/v1/stream/half").json() == []


def test_silence_is_counted_from_the_last_answer(server: ServerProcess) -> None:
    """A connection in use stays open beyond keep_alive_seconds; a silent one is closed after them, told nothing."""
    call(server, "PUT", "/v1/stream/quiet", content_type=JSON)
    with closing(connect(server)) as raw:
        for _ in range(8):
            raw.sendall(post(b"1", b"/v1/stream/quiet"))
            assert raw.recv(65536).startswith(b"HTTP/1.1 204")
            raw.settimeout(0.5)
            with pytest.raises(TimeoutError):
                raw.recv(1)
            raw.settimeout(20)
        assert raw.recv(1) == b""


def test_a_flood_on_one_connection_holds_up_nobody(server: ServerProcess) -> None:
    """While one client sends thousands of appends without a pause, another one's answers come between them."""
    for name in ("flood", "other"):
        call(server, "PUT", f"/v1/stream/{name}", content_type=JSON)
    count = 6_000
    flood = post(b"1", b"/v1/stream/flood") * count
    with closing(connect(server)) as flooding, closing(connect(server)) as other:
        flooding.setblocking(False)
        sent, answered, seen = 0, 0, []
        while answered < count:
            with suppress(BlockingIOError):
                sent += flooding.send(flood[sent : sent + 65536])
            other.sendall(post(b"1", b"/v1/stream/other"))
            assert other.recv(65536).startswith(b"HTTP/1.1 204")
            with suppress(BlockingIOError):
                answered += flooding.recv(1 << 20).count(b"stream-next-offset")
            seen.append(answered)
    # A chunk that the server reads at once has some thousand requests; the other one waited for none of them. Not of
    # each of its requests is that seen: the system may let this process wait between two lines, and the server not.
    assert median(after - before for before, after in pairwise(seen)) < 600
    assert len(call(server, "GET", "/v1/stream/flood").json()) == count


def test_a_client_that_reads_no_answers_is_not_read_either(server: ServerProcess) -> None:
    """Its answers are not kept beyond the socket's buffers: the server stops taking its requests, and goes on later."""
    call(server, "PUT", "/v1/stream/deaf", content_type=JSON)
    request = post(b"1", b"/v1/stream/deaf")
    with closing(connect(server)) as raw:
        raw.settimeout(2)
        due = fill(raw, request * 500) // len(request)
        assert due < 1_000_000
        raw.settimeout(20)
        edge = b""
        while due:
            data = edge + raw.recv(1 << 20)
            due -= data.count(b"\r\n\r\n")
            edge = data[-3:]


def fill(raw: socket.socket, data: bytes) -> int:
    """Send on and on, until nothing is taken any more; returns how many bytes were."""
    sent = 0
    while True:
        try:
            sent += raw.send(data[sent % len(data) :])
        except TimeoutError:
            return sent


def test_appends_of_many_connections_are_durable_and_in_order(durable: ServerProcess) -> None:
    """Each connection's records in its order, all of them, with both drivers; refused ones between fail alone."""
    call(durable, "PUT", "/v1/stream/many", content_type=JSON)
    connections = [connect(durable) for _ in range(20)]
    for number in range(30):
        for index, raw in enumerate(connections):
            body = b"nonsense" if (index + number) % 7 == 0 else b"[%d, %d]" % (index, number)
            raw.sendall(post(b"[" + body + b"]" if body != b"nonsense" else body, b"/v1/stream/many"))
        for index, raw in enumerate(connections):
            expected = b"HTTP/1.1 400" if (index + number) % 7 == 0 else b"HTTP/1.1 204"
            assert raw.recv(65536).startswith(expected)
    for raw in connections:
        raw.close()
    stored = call(durable, "GET", "/v1/stream/many").json()
    for index in range(20):
        assert [n for i, n in stored if i == index] == [n for n in range(30) if (index + n) % 7]


def test_the_access_log_has_every_request(tmp_path: Path) -> None:
    """Short ones, live ones and refusals, each with its client, its target and its status."""
    log = tmp_path / "log"
    with headwater_server("memory:", "--access-log", "--log-level", "info", log=log) as server:
        call(server, "PUT", "/v1/stream/s", content_type=JSON)
        call(server, "POST", "/v1/stream/s", "1", content_type=JSON)
        call(server, "GET", "/v1/stream/s?offset=-1")
        with opened(server, "GET", "/v1/stream/s", accept="text/event-stream"):
            pass
        call(server, "GET", "/v1/stream/none")
        exchange(server, b"nonsense\r\n\r\n")
    lines = re.findall(r'headwater\.access: 127\.0\.0\.1:\d+ - "(.*) HTTP/1\.1" (\d+)', log.read_text())
    assert [line for line in lines if "/-/" not in line[0]][:5] == [
        ("PUT /v1/stream/s", "201"),
        ("POST /v1/stream/s", "204"),
        ("GET /v1/stream/s?offset=-1", "200"),
        ("GET /v1/stream/s", "200"),
        ("GET /v1/stream/none", "404"),
    ]
