"""The fast lane: the same answers as through ASGI, in order, whatever a client pipelines."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

from headwater import Hub
from headwater.errors import HeadwaterError
from headwater.model import Appended
from headwater.protocol.ledger import Append
from headwater.server.fastlane import MAX_BODY_BYTES, FastLane, Pending, to_bytes

Run = Callable[[Coroutine[Any, Any, Any]], Any]
JSON = (b"content-type", b"application/json")


def length(size: int) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % size


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        (b"GET", b"/v1/stream/s", [length(1)]),
        (b"POST", b"/elsewhere", [length(1)]),
        (b"POST", b"/v1/stream/a%20b", [length(1)]),
        (b"POST", b"/v1/stream/s?x=1", [length(1)]),
        (b"POST", b"/v1/stream/s", []),
        (b"POST", b"/v1/stream/s", [length(MAX_BODY_BYTES + 1)]),
        (b"POST", b"/v1/stream/s", [(b"content-length", b"-1")]),
        (b"POST", b"/v1/stream/s", [length(1), (b"transfer-encoding", b"chunked")]),
        (b"POST", b"/v1/stream/s", [length(1), (b"expect", b"100-continue")]),
        (b"POST", b"/v1/stream/s", [length(1), (b"origin", b"http://localhost")]),
    ],
)
def test_what_is_not_plain_goes_the_usual_way(
    run: Run, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    """Anything but a small append without extras is left to ASGI."""

    async def main() -> None:
        async with Hub() as hub:
            assert FastLane(hub, "/v1/stream/").admit(method, url, headers) is None

    run(main())


def test_a_hub_that_is_not_open_goes_the_usual_way() -> None:
    """There the answer says what was forgotten."""
    assert FastLane(Hub(), "/v1/stream/").admit(b"POST", b"/v1/stream/s", [length(1)]) is None


class Broken(Hub):
    """A hub with a bug."""

    async def write(self, path: str, request: Append) -> Appended:
        raise ZeroDivisionError("secret detail")


def test_refusals_and_bugs_are_answers(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """Each is counted; a bug tells nothing of the inside."""

    async def main() -> None:
        async with Hub() as hub:
            lane = FastLane(hub, "/v1/stream/")
            pending = lane.admit(b"POST", b"/v1/stream/none", [JSON, length(1)])
            assert isinstance(pending, Pending)
            pending.body = b"1"
            answer = await lane.append(pending)
            assert (answer.status, hub.stats.errors["stream-not-found"]) == (404, 1)
            assert b"content-length: " in to_bytes(answer, [], keep_alive=True)
            assert b"connection: close\r\n" in to_bytes(answer, [(b"date", b"now")], keep_alive=False)
        async with Broken() as hub:
            lane = FastLane(hub, "/v1/stream/")
            pending = lane.admit(b"POST", b"/v1/stream/s", [JSON, length(1)])
            assert pending is not None
            pending.body = b"1"
            answer = await lane.append(pending)
            assert answer.status == HeadwaterError.status
            assert b"secret" not in answer.body

    run(main())
    assert "secret detail" in caplog.text


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with headwater_server("memory:") as process:
        yield process


def post(body: bytes, path: bytes = b"/v1/stream/s", extra: bytes = b"") -> bytes:
    head = b"POST " + path + b" HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" + extra
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


@pytest.mark.slow
def test_pipelined_requests_are_answered_in_order(server: ServerProcess) -> None:
    """Fast and slow requests on one connection, sent at once, whole or byte by byte: answers in order."""
    call(server, "PUT", "/v1/stream/s", content_type="application/json")
    requests = (
        post(b"1")
        + post(b"2", extra=b"origin: http://localhost\r\n")
        + post(b"nonsense")
        + b"GET /v1/stream/s HTTP/1.1\r\nhost: localhost\r\n\r\n"
        + post(b"3")
        + post(b"4", b"/v1/stream/none")
        + post(b"5", extra=b"connection: close\r\n")
    )
    for pieces in ([requests], [requests[index : index + 1] for index in range(len(requests))]):
        with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                raw.sendall(piece)
            answer = b""
            while part := raw.recv(65536):
                answer += part
        assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"204", b"204", b"400", b"200", b"204", b"404", b"204"]
    assert call(server, "GET", "/v1/stream/s").json() == [1, 2, 3, 5, 1, 2, 3, 5]


@pytest.mark.slow
def test_a_client_that_vanishes_in_its_body_has_said_nothing(server: ServerProcess) -> None:
    """Half a body is not appended, in the fast lane too."""
    call(server, "PUT", "/v1/stream/half", content_type="application/json")
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
        raw.sendall(post(b'{"a": 1}', b"/v1/stream/half")[:-2])
    reply = call(server, "GET", "/v1/stream/half")
    assert reply.json() == []


@pytest.mark.slow
def test_the_server_can_do_without_it() -> None:
    """`--no-fast-lane` and an access log send everything through ASGI, with the same answers."""
    for flag in ("--no-fast-lane", "--access-log"):
        with headwater_server("memory:", flag) as server:
            call(server, "PUT", "/v1/stream/s", content_type="application/json")
            assert call(server, "POST", "/v1/stream/s", "1", content_type="application/json").status == 204
