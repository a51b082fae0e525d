"""The producer: what is refused or lost among many requests is sent again in order, and told as what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx2
import pytest

from headwater.cli.failures import Failure
from headwater.cli.load.answers import Answer
from headwater.cli.patience import Patience
from headwater.cli.pipeline import MAX_BYTES, MAX_REQUESTS, Request
from headwater.cli.writer import CAREFUL, Writer


class Server:
    """A stream that takes numbered requests, over both ways.

    Attributes:
        records: what was appended.
        windows: how many requests came together, each time.
        alone: requests that came alone.
        lost: answers of the next pipelined requests that get lost, counted from the end.
        refuses: the body that is refused.
    """

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.windows: list[int] = []
        self.alone = 0
        self.lost = 0
        self.refuses: bytes | None = None

    def _take(self, headers: Mapping[bytes, bytes], body: bytes) -> int:
        seq = int(headers[b"producer-seq"])
        if seq < len(self.records):
            return 204
        if seq > len(self.records) or body == self.refuses:
            return 409
        self.records.append(body)
        return 200

    # As `Remote`

    def pipeline(self) -> Server:
        return self

    def path_of(self, stream: str) -> str:
        return f"/{stream}"

    def request(self, method: str, stream: str, headers: Mapping[bytes, bytes], body: bytes) -> httpx2.Response:
        self.alone += 1
        if self._take(headers, body) == 409:
            raise Failure("stream-closed", "it is closed")
        return httpx2.Response(200, headers={"stream-next-offset": str(len(self.records))})

    # As `Pipeline`

    def post(self, path: str, requests: Sequence[Request]) -> Iterator[Answer]:
        self.windows.append(len(requests))
        statuses = [self._take(headers, body) for headers, body in requests]
        for number, status in enumerate(statuses):
            if number >= len(requests) - self.lost:
                self.lost = 0
                raise ConnectionResetError
            answer = Answer()
            answer.feed(b"HTTP/1.1 %d x\r\nstream-next-offset: %d\r\ncontent-length: 0\r\n\r\n" % (status, number + 1))
            yield answer

    def close(self) -> None: ...


def writer_of(server: Any, content_type: str = "text/plain") -> Writer:
    return Writer(server, "s", content_type, Patience(None))


LINES = [b"%d\n" % number for number in range(300)]


def test_records_of_text_go_together_and_stay_apart() -> None:
    """In windows of limited size; the last one closes, alone."""
    server = Server()
    writer = writer_of(server)
    writer.send(LINES, close=True)
    assert server.records == LINES
    assert server.windows == [MAX_REQUESTS, MAX_REQUESTS, 299 - 2 * MAX_REQUESTS]
    assert (server.alone, writer.tail) == (1, "300")


def test_large_records_are_not_under_way_together() -> None:
    """The bytes are limited, too."""
    server = Server()
    writer_of(server).send([b"x" * (MAX_BYTES // 2)] * 5)
    assert (server.windows, server.alone, len(server.records)) == ([2, 2], 1, 5)


@pytest.mark.parametrize("lost", [1, 10, MAX_REQUESTS])
def test_lost_answers_repeat_and_lose_nothing(lost: int) -> None:
    """What was not acknowledged is sent again, one by one for a while, and then together again."""
    server = Server()
    server.lost = lost
    writer_of(server).send(LINES)
    assert server.records == LINES
    assert CAREFUL <= server.alone <= CAREFUL + 1
    assert len(server.windows) > 1


def test_a_refusal_is_told_and_not_the_gap_behind_it() -> None:
    """What is before it is in the stream."""
    server = Server()
    server.refuses = LINES[150]
    with pytest.raises(Failure, match="stream-closed"):
        writer_of(server).send(LINES)
    assert server.records == LINES[:150]


def test_records_of_json_are_one_request() -> None:
    """There the body keeps them apart."""
    server = Server()
    writer_of(server, "application/json").send([b"1", b"2"])
    assert (server.records, server.windows) == ([b"[1,2]"], [])
