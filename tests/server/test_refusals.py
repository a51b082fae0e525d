"""What the connection itself refuses: with a problem, behind the responses that are due, and nothing behind it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

HOST = b"host: localhost\r\n"
POST = b"POST /v1/stream/s HTTP/1.1\r\ncontent-type: application/json\r\n" + HOST
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"

#: What is sent, and the status and code of its refusal.
REFUSED = {
    "HTTP/2.0": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505, "version-not-supported"),
    "HTTP/0.9": (b"GET / HTTP/0.9\r\n" + HOST + b"\r\n", 505, "version-not-supported"),
    "no version": (b"GET /\r\n\r\n", 505, "version-not-supported"),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version-not-supported"),
    "half a version": (b"GET / HTTP/1\r\n" + HOST + b"\r\n", 400, "bad-request"),
    "no method": (b"\x16\x03\x01\x02\x00\x01", 400, "bad-request"),
    "a method in lower case": (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad-request"),
    "a space in the target": (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400, "bad-request"),
    "a tunnel": (b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n", 405, "method-not-allowed"),
    "bare line feeds": (b"GET / HTTP/1.1\nhost: localhost\n\n", 400, "bad-request"),
    "a bare carriage return": (b"GET / HTTP/1.1\r\nx: a\ry: b\r\n\r\n", 400, "bad-request"),
    "a folded header": (b"GET / HTTP/1.1\r\nx: a\r\n b\r\n\r\n", 400, "bad-request"),
    "a NUL": (b"GET / HTTP/1.1\r\nx: a\0b\r\n\r\n", 400, "bad-request"),
    "a space before the colon": (b"GET / HTTP/1.1\r\nhost : localhost\r\n\r\n", 400, "bad-request"),
    "a space in a name": (b"GET / HTTP/1.1\r\nho st: localhost\r\n\r\n", 400, "bad-request"),
    "no colon": (b"GET / HTTP/1.1\r\nhost\r\n\r\n", 400, "bad-request"),
    "a signed length": (POST + b"content-length: +1\r\n\r\n1", 400, "bad-request"),
    "two lengths": (POST + b"content-length: 1\r\ncontent-length: 1\r\n\r\n1", 400, "bad-request"),
    "a list of lengths": (POST + b"content-length: 1, 1\r\n\r\n1", 400, "bad-request"),
    "a length of 19 digits": (POST + b"content-length: 1000000000000000000\r\n\r\n1", 400, "bad-request"),
    "a length that is too large": (POST + b"content-length: " + b"9" * 30 + b"\r\n\r\n1", 400, "bad-request"),
    "both framings": (
        POST + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        400,
        "bad-request",
    ),
    "both framings, chunked first": (
        POST + b"transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        400,
        "bad-request",
    ),
    "gzip in chunks": (
        POST + b"transfer-encoding: gzip, chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        501,
        "coding-not-supported",
    ),
    "chunks that are not last": (POST + b"transfer-encoding: chunked, gzip\r\n\r\n1", 400, "bad-request"),
    "no coding": (POST + b"transfer-encoding: identity\r\n\r\n1", 400, "bad-request"),
    "chunks in HTTP/1.0": (CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"1\r\n1\r\n0\r\n\r\n", 400, "bad-request"),
    "a chunk size that is none": (CHUNKED + b"zz\r\n1\r\n0\r\n\r\n", 400, "bad-request"),
    "a negative chunk size": (CHUNKED + b"-1\r\n1\r\n0\r\n\r\n", 400, "bad-request"),
    "a chunk size that is too large": (CHUNKED + b"f" * 17 + b"\r\n1", 400, "bad-request"),
    "a chunk that is longer than it says": (CHUNKED + b"1\r\n123\r\n0\r\n\r\n", 400, "bad-request"),
    "an expectation": (POST + b"expect: 200-ok\r\ncontent-length: 1\r\n\r\n1", 417, "expectation-failed"),
    "a trailer that is too large": (CHUNKED + b"1\r\n1\r\n0\r\nx: " + b"x" * 70_000, 431, "headers-too-large"),
}
#: What may be sent before it on the connection, and the statuses of its responses.
BEFORE = {
    "alone": (b"", []),
    "behind an append": (POST + b"content-length: 1\r\n\r\n7", [204]),
    "behind a read": (b"GET /v1/stream/s HTTP/1.1\r\naccept: */*\r\nupgrade: none\r\n" + HOST + b"\r\n", [200]),
    "behind a response that takes long": (
        b"GET /v1/stream/s?offset=now&live=long-poll HTTP/1.1\r\n" + HOST + b"\r\n",
        [204],
    ),
    "behind many": ((POST + b"upgrade: none\r\ncontent-length: 1\r\n\r\n8") * 20, [204] * 20),
}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A server with short long-polls."""
    with headwater_server("memory:", "--long-poll-seconds", "0.05") as process:
        call(process, "PUT", "/v1/stream/s", content_type="application/json")
        yield process


