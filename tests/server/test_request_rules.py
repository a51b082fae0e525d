"""What a request's head says is read in one way by every server: the same status, and the same streams afterwards."""

from __future__ import annotations

import socket
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

_APP = """
from fastapi import FastAPI
from headwater import Hub

hub = Hub()
app = FastAPI(lifespan=hub.lifespan)
app.mount("/v1/stream", hub.asgi)
"""


def _stock(directory: Path, module: str, *flags: str) -> ServerProcess:
    (directory / "served.py").write_text(_APP)
    command = [sys.executable, "-m", module, "served:app", *flags]
    return ServerProcess(command, cwd=directory, health="/v1/stream/-/health")


SERVERS: dict[str, Callable[[Path], ServerProcess]] = {
    "serve": lambda _: headwater_server("memory:"),
    "uvicorn": lambda path: _stock(path, "uvicorn", "--port", "{port}"),
    "hypercorn": lambda path: _stock(path, "hypercorn", "--bind", "127.0.0.1:{port}"),
}


@pytest.fixture(params=SERVERS, scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Each server."""
    with SERVERS[request.param](tmp_path_factory.mktemp("served")) as process:
        process.name = request.param
        yield process


class Told(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: str


def told(server: ServerProcess, head: str, body: bytes = b"") -> Told:
    """The answer to raw bytes, on a connection of its own: lines of a head, without the empty one."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
        raw.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
        with raw.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            headers: dict[str, str] = {}
            while line := stream.readline().decode().strip():
                name, _, value = line.partition(":")
                before = headers.get(name.lower())
                headers[name.lower()] = value.strip() if before is None else f"{before}, {value.strip()}"
            size = int(headers.get("content-length", "0"))
            return Told(status, headers, "" if head.startswith("HEAD") else stream.read(size).decode())


@pytest.fixture
def stream(server: ServerProcess) -> str:
    """A URL path of a JSON stream with one record."""
    path = f"/v1/stream/{uuid.uuid4().hex}"
    assert call(server, "PUT", path, b"[1]", Content_Type="application/json").status == 201
    return path


def records(server: ServerProcess, path: str) -> bytes:
    return call(server, "GET", path).body


JSON = "content-type: application/json"
ONCE = [
    ("producer-id: p\nproducer-id: p\nproducer-epoch: 0\nproducer-seq: 0", "producer-id"),
    ("producer-id: p\nproducer-epoch: 0\nproducer-seq: 0\nproducer-seq: 1", "producer-seq"),
    ("stream-seq: 1\nStream-Seq: 2", "stream-seq"),
    ("stream-closed: false\nstream-closed: true", "stream-closed"),
    ("content-type: text/plain", "content-type"),
    ("origin: http://localhost\norigin: http://evil.example", "origin"),
]


@pytest.mark.parametrize(("lines", "name"), ONCE)
def test_a_value_that_comes_twice_is_refused(server: ServerProcess, stream: str, lines: str, name: str) -> None:
    """The problem names the header, and nothing is written."""
    answer = told(server, f"POST {stream} HTTP/1.1\nhost: localhost\n{JSON}\n{lines}\ncontent-length: 1", b"2")
    assert answer.status == 400, answer
    assert name in answer.body
    assert records(server, stream) == b"[1]"


def test_a_list_of_several_lines_is_read_as_one(server: ServerProcess, stream: str) -> None:
    """An ETag in the first of two lines, and a coding in the first of two."""
    tag = call(server, "GET", stream).headers["etag"]
    head = f'GET {stream} HTTP/1.1\nhost: localhost\nif-none-match: {tag}\nif-none-match: "other"'
    assert told(server, head).status == 304
    head = f"POST {stream} HTTP/1.1\nhost: localhost\n{JSON}\ncontent-length: 1\n"
    assert told(server, head + "content-encoding: gzip\ncontent-encoding: identity", b"2").status == 415
    assert told(server, head + "content-encoding: identity\ncontent-encoding: identity", b"2").status == 204
    assert records(server, stream) == b"[1,2]"


def test_white_space_behind_a_value_is_not_its_own(server: ServerProcess, stream: str) -> None:
    """`Stream-Seq: 7 ` is 7."""
    head = f"POST {stream} HTTP/1.1\nhost: localhost \t\n{JSON} \ncontent-length: 1\nstream-seq:"
    assert told(server, f"{head}  7 \t", b"2").status == 204
    assert told(server, f"{head} 7", b"3").status == 409


@pytest.mark.parametrize(
    "host",
    ["user@localhost", "localhost/x", "localhost:abc", "localhost, localhost", "", "[::1", "localhost:99999", "*", "é"],
)
def test_what_is_no_host_is_refused(server: ServerProcess, stream: str, host: str) -> None:
    """400 by every server (RFC 9112 section 3.2), and nothing is written."""
    head = f"POST {stream} HTTP/1.1\nhost: {host}\n{JSON}\ncontent-length: 1"
    assert told(server, head, b"2").status == 400
    assert records(server, stream) == b"[1]"


def test_http_1_1_needs_one_host(server: ServerProcess, stream: str) -> None:
    """HTTP/1.0, which a load balancer may speak to see whether a server answers, needs none."""
    assert told(server, f"GET {stream} HTTP/1.1").status == 400
    assert told(server, f"GET {stream} HTTP/1.1\nhost: localhost\nhost: localhost").status == 400
    assert told(server, f"GET {stream} HTTP/1.0").status == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        *(
            (origin, 204)
            for origin in ("http://localhost:5173", "https://app.localhost", "http://[::1]", "HTTP://127.8.0.1")
        ),
        *(
            (origin, 403)
            for origin in ("file://localhost", "//localhost", "http://localhost#.evil", "null", "http://a.b")
        ),
    ],
)
def test_pages_of_this_machine_write(server: ServerProcess, stream: str, origin: str, status: int) -> None:
    """Their origins are parsed: what only has the letters of one is refused."""
    head = f"POST {stream} HTTP/1.1\nhost: localhost\n{JSON}\norigin: {origin}\ncontent-length: 1"
    answer = told(server, head, b"2")
    assert answer.status == status
    assert answer.headers.get("access-control-allow-origin") == (origin if status == 204 else None)
    assert answer.headers["vary"] == "origin"


