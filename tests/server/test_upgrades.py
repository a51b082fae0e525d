"""Upgrades that are not taken: the request is one like others, or refused, and nothing behind it is smuggled in."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from tests.support.http import call
from tests.support.mounted import SERVERS, mounted_server
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

#: What offers an upgrade: curl's, every stock Java client's, a browser's, and one that nobody knows.
OFFERS = (
    b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    b"connection: Upgrade\r\nupgrade: websocket\r\n",
    b"upgrade: anything/7\r\nconnection: keep-alive, upgrade\r\n",
)
#: A body that would be a request by itself.
SMUGGLED = b"DELETE /v1/stream/victim HTTP/1.1\r\nhost: localhost\r\n\r\n"
LAST = b"GET /v1/stream/victim HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


@pytest.fixture(params=["serve", *SERVERS], scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Each server, with `name` set."""
    if request.param in SERVERS:
        found = mounted_server(request.param, tmp_path_factory.mktemp("served"))
    else:
        found = headwater_server("memory:")
    found.name = request.param
    with found:
        yield found


def exchange(server: ServerProcess, *pieces: bytes, ends: bool = False) -> bytes:
    """Send the pieces, each in its own segment, and read to the end; `ends`: this side is closed behind them."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What was refused is closed at once, and may have had more on its way.
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                raw.sendall(piece)
            if ends:
                raw.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionResetError):
            while part := raw.recv(65536):
                answer += part
        return answer


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answer)]


def request(method: bytes, offer: bytes, framing: bytes) -> bytes:
    return (
        method
        + b" /v1/stream/upgraded HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n"
        + offer
        + framing
        + b"\r\n"
    )


def framed(body: bytes, chunked: bool) -> tuple[bytes, bytes]:
    """The header and the body as sent."""
    if chunked:
        return b"transfer-encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return b"content-length: %d\r\n" % len(body), body


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("offer", OFFERS, ids=["h2c", "websocket", "unknown"])
@pytest.mark.parametrize("segments", [1, 2])
@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"GET"])
def test_a_body_behind_an_upgrade(
    server: ServerProcess, method: bytes, segments: int, offer: bytes, chunked: bool
) -> None:
    """It is stored whole, or refused with 400; it is never another request, and never lost behind a success."""
    if b"websocket" in offer and method == b"GET" and server.name == "hypercorn":
        pytest.skip("hypercorn takes it for a WebSocket, and waits for the rest")
    call(server, "PUT", "/v1/stream/victim", "alive", content_type="text/plain")
    call(server, "DELETE", "/v1/stream/upgraded")
    if method != b"PUT":
        call(server, "PUT", "/v1/stream/upgraded", content_type="text/plain")
    framing, body = framed(SMUGGLED, chunked)
    head = request(method, offer, framing)
    # uvicorn gives it to its WebSocket protocol, which on the library `websockets` never answers what is no handshake.
    is_uvicorns = b"websocket" in offer and server.name.startswith("uvicorn")
    answer = exchange(server, *([head + body + LAST] if segments == 1 else [head, body, LAST]), ends=is_uvicorns)
    found = statuses(answer)
    assert call(server, "GET", "/v1/stream/victim").body == b"alive"
    stored = call(server, "GET", "/v1/stream/upgraded")
    if is_uvicorns:
        assert len(found) <= 1
        assert stored.status == 404 if method == b"PUT" else (stored.status, stored.body) == (200, b"")
        return
    if server.name == "uvicorn":
        # The body is gone before the application runs.
        assert found[0] == 400
        assert len(found) == 1
        assert stored.status == 404 if method == b"PUT" else (stored.status, stored.body) == (200, b"")
        return
    assert found == {b"POST": [204, 200], b"PUT": [201, 200], b"DELETE": [204, 200], b"GET": [200, 200]}[method]
    assert stored.body == (SMUGGLED if method in (b"POST", b"PUT") else stored.body)


def test_an_upgrade_without_a_body_is_a_plain_request(server: ServerProcess) -> None:
    """A read that offers h2c is answered in HTTP/1.1."""
    call(server, "PUT", "/v1/stream/plain", "text", content_type="text/plain")
    head = b"GET /v1/stream/plain HTTP/1.1\r\nhost: localhost\r\n" + OFFERS[2] + b"\r\n"
    # Behind an upgrade that stock uvicorn dropped, only another segment is a request.
    answer = exchange(server, head, LAST)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\n\r\ntext" in answer


def test_the_whole_pipeline_goes_on_behind_upgrades(server: ServerProcess) -> None:
    """Many of them in one segment and cut anywhere, on our own connections."""
    if server.name in SERVERS:
        pytest.skip("the connection is another server's")
    call(server, "PUT", "/v1/stream/victim", "alive", content_type="text/plain")
    requests = b""
    for number, offer in enumerate(OFFERS * 2):
        body = b"%d," % number
        framing, sent = framed(body, chunked=bool(number % 2))
        requests += request(b"POST", offer, framing) + sent
    for cut in [0, *range(1, len(requests), 29)]:
        call(server, "DELETE", "/v1/stream/upgraded")
        call(server, "PUT", "/v1/stream/upgraded", content_type="text/plain")
        answer = exchange(server, requests[:cut], requests[cut:] + LAST)
        assert statuses(answer) == [204] * 6 + [200]
        assert call(server, "GET", "/v1/stream/upgraded").body == b"0,1,2,3,4,5,"
