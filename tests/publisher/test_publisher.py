"""`Publisher`: each record once and in order, whatever happens to the server, the connection or the process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
from tests.cli.conftest import Proxy
from tests.publisher.conftest import Read
from tests.support.http import call
from tests.support.processes import ServerProcess, free_port

from headwater.publisher import GaveUp, OutboxFull, Publisher, PublishError, Refused, delivery

JSON: Final = "application/json"


@pytest.fixture
def publisher(server: ServerProcess) -> Iterator[Publisher]:
    with Publisher(server.url) as publisher:
        yield publisher


def test_it_takes_the_standard_library_alone() -> None:
    """No asyncio, and nothing else of Headwater: it is imported where there may be neither."""
    code = (
        "import sys, headwater.publisher;"
        "print([name for name in sys.modules if name.partition('.')[0] in ('asyncio', 'msgspec', 'httpx2', 'uvloop')"
        " or (name.startswith('headwater.') and not name.startswith('headwater.publisher'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


def test_what_is_appended_is_there(publisher: Publisher, server: ServerProcess, read: Read) -> None:
    """Values, arrays as one record, text in either kind of stream, and bytes; the offset is where a reader goes on."""
    publisher.append("a", {"n": 1}, create=JSON)
    publisher.append("a", [1, [2]])
    publisher.append("a", "ä")
    offset = publisher.append("a", None)
    assert read("a") == [{"n": 1}, [1, [2]], "ä", None]
    assert call(server, "HEAD", "/v1/stream/a").headers["stream-next-offset"] == offset
    publisher.append("t", "zeile\n", create={"ttl": 60})
    publisher.append("t", "ä\n")
    publisher.append("t", close=True)
    assert read("t") == "zeile\nä\n".encode()
    head = call(server, "HEAD", "/v1/stream/t").headers
    assert (head["content-type"], head["stream-ttl"], head["stream-closed"]) == (
        "text/plain; charset=utf-8",
        "60",
        "true",
    )
    publisher.append("b", b"\x00\xff", create="application/octet-stream", close=True)
    assert read("b") == b"\x00\xff"


def test_posts_keep_their_order_and_go_together(publisher: Publisher, read: Read) -> None:
    """Of two streams, from two threads; what waits goes in few requests, and an append waits for what was posted."""
    for path in "ab":
        publisher.append(path, -1, create=JSON)

    def write(path: str) -> None:
        for number in range(1000):
            publisher.post(path, number)

    threads = [threading.Thread(target=write, args=(path,)) for path in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publisher.append("a", 1000)
    assert publisher.flush(30)
    assert read("a") == list(range(-1, 1001))
    assert read("b") == list(range(-1, 1000))
    stats = publisher.stats
    assert (stats["written"], stats["failed"], stats["waiting"], stats["waiting_bytes"]) == (2003, 0, 0, 0)
    assert stats["requests"] < 2003


def test_a_refusal_is_told_and_concerns_nothing_else(server: ServerProcess, read: Read) -> None:
    """To who appends as an error, to `on_error` of what was posted; the others are written."""
    failed: list[tuple[str, bytes, PublishError]] = []
    with Publisher(server.url, on_error=lambda *told: failed.append(told)) as publisher:
        with pytest.raises(Refused, match="stream-not-found") as caught:
            publisher.append("no", 1)
        assert (caught.value.status, caught.value.code) == (404, "stream-not-found")
        publisher.append("a", 1, create=JSON)
        publisher.post("no", 2)
        publisher.post("a", 3)
        publisher.append("a", 4, close=True)
        publisher.post("a", 5)
        publisher.post("a", 6)
        with pytest.raises(Refused, match="stream-closed"):
            publisher.append("a", 7)
    assert read("a") == [1, 3, 4]
    assert [(path, data, error.__class__) for path, data, error in failed] == [
        ("no", b"2", Refused),
        ("a", b"5", Refused),
        ("a", b"6", Refused),
    ]


@pytest.mark.parametrize(
    ("data", "options", "error"),
    [
        (b"", {}, "no data"),
        ({1, 2}, {}, "serializable"),
        (float("nan"), {}, "JSON compliant"),
        ({}, {"create": "text/plain"}, "takes text or bytes"),
        ({}, {"create": {"tll": 1}}, "create takes type"),
    ],
)
def test_what_cannot_be_sent_is_told_at_once(publisher: Publisher, data: Any, options: Any, error: str) -> None:
    """Before anything is sent."""
    with pytest.raises((ValueError, TypeError), match=error):
        publisher.append("a", data, **options)
    assert publisher.stats["requests"] == 0


@pytest.mark.parametrize("url", ["", "ftp://x", "localhost:4437", "http://x/?y"])
def test_a_bad_url_is_told_at_once(url: str) -> None:
    """When it is made."""
    with pytest.raises(ValueError, match="give the URL"):
        Publisher(url)


@pytest.mark.parametrize("losing", [0, 5])
def test_cut_connections_lose_and_repeat_nothing(server: ServerProcess, read: Read, losing: int) -> None:
    """Answers that are cut at any byte, and requests that arrive while their answers do not."""
    proxy = Proxy(server.port, cuts=range(1, 300, 23), losing=losing)
    try:
        with Publisher(proxy.url) as publisher:
            publisher.append("a", 0, create=JSON)
            for number in range(1, 200):
                publisher.append("a", number)
    finally:
        proxy.close()
    assert read("a") == list(range(200))


@pytest.mark.slow
def test_restarts_of_the_server_lose_and_repeat_nothing(server: ServerProcess, read: Read) -> None:
    """Killed and stopped while records come, with what waits in the meantime."""
    with Publisher(server.url) as publisher:
        publisher.append("a", 0, create=JSON)
        number = 1
        for end in (server.kill, server.stop, server.kill):
            for _ in range(300):
                publisher.post("a", number)
                number += 1
            end()
            for _ in range(300):
                publisher.post("a", number)
                number += 1
            server.start()
        publisher.append("a", number)
        assert publisher.stats["retries"] > 0
    assert read("a") == list(range(number + 1))


def test_a_forked_process_publishes_for_itself(server: ServerProcess, read: Read) -> None:
    """Parent and child go on, under ids of their own; what the parent has waiting is written by the parent alone."""
    with Publisher(server.url) as publisher:
        publisher.append("both", "parent", create=JSON)
        for number in range(100):
            publisher.post("both", number)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                publisher.append("child", 1, create=JSON)
                publisher.append("both", "child")
                code = 0 if publisher.flush(10) and publisher.stats["written"] == 2 else 2
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        publisher.append("both", "end")
    assert sorted(value for value in read("both") if isinstance(value, int)) == list(range(100))
    assert [value for value in read("both") if value != "child"] == ["parent", *range(100), "end"]
    assert read("both").count("child") == 1
    assert read("child") == [1]


def _write_numbers(publisher: Publisher, path: str, count: int, told: int) -> None:
    """Append so many, and tell how far it is."""
    for number in range(count):
        publisher.append(path, number, create=JSON, timeout=None)
        os.write(told, b".")


@pytest.mark.slow
def test_a_forked_process_publishes_through_restarts(server: ServerProcess, read: Read) -> None:
    """Parent and child, while the server is killed and stopped: each record of both once and in order."""
    count, (progress, told) = 120, os.pipe()
    with Publisher(server.url) as publisher:
        publisher.append("before", 0, create=JSON)  # a thread and a connection that the child must not use
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _write_numbers(publisher, "child", count, told)
                code = 0 if publisher.flush(60) else 2
            finally:
                os._exit(code)
        writing = threading.Thread(target=_write_numbers, args=(publisher, "parent", count, told))
        writing.start()
        for end in (server.kill, server.stop, server.kill):
            for _ in range(count // 4):
                assert os.read(progress, 1)
            end()
            server.start()
        writing.join()
        assert os.waitpid(child, 0)[1] == 0
    os.close(progress)
    os.close(told)
    assert read("parent") == list(range(count))
    assert read("child") == list(range(count))


WORKER: Final = """
import sys
from headwater.publisher import Publisher
publisher = Publisher(sys.argv[1], name="worker")
number = 0
while True:
    publisher.append("a", [sys.argv[2], number])
    print(number, flush=True)
    number += 1
