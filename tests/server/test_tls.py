"""HTTPS: certificates that change, and who speaks the wrong thing to a port."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trustme
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

Served = tuple[ServerProcess, trustme.CA, Path]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server with a certificate for `localhost`, its authority, and where its files and its log are."""
    authority = trustme.CA()
    issue(authority, tmp_path)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    files = ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")]
    flags = [*files, "--head-seconds", "1", "--log-level", "info"]
    with headwater_server("memory:", *flags, tls=trusted, log=tmp_path / "log") as process:
        yield process, authority, tmp_path


def issue(authority: trustme.CA, directory: Path) -> None:
    made = authority.issue_cert("localhost", "127.0.0.1")
    made.private_key_pem.write_to_path(str(directory / "key.pem"))
    (directory / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))


def certificate(server: ServerProcess) -> bytes:
    """What the server shows to a new connection."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw,
        context.wrap_socket(raw) as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    assert shown is not None
    return shown


def logged(directory: Path, words: str) -> None:
    deadline = time.monotonic() + 30
    while words not in (directory / "log").read_text():
        assert time.monotonic() < deadline, words
        time.sleep(0.01)


def test_a_new_certificate_is_read_at_sighup(served: Served) -> None:
    """New connections see it; one that cannot be used is told in the log, and nothing changes."""
    server, authority, directory = served
    first = certificate(server)
    issue(authority, directory)
    assert certificate(server) == first
    os.kill(server.pid, signal.SIGHUP)
    logged(directory, "the certificate was read again")
    second = certificate(server)
    assert second != first
    (directory / "key.pem").write_bytes(b"nonsense")
    os.kill(server.pid, signal.SIGHUP)
    logged(directory, "the certificate was not read again")
    assert certificate(server) == second
    assert call(server, "GET", "/-/health").status == 200


def test_who_does_not_speak_tls_is_closed(served: Served) -> None:
    """Plain HTTP at the port gets no response, and so does who says nothing; others are served meanwhile."""
    server, _, _ = served
    for sent in (b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", b""):
        with closing(socket.create_connection(("127.0.0.1", server.port), timeout=20)) as raw:
            raw.sendall(sent)
            assert call(server, "GET", "/-/health").status == 200
            with suppress(ConnectionResetError):
                assert not raw.recv(1000).startswith(b"HTTP")
