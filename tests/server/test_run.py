"""The server process: what it refuses, how it starts and how it stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from tests.support.http import call, opened
from tests.support.processes import headwater_server

from headwater.server.run import banner, check_bind, is_loopback, make_server, raise_file_limit
from headwater.server.settings import InvalidSettings, Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_permission(host: str) -> None:
    """Only this machine can reach it."""
    assert is_loopback(host)
    check_bind(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_everybody_may_not_be_served_by_accident(host: str) -> None:
    """A bind beyond loopback is refused with the way out, unless it is asked for by name."""
    with pytest.raises(InvalidSettings, match="--insecure"):
        check_bind(Settings(host=host))
    check_bind(Settings(host=host, insecure=True))


def test_the_banner_has_the_servers_own_address() -> None:
    """What is printed can be pasted."""
    text = banner(Settings(host="::1", tls_cert="c", tls_key="k"), 8443)
    assert "https://[::1]:8443/v1/stream/hello" in text
    assert "in a browser" in text
    assert "in a browser" not in banner(Settings(page=False), 1)


def test_the_server_is_made_from_its_settings() -> None:
    """Limits reach the connections and the hub."""
    server = make_server(Settings(store="memory:", max_connections=5, max_readers=6, shutdown_seconds=3))
    assert server.shared.limits.max_connections == 5
    assert server.shared.service.limits.max_readers == 6
    raise_file_limit()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_told_to_readers_and_ends_with_0(tmp_path: Path, number: int) -> None:
    """An open event stream hears when to come back; the process ends by itself, and the data is there again."""
    with headwater_server(f"sqlite:{tmp_path}/log.db", "--drain-seconds", "2") as server:
        call(server, "PUT", "/v1/stream/s", "one", content_type="text/plain")
        with opened(server, "GET", "/v1/stream/s", accept="text/event-stream") as events:
            while events.readline() != b"data:one\n":
                pass
            assert server.stop(number) == 0
            rest = events.read()
        assert b"event: stream-detached" in rest
        assert 1000 <= int(rest.split(b"retry:")[-1].split(b"\n")[0]) <= 3000
        server.start()
        assert call(server, "GET", "/v1/stream/s").body == b"one"


@pytest.mark.slow
def test_a_stop_finishes_the_write_under_way(tmp_path: Path) -> None:
    """A body that is still arriving when the stop comes is appended and acknowledged."""
    with headwater_server(f"sqlite:{tmp_path}/log.db") as server:
        call(server, "PUT", "/v1/stream/s", content_type="text/plain")
        with (
            closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw,
            opened(server, "GET", "/v1/stream/s", accept="text/event-stream") as witness,
        ):
            witness.readline()
            head = b"POST /v1/stream/s HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n"
            raw.sendall(head + b"content-length: 4\r\n\r\nha")
            assert call(server, "GET", "/-/health").status == 200
            os.kill(server.pid, signal.SIGTERM)
            assert b"stream-detached" in witness.read(), "the stop has begun"
            raw.sendall(b"lf")
            assert raw.recv(1000).startswith(b"HTTP/1.1 204")
        server.wait()
        server.start()
        assert call(server, "GET", "/v1/stream/s").body == b"half"


@pytest.mark.slow
def test_who_connected_a_moment_before_a_stop_is_answered() -> None:
    """A first request, or the rest of its head, that comes when the stop has begun. Who says nothing is let go."""
    request = (
        b"POST /v1/stream/s HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nhi"
    )
    with headwater_server("memory:") as server, ExitStack() as stack:
        call(server, "PUT", "/v1/stream/s", content_type="text/plain")

        def connection(sent: bytes) -> socket.socket:
            raw = stack.enter_context(closing(socket.create_connection(("127.0.0.1", server.port), timeout=30)))
            raw.sendall(sent)
            return raw

        silent, first, half = connection(b""), connection(b""), connection(request[:30])
        with opened(server, "GET", "/v1/stream/s", accept="text/event-stream") as witness:  # accepted after the others
            witness.readline()
            os.kill(server.pid, signal.SIGTERM)
            assert b"stream-detached" in witness.read(), "the stop has begun"
        first.sendall(request)
        half.sendall(request[30:])
        for raw in (first, half):
            response = b"".join(iter(lambda raw=raw: raw.recv(1000), b""))  # type: ignore[misc]
            assert response.startswith(b"HTTP/1.1 204 ")
            assert b"connection: close\r\n" in response
        assert silent.recv(1000) == b""
        assert server.wait() == 0


@pytest.mark.slow
def test_a_page_under_another_name_is_refused() -> None:
    """DNS rebinding: a site's own name pointed at this machine makes its pages same-origin; `Host` gives them away."""
    with headwater_server("memory:") as server:
        port = server.port
        call(server, "PUT", "/v1/stream/s", "secret", content_type="text/plain")
        for method, headers in (("GET", {}), ("POST", {"content_type": "text/plain"})):
            reply = call(server, method, "/v1/stream/s", "x", host=f"attacker.example:{port}", **headers)
            assert (reply.status, reply.json()["code"]) == (403, "host-not-allowed")
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            assert call(server, "GET", "/v1/stream/s", host=host).body == b"secret"
    with headwater_server("memory:", "--allowed-hosts", "app.example") as server:
        assert call(server, "PUT", "/v1/stream/s", host="app.example").status == 201