"""


@pytest.mark.slow
def test_a_killed_worker_loses_only_what_was_not_acknowledged(server: ServerProcess, read: Read) -> None:
    """SIGKILL, and another one takes its place."""
    with Publisher(server.url) as publisher:
        publisher.append("a", ["me", 0], create=JSON)
        for life in map(str, range(10)):
            command = [sys.executable, "-c", WORKER, server.url, life]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
                assert worker.stdout is not None
                told = [int(worker.stdout.readline()) for _ in range(20)]
                worker.send_signal(signal.SIGKILL)
                told += [int(line) for line in worker.stdout if line.endswith(b"\n")]
            numbers = [value[1] for value in read("a") if value[0] == life]
            assert numbers == list(range(len(numbers)))
            assert len(told) <= len(numbers) <= len(told) + 1


def _post_many(publisher: Publisher, count: int) -> None:
    for _ in range(count):
        publisher.post("a", "x" * 100)


def test_a_server_that_is_not_there() -> None:
    """What waits has a bound; an append has its time; what is given up is told; the end does not wait for ever."""
    failed: list[PublishError] = []
    publisher = Publisher(
        f"http://127.0.0.1:{free_port()}",
        retry_for=0.05,
        max_bytes=3000,
        on_error=lambda path, data, error: failed.append(error),
    )
    with pytest.raises(GaveUp, match="given up after"):
        publisher.append("a", 1)
    with pytest.raises(OutboxFull, match="max_bytes is 3000"):
        _post_many(publisher, 100)
    assert publisher.flush(30)
    assert failed
    assert all(isinstance(error, GaveUp) for error in failed)
    publisher.close()
    with pytest.raises(OutboxFull, match="closed"):
        publisher.post("a", 1)


class GivenTime:
    """A clock that goes by as much as somebody pauses, and what happens when an hour is over."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: float, event: Callable[[], object]) -> None:
        self.pauses: list[float] = []
        self._at = at
        self._event: Callable[[], object] | None = event
        monkeypatch.setattr(delivery, "time", self)
        monkeypatch.setattr(delivery.Delivery, "_pause", lambda _, seconds: self.pause(seconds))

    def monotonic(self) -> float:
        """Seconds."""
        return sum(self.pauses)

    def pause(self, seconds: float) -> None:
        """See `Delivery._pause`."""
        self.pauses.append(seconds)
        if self._event is not None and self.monotonic() >= self._at:
            event, self._event = self._event, None
            event()


