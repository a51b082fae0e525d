"""The sockets a server listens on: bound first, and an address in use is told with what to do."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from headwater.server.listener import CannotListen, bind


def test_a_free_port_is_found() -> None:
    """Port 0 takes any."""
    for sock in bind("127.0.0.1", 0):
        with sock:
            assert sock.getsockname()[1] > 0


def test_a_name_with_several_addresses_has_a_socket_for_each() -> None:
    """A client may come by any of them."""
    expected = {info[4] for info in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    found = bind("localhost", 0)
    assert len(found) == len(expected)
    for sock in found:
        sock.close()


def test_a_taken_port_is_told() -> None:
    """The sentence names the address and the likely reason; the advice has the way out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotListen, match=f"127.0.0.1:{port}: another program listens there") as caught:
            bind("127.0.0.1", port)
    assert "--port" in caught.value.advice


def test_an_address_of_another_machine_is_told() -> None:
    """TEST-NET-1 (RFC 5737) is nobody's."""
    with pytest.raises(CannotListen, match="no such address"):
        bind("192.0.2.1", 0)


def test_a_name_that_does_not_resolve_is_told() -> None:
    """The resolver's words are passed on."""
    with pytest.raises(CannotListen, match=r"cannot listen on no\.such\.invalid:80"):
        bind("no.such.invalid", 80)


def test_no_socket_is_left_behind_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of two addresses is free, the second is not."""
    made: list[socket.socket] = []

    def refuse(self: socket.socket, address: object) -> None:
        made.append(self)
        if len(made) == 2:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

    two = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", 0)) for n in (1, 2)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: two)
    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CannotListen):
        bind("two.example", 0)
    assert [sock.fileno() for sock in made] == [-1, -1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["serve", "--store", "memory:"], ["llm", "proxy", "--upstream", "http://[::1]:1"]]
)
def test_the_command_says_so_and_ends_with_1(arguments: list[str]) -> None:
    """No traceback, one line and the advice."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "headwater", *arguments, "--port", port],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("cannot-listen: ")
    assert len(done.stderr.splitlines()) == 2