ACCEPTS = [
    ("", "application/json"),
    ("accept: */*", "application/json"),
    ("accept: image/png", "application/json"),
    ("accept: text/event-stream", "text/event-stream"),
    ("accept: text/event-stream;q=0", "application/json"),
    ("accept: application/json, text/event-stream", "application/json"),
    ("accept: text/event-stream\naccept: application/json;q=0.5", "text/event-stream"),
    ("accept: application/x-ndjson;q=0.1\naccept: text/event-stream;q=0.9", "text/event-stream"),
    ("accept: text/plain, text/event-stream", "text/event-stream"),
    *((f"accept: {name}", name) for name in ("application/x-ndjson", "application/ndjson", "application/jsonl")),
    ("accept: APPLICATION/X-JSONLINES", "application/x-jsonlines"),
    ("accept: text/event-stream, nonsense", "application/json"),
]


@pytest.mark.parametrize(("lines", "content_type"), ACCEPTS)
def test_accept_is_weighed(server: ServerProcess, stream: str, lines: str, content_type: str) -> None:
    """All lines of it, with weights; an NDJSON answer has the name that was asked for; nothing is 406."""
    answer = told(server, f"GET {stream} HTTP/1.1\nhost: localhost\n{lines}".rstrip())
    assert (answer.status, answer.headers["content-type"]) == (200, content_type)
    assert "accept" in answer.headers["vary"]


def test_accept_of_a_stream_that_is_not_there(server: ServerProcess) -> None:
    """404, also where its type would decide."""
    accept = "accept: application/json, text/event-stream"
    assert told(server, f"GET /v1/stream/none HTTP/1.1\nhost: localhost\n{accept}").status == 404


@pytest.mark.parametrize(
    "path", ["%zz", "a%", "a%2", "%00", "%c0%af", "%ed%a0%80", "%2e%2e", "a/%2e%2e/b", "a/../b", "a//b", "a/", "a%5cb"]
)
@pytest.mark.parametrize("method", ["PUT", "POST", "GET"])
def test_a_path_that_is_none_is_refused(server: ServerProcess, method: str, path: str) -> None:
    """Whatever a server makes of it, no stream gets a second name."""
    head = f"{method} /v1/stream/{path} HTTP/1.1\nhost: localhost\n{JSON}\ncontent-length: 1"
    answer = told(server, head, b"1")
    assert answer.status == 400
    assert '"code":"invalid-path"' in answer.body


def test_an_encoded_slash_is_a_slash(server: ServerProcess) -> None:
    """One stream with two URLs, and percent signs are decoded once."""
    name = uuid.uuid4().hex
    assert call(server, "PUT", f"/v1/stream/{name}%2fb", b"[1]", Content_Type="application/json").status == 201
    assert records(server, f"/v1/stream/{name}/b") == b"[1]"
    assert call(server, "GET", f"/v1/stream/{name}%252fb").status == 404


