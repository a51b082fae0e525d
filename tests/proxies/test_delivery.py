"""What a client is promised holds through nginx, HAProxy and Caddy with the configurations of `examples/proxies`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import httpx2
import pytest
from tests.proxies.client import EVENTS, LINES, TEXT, events_of, listening, make_client
from tests.proxies.fronts import HOST, Certificates, Front, until
from tests.proxies.raw import RawClient
from tests.support.http import call
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow

STREAM = "/v1/stream/s"


def readers(server: ServerProcess) -> int:
    """Live readers of the server now."""
    found: int = call(server, "GET", "/-/stats").json()["readers"]
    return found


@pytest.mark.parametrize("http2", [True, False], ids=["h2", "h1"])
def test_events_arrive_one_by_one(front: Front, certificates: Certificates, http2: bool) -> None:
    """No record waits in the proxy for the next one, in any format: each is seen before the next is written."""
    wires = [(STREAM, EVENTS), (STREAM, LINES), (f"{STREAM}?live=sse&offset=-1", {})]
    with make_client(front.url, certificates, http2=http2) as client, contextlib.ExitStack() as stack:
        assert client.put(STREAM, headers=TEXT).status_code == 201
        opened = [stack.enter_context(listening(client, path, **headers)) for path, headers in wires]
        for number in range(10):
            answer = client.post(STREAM, content=f"record-{number}", headers=TEXT)
            assert answer.status_code == 204
            assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            for lines in opened:
                assert any(f"record-{number}" in line for line in lines)


@pytest.mark.parametrize("flags", [("--heartbeat-seconds", "0.2")])
def test_heartbeats_pass(client: httpx2.Client) -> None:
    """A silent stream is kept alive through the proxy."""
    client.put(STREAM, headers=TEXT)
    with listening(client, STREAM, **EVENTS) as lines:
        assert [next(line for line in lines if line.startswith(":")) for _ in range(5)]
    with listening(client, STREAM, **LINES) as lines:
        assert [next(line for line in lines if '"keepalive"' in line) for _ in range(5)]


@pytest.mark.parametrize("flags", [("--long-poll-seconds", "1")])
def test_a_long_poll_waits_and_is_answered(client: httpx2.Client, front: Front, certificates: Certificates) -> None:
    """204 when nothing comes; the record when one does."""
    tail = client.put(STREAM, headers=TEXT).headers["stream-next-offset"]
    poll = f"{STREAM}?live=long-poll&offset={tail}"
    assert client.get(poll).status_code == 204
    answers: list[httpx2.Response] = []
    # A client of its own: httpcore does not keep the streams of two threads in the order that HTTP/2 wants.
    with make_client(front.url, certificates) as writer:
        while not answers or answers[-1].status_code == 204:
            thread = threading.Thread(target=lambda: answers.append(client.get(poll)))
            thread.start()
            writer.post(STREAM, content="news", headers=TEXT)
            thread.join()
    assert answers[-1].text == "news"


def test_a_large_catch_up_arrives_whole(client: httpx2.Client) -> None:
    """Megabytes up to the tail in one body, and 304 for what the client has."""
    client.put(STREAM, headers=TEXT)
    pieces = [letter * 700_000 for letter in "abcde"]
    for piece in pieces:
        assert client.post(STREAM, content=piece, headers=TEXT).status_code == 204
    answer = client.get(f"{STREAM}?offset=-1")
    body = answer.text
    assert body == "".join(pieces)
    assert answer.headers["stream-up-to-date"] == "true"
    tag = {"if-none-match": answer.headers["etag"]}
    assert client.get(f"{STREAM}?offset=-1", headers=tag).status_code == 304
    with listening(client, STREAM, **EVENTS) as lines:
        seen = ""
        while len(seen) < len(body):  # a record across a limit comes in two events
            seen += events_of(lines, 1)[0][1]
    assert seen == body


def test_bodies_pass_up_to_the_limit(front: Front, client: httpx2.Client, certificates: Certificates) -> None:
    """An append of nearly `max_body_bytes` and one without a length pass; a larger one is 413 and nothing of it is
    written; idempotent producers work."""

    def parts() -> Iterator[bytes]:
        yield from (b"one ", b"two ", b"three")

    client.put(STREAM, headers=TEXT)
    large = "x" * (16 * 1024 * 1024 - 100)
    tail = client.post(STREAM, content=large, headers=TEXT).headers["stream-next-offset"]
    with make_client(front.url, certificates, http2=False) as other:
        assert other.post(STREAM, content="y" * (17 * 1024 * 1024), headers=TEXT).status_code == 413
    assert client.post(STREAM, content=parts(), headers=TEXT).status_code == 204
    producer = {"producer-id": "p", "producer-epoch": "0", "producer-seq": "0"}
    statuses = [client.post(STREAM, content="!", headers={**TEXT, **producer}).status_code for _ in range(2)]
    assert statuses == [200, 204]
    assert client.get(f"{STREAM}?offset={tail}").text == "one two three!"


@pytest.mark.parametrize("flags", [("--heartbeat-seconds", "600", "--write-seconds", "600")])
def test_a_client_that_goes_frees_its_reader(
    server: ServerProcess, front: Front, client: httpx2.Client, certificates: Certificates
) -> None:
    """The proxy passes the end on, of one stream of a connection and of a connection. The server need not find out at
    the next heartbeat, which here never comes."""
    client.put(STREAM, content="one", headers=TEXT)
    with RawClient(front.port, certificates) as raw:
        first, second = (raw.get(STREAM, wire) for wire in (EVENTS, LINES))
        raw.until(lambda: b"one" in raw.received[first] and b"one" in raw.received[second])
        raw.reset(first)
        until(lambda: readers(server) == 1)
    until(lambda: readers(server) == 0)
    with make_client(front.url, certificates, http2=False) as other, listening(other, STREAM, **EVENTS) as lines:
        assert any("one" in line for line in lines)
        assert readers(server) == 1
    until(lambda: readers(server) == 0)


def test_a_reader_resumes_after_the_proxy_was_killed(
    server: ServerProcess, front: Front, client: httpx2.Client, certificates: Certificates
) -> None:
    """What was written meanwhile comes once, from `Last-Event-ID` on."""
    client.put(STREAM, headers=TEXT)
    for number in range(5):
        client.post(STREAM, content=str(number), headers=TEXT)
    with listening(client, STREAM, **EVENTS) as lines:
        seen = events_of(lines, 5)
        front.kill()
        with contextlib.suppress(httpx2.HTTPError):
            assert list(lines) == []
    until(lambda: readers(server) == 0)
    for number in range(5, 10):
        call(server, "POST", STREAM, str(number), content_type="text/plain")
    front.start()
    with (
        make_client(front.url, certificates) as again,
        listening(again, STREAM, last_event_id=seen[-1][0], **EVENTS) as lines,
    ):
        seen += events_of(lines, 5)
    assert [data for _, data in seen] == [str(number) for number in range(10)]


@pytest.mark.parametrize("flags", [("--drain-seconds", "0.2")])
@pytest.mark.parametrize("crash", [True, False], ids=["crash", "stop"])
def test_a_restart_of_the_server_is_no_error_to_event_readers(
    server: ServerProcess, front: Front, client: httpx2.Client, crash: bool
) -> None:
    """While the server is away its readers are answered 200, later or with an event stream that only says when to come
    back: at any other status a browser's EventSource gives up. Nothing is lost, and nothing comes twice."""
    client.put(STREAM, headers=TEXT)
    client.post(STREAM, content="before", headers=TEXT)
    with listening(client, STREAM, **EVENTS) as lines:
        seen = events_of(lines, 1)
        if crash:
            server.kill()
        else:
            server.stop()
        with contextlib.suppress(httpx2.HTTPError):
            for _ in lines:
                pass
    returner = threading.Timer(0.5, server.start)
    returner.start()
    with listening(client, STREAM, last_event_id=seen[-1][0], **EVENTS) as lines:
        returner.join()
        call(server, "POST", STREAM, "after", content_type="text/plain")
        seen += events_of(lines, 1)
    if len(seen) == 1:
        with listening(client, STREAM, last_event_id=seen[-1][0], **EVENTS) as lines:
            seen += events_of(lines, 1)
    assert [data for _, data in seen] == ["before", "after"]


