"""Many streams on one WebSocket of a real server, for programs that are not asynchronous."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.support.processes import ServerProcess, headwater_server

from headwater.client import Ending, Heard, Retry, Stopped, Unsupported
from headwater.client.sync import Connection, Stream
from headwater.client.sync.portal import Portal
from headwater.errors import StreamClosed, StreamNotFound

pytestmark = pytest.mark.slow


@pytest.fixture
def root(server: ServerProcess) -> str:
    """Of all streams of the server."""
    return f"{server.url}/v1/stream/"


@pytest.fixture
def connection(root: str) -> Iterator[Connection]:
    """One that nothing of is left of behind the test."""
    with Connection(root, name="test") as connection:
        yield connection
    assert not [thread for thread in threading.enumerate() if thread.name == "headwater-client"]


def path() -> str:
    """Of a stream that is not there yet."""
    return f"t/{uuid4().hex}"


def started(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """A thread, and what its work will have given."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    return thread, found


def test_a_stream_of_a_connection_is_a_stream(connection: Connection) -> None:
    """Made, written, read, ended, asked and deleted by the same names, on one socket."""
    stream = connection.stream(path())
    assert isinstance(stream, Stream)
    assert stream.head() is None
    assert stream.create(ttl=60).created
    for n in range(3):
        stream.append(n)
    with stream.writer() as writer:
        writer.extend([3, 4])
    found = []
    reader = stream.read()
    for item in reader:
        found.append(item.data)
        if item.data == 4:
            stream.append({"five": 5})
            stream.close_stream("last")
    assert found == [0, 1, 2, 3, 4, {"five": 5}, "last"]
    assert reader.end is not None
    assert (reader.end.kind, reader.transport) == (Ending.CLOSED, "websocket")
    assert stream.all() == found
    assert [item.data for item in stream.last(2)] == found[-2:]
    assert connection.is_open
    head = stream.head()
    assert head is not None
    assert (head.closed, head.ttl) == (True, 60)
    with pytest.raises(StreamClosed):
        stream.append(1)
    stream.delete()
    with pytest.raises(StreamNotFound):
        stream.all()


def test_threads_share_a_connection(connection: Connection) -> None:
    """Each reads what all of them append."""
    stream = connection.stream(path())
    stream.create()
    readers = [started(lambda: [item.data for item in stream.read()]) for _ in range(3)]
    writers = [started(lambda n=n: stream.append(n)) for n in range(8)]  # type: ignore[misc]
    for thread, _ in writers:
        thread.join()
    stream.close_stream()
    for thread, _ in readers:
        thread.join()
    assert [sorted(found[0]) for _, found in readers] == [list(range(8))] * 3


def test_signals_and_who_is_there(connection: Connection, root: str) -> None:
    """Told while the program reads, and while it does something else."""
    room = connection.stream(path())
    room.create()
    with room.presence({"typing": False}) as presence:
        lists = iter(presence)
        assert [member.id for member in next(lists)] in ([], ["test"])
        while [member.state for member in presence.members] != [{"typing": False}]:
            next(lists)
        presence.set({"typing": True})
        while [member.state for member in presence.members] != [{"typing": True}]:
            next(lists)
        with Connection(root) as other:
            reader = other.stream(room.url.removeprefix(root)).read("now", signals=True)
            everything = reader.everything()
            next(everything)  # it is live
            room.signal({"hi": 1})
            while not isinstance(heard := next(everything), Heard):
                pass
            assert b'{"hi":1}' in heard.line
            everything.close()
    assert list(lists) == []


def test_a_reader_is_closed_by_another_thread(connection: Connection) -> None:
    """And by its connection; it comes to its end."""
    stream = connection.stream(path())
    stream.create(first=[1])
    for close in (lambda reader: reader.close(), lambda _: connection.close()):
        reader, seen = stream.read(), threading.Event()

        def values(reader: Any = reader, seen: threading.Event = seen) -> list[Any]:
            found = []
            for item in reader:
                found.append(item.data)
                seen.set()
            return found

        thread, found = started(values)
        seen.wait()
        close(reader)
        thread.join()
        assert found == [[1]]
    with pytest.raises(Stopped):
        stream.head()


def test_a_server_that_comes_back(tmp_path: Path) -> None:
    """What is read goes on behind what was read, on another socket; one that waits can be told to try."""
    with headwater_server(f"sqlite:{tmp_path}/streams.db") as server:
        root = f"{server.url}/v1/stream/"
        with Connection(root, retry=Retry(base=0.01, cap=0.05)) as connection:
            stream = connection.stream(path(), content_type="application/json")
            stream.create(first=[1])
            reader = iter(stream)
            assert next(reader).data == 1
            server.kill()
            server.start()
            connection.reconnect()
            stream.append(2)
            assert next(reader).data == 2


def test_what_goes_over_http_alone_is_told(connection: Connection, root: str) -> None:
    """And what goes over a connection alone."""
    with pytest.raises(Unsupported, match="HTTP"):
        connection.stream(path()).publisher()
    with Stream(root + path()) as stream, pytest.raises(Unsupported, match="Connection"):
        stream.presence()


def test_a_token_is_asked_for_in_a_thread(root: str) -> None:
    """A function that blocks holds nothing up."""
    asked: list[str] = []

    def token() -> str:
        asked.append(threading.current_thread().name)
        return "token"

    with Connection(root, token=token) as connection:
        connection.stream(path()).create()
    assert len(asked) == 1
    assert asked[0] != "headwater-client"


def test_the_thread_does_not_wait_for_itself() -> None:
    """It says so; and one that is over says that, too."""
    portal = Portal.join()
    found: list[Exception] = []

    async def inner() -> None:
        """What would wait."""

    async def outer() -> None:
        try:
            portal.run(inner())
        except RuntimeError as error:
            found.append(error)

    portal.run(outer())
    assert "own thread" in str(found[0])
    assert Portal.join() is portal
    portal.leave()
    portal.leave()
    with pytest.raises(Stopped):
        portal.run(inner())
