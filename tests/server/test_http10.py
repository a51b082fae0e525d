"""HTTP/1.0: no transfer coding, and the end of the connection is the end of the response."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.http import call
from tests.support.mounted import SERVERS, mounted_server
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

ACCEPTS = {"text/event-stream": b"data:1", "application/x-ndjson": b"1", "live=sse": b"[1]"}


@pytest.fixture(params=["serve", *SERVERS, "uvicorn behind middleware"], scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Each server."""
    directory = tmp_path_factory.mktemp("served")
    if request.param in SERVERS:
        found = mounted_server(request.param, directory)
    elif request.param.endswith("middleware"):
        found = mounted_server("uvicorn", directory)
        _behind_middleware(directory / "served.py")
    else:
        found = headwater_server("memory:")
    with found:
        yield found


def _behind_middleware(app: Path) -> None:
    """Starlette's own, which leaves `send` visible."""
    app.write_text(app.read_text() + "\n@app.exception_handler(404)\nasync def nothing(request, error): ...\n")


def asked(server: ServerProcess, target: str, *fields: str, method: str = "GET") -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    raw.sendall("\r\n".join([f"{method} {target} HTTP/1.0", "host: localhost", *fields, "", ""]).encode())
    return raw


def read_until(raw: socket.socket, mark: bytes) -> bytes:
    found = b""
    while mark not in found:
        part = raw.recv(65536)
        assert part, found
        found += part
    return found


def rest_of(raw: socket.socket) -> bytes:
    found = b""
    while part := raw.recv(65536):
        found += part
    return found


@pytest.mark.parametrize("wire", ACCEPTS)
def test_a_live_read_has_no_chunks(server: ServerProcess, wire: str) -> None:
    """What is appended comes as it is; a closed stream ends the connection."""
    call(server, "DELETE", "/v1/stream/live")
    call(server, "PUT", "/v1/stream/live", "[1]", content_type="application/json")
    query, fields = ("?offset=-1&live=sse", ()) if wire == "live=sse" else ("", (f"accept: {wire}",))
    with closing(asked(server, f"/v1/stream/live{query}", *fields)) as raw:
        found = read_until(raw, ACCEPTS[wire])
        call(server, "POST", "/v1/stream/live", "[22222]", content_type="application/json")
        found += read_until(raw, b"22222")
        call(server, "POST", "/v1/stream/live", stream_closed="true")
        found += rest_of(raw)
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert b"\r\n" not in body
    assert not body.endswith(b"0\r\n\r\n")
    assert b"losed" in body


def test_a_live_read_beside_one_of_http_1_1(server: ServerProcess) -> None:
    """Both get what is appended, each in its own framing."""
    call(server, "DELETE", "/v1/stream/both")
    call(server, "PUT", "/v1/stream/both", content_type="application/json")
    with closing(asked(server, "/v1/stream/both", "accept: application/x-ndjson")) as old:
        head = b"GET /v1/stream/both HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n\r\n"
        with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as new:
            new.sendall(head)
            read_until(old, b"\r\n\r\n")
            assert b"chunked" in read_until(new, b"\r\n\r\n").lower()
            call(server, "POST", "/v1/stream/both", "[333]", content_type="application/json", stream_closed="true")
            assert b"\r\n" not in rest_of(old)
            assert rest_of(new).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("keep_alive", [False, True])
def test_the_connection_ends_behind_a_response(server: ServerProcess, keep_alive: bool) -> None:
    """Whether the client would keep it or not: it is told so."""
    call(server, "PUT", "/v1/stream/plain", "[1]", content_type="application/json")
    fields = ["connection: keep-alive"] if keep_alive else []
    for method, status in (("GET", b"200"), ("HEAD", b"200"), ("DELETE", b"404")):
        target = "/v1/stream/nothing" if method == "DELETE" else "/v1/stream/plain"
        with closing(asked(server, target, *fields, method=method)) as raw:
            answer = rest_of(raw)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.split()[1] == status
        assert b"keep-alive" not in head.lower()
        assert body == b"[1]" or method != "GET"