@pytest.mark.parametrize("flags", [("--drain-seconds", "0.2")])
def test_an_append_is_never_acknowledged_by_the_proxy(
    server: ServerProcess, front: Front, client: httpx2.Client, certificates: Certificates
) -> None:
    """Without the server a write is refused or waits; a success is the server's own."""
    client.put(STREAM, headers=TEXT)
    server.kill()
    statuses: list[int] = []

    def write() -> None:
        statuses.append(client.post(STREAM, content="late", headers=TEXT).status_code)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(2)
    assert statuses in ([], [502], [503])
    server.start()
    thread.join()
    assert call(server, "GET", STREAM).body == (b"late" if statuses == [204] else b"")


def test_a_reload_of_the_proxy_loses_nothing(front: Front, client: httpx2.Client, certificates: Certificates) -> None:
    """Readers of the old configuration stay, or are cut and come back; those of the new one work."""
    client.put(STREAM, headers=TEXT)
    with listening(client, STREAM, **EVENTS) as lines:
        client.post(STREAM, content="before", headers=TEXT)
        seen = events_of(lines, 1)
        front.reload()
        with make_client(front.url, certificates) as new:
            assert new.post(STREAM, content="after", headers=TEXT).status_code == 204
            with contextlib.suppress(httpx2.HTTPError):
                seen += events_of(lines, 1)
            if len(seen) == 1:
                with listening(new, STREAM, last_event_id=seen[-1][0], **EVENTS) as more:
                    seen += events_of(more, 1)
    assert [data for _, data in seen] == ["before", "after"]


def test_the_server_knows_what_the_client_called_it(client: httpx2.Client, front: Front) -> None:
    """`Location` is absolute, with the client's scheme, name and port; another name than the configured ones is never
    served a stream; writes of the site's own pages are let in, others are not."""
    answer = client.put(STREAM, content="secret", headers=TEXT)
    assert answer.headers["location"] == f"https://{HOST}:{front.port}{STREAM}"
    assert "secret" not in client.get(STREAM, headers={"host": "attacker.example"}).text
    for origin, status in ((front.url, 204), ("https://attacker.example", 403)):
        assert client.post(STREAM, content="!", headers={**TEXT, "origin": origin}).status_code == status


@pytest.mark.parametrize("flags", [("--trusted-proxies", "127.0.0.1")])
def test_the_server_knows_where_the_client_is(
    server: ServerProcess, front: Front, client: httpx2.Client, certificates: Certificates
) -> None:
    """The address of a reader is the one that the proxy saw, whatever the client itself claims."""
    client.put(STREAM, content="one", headers=TEXT)
    with (
        make_client(front.url, certificates, address="127.0.0.2") as other,
        listening(other, STREAM, x_forwarded_for="192.0.2.7", **EVENTS) as lines,
    ):
        assert events_of(lines, 1)
        shown = call(server, "GET", "/-/readers").json()
    assert "127.0.0.2" in str(shown)
    assert "192.0.2.7" not in str(shown)
