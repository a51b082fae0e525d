"""The handover over TLS: `headwater serve` with a certificate, and a stock uvicorn on both event loops."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
import trustme
from tests.support.http import call, opened
from tests.support.processes import ServerProcess, headwater_server

SSE = {"accept": "text/event-stream"}
SERVED = """
from headwater import Hub
from headwater.asgi import App

hub = Hub()
app = App(hub, prefix="/v1/stream/")
"""
URL = "/v1/stream/s"
RECORDS = 300

pytestmark = pytest.mark.slow


@pytest.fixture(params=["serve", "uvloop", "asyncio"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server whose certificate a new authority has signed."""
    authority, context = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(context)
    issued = authority.issue_cert("localhost")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(chain)
    issued.private_key_pem.write_to_path(key)
    if request.param == "serve":
        process = headwater_server("memory:", "--tls-cert", str(chain), "--tls-key", str(key), tls=context)
    else:
        (tmp_path / "served.py").write_text(SERVED)
        command = [sys.executable, "-m", "uvicorn", "served:app", "--port", "{port}", "--log-level", "warning"]
        command += ["--loop", request.param, "--ssl-certfile", str(chain), "--ssl-keyfile", str(key)]
        process = ServerProcess(command, cwd=tmp_path, tls=context)
    with process:
        call(process, "PUT", URL, content_type="application/json")
        yield process


def append(server: ServerProcess, number: int, padding: int = 0) -> None:
    body = json.dumps({"n": number, "padding": "x" * padding})
    assert call(server, "POST", URL, body, content_type="application/json").status == 204


def append_all(server: ServerProcess, count: int, padding: int = 0) -> None:
    for number in range(count):
        append(server, number, padding)


def test_live_readers_are_pushed_to(server: ServerProcess) -> None:
    """Records, the end and the connection's close, from the hub's own hand."""
    with opened(server, "GET", URL, **SSE) as events:
        assert events.readline() == b"retry:1000\n"
        append(server, 1)
        while not events.readline().startswith(b"data:"):
            pass
        stats = call(server, "GET", "/-/stats").json()
        assert (stats["pushed"], stats["deliveries"]) == (1, 1)
        call(server, "POST", URL, stream_closed="true")
        assert events.read().rstrip().splitlines()[-2] == b"event: stream-closed"


def test_a_reader_that_is_cut_resumes(server: ServerProcess) -> None:
    """Connections that end anywhere: every record once and in order, from the last event's id on."""
    numbers: list[int] = []
    last, cuts, closed = "", 0, False
    writer = Thread(target=append_all, args=(server, RECORDS))
    writer.start()
    while not closed:
        headers = SSE | ({"last_event_id": last} if last else {})
        with opened(server, "GET", URL, **headers) as events:
            found = ""
            while line := events.readline().decode():
                name, _, value = line.rstrip("\n").partition(":")
                if name == "id":
                    found = value
                elif name == "data" and value.startswith('{"n"'):
                    numbers.append(json.loads(value)["n"])
                    last = found
                    if len(numbers) == RECORDS:
                        writer.join()
                        call(server, "POST", URL, stream_closed="true")
                elif line.startswith("event: stream-closed"):
                    closed = True
                if len(numbers) >= 40 * (cuts + 1) and cuts < 5:
                    cuts += 1
                    break
    assert cuts == 5
    assert numbers == list(range(RECORDS))


def test_a_client_that_never_reads_is_given_no_more_than_fits(server: ServerProcess) -> None:
    """It is paused, and another reader gets everything."""
    with opened(server, "GET", URL, **SSE) as events, socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", server.port))
        assert server.tls is not None
        with closing(server.tls.wrap_socket(raw, server_hostname="localhost")) as stalled:
            stalled.sendall(f"GET {URL} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n".encode())
            assert stalled.recv(15) == b"HTTP/1.1 200 OK"
            writer = Thread(target=append_all, args=(server, RECORDS // 3, 100_000))
            writer.start()
            got = 0
            while got < RECORDS // 3:
                got += events.readline().startswith(b'data:{"n"')
            writer.join()
            assert call(server, "GET", "/-/stats").json()["pauses"] >= 1


def test_a_stop_tells_readers_to_come_back(server: ServerProcess) -> None:
    """SIGTERM ends the process although an event stream is open."""
    with opened(server, "GET", URL, **SSE) as events:
        events.readline()
        os.kill(server.pid, signal.SIGTERM)
        assert b"event: stream-detached" in events.read()
    server.wait()
