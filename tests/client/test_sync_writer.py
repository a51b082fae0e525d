"""The writer without asyncio: what is refused or lost among many requests is sent again in order, and told as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from headwater.client.answers import Head
from headwater.client.codec import Codec
from headwater.client.errors import NetworkError, Stopped, UnknownOutcome
from headwater.client.retry import NEVER, Retry
from headwater.client.sync.clock import Clock, Pause
from headwater.client.sync.http import Http
from headwater.client.sync.pipeline import MAX_BYTES, MAX_REQUESTS, Pipeline
from headwater.client.sync.writer import CAREFUL, StreamWriter
from headwater.client.wires.http1 import Answer
from headwater.errors import ProducerFenced, StreamClosed, StreamNotFound

URL = "http://127.0.0.1/v1/stream/s"
Headers = Mapping[str, str]


class NoPause(Pause):
    """A wait that is over at once."""

    def wait(self, seconds: float) -> None:
        """See `Pause.wait`."""


class NoClock(Clock):
    """A clock whose waits are over at once."""

    def pause(self) -> Pause:
        """See `Clock.pause`."""
        return NoPause()


class Together(Pipeline):
    """The same server, with many requests at once."""

    def __init__(self, server: Server) -> None:
        super().__init__(URL, 1.0)
        self._server = server

    def post(self, common: Headers, requests: Sequence[tuple[Headers, bytes]]) -> Iterator[Answer]:
        """See `Pipeline.post`."""
        server = self._server
        server.windows.append(len(requests))
        heads = [server.take(headers, body) for headers, body in requests]
        for number, head in enumerate(heads):
            if number >= len(requests) - server.lost:
                server.lost = 0
                raise ConnectionResetError
            answer = Answer()
            told = f"stream-next-offset: {number + 1}\r\n" if head.is_success else ""
            answer.feed(f"HTTP/1.1 {head.status} x\r\n{told}content-length: 0\r\n\r\n".encode())
            yield answer


class Server(Http):
    """A stream that takes numbered requests, one by one and many at once.

    Attributes:
        records: what was appended.
        windows: how many requests came together, each time.
        alone: headers of requests that came alone.
        lost: answers of the next requests that go together that get lost, counted from the end.
        silent: requests that came alone whose answers get lost; what they ask is done.
        refuses: the body that is refused.
        epoch: of the producer.
        is_there: there is a stream.
    """

    clock = NoClock()

    def __init__(self) -> None:
        super().__init__()
        self.records: list[bytes] = []
        self.windows: list[int] = []
        self.alone: list[Headers] = []
        self.lost = self.silent = self.epoch = 0
        self.refuses: bytes | None = None
        self.is_there = True

    def pipeline(self, url: str) -> Pipeline:
        """See `Http.pipeline`."""
        return Together(self)

    def take(self, headers: Headers, body: bytes) -> Head:
        """The answer to an append."""
        seq, epoch = int(headers["producer-seq"]), int(headers["producer-epoch"])
        if not self.is_there:
            return Head(404, {})
        if epoch < self.epoch:
            return Head(403, {"producer-epoch": str(self.epoch)})
        if epoch > self.epoch:
            self.epoch, self.records = epoch, []
        tail = {"stream-next-offset": str(len(self.records))}
        if seq < len(self.records):
            return Head(204, tail)
        if seq > len(self.records):
            return Head(409, {"producer-expected-seq": str(len(self.records)), "producer-received-seq": str(seq)})
        if body == self.refuses:
            return Head(409, {"stream-closed": "true", **tail})
        self.records.append(body)
        return Head(200, {"stream-next-offset": str(len(self.records))})

    def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Headers | None = None
    ) -> tuple[Head, bytes]:
        """See `Http.ask`."""
        self.alone.append(headers)
        if method == "PUT":
            self.is_there = True
            return Head(201, {"stream-next-offset": "0"}), b""
        head = self.take(headers, body or b"")
        if self.silent:
            self.silent -= 1
            raise NetworkError("the answer was lost")
        return head, b""


def writer_of(server: Server, content_type: str = "text/plain", retry: Retry | None = None, **options: Any) -> Any:
    return StreamWriter[Any](server, URL, Codec(content_type), retry or Retry(), **options)


LINES = [b"%d\n" % number for number in range(300)]


def test_records_of_text_go_together_and_stay_apart() -> None:
    """In windows of limited size; the last one closes, alone."""
    server = Server()
    writer = writer_of(server)
    assert writer.close(*LINES) == "300"
    assert server.records == LINES
    assert server.windows == [MAX_REQUESTS, MAX_REQUESTS, 299 - 2 * MAX_REQUESTS]
    assert [head.get("stream-closed") for head in server.alone] == ["true"]
    with pytest.raises(Stopped):
        writer.append(b"more")


def test_large_records_are_not_under_way_together() -> None:
    """The bytes are limited, too."""
    server = Server()
    writer_of(server).extend([b"x" * (MAX_BYTES // 2)] * 5)
    assert (server.windows, len(server.alone), len(server.records)) == ([2, 2], 1, 5)


@pytest.mark.parametrize("lost", [1, 10, MAX_REQUESTS])
def test_lost_answers_repeat_and_lose_nothing(lost: int) -> None:
    """What was not acknowledged is sent again, one by one for a while, and then together again."""
    server = Server()
    server.lost = lost
    writer_of(server).extend(LINES)
    assert server.records == LINES
    assert CAREFUL <= len(server.alone) <= CAREFUL + 1
    assert len(server.windows) > 1


def test_a_refusal_is_told_and_not_the_gap_behind_it() -> None:
    """What is before it is in the stream, and nothing behind it."""
    server = Server()
    server.refuses = LINES[150]
    writer = writer_of(server)
    with pytest.raises(StreamClosed):
        writer.extend(LINES)
    assert server.records == LINES[:150]
    assert writer.tail is not None


def test_records_of_json_are_one_request() -> None:
    """There the body keeps them apart; a request has a thousand at most."""
    server = Server()
    writer = writer_of(server, "application/json")
    writer.extend([1, {"a": 2}])
    writer.extend([0] * 1001)
    assert server.windows == [2]
    assert server.records == [b'[1,{"a":2}]', b"[" + b"0," * 999 + b"0]", b"[0]"]


def test_a_lost_answer_is_asked_for_again() -> None:
    """The server says that it has the record."""
    server = Server()
    server.silent = 3
    assert writer_of(server).append(b"one") == "1"
    assert (server.records, len(server.alone)) == ([b"one"], 4)


def test_without_patience_a_lost_answer_says_nothing() -> None:
    """The record may be written, or not; the cause is told."""
    server = Server()
    server.silent = 1
    with pytest.raises(UnknownOutcome) as raised:
        writer_of(server, retry=NEVER).append(b"one")
    assert isinstance(raised.value.__cause__, NetworkError)


def test_a_stream_is_made_once() -> None:
    """With the first record; a server that does not do so is asked to. Later it is not made again."""
    server = Server()
    server.is_there = False
    writer = writer_of(server, create={"stream-ttl": "60"})
    writer.append(b"one")
    assert server.alone[1] == {"content-type": "text/plain", "stream-ttl": "60"}
    server.is_there = False
    with pytest.raises(StreamNotFound):
        writer.append(b"two")


def test_another_producer_of_the_name_ends_it_unless_it_claims() -> None:
    """As the asynchronous writer does."""
    server = Server()
    server.epoch = 4
    with pytest.raises(ProducerFenced):
        writer_of(server, id="job").append(b"one")
    writer = writer_of(server, id="job", claim=True)
    writer.append(b"one")
    assert (server.epoch, server.records) == (5, [b"one"])


def test_a_server_that_forgot_is_told_under_a_new_epoch() -> None:
    """What it had acknowledged stays acknowledged."""
    server = Server()
    writer = writer_of(server)
    writer.append(b"one")
    server.records = []
    writer.append(b"two")
    assert (server.epoch, server.records) == (1, [b"two"])


def test_a_record_has_a_byte() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        writer_of(Server()).append(b"")
    with pytest.raises(ValueError, match="epoch"):
        writer_of(Server(), epoch=-1)
