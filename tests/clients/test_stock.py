"""Clients as people have them, with their defaults: the JDK's, curl, Python's own. Bodies arrive, whatever they ask."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from tests.proxies.fronts import find
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server, required

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of each kind."""
    store = "memory:" if request.param == "memory" else f"sqlite:{tmp_path_factory.mktemp('log')}/log.db"
    with headwater_server(store) as process:
        yield process


def run(program: str, *arguments: str) -> str:
    """What a program prints."""
    found = find(program)
    required(f"{program} (a package of Debian)", found is not None)
    done = subprocess.run([str(found), *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_of_the_jdk(server: ServerProcess) -> None:
    """Create with a body, append, close with a body, read back; h2c is asked for each time."""
    lines = run("java", str(HERE / "Stock.java"), f"{server.url}/v1/stream/java").splitlines()
    whole = json.dumps([{"n": 1}, {"n": 2}, {"n": 3}, "x" * 200_000, {"n": 4}, {"n": 5}], separators=(",", ":"))
    assert [line.rstrip() for line in lines[:7]] == [
        "PUT 201", "POST 204", "POST 204", "POST 204", "POST 200", "POST 204", f"GET 200 {whole}"
    ]  # fmt: skip
    assert call(server, "HEAD", "/v1/stream/java").headers["stream-closed"] == "true"
    again = [line.rstrip() for line in lines[7:]]
    assert again[:4] == ["PUT 201", "POST 204", "GET 200 [1,2]", "POST 204"]
    assert again[4].startswith('GET 200 {"offset"')
    assert again[-1] == "DELETE 204"


def test_curl_that_asks_for_http_2(server: ServerProcess) -> None:
    """`--http2` asks for an upgrade on an http: URL, behind which the body comes."""
    url = f"{server.url}/v1/stream/curl"
    curl = ["--http2", "-sS", "-m", "20", "-H", "content-type: application/json", "-w", "%{http_code}\n", url]
    assert run("curl", *curl, "-X", "PUT", "-d", '["first"]').strip() == "201"
    assert run("curl", *curl, "-d", '"second"').strip() == "204"
    assert run("curl", *curl, "-d", '"third"', "-H", "transfer-encoding: chunked").strip() == "204"
    # From 1 MiB on curl asks with Expect: 100-continue, too.
    long = "x" * 100_000
    assert run("curl", *curl, "-d", f'"{long}"', "-H", "expect: 100-continue").strip() == "204"
    assert run("curl", *curl, "-d", '"last"', "-H", "stream-closed: true").strip() == "204"
    assert run("curl", "--http2", "-sS", "-m", "20", url) == json.dumps(
        ["first", "second", "third", long, "last"], separators=(",", ":")
    )
    assert call(server, "HEAD", "/v1/stream/curl").headers["stream-closed"] == "true"


def answers(server: ServerProcess, path: str, body: bytes) -> list[bytes]:
    """Status lines of an append whose body goes when the server has asked for it."""
    found = []
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        connection.connect()
        head = f"POST /v1/stream/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sock.sendall(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        found.append(connection.sock.recv(65536).partition(b"\r\n")[0])
        if b" 100 " in found[0]:
            connection.sock.sendall(body)
            found.append(connection.sock.recv(65536).partition(b"\r\n")[0])
    return found


def test_who_waits_for_100_continue_is_asked_for_the_body(server: ServerProcess) -> None:
    """And the body arrives."""
    call(server, "PUT", "/v1/stream/continue", **JSON)
    assert answers(server, "continue", b'{"a":1}') == [b"HTTP/1.1 100 Continue", b"HTTP/1.1 204 No Content"]
    assert call(server, "GET", "/v1/stream/continue").body == b'[{"a":1}]'


def test_who_waits_for_100_continue_is_refused_without_the_body(server: ServerProcess) -> None:
    """A stream that is not there takes none."""
    assert answers(server, "missing", b'{"a":1}') == [b"HTTP/1.1 404 Not Found"]


@pytest.mark.parametrize("streamed", [False, True])
def test_httpx_with_and_without_a_length(server: ServerProcess, streamed: bool) -> None:
    """A client that keeps its connections, with bodies of a known length and in chunks, and `Expect` on all."""
    path = f"/v1/stream/httpx-{streamed}"
    with httpx2.Client(base_url=server.url, headers={**JSON, "expect": "100-continue"}, timeout=20) as client:
        assert client.put(path).status_code == 201
        for number in range(20):
            body = str(number).encode()
            content = iter([body]) if streamed else body
            assert client.post(path, content=content).status_code == 204
        assert client.get(path).json() == list(range(20))
        assert client.delete(path).status_code == 204
