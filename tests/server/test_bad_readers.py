"""Readers that ask for nonsense, never ask, talk on or never listen: a status, a figure, and nobody else is hurt."""

from __future__ import annotations

import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server
from tests.support.sockets import EVENTS, asking, lines_of, status_of, unacknowledged

pytestmark = pytest.mark.slow

URL = "/v1/stream/log"
SILENT = 1000


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A server that is soon tired of bad readers."""
    flags = ["--head-seconds", "3", "--write-seconds", "2", "--slow-seconds", "0.2", "--max-connections", str(SILENT)]
    with headwater_server("memory:", *flags) as process:
        call(process, "PUT", "/v1/stream/other", content_type="application/json")
        call(process, "PUT", URL, content_type="application/json")
        yield process


def stats(server: ServerProcess) -> dict[str, Any]:
    found: dict[str, Any] = call(server, "GET", "/-/stats").json()
    return found


def until(true: Callable[[], bool]) -> None:
    """Wait for what has no event here; the test's timeout is the end of it."""
    while not true():
        time.sleep(0.02)


@contextmanager
def bystander(server: ServerProcess) -> Iterator[None]:
    """A reader that was there before, goes on reading, and gets what is appended afterwards."""
    told: list[dict[str, Any]] = []
    word = f"after {time.monotonic()}"

    def read(raw: socket.socket) -> None:
        for line in lines_of(raw):
            told.append(line)
            if line.get("data") == word:
                return

    with asking(server, f"{URL}?offset=now&reader=bystander") as raw:
        assert status_of(raw) == 200
        reader = threading.Thread(target=read, args=(raw,))
        reader.start()
        until(lambda: bool(told))
        yield
        assert call(server, "POST", URL, json.dumps(word), content_type="application/json").status == 204
        reader.join()
    assert told[-1].get("data") == word


def test_absurd_places_to_resume_at_are_refused(server: ServerProcess) -> None:
    """Huge, binary, of another stream, of none, beyond the tail: each has its code, and is counted under it."""
    tail = call(server, "HEAD", URL).headers["stream-next-offset"]
    other = call(server, "HEAD", "/v1/stream/other").headers["stream-next-offset"]
    incarnation, position = tail.split("_")
    absurd = [
        ("9" * 20_000, 400, "invalid-offset"),
        ("9" * 33_000, 431, "headers-too-large"),
        ("\xff\xfe", 400, "bad-request"),
        ("x", 400, "invalid-offset"),
        ("-2", 400, "invalid-offset"),
        ("../../etc/passwd", 400, "invalid-offset"),
        (other, 410, "offset-gone"),
        (f"{int(incarnation) + 9:016}_{position}", 400, "invalid-offset"),
        (f"{incarnation}_{int(position) + 1:016}", 400, "invalid-offset"),
        (f"{incarnation}_{'9' * 16}", 400, "invalid-offset"),
    ]
    with bystander(server):
        before = stats(server)["errors"]
        for offset, status, code in absurd:
            reply = call(server, "GET", URL, accept=EVENTS, last_event_id=offset)
            assert (reply.status, reply.json()["code"]) == (status, code), offset[:40]
        after = stats(server)["errors"]
        for code in {code for _, _, code in absurd}:
            assert after[code] - before.get(code, 0) == [found for _, _, found in absurd].count(code)


@pytest.mark.parametrize("query", ["slow=fast", "slow=", "slow=conflate", "slow=latest:x", "reader=%00", "reader=%FF"])
def test_policies_and_names_nobody_knows_are_refused(server: ServerProcess, query: str) -> None:
    """Before anything is sent."""
    with bystander(server):
        reply = call(server, "GET", f"{URL}?{query}", accept=EVENTS)
        assert (reply.status, reply.json()["code"]) == (400, "bad-request")


def test_connections_that_never_finish_their_head_disturb_nobody(server: ServerProcess) -> None:
    """A thousand of them: above the limit they are told so, the others are told after head_seconds, and all counted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with bystander(server), ExitStack() as stack:
        before = stats(server)["errors"]
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            for _ in range(SILENT + 100)
        ]
        for raw in silent:
            with suppress(ConnectionError):
                raw.sendall(b"GET / HTTP/1.1\r\nhost: loc")
        found = [_status_at_last(raw) for raw in silent]
        assert set(found) <= {408, 503, None}
        assert found.count(408) > SILENT - 50
        assert found.count(503) >= 50
        after = stats(server)["errors"]
        assert after["request-timeout"] - before.get("request-timeout", 0) >= found.count(408)
        assert after["too-many-connections"] - before.get("too-many-connections", 0) >= found.count(503)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _status_at_last(raw: socket.socket) -> int | None:
    """The status before the connection ends; None: it was reset first, because the rest of the head crossed with it."""
    try:
        return status_of(raw)
    except (ConnectionError, AssertionError):
        return None


def test_a_client_that_talks_on_and_on_is_cut(server: ServerProcess) -> None:
    """A live reader has nothing to say: after 16 KiB its connection is cut, and counted."""
    with bystander(server), asking(server, URL, accept=EVENTS) as raw:
        assert status_of(raw) == 200
        before = stats(server)["unasked"]
        with suppress(ConnectionError):
            while True:
                raw.sendall(b"x" * 4096)
        assert stats(server)["unasked"] == before + 1


def test_a_client_that_never_reads_is_cut(server: ServerProcess) -> None:
    """When its socket has been full for write_seconds; counted as a stall."""
    with bystander(server), asking(server, f"{URL}?reader=deaf", receive=4096):
        before = stats(server)["stalls"]
        for _ in range(40):
            call(server, "POST", URL, json.dumps("x" * 10_000), content_type="application/json")
        until(lambda: stats(server)["stalls"] > before)
        assert _names(server) == {"bystander"}


def test_a_client_that_never_reads_its_end_is_cut(server: ServerProcess) -> None:
    """Told that it is let go, it does not even take that: write_seconds later nothing is left of it."""
    with bystander(server), asking(server, f"{URL}?slow=disconnect&reader=deaf", receive=4096) as raw:
        for _ in range(40):
            call(server, "POST", URL, json.dumps("x" * 10_000), content_type="application/json")
        until(lambda: _names(server) == {"bystander"})
        until(lambda: not any(unacknowledged(server.port)))
        with suppress(ConnectionError):  # or an end, when the last bytes were taken before the cut
            while raw.recv(65536):
                pass


def test_a_half_open_peer_is_cut_although_its_socket_is_not_full(server: ServerProcess) -> None:
    """The kernel holds a few bytes that nobody takes; after write_seconds it gives the peer up."""
    with bystander(server), asking(server, f"{URL}?offset=now&reader=deaf", receive=2048):
        until(lambda: "deaf" in _names(server))
        before = stats(server)
        for _ in range(3):
            call(server, "POST", URL, json.dumps("x" * 3_000), content_type="application/json")
        until(lambda: _names(server) == {"bystander"})
        after = stats(server)
        assert (after["pauses"], after["stalls"]) == (before["pauses"], before["stalls"])
        assert after["disconnects"] > before["disconnects"]


def _names(server: ServerProcess) -> set[str]:
    return {info["name"] for info in call(server, "GET", "/-/readers").json()["readers"]}
