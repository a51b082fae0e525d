"""`headwater llm proxy` as a process: where the provider's key goes, who is let in, and what it refuses to serve."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from tests.support.processes import ServerProcess

from headwater.errors import HostNotAllowed
from headwater.server.proxy import ProxySettings, access_of, check_proxy_bind, run_proxy
from headwater.server.settings import InvalidSettings

KEY = "sk-of-the-provider"
ASK = b'{"model": "m", "stream": true, "messages": []}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"

#: `{port}` is the other listener's.
TARGETS = [
    *("/v%31%2f@127.0.0.1:{port}/steal", "/v1%2f@127.0.0.1:{port}/steal", "/v%31/@127.0.0.1:{port}/steal"),
    *("/v1//127.0.0.1:{port}/steal", "//127.0.0.1:{port}/v1/steal", "/v1/..//127.0.0.1:{port}/", "/v1/%2e%2e/steal"),
    *("/v1/\\127.0.0.1:{port}/steal", "/v1/%5c@127.0.0.1:{port}/steal", "/v1/x%0d%0ahost:127.0.0.1:{port}"),
    *("http://127.0.0.1:{port}/v1/steal", "http://127.0.0.1:{port}@localhost/v1/x", "127.0.0.1:{port}", "*"),
    *(
        "/v1/ru%6es/r1",
        "/v1/models#@127.0.0.1:{port}",
        "/v1/%zz",
        "/v1/\xff",
        "/v1/%c0%ae%c0%ae/steal",
        "/v1/%252e%252e/x",
    ),
]


class Listener:
    """Answers every connection, and keeps what it was sent.

    Attributes:
        port: on 127.0.0.1.
        heads: of the requests, in order.
    """

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.heads: list[bytes] = []

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                head = b""
                while b"\r\n\r\n" not in head and (data := connection.recv(65536)):
                    head += data
                self.heads.append(head)
                connection.sendall(ANSWER)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def listener() -> Iterator[Listener]:
    found = Listener()
    thread = threading.Thread(target=found.serve)
    thread.start()
    try:
        yield found
    finally:
        found.close()
        thread.join()


@contextmanager
def proxy(upstream: str, *flags: str) -> Iterator[ServerProcess]:
    """The proxy with the provider's key, whose runs are in memory."""
    command = ["env", f"KEY={KEY}", sys.executable, "-m", "headwater.cli", "llm", "proxy", "--upstream", upstream]
    with ServerProcess([*command, "--key-env", "KEY", "--port", "{port}", "--store", "memory:", *flags]) as server:
        yield server


def raw(server: ServerProcess, request: bytes) -> bytes:
    """The whole response to a request that says `Connection: close`; empty: none came within the time."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request)
        found = b""
        while data := client.recv(65536):
            found += data
        return found


def asking(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *headers, f"content-length: {len(body)}", "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


@pytest.mark.slow
def test_the_key_goes_to_the_provider_only() -> None:
    """Whatever the target: it is 400, or the provider's. The other listener never sees a request."""
    with listener() as provider, listener() as other:
        for base in (f"http://127.0.0.1:{provider.port}", f"http://127.0.0.1:{provider.port}/v1"):
            with proxy(base) as server:
                for target in TARGETS:
                    for run in ([], ["headwater-run: r1"]):
                        filled = target.format(port=other.port)
                        answer = raw(server, asking("POST", filled, "host: localhost", *run, body=ASK))
                        assert answer.startswith(b"HTTP/1.1 400 "), (filled, answer[:200])
                        assert KEY.encode() not in answer
                assert provider.heads == []
                plain = f"/v1/@127.0.0.1:{other.port}/x?u=@127.0.0.1:{other.port}/"
                assert raw(server, asking("GET", plain, "host: localhost")).startswith(b"HTTP/1.1 200 ")
                head = provider.heads.pop().decode().lower()
                path = "" if base.endswith(str(provider.port)) else "/v1"
                assert head.startswith(f"get {path}{plain[3:]} http/1.1\r\n")
                assert f"\r\nhost: 127.0.0.1:{provider.port}\r\n" in head
                assert f"\r\nauthorization: bearer {KEY}\r\n" in head
        assert other.heads == []