def exchange(server: ServerProcess, *pieces: bytes) -> bytes:
    """Send the pieces, each in its own segment, and read to the end."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            raw.sendall(piece)
        answer = b""
        while part := raw.recv(65536):
            answer += part
        return answer


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", answer)]


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_request_is_told_so_in_its_turn(server: ServerProcess, what: str, before: str) -> None:
    """With a problem; then the connection ends, and what follows is no request."""
    sent, status, code = REFUSED[what]
    first, expected = BEFORE[before]
    follows = b"DELETE /v1/stream/s HTTP/1.1\r\n" + HOST + b"\r\n"
    for pieces in ([first + sent + follows], [first, sent, follows], [first + sent[:30], sent[30:]]):
        answer = exchange(server, *pieces)
        assert statuses(answer) == [*expected, status]
        head, _, body = answer[answer.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
        assert json.loads(body)["code"] == code
        assert b"\r\nconnection: close" in head
        assert b"\r\nx-content-type-options: nosniff" in head
    assert call(server, "HEAD", "/v1/stream/s").status == 200


def test_a_bad_body_is_not_appended(server: ServerProcess) -> None:
    """Neither the chunks before the bad one, nor with trailers that are too large."""
    call(server, "PUT", "/v1/stream/kept", content_type="application/json")
    for sent in (b"1\r\n1\r\nzz\r\n", b"1\r\n1\r\n0\r\nx: " + b"x" * 70_000):
        answer = exchange(server, CHUNKED.replace(b"/s ", b"/kept ") + sent)
        assert len(statuses(answer)) == 1
    assert call(server, "GET", "/v1/stream/kept").json() == []


def test_a_refused_head_request_has_no_body(server: ServerProcess) -> None:
    """As no response to HEAD has."""
    answer = exchange(server, b"HEAD / HTTP/1.1\r\nexpect: x\r\n" + HOST + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 417")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "what", ["a chunk size that is none", "two lengths", "an expectation", "a bare carriage return"]
)
def test_a_page_can_read_what_was_refused(server: ServerProcess, what: str) -> None:
    """Where its origin is known and allowed; another one's gets no permission."""
    sent, status, _ = REFUSED[what]
    line, rest = sent.split(b"\r\n", 1)
    for origin, allowed in ((b"http://localhost:3000", True), (b"http://evil.example", False)):
        answer = exchange(server, line + b"\r\norigin: " + origin + b"\r\n" + rest)
        head = answer.partition(b"\r\n\r\n")[0]
        # Of a foreign page nothing is read behind the head.
        assert statuses(answer) == [status if allowed or what != "a chunk size that is none" else 403]
        assert (b"access-control-allow-origin: " + origin in head) is allowed
        assert b"vary: origin" in head


def test_trailers_are_no_headers(server: ServerProcess) -> None:
    """They neither close, nor change the host or the origin, in one segment or several (RFC 9110 section 6.5.1)."""
    call(server, "PUT", "/v1/stream/trailed", content_type="application/json")
    request = CHUNKED.replace(b"/s ", b"/trailed ") + b"1\r\n1\r\n0\r\n"
    last = b"GET /v1/stream/trailed HTTP/1.1\r\nconnection: close\r\n" + HOST + b"\r\n"
    for trailer in (b"stream-closed: true", b"stream-failure: x", b"host: evil.example"):
        for pieces in ([request + trailer + b"\r\n\r\n" + last], [request, trailer + b"\r\n", b"\r\n", last]):
            assert statuses(exchange(server, *pieces)) == [204, 200]
    closed = call(server, "HEAD", "/v1/stream/trailed").headers.get("stream-closed")
    assert closed is None
    for wrong, trailer in ((b"host: evil.example", b"host: localhost"), (b"origin: http://evil.example", b"origin: x")):
        refused = request.replace(b"host: localhost" if wrong.startswith(b"host") else b"\r\n\r\n", wrong, 1)
        if wrong.startswith(b"origin"):
            refused = request.replace(b"\r\n\r\n", b"\r\n" + wrong + b"\r\n\r\n", 1)
        for pieces in ([refused + trailer + b"\r\n\r\n" + last], [refused, trailer + b"\r\n\r\n", last]):
            assert statuses(exchange(server, *pieces)) == [403, 200]


def test_empty_lines_between_requests_do_not_keep_a_connection(server: ServerProcess) -> None:
    """Nor do they cost it its next request."""
    request = b"GET /v1/stream/s HTTP/1.1\r\naccept: */*\r\n" + HOST + b"\r\n"
    with headwater_server("memory:", "--keep-alive-seconds", "1") as quick:
        call(quick, "PUT", "/v1/stream/s", content_type="application/json")
        assert statuses(exchange(quick, request + b"\r\n", b"\r\n\r\n", request + b"\r\n")) == [200, 200]
