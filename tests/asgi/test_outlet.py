"""Catch-up reads of many pieces from real servers, every way in: whole, or cut so that the client sees it."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import itertools
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest
from tests.support.http import call, connect
from tests.support.meddling import KEPT, SERVERS, URLS
from tests.support.processes import ServerProcess
from tests.support.sockets import asking, resident, status_of

from headwater.protocol.compressors import find

pytestmark = pytest.mark.slow

TEXT, JSON = "text/plain", "application/json"
CODINGS = ("identity", "gzip", "zstd", "br")
#: Each a record; together five pieces. Numbers that do not repeat, so that coded pieces are bytes too.
RECORDS = [
    json.dumps(" ".join(str(number * number) for number in range(each, each + 100))) for each in range(0, 2500, 100)
]
PIECES = 5
#: What each act does to a read, by the code it is counted under.
ACTS = {"delete": "stream-not-found", "replace": "offset-gone", "trim": "offset-gone", "fail": "store-unavailable"}

fresh = itertools.count()


@pytest.fixture(scope="module", params=[name for name in SERVERS if name != "wrapped"])
def server(request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    with SERVERS[request.param]() as process:
        process.name = request.param
        yield process


def stream(server: ServerProcess, name: str, content_type: str = TEXT, records: list[str] = RECORDS) -> str:
    """The target of a new stream with these records; how its name begins says what happens to it."""
    target = f"/v1/stream/{name}-{next(fresh)}"
    # Of a stream that is not to be trimmed, the sweep would drop what is read next.
    retention = {"stream_retention": f"count={KEPT}"} if name.startswith("trim") else {}
    call(server, "PUT", target, content_type=content_type, **retention)
    for record in records:
        assert call(server, "POST", target, record, content_type=content_type).status == 204
    return target


def expected(content_type: str, records: list[str] = RECORDS) -> bytes:
    return f"[{','.join(records)}]".encode() if content_type == JSON else "".join(records).encode()


def decoded(coding: str, body: bytes) -> bytes:
    match coding:
        case "gzip":
            return gzip.decompress(body)
        case "identity":
            return body
        case _:
            found: bytes = find(coding).decompress(body)
            return found


def beginning(server: ServerProcess, target: str, coding: str) -> tuple[int, bytes | None]:
    """The status of a response that is cut, and what came of its body, if that is known; granian tells nobody of a head
    before the first byte of the body, and answers 500 when there is none."""
    with closing(connect(server)) as connection:
        connection.request("GET", target, headers={"accept-encoding": coding})
        answer = connection.getresponse()
        if answer.status == 500:
            return 500, None
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)) as caught:
            answer.read()
        return answer.status, getattr(caught.value, "partial", b"")


def cuts(server: ServerProcess) -> dict[str, int]:
    found: dict[str, int] = json.loads(call(server, "GET", URLS[server.name] + "/-/stats").body)["cuts"]
    return found


@pytest.mark.parametrize("content_type", [TEXT, JSON])
@pytest.mark.parametrize("coding", CODINGS)
def test_many_pieces_are_one_body(server: ServerProcess, content_type: str, coding: str) -> None:
    """With the head of a body that is whole; its length is told where it is known, and the connection goes on."""
    target = stream(server, "plain", content_type)
    tail = call(server, "HEAD", target)
    with closing(connect(server)) as connection:
        for _ in range(2):
            connection.request("GET", target, headers={"accept-encoding": coding})
            answer = connection.getresponse()
            kept = connection.sock
            assert decoded(coding, answer.read()) == expected(content_type)
            for name in ("content-type", "stream-next-offset", "stream-closed"):
                assert answer.headers[name] == tail.headers[name]
            assert answer.headers["stream-up-to-date"] == "true"
            assert answer.headers["content-encoding"] == (None if coding == "identity" else coding)
            assert (coding in answer.headers["etag"]) == (coding != "identity")
            length = None if content_type == JSON or coding != "identity" else str(len(expected(TEXT)))
            assert answer.headers["content-length"] == length
            assert connection.sock is kept is not None
        connection.request("GET", target, headers={"accept-encoding": coding, "if-none-match": answer.headers["etag"]})
        again = connection.getresponse()
        assert (again.status, again.read(), again.headers["etag"]) == (304, b"", answer.headers["etag"])


@pytest.mark.parametrize("content_type", [TEXT, JSON])
def test_megabytes_are_read_whole(server: ServerProcess, content_type: str) -> None:
    """5 MB of small records, and four records of 1 MB."""
    record = json.dumps("x" * 998)
    many = f"[{','.join([record] * 1000)}]" if content_type == JSON else record * 1000
    for bodies, body in (([many] * 5, [record] * 5000), ([json.dumps("y" * 10**6)] * 4, [json.dumps("y" * 10**6)] * 4)):
        answer = call(server, "GET", stream(server, "plain", content_type, bodies))
        assert answer.body == expected(content_type, body)
        assert answer.headers["stream-up-to-date"] == "true"


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("content_type", [TEXT, JSON])
@pytest.mark.parametrize("act", [*ACTS, "crash"])
def test_what_cannot_be_finished_is_seen_to_be_cut(
    server: ServerProcess, act: str, content_type: str, coding: str
) -> None:
    """At every piece, in every coding: an error of the connection, or of the request, and never an end."""
    before, right = cuts(server), expected(content_type)
    for number in range(2, PIECES + 1):
        status, found = beginning(server, stream(server, f"{act}-{number}", content_type), coding)
        assert (found is None) == (status == 500)
        if coding == "identity":
            assert found is not None
            assert right.startswith(found)
    assert call(server, "GET", stream(server, f"{act}-{PIECES + 1}", content_type)).body == right
    code = ACTS.get(act, "internal")
    assert cuts(server)[code] - before.get(code, 0) == PIECES - 1


@pytest.mark.parametrize("content_type", [TEXT, JSON])
def test_the_oldest_clients_see_it_too(server: ServerProcess, content_type: str) -> None:
    """HTTP/1.0 knows no chunks: a body ends with its connection, so that a cut one of no known length is reset."""

    def ask(target: str) -> tuple[bytes, bytes, bool]:
        data, was_reset = b"", False
        with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
            raw.sendall(f"GET {target} HTTP/1.0\r\nhost: localhost\r\n\r\n".encode())
            try:
                while more := raw.recv(65536):
                    data += more
            except ConnectionResetError:
                was_reset = True
        head, _, body = data.partition(b"\r\n\r\n")
        return head.lower(), body, was_reset

    head, body, was_reset = ask(stream(server, "plain", content_type))
    assert (body, was_reset) == (expected(content_type), False)
    assert b"transfer-encoding" not in head
    head, body, was_reset = ask(stream(server, "fail-3", content_type))
    if content_type == TEXT:
        assert b"content-length: %d\r" % len(expected(TEXT)) in head
        assert len(body) < len(expected(TEXT))
    else:
        # What granian closes cannot be reset, and the array has no end.
        assert was_reset or (server.name == "granian" and not body.endswith(b"]"))


@pytest.mark.parametrize("pieces", [16, 1])
def test_a_client_that_takes_nothing_is_cut(server: ServerProcess, pieces: int) -> None:
    """After `write_seconds`, at the cost of little more than a piece, also of one; others are answered meanwhile."""
    # A piece that the kernel does not take at once, for a client whose own takes little.
    big = stream(
        server, "plain", *((TEXT, ["x" * 10**6] * pieces) if pieces > 1 else (JSON, [json.dumps("x" * 10**7)]))
    )
    small = stream(server, "plain", TEXT, ["1"])
    before = let_go(server)
    memory = resident(server)
    stalled = [asking(server, big, accept="*/*", receive=4096) for _ in range(5)]
    try:
        assert [status_of(raw) for raw in stalled] == [200] * 5
        deadline = time.monotonic() + 60
        while let_go(server) < before + 5:
            assert call(server, "GET", small).body == b"1"
            assert time.monotonic() < deadline
        assert resident(server) - memory < (5 * 10**6 if pieces > 1 else 10**8)
        # Of one piece, and of granian's sockets, the kernel holds as much as it likes.
        loose = pieces == 1 or server.name == "granian"
        assert max(map(drain, stalled)) < (8 * 10**6 if loose else 10**6)
    finally:
        for raw in stalled:
            raw.close()


def let_go(server: ServerProcess) -> int:
    """Clients that were cut, by the hub or by the kernel, which has the same time for them."""
    stats = json.loads(call(server, "GET", URLS[server.name] + "/-/stats").body)
    found: int = stats["stalls"] + stats["disconnects"]
    return found


def drain(raw: socket.socket) -> int:
    """Bytes that still come before the connection is closed or reset."""
    size = 0
    with contextlib.suppress(ConnectionResetError):
        while more := len(raw.recv(65536)):
            size += more
    return size


@pytest.mark.parametrize("act", [None, *ACTS])
@pytest.mark.parametrize("content_type", [TEXT, JSON])
def test_a_stream_of_http_2_is_reset(content_type: str, act: str | None, http2: ServerProcess) -> None:
    """Under hypercorn, which would leave it open; the others of its connection go on."""
    with httpx2.Client(base_url=http2.url, http1=False, http2=True, trust_env=False) as client:
        assert client.get(stream(http2, "plain", content_type)).content == expected(content_type)
        for number in range(2, PIECES + 1) if act else ():
            with pytest.raises(httpx2.RemoteProtocolError, match=r"StreamReset.*error_code:2"):
                client.get(stream(http2, f"{act}-{number}", content_type))
        assert client.get(stream(http2, "plain", content_type)).http_version == "HTTP/2"


@pytest.fixture(scope="module")
def http2() -> Iterator[ServerProcess]:
    with SERVERS["hypercorn"]() as process:
        process.name = "hypercorn"
        yield process


@pytest.mark.parametrize("content_type", [TEXT, JSON])
def test_middleware_that_ends_bodies_by_itself(content_type: str) -> None:
    """Bytes have their length, and an array lacks its end: what was cut is no whole, though it ends like one."""
    with SERVERS["wrapped"]() as server:
        assert call(server, "GET", stream(server, "plain", content_type)).body == expected(content_type)
        target = stream(server, "fail-3", content_type)
        if content_type == TEXT:
            with pytest.raises(http.client.IncompleteRead):
                call(server, "GET", target)
        else:
            body: Any = call(server, "GET", target).body
            with pytest.raises(json.JSONDecodeError):
                json.loads(body)