@pytest.mark.slow
def test_a_page_cannot_spend_the_key() -> None:
    """A foreign name, a foreign origin, a simple request, a preflight: the provider sees none of them."""
    with listener() as provider, proxy(f"http://127.0.0.1:{provider.port}/v1") as server:
        evil = "origin: https://evil.example"
        call = "/v1/chat/completions"
        for headers in (["host: evil.example"], ["host: localhost", evil, "content-type: text/plain"]):
            for method in ("POST", "GET", "OPTIONS", "PATCH"):
                assert raw(server, asking(method, call, *headers, body=ASK)).startswith(b"HTTP/1.1 403 ")
        for headers in ([], ["origin: http://localhost:3000"]):
            preflight = raw(server, asking("OPTIONS", call, f"host: localhost:{server.port}", *headers))
            assert preflight.startswith(b"HTTP/1.1 204 ")
            assert (b"access-control-allow-origin: http://localhost:3000" in preflight) is bool(headers)
        assert provider.heads == []
        answer = raw(server, asking("POST", call, "host: localhost", "origin: http://localhost:3000", body=ASK))
        assert answer.startswith(b"HTTP/1.1 200 ")
    flags = ["--allowed-hosts", "llm.example", "--cors-origins", "https://app.example"]
    with listener() as provider, proxy(f"http://127.0.0.1:{provider.port}/v1", *flags) as server:
        app = ["host: llm.example", "origin: https://app.example"]
        assert raw(server, asking("POST", call, *app, body=ASK)).startswith(b"HTTP/1.1 200 ")
        local = ["host: llm.example", "origin: http://localhost:3000"]
        assert raw(server, asking("POST", call, *local, body=ASK)).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
@pytest.mark.parametrize("key", [None, KEY])
def test_everybody_may_not_use_it_by_accident(host: str, key: str | None) -> None:
    """A bind beyond loopback wants clients' keys, with a provider's key and without; the message says what to do."""
    with pytest.raises(InvalidSettings, match="--client-keys-env, or say --insecure"):
        check_proxy_bind(ProxySettings(upstream="http://a", host=host, key=key))
    check_proxy_bind(ProxySettings(upstream="http://a", host=host, key=key, client_keys=("one",)))
    check_proxy_bind(ProxySettings(upstream="http://a", host=host, key=key, insecure=True))
    check_proxy_bind(ProxySettings(upstream="http://a", host="127.0.0.1", key=key))


@pytest.mark.parametrize(
    ("settings", "name", "is_allowed"),
    [
        ({}, b"localhost:4438", True),
        ({}, b"evil.example", False),
        ({"client_keys": ("one",)}, b"evil.example", False),
        ({"client_keys": ("one",), "host": "0.0.0.0"}, b"llm.example", True),
        ({"client_keys": ("one",), "host": "0.0.0.0", "allowed_hosts": ("llm.example",)}, b"llm.example", True),
        ({"client_keys": ("one",), "host": "0.0.0.0", "allowed_hosts": ("llm.example",)}, b"evil.example", False),
        ({"insecure": True, "host": "0.0.0.0"}, b"llm.example", True),
        ({"host": "127.0.0.5"}, b"127.0.0.5:4438", True),
    ],
)
def test_names_it_answers_to(settings: dict[str, object], name: bytes, is_allowed: bool) -> None:
    """Loopback only while it listens there; beyond, where clients have keys, every name unless some are given."""
    access = access_of(ProxySettings(upstream="http://a", **settings))  # type: ignore[arg-type]
    with nullcontext() if is_allowed else pytest.raises(HostNotAllowed):
        access.check({b"host": name})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--host", "0.0.0.0"], "--client-keys-env"),
        (["--host", "0.0.0.0", "--key-env", "KEY"], "spend the provider's key"),
        (["--client-keys-env", "EMPTY"], "EMPTY has no key"),
        (["--cors-origins", "https://a/b"], "cors_origins"),
        (["--allowed-hosts", "a/b"], "allowed_hosts"),
    ],
)
def test_a_refused_start_says_what_to_do(flags: list[str], message: str, tmp_path: Path) -> None:
    """With exit code 2, before anything listens."""
    command = [sys.executable, "-m", "headwater.cli", "llm", "proxy", "--upstream", "http://127.0.0.1:9/v1"]
    refused = subprocess.run(
        [*command, "--port", "0", "--store", "memory:", *flags],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "KEY": KEY, "EMPTY": " , "},
        cwd=tmp_path,
    )
    assert refused.returncode == 2
    assert message in refused.stderr


@pytest.mark.parametrize("name", ["stall_seconds", "heartbeat_seconds", "cancel_when_unwatched"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_what_is_no_time_is_refused(name: str, value: float) -> None:
    """With the name of the setting, before anything is started."""
    with pytest.raises(InvalidSettings, match=name):
        run_proxy(ProxySettings(upstream="http://a", **{name: value}))  # type: ignore[arg-type]