def test_a_fragment_is_refused(server: ServerProcess, stream: str) -> None:
    """Clients keep it to themselves. uvicorn alone cuts it off before anybody sees it, and does what is left."""
    seen_by_us = server.name != "uvicorn"
    answer = told(server, f"POST {stream}#2 HTTP/1.1\nhost: localhost\n{JSON}\ncontent-length: 1", b"2")
    assert answer.status == (400 if seen_by_us else 204)
    assert records(server, stream) == (b"[1]" if seen_by_us else b"[1,2]")


def test_a_page_may_ask_what_it_may_send(server: ServerProcess, stream: str) -> None:
    """The preflight names what libraries add, holds for a while, and for this origin only."""
    wanted = "cache-control,idempotency-key,last-event-id,traceparent,tracestate,baggage,x-requested-with,authorization"
    head = f"OPTIONS {stream} HTTP/1.1\nhost: localhost\norigin: http://localhost:5173\n"
    answer = told(server, f"{head}access-control-request-method: PUT\naccess-control-request-headers: {wanted}")
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert answer.headers["vary"] == "origin"
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert set(wanted.split(",")) <= set(answer.headers["access-control-allow-headers"].split(", "))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_a_cache_is_told_that_pages_differ(server: ServerProcess, stream: str, method: str) -> None:
    """Also by what a client got that is no page."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
        head = f"{method} {stream} HTTP/1.0\r\n{JSON}\r\ncontent-length: {1 if method == 'POST' else 0}\r\n\r\n"
        raw.sendall(head.encode() + (b"2" if method == "POST" else b""))
        assert b"vary: origin\r\n" in raw.makefile("rb").read().lower()


def test_what_is_not_ours_in_a_query_is_let_through(server: ServerProcess, stream: str) -> None:
    """Any number of parameters, and bytes that are no UTF-8."""
    query = "&".join(f"utm_{number}=x" for number in range(100))
    assert told(server, f"GET {stream}?{query}&x=%ff&offset=-1&y=%zz HTTP/1.1\nhost: localhost").body == "[1]"
    assert told(server, f"GET {stream}?offset=%ff HTTP/1.1\nhost: localhost").status == 400


def test_a_location_is_taken_as_the_source_of_a_fork(server: ServerProcess, stream: str) -> None:
    """As this server gave it; one of another server is refused."""
    name = f"/v1/stream/{uuid.uuid4().hex}%20a"
    location = call(server, "PUT", name, b"[7]", Content_Type="application/json").headers["location"]
    assert location == server.url + name
    made = call(server, "PUT", f"{stream}-fork", b"", Stream_Forked_From=location)
    assert made.status == 201
    assert records(server, f"{stream}-fork") == b"[7]"
    other = location.replace("127.0.0.1", "127.0.0.2")
    assert call(server, "PUT", f"{stream}-other", b"", Stream_Forked_From=other).status == 400


def test_an_old_epoch_at_a_closed_stream_is_a_conflict(server: ServerProcess, stream: str) -> None:
    """With the closure in its headers (protocol section 5.2.1)."""
    head = f"POST {stream} HTTP/1.1\nhost: localhost\n{JSON}\nproducer-id: p\nproducer-seq: 0\ncontent-length: 1\n"
    assert told(server, f"{head}producer-epoch: 3", b"2").status == 200
    assert told(server, f"{head}producer-epoch: 2", b"2").status == 403
    assert call(server, "POST", stream, b"", Stream_Closed="true").status == 204
    answer = told(server, f"{head}producer-epoch: 2", b"2")
    assert (answer.status, answer.headers["stream-closed"]) == (409, "true")
    assert answer.headers["stream-next-offset"]


def test_a_sequence_conflict_says_so(server: ServerProcess, stream: str) -> None:
    """In the words that a client looks for, in any case."""
    for status in (204, 409):
        answer = call(server, "POST", stream, b"2", Content_Type="application/json", Stream_Seq="1")
        assert answer.status == status
    assert "sequence conflict" in answer.json()["title"].lower()


@pytest.mark.parametrize(
    "path", ["acl/*", "a%7Bb%7D", "gru%CC%88n", "a/-/b", "__ds/subscriptions/1", "__dsx", "%5F%5Fds"]
)
def test_a_new_stream_keeps_the_rules_of_paths(server: ServerProcess, stream: str, path: str) -> None:
    """Created, forked or made by an append, the problem says which rule."""
    headers = {"Content_Type": "application/json"}
    for method, more in (("PUT", {}), ("PUT", {"Stream_Forked_From": stream}), ("POST", {"Stream_Create": "true"})):
        answer = call(
            server, method, f"/v1/stream/{path}", b"" if "Stream_Forked_From" in more else b"1", **headers, **more
        )
        assert (answer.status, answer.json()["code"]) == (400, "invalid-path"), (method, more)
        assert "of a new stream" in answer.json()["detail"]
    assert call(server, "GET", f"/v1/stream/{path}").status == 404
