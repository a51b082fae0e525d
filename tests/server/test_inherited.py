"""Sockets that were opened for the server: which it takes, and how it tells that one cannot be listened on."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater.server.inherited import CannotInherit, address_of, inherited, place_of
from headwater.server.run import check_bind
from headwater.server.settings import InvalidSettings, Settings, load_settings

LOCAL = ("127.0.0.1", 0)


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    """What is closed after the test."""
    with contextlib.ExitStack() as stack:
        yield stack


def listener(stack: contextlib.ExitStack, host: str = "127.0.0.1") -> socket.socket:
    """A socket that listens on an address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host.startswith("::ffff:")
    return stack.enter_context(socket.create_server((host, 0), family=family, dualstack_ipv6=both))


def passed(sock: socket.socket) -> int:
    """A descriptor of a socket's own, as a parent passes it on."""
    fd = os.dup(sock.fileno())
    os.set_inheritable(fd, True)
    return fd


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """The environment that announces descriptors; which numbers they have cannot be chosen inside a process."""

    def announce(*fds: int) -> dict[str, str]:
        first = min(fds)
        assert sorted(fds) == list(range(first, first + len(fds)))
        monkeypatch.setattr("headwater.server.inherited._FIRST", first)
        return {"LISTEN_FDS": str(len(fds)), "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "a:b", "HOME": "/"}

    return announce


def neighbours(*socks: socket.socket) -> list[int]:
    """Descriptors of sockets with numbers in a row."""
    base = 900
    for number, sock in enumerate(socks):
        os.dup2(sock.fileno(), base + number)
    return list(range(base, base + len(socks)))


def test_a_named_descriptor_is_taken(stack: contextlib.ExitStack) -> None:
    """It says where the server is, it is not passed on to children, and closing it leaves the socket of the parent."""
    parent = listener(stack)
    [sock] = inherited(fd := passed(parent), {})
    assert sock.getsockname() == parent.getsockname()
    assert not os.get_inheritable(fd)
    place = place_of([sock])
    assert place == {"fd": fd, "host": "127.0.0.1", "port": parent.getsockname()[1]}
    sock.close()
    with socket.create_connection(parent.getsockname()):
        parent.accept()[0].close()


def test_nothing_is_taken_unless_it_is_said() -> None:
    """Then the server opens its own, where the settings say."""
    assert inherited(None, {}) == []
    assert place_of([]) == {}


def test_announced_descriptors_are_taken(stack: contextlib.ExitStack, three: Callable[..., dict[str, str]]) -> None:
    """All of them; their names are not looked at, and the variables are gone for children."""
    fds = neighbours(listener(stack), listener(stack))
    environ = three(*fds)
    socks = inherited(None, environ)
    assert [sock.fileno() for sock in socks] == fds
    assert environ == {"HOME": "/"}
    for sock in socks:
        sock.close()


def test_a_named_descriptor_counts_over_announced_ones(
    stack: contextlib.ExitStack, three: Callable[..., dict[str, str]]
) -> None:
    """The announced ones are left as they are, also when their number is none."""
    [announced] = neighbours(listener(stack))
    for count in ("1", "abc"):
        environ = three(announced) | {"LISTEN_FDS": count}
        [sock] = inherited(fd := passed(listener(stack)), environ)
        assert sock.fileno() == fd
        assert environ == {"HOME": "/"}
        sock.close()
    os.close(announced)


def test_the_one_that_others_reach_comes_first(
    stack: contextlib.ExitStack, three: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    """So it decides whether everybody would be served."""
    local = stack.enter_context(socket.socket(socket.AF_UNIX))
    local.bind(str(tmp_path / "s"))
    local.listen()
    environ = three(*neighbours(local, listener(stack), listener(stack, "0.0.0.0")))
    socks = inherited(None, environ)
    assert [address_of(sock)[0] for sock in socks] == ["0.0.0.0", "", "127.0.0.1"]
    with pytest.raises(
        InvalidSettings, match=r"^descriptor 902 is a socket that listens on 0\.0\.0\.0, which is reach"
    ):
        check_bind(Settings(**place_of(socks)))
    check_bind(Settings(**place_of(socks), insecure=True))
    for sock in socks:
        sock.close()


@pytest.mark.parametrize("host", ["::1", "127.0.0.9", "::ffff:127.0.0.1"])
def test_a_socket_on_loopback_needs_no_permission(stack: contextlib.ExitStack, host: str) -> None:
    """Whatever `host` says, which is not used."""
    place = place_of([listener(stack, host)])
    settings = Settings(**{"host": "0.0.0.0", **place})
    check_bind(settings)
    assert settings.host == host.removeprefix("::ffff:")


def test_a_socket_of_both_families_is_for_everybody(stack: contextlib.ExitStack) -> None:
    """`ListenStream=4437` of systemd is one."""
    sock = stack.enter_context(socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True))
    with pytest.raises(InvalidSettings, match=f"descriptor {sock.fileno()} is a socket that listens on ::, .*insecure"):
        check_bind(Settings(**place_of([sock])))


def test_a_unix_socket_is_for_whom_its_file_lets_in(stack: contextlib.ExitStack, tmp_path: Path) -> None:
    """Names of this machine are answered, and its path or its abstract name is told."""
    for name, told in (
        (str(tmp_path / "s"), str(tmp_path / "s")),
        (f"\0headwater {tmp_path}", f"@headwater {tmp_path}"),
    ):
        parent = stack.enter_context(socket.socket(socket.AF_UNIX))
        parent.bind(name)
        parent.listen()
        [sock] = inherited(passed(parent), {})
        assert address_of(sock) == ("", told)
        assert place_of([sock]) == {"fd": sock.fileno(), "host": "localhost"}
        check_bind(Settings(**place_of([sock])))
        sock.close()


def unbound(stack: contextlib.ExitStack, _: Path) -> int:
    return passed(stack.enter_context(socket.socket()))


def bound(stack: contextlib.ExitStack, _: Path) -> int:
    sock = stack.enter_context(socket.socket())
    sock.bind(LOCAL)
    return passed(sock)


def bound_unix(stack: contextlib.ExitStack, folder: Path) -> int:
    sock = stack.enter_context(socket.socket(socket.AF_UNIX))
    sock.bind(str(folder / "s"))
    return passed(sock)


def connected(stack: contextlib.ExitStack, _: Path) -> int:
    return passed(stack.enter_context(socket.create_connection(listener(stack).getsockname())))


def pair(stack: contextlib.ExitStack, _: Path) -> int:
    one, other = socket.socketpair()
    stack.enter_context(one)
    return passed(stack.enter_context(other))


def datagram(stack: contextlib.ExitStack, _: Path) -> int:
    sock = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    sock.bind(LOCAL)
    return passed(sock)


def packets(stack: contextlib.ExitStack, folder: Path) -> int:
    sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    sock.bind(str(folder / "s"))
    sock.listen()
    return passed(sock)


def pipe(stack: contextlib.ExitStack, _: Path) -> int:
    reader, writer = os.pipe()
    stack.callback(os.close, writer)
    return reader


def not_open(stack: contextlib.ExitStack, folder: Path) -> int:
    fd = pipe(stack, folder)
    os.close(fd)
    return fd


def file(_: contextlib.ExitStack, folder: Path) -> int:
    return os.open(folder / "f", os.O_CREAT | os.O_RDWR)


def directory(_: contextlib.ExitStack, folder: Path) -> int:
    return os.open(folder, os.O_RDONLY)


def device(_: contextlib.ExitStack, folder: Path) -> int:
    return os.open(os.devnull, os.O_RDONLY)


def epoll(stack: contextlib.ExitStack, _: Path) -> int:
    return os.dup(stack.enter_context(select.epoll()).fileno())


BAD: list[tuple[Callable[[contextlib.ExitStack, Path], int], str]] = [
    (not_open, "is not open; keep it open for this process, under this number"),
    (file, "is a file, and not a socket; name the descriptor of a socket that listens"),
    (pipe, "is a pipe, and not a socket; name"),
    (directory, "is a directory, and not a socket; name"),
    (device, "is a terminal or another device, and not a socket; name"),
    (epoll, "is something else, and not a socket; name"),
    (unbound, "is a socket that is not bound to an address; bind it and call listen"),
    (bound, "is a socket that is bound to 127.0.0.1:"),
    (bound_unix, "/s and does not listen; bind it and call listen"),
    (connected, "is a connection, and not a socket that listens; say Accept=no"),
    (pair, "is a connection, and not a socket that listens; say Accept=no"),
    (datagram, "is a datagram socket; pass on a stream socket, ListenStream="),
    (packets, "is a socket of another type than SOCK_STREAM; pass on a stream socket"),
]


@pytest.mark.parametrize(("make", "words"), BAD, ids=[make.__name__ for make, _ in BAD])
def test_what_cannot_be_listened_on_is_told(
    make: Callable[[contextlib.ExitStack, Path], int], words: str, stack: contextlib.ExitStack, tmp_path: Path
) -> None:
    """With the descriptor, what it is, and what to do; it stays open."""
    fd = make(stack, tmp_path)
    with pytest.raises(CannotInherit) as caught:
        inherited(fd, {})
    assert caught.value.message.startswith(f"descriptor {fd} of --fd is ")
    assert words in caught.value.message
    if make is not not_open:
        os.close(fd)


@pytest.mark.skipif(not hasattr(socket, "AF_VSOCK"), reason="this system has no other family of stream sockets")
def test_another_family_is_told(stack: contextlib.ExitStack) -> None:
    """Sockets to virtual machines are streams too."""
    try:
        sock = stack.enter_context(socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))
    except OSError:
        pytest.skip("the kernel has no vsock")
    with pytest.raises(
        CannotInherit, match=r"is a socket of the family AF_VSOCK; pass on one of TCP, or a Unix socket"
    ):
        inherited(passed(sock), {})


