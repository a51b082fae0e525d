"""Access behind nginx: a flood of bad tokens from one address, and a server that is guarded once or twice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.proxies.client import EVENTS, events_of, listening, make_client
from tests.proxies.fronts import HOST, Certificates, Nginx, find
from tests.support.access import SECRET, token
from tests.support.processes import headwater_server, required

JSON = {"content-type": "application/json"}
ROOT = "/v1/stream/"


@pytest.fixture(autouse=True)
def _nginx() -> None:
    required("nginx", find("nginx") is not None)


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


@pytest.fixture
def key(tmp_path: Path) -> str:
    """The file with the secret."""
    file = tmp_path / "access.key"
    file.write_bytes(SECRET)
    return str(file)


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.soak)])
def test_a_flood_of_bad_tokens(certificates: Certificates, tmp_path: Path, key: str, count: int) -> None:
    """Twenty a minute are looked at; who is known goes on from the same address, and others do as before."""
    flags = ("--allowed-hosts", HOST, "--access-key-file", key)
    folder = tmp_path / "nginx"
    folder.mkdir()
    with headwater_server("memory:", *flags) as server, Nginx(server.port, certificates, folder) as front:
        known = bearer(token("known"))
        with (
            make_client(front.url, certificates) as same,
            make_client(front.url, certificates, address="127.0.0.2") as other,
        ):
            assert same.put(f"{ROOT}a", headers={**JSON, **known}).status_code == 201
            codes: dict[int, int] = {}
            good = token("u1")
            for number, code in enumerate(flood(front.port, certificates, good, count)):
                codes[code] = codes.get(code, 0) + 1
                if number % (count // 20) == 0:
                    assert same.post(f"{ROOT}a", content=b"1", headers={**JSON, **known}).status_code == 204
                    fresh = bearer(token(f"u{number}"))
                    assert other.get(f"{ROOT}a", headers=fresh).status_code == 200
            assert set(codes) == {401, 429}
            assert 20 <= codes[401] < 60  # and one more every three seconds


def flood(port: int, certificates: Certificates, good: str, count: int) -> Iterator[int]:
    """The status of each of many requests with a bad token, on one connection after the other, as nginx closes them."""
    context, sent = certificates.trusted("http/1.1"), 0
    while sent < count:
        with closing(context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=HOST)) as sock:
            stream = sock.makefile("rb")
            with stream:
                for number in range(sent, min(sent + 500, count)):
                    head = (
                        f"GET {ROOT}a HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {good[:-6]}{number:06d}\r\n\r\n"
                    )
                    sock.sendall(head.encode())
                    yield _status(stream)
                    sent += 1


def _status(stream: object) -> int:
    readline, read = stream.readline, stream.read  # type: ignore[attr-defined]
    status, size = int(readline().split()[1]), 0
    while (line := readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    read(size)
    return status


class Asked(BaseHTTPRequestHandler):
    """An application that says who is signed in, for `auth_request`."""

    def do_GET(self) -> None:
        is_known = "session=s3cr3t" in self.headers.get("cookie", "")
        self.send_response(204 if is_known else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


@contextmanager
def application() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def guarded_by(port: int) -> dict[str, str]:
    """What is changed in the configuration, so that an application is asked about each request."""
    asked = (
        f"    location = /asked {{\n        internal;\n        proxy_pass http://127.0.0.1:{port};\n"
        '        proxy_pass_request_body off;\n        proxy_set_header Content-Length "";\n    }\n'
    )
    return {"    location /v1/stream/ {\n": f"{asked}    location /v1/stream/ {{\n        auth_request /asked;\n"}


@pytest.mark.parametrize("with_access", [True, False], ids=["with access", "without"])
def test_behind_auth_request(certificates: Certificates, tmp_path: Path, key: str, with_access: bool) -> None:
    """The proxy's guard is asked first, ours too where there is one; what both let in works on every wire."""
    flags = ["--allowed-hosts", HOST, "--no-multi"] if not with_access else ["--allowed-hosts", HOST]
    flags += ["--access-key-file", key] if with_access else []
    folder = tmp_path / "nginx"
    folder.mkdir()
    own = bearer(token("u1", streams={name: ["mine"] for name in ("read", "append", "create")}))
    cookie = {"cookie": "session=s3cr3t"}
    with (
        application() as port,
        headwater_server("memory:", *flags) as server,
        Nginx(server.port, certificates, folder, guarded_by(port)) as front,
        make_client(front.url, certificates) as client,
    ):
        for shown, code in [({}, 401), (own, 401), (cookie, 401 if with_access else 201), ({**cookie, **own}, 200)]:
            status = client.put(f"{ROOT}mine", headers={**JSON, **shown}).status_code
            assert status in ((200, 201) if code == 200 else (code,)), shown
        both = {**cookie, **own}
        assert client.post(f"{ROOT}mine", content=b"1", headers={**JSON, **both}).status_code == 204
        assert client.get(f"{ROOT}mine", headers=both).json() == [1]
        assert client.get(f"{ROOT}theirs", headers=both).status_code == (403 if with_access else 404)
        with listening(client, f"{ROOT}mine", **EVENTS, **both) as lines:
            assert [data for _, data in events_of(lines, 1)] == ["1"]
        many = client.get(f"{ROOT}-/many?stream=mine&stream=theirs&live=false", headers=both)
        assert many.status_code == (200 if with_access else 403)
        if with_access:
            chief = {**cookie, **bearer(token("chief"))}
            body = b'{"subject":"u1","issuer":"headwater"}'
            assert client.post(f"{ROOT}-/revoke", content=body, headers={**JSON, **chief}).status_code == 200
            assert client.get(f"{ROOT}mine", headers=both).status_code == 401