@pytest.mark.slow
def test_a_server_that_is_gone_for_an_hour(server: ServerProcess, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits waits and comes once and in order; more is refused at once; it is asked for some hundred times."""
    full = threading.Event()

    def come_back() -> None:
        full.wait()
        server.start()

    clock = GivenTime(monkeypatch, 3600.0, come_back)
    with Publisher(server.url, max_bytes=5000) as publisher:
        publisher.append("a", 0, create=JSON)
        server.kill()
        number = 1
        with suppress(OutboxFull):
            while True:
                publisher.post("a", number)
                number += 1
        with pytest.raises(OutboxFull, match="is the server there"):
            publisher.post("a", number)
        full.set()
        assert publisher.flush(120)
        assert publisher.stats["failed"] == 0
        assert 360 <= publisher.stats["retries"] == len(clock.pauses) <= 2000
        assert max(clock.pauses) <= 10
        publisher.append("a", number)
    assert read("a") == list(range(number + 1))


def test_what_is_given_up_in_that_hour_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `retry_for`, after as long; each record by itself, and the publisher goes on."""
    failed: list[PublishError] = []
    clock = GivenTime(monkeypatch, 3600.0, lambda: None)
    url = f"http://127.0.0.1:{free_port()}"
    with Publisher(url, retry_for=600.0, on_error=lambda path, data, error: failed.append(error)) as publisher:
        for path in "abc":
            publisher.post(path, 1, create=JSON)
        assert publisher.flush(120)
    assert len(failed) == publisher.stats["failed"] == 3
    assert all("given up after 60" in str(error) for error in failed)
    assert 1800 <= clock.monotonic() <= 1830


def test_an_append_is_waited_for_no_longer_than_asked() -> None:
    """And is still tried; the close gives it up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        publisher = Publisher(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=30)
        with pytest.raises(GaveUp, match="still being tried"):
            publisher.append("a", b"1", create=JSON, timeout=0.05)
        assert publisher.stats["waiting"] == 1
        with silent.accept()[0] as asked:  # which waits for its answer
            publisher.close(timeout=0)
            assert asked.recv(65536)
        assert publisher.stats["failed"] == 1


def test_a_token_is_sent() -> None:
    """With every request, as a bearer's."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            client = listener.accept()[0]
            heads.append(client.recv(65536))
            client.sendall(b"HTTP/1.1 204 No Content\r\nStream-Next-Offset: x\r\nConnection: close\r\n\r\n")
            client.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with Publisher(f"http://127.0.0.1:{listener.getsockname()[1]}/below", token="secret") as publisher:
            assert publisher.append("a b/ä", 1, create=JSON) == "x"
        thread.join()
    assert heads[0].startswith(b"POST /below/a%20b/%C3%A4 HTTP/1.1\r\n")
    assert b"Authorization: Bearer secret\r\n" in heads[0]


def test_the_end_of_a_program_writes_what_waits(server: ServerProcess, read: Read) -> None:
    """Also where nobody closes the publisher."""
    code = (
        "import sys; from headwater.publisher import Publisher; publisher = Publisher(sys.argv[1]);"
        f"publisher.post('a', 0, create='{JSON}'); [publisher.post('a', number) for number in range(1, 50)]"
    )
    subprocess.run([sys.executable, "-c", code, server.url], check=True)
    assert read("a") == list(range(50))
