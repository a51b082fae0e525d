"""A reader counts whole events, each once, and knows where to come back."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.cli.failures import ExitCode, Failure
from headwater.cli.load.plan import Plan
from headwater.cli.load.publisher import record
from headwater.cli.load.reader import Reader, Tally

PLAN = Plan(
    "http://127.0.0.1:1", ("/s",), (("X-Key", "1"),), readers=1, rate=1, seconds=1, size=100, timeout=1, grace=1
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def abort(self) -> None:
        """Nothing is open."""


def event(number: int) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (number, record(number, 0, 100))


async def _feed(*pieces: bytes) -> tuple[Reader, Tally, list[Failure]]:
    tally, failures = Tally(), list[Failure]()
    reader = Reader(PLAN, "/s", tally, failures.append)
    reader.connection_made(Wire())
    for piece in pieces:
        reader.data_received(piece)
    return reader, tally, failures


def feed(*pieces: bytes) -> tuple[Reader, Tally, list[Failure]]:
    return asyncio.run(_feed(*pieces))


@given(cuts=st.lists(st.integers(1, 900), max_size=8))
def test_events_are_counted_however_they_are_cut(cuts: list[int]) -> None:
    """All of them once, and their lags."""
    data = HEAD + b": comment\n\n" + b"".join(map(event, range(5)))
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    reader, tally, failures = feed(*(data[a:b] for a, b in pairwise(places)))
    assert (tally.delivered, tally.lost, tally.repeated, tally.lags.total, failures) == (5, 0, 0, 5, [])
    assert reader.received == 5


def test_gaps_and_repetitions_are_told_apart() -> None:
    """A record that was passed over is lost; one that comes again is not counted twice."""
    _, tally, _ = feed(HEAD, *map(event, (0, 1, 4, 4, 2, 5)))
    assert (tally.delivered, tally.lost, tally.repeated) == (4, 2, 2)


def test_a_half_event_does_not_count() -> None:
    """After a cut the reader asks for what is behind the last whole one."""

    async def main() -> bytes:
        reader, tally, _ = await _feed(HEAD, event(0), event(1), event(2)[:-1])
        reader.connection_lost(None)
        assert (tally.delivered, tally.cuts, reader.is_connected) == (2, 1, False)
        again = Wire()
        reader.connection_made(again)
        return again.sent

    sent = asyncio.run(main())
    assert b"Last-Event-ID: 1\r\n" in sent
    assert b"X-Key: 1\r\n" in sent


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}", ExitCode.NOT_FOUND),
        (b"nonsense\r\n\r\n", ExitCode.REFUSED),
        (HEAD + b"x" * 1_000_001, ExitCode.REFUSED),
    ],
)
def test_what_is_no_stream_fails(data: bytes, code: ExitCode) -> None:
    """A refusal, another protocol, something without events."""
    _, _, failures = feed(data)
    assert [failure.exit_code for failure in failures] == [code]


def test_a_server_that_hangs_up_fails_at_once() -> None:
    """A connection that ends before its answer is a failure, not a cut."""

    async def main() -> list[str]:
        reader, tally, failures = await _feed()
        reader.connection_lost(None)
        assert tally.cuts == 1
        return [failure.code for failure in failures]

    assert asyncio.run(main()) == ["cut"]
