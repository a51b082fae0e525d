"""A server that listens on a Unix socket, which a proxy in front of it reaches and nobody else."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from tests.proxies.client import EVENTS, TEXT, events_of, listening, make_client
from tests.proxies.fronts import HOST, Certificates, in_front_of
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow

#: How each proxy writes the path of one.
FORMS = {"nginx": "unix:{path}", "haproxy": "unix@{path}", "caddy": "unix/{path}"}


@pytest.mark.parametrize("kind", FORMS)
def test_a_proxy_reaches_a_unix_socket(kind: str, certificates: Certificates, tmp_path: Path) -> None:
    """Appends pass, records come as they are written, and the client's scheme is believed with `*`.

    The socket is there before the server is, and after it: who asks in between is answered by the next one.
    """
    path = tmp_path / "headwater.sock"
    command = [sys.executable, "-m", "headwater.cli", "serve", "--no-banner", "--store", f"sqlite:{tmp_path}/log.db"]
    flags = ["--allowed-hosts", HOST, "--trusted-proxies", "*", "--log-level", "warning"]
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        server = ServerProcess([*command, *flags, "--fd", str(sock.fileno())], socks=[sock])
        with (
            in_front_of(FORMS[kind].format(path=path), kind, certificates, tmp_path) as front,
            server,
            make_client(front.url, certificates) as client,
        ):
            created = client.put("/v1/stream/s", headers=TEXT)
            assert created.status_code == 201
            assert created.headers["location"] == f"{front.url}/v1/stream/s"
            with listening(client, "/v1/stream/s", **EVENTS) as lines:
                for data in ("one", "two"):
                    assert client.post("/v1/stream/s", content=data, headers=TEXT).status_code == 204
                    assert [text for _, text in events_of(lines, 1)] == [data]
                assert server.stop() == 0
                assert any(line == "event: stream-detached" for line in lines)
            server.start()
            assert client.get("/v1/stream/s").text == "onetwo"
    assert path.is_socket()
