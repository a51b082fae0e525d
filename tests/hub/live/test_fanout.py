"""Fanout: the same bytes for all, in order, whatever a socket takes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hypothesis import given
from hypothesis import strategies as st

from headwater.hub.live.fanout import Fanout
from headwater.hub.live.sinks import BufferSink, SinkOwner


class SocketSink:
    """A sink on a socket, which keeps what does not fit, and sends it when told to."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.descriptor: int | None = sock.fileno()
        self.kept = b""
        self.writes = 0

    def write(self, data: bytes | memoryview) -> None:
        self.writes += 1
        self.kept += data
        self.send()

    def send(self) -> None:
        with suppress(OSError):
            self.kept = self.kept[self.sock.send(self.kept) :] if self.kept else b""

    def address(self) -> str | None:
        return None

    def held(self) -> int:
        return len(self.kept)

    def attach(self, owner: SinkOwner) -> None: ...

    def finish(self) -> None: ...

    def abort(self) -> None: ...


class Member:
    """Stands for a channel."""

    def __init__(self, sink: SocketSink | BufferSink) -> None:
        self.sink = sink

    def direct(self) -> int | None:
        return None if self.sink.held() else self.sink.descriptor

    def give(self, data: bytes | memoryview) -> None:
        self.sink.write(data)


def joined(members: Fanout[Member], sink: SocketSink | BufferSink) -> Member:
    member = Member(sink)
    members.add(member)
    return member


@contextmanager
def sockets() -> Iterator[tuple[SocketSink, socket.socket]]:
    """A sink with little room, and the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
        ours.setblocking(False)
        theirs.setblocking(False)
        yield SocketSink(ours), theirs


def received(theirs: socket.socket, limit: int = 1 << 20) -> bytes:
    try:
        return theirs.recv(limit)
    except BlockingIOError:
        return b""


def test_a_socket_with_room_is_written_to_directly() -> None:
    """One system call, and the sink has no part in it."""
    with sockets() as (sink, theirs):
        members = Fanout[Member]()
        joined(members, sink)
        assert members.give_all(b"one") == 1
        assert received(theirs) == b"one"
        assert sink.writes == 0


def test_a_sink_without_a_socket_is_given_everything() -> None:
    """Beside others that have one."""
    with sockets() as (sink, theirs):
        members, buffer = Fanout[Member](), BufferSink()
        joined(members, sink)
        joined(members, buffer)
        assert members.give_all(b"one") == 2
        assert (received(theirs), buffer.take()) == (b"one", b"one")


def test_what_a_socket_does_not_take_goes_through_the_sink_until_it_is_empty() -> None:
    """Behind it, not before it; afterwards the socket is written to again."""
    with sockets() as (sink, theirs):
        members = Fanout[Member]()
        joined(members, sink)
        sent = b""
        while not sink.held():
            members.give_all(b"x" * 1000)
            sent += b"x" * 1000
        members.give_all(b"behind")
        got = b""
        while len(got) < len(sent) + len(b"behind"):
            got += received(theirs)
            sink.send()
        assert got == sent + b"behind"
        members.give_all(b"last through the sink")
        writes = sink.writes
        members.give_all(b"direct")
        assert sink.writes == writes
        assert received(theirs) == b"last through the sinkdirect"


def test_a_member_that_joins_with_bytes_held_is_not_overtaken() -> None:
    """What its sink holds from before goes first."""
    with sockets() as (sink, theirs):
        sink.kept = b"before,"
        members = Fanout[Member]()
        joined(members, sink)
        members.give_all(b"after")
        assert received(theirs) == b"before,after"


def test_a_broken_socket_is_the_sinks_to_notice() -> None:
    """The others get theirs, and nothing is raised."""
    with sockets() as (broken, theirs), sockets() as (sink, others):
        members = Fanout[Member]()
        joined(members, broken)
        joined(members, sink)
        theirs.close()
        assert members.give_all(b"one") == 2
        assert received(others) == b"one"
        assert broken.writes == 1


def test_who_left_is_given_nothing() -> None:
    """Neither directly nor through its sink; leaving twice is known."""
    with sockets() as (sink, theirs):
        members, buffer = Fanout[Member](), BufferSink()
        for member in (joined(members, sink), joined(members, buffer)):
            assert member in members
            assert members.discard(member)
            assert not members.discard(member)
            assert not members.give(member, b"one")
        assert members.give_all(b"one") == 0
        assert (received(theirs), buffer.take()) == (b"", b"")


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("all"), st.integers(1, 3000)),
            st.tuples(st.just("one"), st.integers(1, 3000)),
            st.tuples(st.just("read"), st.integers(1, 6000)),
            st.tuples(st.just("drain"), st.just(0)),
        ),
        max_size=40,
    )
)
def test_order_holds_under_any_interleaving(steps: list[tuple[str, int]]) -> None:
    """Bytes to all and to one, with reads and drains anywhere between: what arrives is what was given, in order."""
    with sockets() as (sink, theirs):
        members = Fanout[Member]()
        member = joined(members, sink)
        given, got, letter = b"", b"", 0
        for step, size in steps:
            data = bytes([letter % 256]) * size
            if step in ("all", "one"):
                letter += 1
                given += data
                assert members.give_all(data) if step == "all" else members.give(member, data)
            elif step == "read":
                got += received(theirs, size)
            else:
                sink.send()
        while len(got) < len(given):
            got += received(theirs)
            sink.send()
        assert got == given
        assert list(members) == [member]