@pytest.mark.slow
@pytest.mark.parametrize(("trusted", "scheme"), [("loopback", "https"), ("10.0.0.0/8", "http"), ("", "http")])
def test_a_trusted_proxy_says_which_scheme_the_client_used(trusted: str, scheme: str) -> None:
    """`Location` is what the client called; nobody but a trusted proxy can say so."""
    with headwater_server("memory:", "--trusted-proxies", trusted) as server:
        reply = call(server, "PUT", "/v1/stream/s", host="localhost:8443", x_forwarded_proto="https")
        assert reply.headers["location"] == f"{scheme}://localhost:8443/v1/stream/s"
        reply = call(server, "PUT", "/v1/stream/t", host="localhost:8443", x_forwarded_proto="gopher")
        assert reply.headers["location"] == "http://localhost:8443/v1/stream/t"


@pytest.mark.slow
def test_connections_over_the_limit_are_told(tmp_path: Path) -> None:
    """One connection too many gets 503 with a code, and the others go on."""
    with headwater_server("memory:", "--max-connections", "3") as server:
        call(server, "PUT", "/v1/stream/s")
        with (
            opened(server, "GET", "/v1/stream/s", accept="text/event-stream") as events,
            closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as first,
            closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as second,
            closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as third,
        ):
            events.readline()
            answer = third.recv(10_000)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"too-many-connections" in answer
            first.sendall(b"GET /-/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            assert first.recv(1000).startswith(b"HTTP/1.1 200")
            del second


@pytest.mark.slow
@pytest.mark.parametrize("content", [None, b"no PEM\n"])
def test_a_certificate_that_cannot_be_used_is_told(tmp_path: Path, content: bytes | None) -> None:
    """Missing, or not PEM: a sentence with both files, and no traceback."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    if content is not None:
        cert.write_bytes(content)
        key.write_bytes(content)
    command = [sys.executable, "-m", "headwater.cli", "serve", "--port", "0", "--store", "memory:"]
    done = subprocess.run(
        [*command, "--tls-cert", str(cert), "--tls-key", str(key)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert str(cert) in done.stderr
    assert str(key) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["serve"], ["llm", "proxy", "--upstream", "http://[::1]:1"]])
def test_why_it_does_not_start_is_said_once(tmp_path: Path, arguments: list[str]) -> None:
    """By the log, without a traceback; the process ends with 1."""
    store = f"sqlite:{tmp_path}/missing/log.db"
    command = [sys.executable, "-m", "headwater", *arguments, "--port", "0", "--store", store]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.count("make the folder first") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_second_server_on_the_same_file_is_refused(tmp_path: Path) -> None:
    """One process a SQLite file; the second one says so and ends."""
    store = f"sqlite:{tmp_path}/log.db"
    with headwater_server(store) as first:
        command = [sys.executable, "-m", "headwater.cli", "serve", "--port", "0", "--store", store]
        second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert second.returncode == 1
        assert str(first.pid) in second.stderr
    refused = subprocess.run(
        [sys.executable, "-m", "headwater.cli", "serve", "--host", "0.0.0.0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert refused.returncode == 2
    assert "--insecure" in refused.stderr


@pytest.mark.slow
def test_a_full_disk_refuses_writes_and_recovers(tmp_path: Path) -> None:
    """503 with Retry-After while the store is full; reads go on, nothing acknowledged is lost, deleting makes room."""
    block = "x" * 50_000
    with headwater_server(f"sqlite:{tmp_path}/log.db?max_bytes=400000") as server:
        call(server, "PUT", "/v1/stream/keep", "kept", content_type="text/plain")
        call(server, "PUT", "/v1/stream/big", content_type="text/plain")
        written = 0
        while (reply := call(server, "POST", "/v1/stream/big", block, content_type="text/plain")).status == 204:
            written += 1
        assert (reply.status, reply.json()["code"], reply.headers["retry-after"]) == (503, "store-unavailable", "1")
        assert call(server, "GET", "/v1/stream/keep").body == b"kept"
        assert call(server, "GET", "/v1/stream/big").body == block.encode() * written
        assert call(server, "DELETE", "/v1/stream/big").status == 204
        deadline = time.monotonic() + 20
        while call(server, "POST", "/v1/stream/keep", block, content_type="text/plain").status != 204:
            assert time.monotonic() < deadline, "deleting made no room"