def test_one_bad_descriptor_of_several_takes_no_other_along(
    stack: contextlib.ExitStack, three: Callable[..., dict[str, str]]
) -> None:
    """The sentence says which; the good one is still open."""
    good, bad = neighbours(listener(stack), stack.enter_context(socket.socket()))
    with pytest.raises(CannotInherit, match=r"^descriptor 901 of LISTEN_FDS=2 is a socket that is not bound"):
        inherited(None, three(good, bad))
    os.close(good)
    os.close(bad)


def test_more_than_there_are_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that is not open ends it, however many were announced."""
    monkeypatch.setattr("headwater.server.inherited._FIRST", 950)
    with pytest.raises(CannotInherit, match=r"^descriptor 950 of LISTEN_FDS=2000000000 is not open"):
        inherited(None, {"LISTEN_FDS": "2000000000", "LISTEN_PID": str(os.getpid())})


@pytest.mark.parametrize("text", ["abc", "0", "-1", "1.5", "", " 1", "٣", "2147483647", "9" * 5000])
@pytest.mark.parametrize("name", ["LISTEN_FDS", "LISTEN_PID"])
def test_a_variable_that_is_no_number_is_told(name: str, text: str) -> None:
    """With its name and its value."""
    environ = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())} | {name: text}
    with pytest.raises(CannotInherit, match=f"^{name} must be a whole number greater than 0, not {text[:9]!r}"[:-1]):
        inherited(None, environ)
    assert environ == {}


def test_variables_of_another_process_are_ignored(caplog: pytest.LogCaptureFixture) -> None:
    """As sd_listen_fds(3) says; the log has it, and children do not."""
    environ = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getppid())}
    assert inherited(None, environ) == []
    assert environ == {}
    assert f"LISTEN_FDS is for the process {os.getppid()}" in caplog.text
    assert inherited(None, {"LISTEN_FDS": "1"}) == []
    assert inherited(None, {"LISTEN_PID": "abc"}) == []


@pytest.mark.parametrize("fd", [-1, 2**31])
def test_a_number_that_no_descriptor_has_is_told(fd: int) -> None:
    """As of the other settings."""
    with pytest.raises(InvalidSettings, match=f"^fd must be the number of an open descriptor, 0 or greater, not {fd}$"):
        load_settings({"fd": fd}, {})
    with pytest.raises(InvalidSettings, match=r"^fd must be a whole number, not 'three'$"):
        load_settings({}, {"HEADWATER_FD": "three"})
    assert load_settings({}, {"HEADWATER_FD": "0"}).fd == 0


SERVE = ["serve", "--store", "memory:"]
PROXY = ["llm", "proxy", "--upstream", "http://[::1]:1", "--store", "memory:"]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [SERVE, PROXY])
@pytest.mark.parametrize("make", [not_open, pipe, connected], ids=["not open", "pipe", "connected"])
def test_the_command_says_so_and_ends_with_1(
    arguments: list[str],
    make: Callable[[contextlib.ExitStack, Path], int],
    stack: contextlib.ExitStack,
    tmp_path: Path,
) -> None:
    """No traceback, one line and the advice."""
    fd = make(stack, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "headwater", *arguments, "--fd", str(fd)],
        capture_output=True,
        text=True,
        timeout=60,
        pass_fds=() if make is not_open else (fd,),
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot-listen: descriptor {fd} of --fd is ")
    assert len(done.stderr.splitlines()) == 2
    assert "Accept=no" in done.stderr.splitlines()[1]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [SERVE, PROXY])
def test_a_socket_that_everybody_reaches_is_refused(arguments: list[str], stack: contextlib.ExitStack) -> None:
    """By the address it has, whatever --host says; with 2, as such a --host."""
    sock = listener(stack, "0.0.0.0")
    done = subprocess.run(
        [sys.executable, "-m", "headwater", *arguments, "--host", "127.0.0.1", "--fd", str(sock.fileno())],
        capture_output=True,
        text=True,
        timeout=60,
        pass_fds=(sock.fileno(),),
        check=False,
    )
    assert done.returncode == 2
    assert f"descriptor {sock.fileno()} is a socket that listens on 0.0.0.0" in done.stderr
    assert "--insecure" in done.stderr
