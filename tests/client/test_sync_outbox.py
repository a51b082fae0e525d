"""What is kept survives, for programs that are not asynchronous: over HTTP and over a connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.processes import ServerProcess

from headwater.client import Fate, OutboxFull, OutboxStorage, Retry, Stopped
from headwater.client.answers import Head
from headwater.client.errors import NetworkError
from headwater.client.sync import Connection, Outbox, Stream
from headwater.client.sync.http import Http
from headwater.errors import StreamClosed

URL = "http://127.0.0.1:1/v1/stream/a"
QUICK = Retry(base=0.0001, cap=0.0002)


class Network(Http):
    """A stream that takes what is appended; see `Http`.

    Attributes:
        taken: values, once each.
        asked: requests.
        is_down: nothing is answered.
        refuses: with this status.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []
        self.asked = threading.Semaphore(0)
        self.is_down = False
        self.refuses: int | None = None
        self._seen: set[tuple[str, str]] = set()

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, query: Any = None
    ) -> tuple[Head, bytes]:
        """See `Http.ask`."""
        self.asked.release()
        if self.is_down:
            raise NetworkError("it is down")
        if self.refuses is not None:
            return Head(self.refuses, {"stream-closed": "true"}), b""
        numbers = headers["producer-epoch"], headers["producer-seq"]
        if numbers not in self._seen:
            self._seen.add(numbers)
            self.taken += msgspec.json.decode(body or b"[]")
        return Head(200, {"stream-next-offset": f"{len(self.taken):04}"}), b""


@pytest.fixture
def network() -> Network:
    """A made-up one."""
    return Network()


@pytest.fixture
def box(tmp_path: Path, network: Network) -> Iterator[Callable[..., Outbox]]:
    """An outbox over one file and the made-up network; nothing of it is left behind the test."""

    def made(**options: Any) -> Outbox:
        return Outbox(str(tmp_path / "box"), stream=lambda url: Stream(url, http=network), retry=QUICK, **options)

    yield made
    assert not [thread for thread in threading.enumerate() if thread.name == "headwater-client"]


def test_a_record_is_kept_then_sent_then_acknowledged(box: Callable[..., Outbox], network: Network) -> None:
    """With an event for each, told by the outbox's thread."""
    fates: list[Fate] = []
    threads: set[str] = set()

    def heard(fate: Fate) -> None:
        fates.append(fate)
        threads.add(threading.current_thread().name)

    stream = Stream(URL, http=network)
    with box() as outbox:
        off = outbox.on(heard)
        assert outbox.append(stream, {"n": 1}) == "0001"
        assert outbox.append(stream, {"n": 2}, queued=True) == ""
        assert outbox.drained(10)
        assert outbox.waiting() == (0, 0)
        off()
        outbox.append(stream, {"n": 3})
    assert [fate.state for fate in fates if fate.data == {"n": 1}] == ["stored", "sent", "acknowledged"]
    assert {fate.data["n"] for fate in fates} == {1, 2}
    assert threads == {"headwater-client"}
    assert network.taken == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_the_next_life_sends_what_is_left(box: Callable[..., Outbox], network: Network) -> None:
    """In order and once; a wait ends with `timeout`."""
    network.is_down = True
    stream = Stream(URL, http=network)
    with box() as outbox:
        for n in range(5):
            outbox.append(stream, n, queued=True)
        network.asked.acquire()
        assert not outbox.drained(0.001)
        assert outbox.waiting()[0] == 5
    network.is_down = False
    with box() as outbox:
        outbox.reconnect()
        assert outbox.drained(10)
    assert network.taken == list(range(5))


def test_what_is_refused_is_told(box: Callable[..., Outbox], network: Network) -> None:
    """To who waits, as the error; a box that is full takes nothing; one that was cleared is over."""
    network.refuses = 409
    stream = Stream(URL, http=network)
    with box(records=1) as outbox:
        with pytest.raises(StreamClosed):
            outbox.append(stream, 1)
        network.refuses, network.is_down = None, True
        outbox.append(stream, 2, queued=True)
        with pytest.raises(OutboxFull):
            outbox.append(stream, 3, queued=True)
        outbox.clear()
        with pytest.raises(Stopped):
            outbox.append(stream, 4)
    network.is_down = False
    with box() as outbox:
        assert outbox.waiting() == (0, 0)
    assert network.taken == []


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """And nothing is left behind."""
    outbox = Outbox(str(tmp_path / "not" / "there"))
    with pytest.raises(OutboxStorage):
        outbox.open()
    outbox.close()
    with pytest.raises(ValueError, match="7 days"):
        Outbox("box", age=0)
    assert not [thread for thread in threading.enumerate() if thread.name == "headwater-client"]


@pytest.mark.slow
def test_over_a_connection(server: ServerProcess, url: Callable[[], str], tmp_path: Path) -> None:
    """It sends on the socket that the program reads on."""
    root = f"{server.url}/v1/stream/"
    with Connection(root) as connection, Outbox(str(tmp_path / "box")) as outbox:
        stream = connection.stream(url().removeprefix(root))
        outbox.append(stream, {"n": 1}, create=True)
        outbox.append(stream, {"n": 2}, queued=True)
        reader = iter(stream)
        assert [next(reader).data, next(reader).data] == [{"n": 1}, {"n": 2}]
