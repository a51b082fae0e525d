"""Many small requests on one connection: answered in order, and every cut is found out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from headwater.client.errors import BadAnswer
from headwater.client.sync.pipeline import Pipeline, can_pipeline

ANSWER = b"HTTP/1.1 204 No Content\r\nstream-next-offset: %d\r\n\r\n"


class Script:
    """A server that reads until it has seen so many requests, answers with these bytes, and closes."""

    def __init__(self, requests: int, answers: bytes) -> None:
        self.received = b""
        self._requests = requests
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1/stream/a%20b"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, self._listener:
            while self.received.count(b"<end>") < self._requests:
                self.received += connection.recv(65_536)
            connection.sendall(self._answers)

    def join(self) -> None:
        self._thread.join()


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def offsets(pipeline: Pipeline, count: int) -> Iterator[tuple[int, str]]:
    requests = [({"producer-seq": str(number)}, b"%d<end>" % number) for number in range(count)]
    for answer in pipeline.post({"authorization": "Bearer x"}, requests):
        yield answer.status, answer.headers["stream-next-offset"]


def test_requests_go_out_before_the_first_is_answered() -> None:
    """With the headers of all and of each; the answers come back in order, whatever arrives at once."""
    server = Script(3, b"".join(ANSWER % number for number in range(3)))
    pipeline = Pipeline(server.url, 10.0)
    assert list(offsets(pipeline, 3)) == [(204, "0"), (204, "1"), (204, "2")]
    server.join()
    pipeline.close()
    heads = server.received.split(b"POST /v1/stream/a%20b HTTP/1.1\r\n")[1:]
    for number, head in enumerate(heads):
        assert b"authorization: Bearer x\r\n" in head
        assert b"producer-seq: %d\r\n" % number in head
        assert head.endswith(b"content-length: 6\r\n\r\n%d<end>" % number)


@pytest.mark.parametrize(
    "answers",
    [
        b"",
        ANSWER % 0,
        (ANSWER % 0)[:-1],
        b"HTTP/1.1 200 OK\r\nstream-next-offset: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nstream-next-offset: 0\r\n\r\n",
    ],
)
def test_answers_that_do_not_come_are_an_error(answers: bytes) -> None:
    """A cut, half an answer, or one whose end is the connection's: what was answered before counts."""
    server = Script(2, answers)
    pipeline = Pipeline(server.url, 10.0)
    found: list[tuple[int, str]] = []
    with pytest.raises(OSError, match="cut"):
        found.extend(offsets(pipeline, 2))
    server.join()
    pipeline.close()
    assert len(found) <= 1


def test_other_answers_are_an_error() -> None:
    """Such as those of a server that speaks no HTTP."""
    server = Script(1, b"SSH-2.0-OpenSSH\r\n\r\n")
    pipeline = Pipeline(server.url, 10.0)
    with pytest.raises(BadAnswer, match="no HTTP answer"):
        list(offsets(pipeline, 1))
    server.join()
    pipeline.close()


def test_a_header_has_one_line() -> None:
    """No request is smuggled into one."""
    with pytest.raises(ValueError, match="line break"):
        next(Pipeline("http://127.0.0.1", 1.0).post({"x": "a\r\nb"}, [({}, b"1")]))


def test_servers_behind_a_proxy_or_a_password_are_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The HTTP client knows the environment's proxies, and how to log in."""
    assert can_pipeline("http://127.0.0.1:4437")
    assert not can_pipeline("http://me:secret@127.0.0.1:4437")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    assert not can_pipeline("http://127.0.0.1:4437")
    assert can_pipeline("https://127.0.0.1:4437")
