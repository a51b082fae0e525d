"""Live readers that are answered at the door: the same answers as through ASGI, and the same limits."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

#: A proxy's header sends a request through ASGI.
USUAL = b"x-forwarded-proto: http\r\n"
EVENTS = b"accept: text/event-stream\r\n"


@pytest.fixture(scope="module", params=["memory:", "sqlite:"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = request.param if request.param == "memory:" else f"sqlite:{tmp_path_factory.mktemp('door')}/x.db"
    with headwater_server(store, "--head-seconds", "2", "--cors-origins", "*") as process:
        call(process, "PUT", "/v1/stream/s", "one", content_type="text/plain")
        call(process, "PUT", "/v1/stream/b", b"\xff", content_type="application/octet-stream")
        call(process, "PUT", "/v1/stream/closed", "all", content_type="text/plain", stream_closed="true")
        yield process


def connect(server: ServerProcess, data: bytes) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    raw.sendall(data)
    return raw


def get(query: bytes, extra: bytes = EVENTS, path: bytes = b"s") -> bytes:
    return b"GET /v1/stream/" + path + query + b" HTTP/1.1\r\nhost: localhost\r\n" + extra + b"\r\n"


def until(raw: socket.socket, mark: bytes) -> bytes:
    found = b""
    while mark not in found and (part := raw.recv(65536)):
        found += part
    return found


def comparable(answer: bytes) -> tuple[bytes, list[bytes], bytes]:
    """The status, the headers in any order but for the date, and the body with nothing of the clock in it."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.lower().split(b"\r\n")
    return status, sorted(line for line in lines if not line.startswith(b"date:")), re.sub(rb'r":"\d+"', b"", body)


@pytest.mark.parametrize(
    ("query", "extra", "path", "mark"),
    [
        (b"", EVENTS, b"s", b"one"),
        (b"?offset=now", EVENTS, b"s", b"id:"),
        (b"?offset=-1&live=sse", b"", b"s", b"upToDate"),
        (b"?offset=now&live=sse", b"", b"b", b"upToDate"),
        (b"?offset=-1&live=sse", b"", b"b", b"upToDate"),
        (b"", b"accept: application/x-ndjson\r\n", b"s", b"one"),
        (b"", EVENTS, b"closed", b"\r\n0\r\n\r\n"),
    ],
)
def test_answers_are_those_of_asgi(server: ServerProcess, query: bytes, extra: bytes, path: bytes, mark: bytes) -> None:
    """Status, headers and first events, whichever way a request takes."""
    found = []
    for way in (b"", USUAL):
        with closing(connect(server, get(query, extra + way, path))) as raw:
            found.append(comparable(until(raw, mark)))
    assert found[0] == found[1]
    assert found[0][0] == b"http/1.1 200 ok"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (get(b"", path=b"none"), 404),
        (get(b"?offset=nonsense"), 400),
        (get(b"?slow=conflate:k"), 400),
        (get(b"", EVENTS + b"last-event-id: END\r\n", b"closed"), 204),
        (get(b"", b"", b"s"), 200),
    ],
)
def test_what_is_no_live_answer_comes_as_ever(server: ServerProcess, request_bytes: bytes, status: int) -> None:
    """Problems, the 204 that stops a browser, and reads; and the connection goes on."""
    end = call(server, "HEAD", "/v1/stream/closed").headers["stream-next-offset"].encode()
    with closing(connect(server, request_bytes.replace(b"END", end))) as raw:
        assert until(raw, b"\r\n\r\n").startswith(b"HTTP/1.1 %d " % status)
        raw.sendall(get(b"?offset=now", b""))
        assert b"HTTP/1.1 200" in until(raw, b"HTTP/1.1 200")


def test_a_head_in_pieces_is_taken_and_half_a_head_is_not_waited_for_twice(server: ServerProcess) -> None:
    """Cut anywhere a request is answered; one that stays half is refused, as is a connection that stays silent."""
    whole = get(b"?offset=now")
    for cut in (1, 20, len(whole) - 2):
        with closing(connect(server, whole[:cut])) as raw:
            raw.sendall(whole[cut:])
            assert b" 200 OK" in until(raw, b"id:")
    for half in (b"", whole[:20]):
        with closing(connect(server, half)) as raw:
            answer = until(raw, b"no such bytes")
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"head_seconds=2 " in answer.replace(b'"', b" ")


def test_a_reader_is_listed_with_its_name_and_address(server: ServerProcess) -> None:
    """As through ASGI; it is told what comes, and counted out when it goes."""
    with closing(connect(server, get(b"?offset=now&reader=door"))) as raw:
        until(raw, b"id:")
        host, port = raw.getsockname()
        listed = json.loads(call(server, "GET", "/-/readers").body)["readers"]
        assert [found["address"] for found in listed if found["name"] == "door"] == [f"{host}:{port}"]
        call(server, "POST", "/v1/stream/s", "more", content_type="text/plain")
        assert b"data:more" in until(raw, b"more")
    while json.loads(call(server, "GET", "/-/readers").body)["total"]:
        pass


def test_limits_hold_at_the_door() -> None:
    """More readers or connections than allowed are told so; a connection that has said nothing counts."""
    with headwater_server("memory:", "--max-readers", "2", "--max-connections", "4") as server, ExitStack() as stack:
        call(server, "PUT", "/v1/stream/s", "one", content_type="text/plain")
        for mark in (b"200 OK", b"200 OK", b"limit-reached"):
            raw = stack.enter_context(closing(connect(server, get(b""))))
            assert mark in until(raw, b"one" if mark == b"200 OK" else b"}")
        stack.enter_context(closing(connect(server, b"")))
        last = stack.enter_context(closing(connect(server, b"")))
        assert b"too-many-connections" in until(last, b"}")


def test_a_stop_closes_connections_that_said_nothing() -> None:
    """And tells the readers to come back."""
    with headwater_server("memory:", "--drain-seconds", "0.1") as server, ExitStack() as stack:
        call(server, "PUT", "/v1/stream/s", "one", content_type="text/plain")
        silent = stack.enter_context(closing(connect(server, b"")))
        reader = stack.enter_context(closing(connect(server, get(b""))))
        until(reader, b"one")
        server.stop()
        assert silent.recv(1) == b""
        assert b"stream-detached" in until(reader, b"no such bytes")
