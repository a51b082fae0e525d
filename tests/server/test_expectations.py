"""`Expect: 100-continue`: a body that will be refused is not asked for."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.support.http import call
from tests.support.mounted import mounted_server
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

JSON = "application/json"
TEXT = "content-type: text/plain"


@pytest.fixture(params=["serve", "uvicorn", "uvicorn-h11"], scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Servers that ask for a body when the application does."""
    if request.param == "serve":
        found = headwater_server("memory:", "--linger-seconds", "1")
    else:
        found = mounted_server(request.param, tmp_path_factory.mktemp("served"), linger_seconds=1)
    with found:
        call(found, "PUT", "/v1/stream/open", content_type=JSON)
        call(found, "PUT", "/v1/stream/closed", "[1]", content_type=JSON, stream_closed="true")
        call(found, "PUT", "/v1/stream/deleted", "[1]", content_type=JSON)
        call(found, "PUT", "/v1/stream/fork", stream_forked_from="/v1/stream/deleted")
        assert call(found, "DELETE", "/v1/stream/deleted").status == 204
        yield found


def first_word(server: ServerProcess, path: str, *fields: str, method: str = "POST", length: int = 3) -> socket.socket:
    """A connection on which a head was sent."""
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    head = [f"{method} /v1/stream/{path} HTTP/1.1", "host: localhost", f"content-length: {length}"]
    raw.sendall("\r\n".join([*head, "expect: 100-continue", *fields, "", ""]).encode())
    return raw


def rest_of(raw: socket.socket) -> bytes:
    found = b""
    while part := raw.recv(65536):
        found += part
    return found


@pytest.mark.parametrize(
    ("path", "fields", "method", "length", "code"),
    [
        ("none", (), "POST", 3, "stream-not-found"),
        ("closed", (), "POST", 3, "stream-closed"),
        ("open", ("content-type: text/plain",), "POST", 3, "content-type-mismatch"),
        ("open", (), "POST", 10**9, "too-large"),
        ("open", (), "PATCH", 3, "method-not-allowed"),
        ("open", ("content-encoding: gzip",), "POST", 3, "unsupported-coding"),
        ("open", ("producer-id: p",), "POST", 3, "invalid-producer"),
        ("open", ("origin: http://evil.example",), "PUT", 3, "origin-not-allowed"),
        ("open", ('if-match: "a:b"',), "POST", 3, "precondition-failed"),
        ("none", ("stream-create: true", "if-match: *"), "POST", 3, "precondition-failed"),
        ("none/*", ("stream-create: true",), "POST", 3, "invalid-path"),
        ("deleted", ("stream-create: true",), "POST", 3, "stream-exists"),
        ("none/-/presence", (), "POST", 3, "stream-not-found"),
        ("none/-/signal", (), "POST", 3, "stream-not-found"),
        ("open", ("if-none-match: *",), "PUT", 3, "precondition-failed"),
        ("open", ('if-match: "a:b"',), "PUT", 3, "precondition-failed"),
        ("none", ("if-match: *",), "PUT", 3, "precondition-failed"),
        ("open", ("content-type: text/plain",), "PUT", 3, "stream-exists"),
        ("open", ("stream-ttl: 5",), "PUT", 3, "stream-exists"),
        ("open", ("stream-closed: true",), "PUT", 3, "stream-exists"),
        ("open", ("stream-forked-from: /v1/stream/closed",), "PUT", 3, "stream-exists"),
        ("deleted", (), "PUT", 3, "stream-exists"),
        ("none/*", (), "PUT", 3, "invalid-path"),
        ("a/../b", (), "PUT", 3, "invalid-path"),
        ("none", ("content-type: nonsense",), "PUT", 3, "bad-request"),
        ("none", ("content-type: text/plain", "stream-slow: conflate:key"), "PUT", 3, "bad-request"),
        ("none", ("stream-forked-from: /v1/stream/none-either",), "PUT", 3, "stream-not-found"),
        ("none", ("stream-forked-from: /v1/stream/deleted",), "PUT", 3, "source-gone"),
        (
            "none",
            ("content-type: text/plain", "stream-forked-from: /v1/stream/open"),
            "PUT",
            3,
            "content-type-mismatch",
        ),
        ("none", (), "PUT", 10**9, "too-large"),
        ("none", ("content-encoding: gzip",), "PUT", 3, "unsupported-coding"),
    ],
)
def test_what_will_be_refused_is_refused_at_the_head(
    server: ServerProcess, path: str, fields: tuple[str, ...], method: str, length: int, code: str
) -> None:
    """Without 100, and the connection ends: whether a body follows is not known."""
    if not any(field.startswith("content-type") for field in fields):
        fields = (*fields, f"content-type: {JSON}")
    with closing(first_word(server, path, *fields, method=method, length=length)) as raw:
        answer = rest_of(raw)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 100 " not in head
    assert json.loads(body)["code"] == code
    assert b"connection: close" in head.lower()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("open", ()),
        ("made", ("stream-create: true",)),
        ("open", ("producer-id: p", "producer-epoch: 0", "producer-seq: 0")),
        ("open", ("if-match: *",)),
        ("PUT new", ()),
        ("PUT new/exclusive", ("if-none-match: *",)),
        ("PUT open", ()),
        ("PUT new/fork", ("stream-forked-from: /v1/stream/open",)),
    ],
)
def test_what_may_be_taken_is_asked_for(server: ServerProcess, path: str, fields: tuple[str, ...]) -> None:
    """100, then the body, then its answer; and the connection goes on."""
    method, _, path = path.rpartition(" ")
    with closing(first_word(server, path, f"content-type: {JSON}", *fields, method=method or "POST")) as raw:
        assert raw.recv(65536).startswith(b"HTTP/1.1 100")
        raw.sendall(b"[1]")
        assert raw.recv(65536).split()[1] in (b"200", b"201", b"204")
        raw.sendall(b"GET /v1/stream/open HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert rest_of(raw).startswith(b"HTTP/1.1 200")


def test_a_retry_to_a_closed_stream_is_asked_for(server: ServerProcess) -> None:
    """A producer that did not hear that its last append closed the stream is told so, whatever is closed now."""
    producer = {"producer_id": "p", "producer_epoch": "0", "producer_seq": "0"}
    call(server, "PUT", "/v1/stream/retried", content_type=JSON)
    assert call(
        server, "POST", "/v1/stream/retried", "[1]", content_type=JSON, stream_closed="true", **producer
    ).status in (200, 204)
    fields = [f"{name.replace('_', '-')}: {value}" for name, value in producer.items()]
    with closing(first_word(server, "retried", f"content-type: {JSON}", "stream-closed: true", *fields)) as raw:
        assert raw.recv(65536).startswith(b"HTTP/1.1 100")
        raw.sendall(b"[1]")
        assert raw.recv(65536).startswith(b"HTTP/1.1 204")
