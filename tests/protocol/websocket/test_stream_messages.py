"""How a stream is told in messages, and at its own URL: each event, and the end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater.errors import HeadwaterError, OffsetGone, Refused, StoreUnavailable, StreamGone
from headwater.model import Batch, Failure, Record
from headwater.protocol.cursor import Data, Detached, Event, Failed, Gap, Idle, Made, Missing
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.bare import LineMessages, RawMessages
from headwater.protocol.websocket.codecs import CODECS
from headwater.protocol.websocket.stream_messages import StreamMessages, WaitingMessages

CODEC = CODECS["headwater.v1+json"]


def batch(*data: bytes, live: bool = True, closed: bool = False, failure: Failure | None = None) -> Data:
    found = tuple(Record(f"o{number}", each) for number, each in enumerate(data, 1))
    return Data(Batch("o0", found, f"o{len(data)}", live, closed, "application/json", failure))


def told(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(payload) for _, payload in frames.split(data)]


def encoder(content_type: str = "application/json") -> StreamMessages:
    return StreamMessages(content_type, codec=CODEC, number=5)


def test_the_tail_is_told_once() -> None:
    """And again only behind what was not at the tail."""
    one = encoder()
    assert [each["t"] for each in told(one.encode(batch(b"1", live=False), 0))] == ["data"]
    assert [each["t"] for each in told(one.encode(batch(b"1"), 0))] == ["data", "live"]
    assert [each["t"] for each in told(one.encode(batch(b"1"), 0))] == ["data"]
    assert told(one.encode(Gap("a", "b", "b"), 0)) == [{"t": "gap", "s": 5, "from": "a", "to": "b", "o": "b"}]
    assert [each["t"] for each in told(one.encode(batch(), 0))] == ["live"]


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (batch(closed=True), {"why": "closed", "o": "o0"}),
        (
            batch(closed=True, failure=Failure("boom", "it did")),
            {"why": "failed", "o": "o0", "code": "boom", "message": "it did"},
        ),
        (Detached("o3", 1.5, "slow"), {"why": "detached", "o": "o3", "code": "slow", "after": 1.5}),
        (Failed("o3", StreamGone("away")), {"why": "deleted", "o": "o3", "code": "stream-gone", "message": "away"}),
        (Failed("o3", Refused("no")), {"why": "forbidden", "o": "o3", "code": "refused", "message": "no"}),
        (
            Failed("o3", StoreUnavailable("disk")),
            {"why": "error", "o": "o3", "code": "store-unavailable", "message": "disk"},
        ),
    ],
)
def test_each_end_says_why(event: Event, end: dict[str, Any]) -> None:
    """No subscription ends in silence."""
    assert told(encoder().encode(event, 0)) == [{"t": "end", "s": 5, **end}]


def test_a_stream_whose_oldest_records_went_is_read_on() -> None:
    """Nothing is told of it here: the subscription goes on behind a gap."""
    one = encoder()
    assert one.encode(Failed("o3", OffsetGone("old", earliest="o9")), 0) == b""
    assert isinstance(one.error, OffsetGone)


def test_the_connection_is_kept_alive_as_a_whole() -> None:
    """A stream has no heartbeat of its own."""
    assert encoder().encode(Idle("o1"), 0) == b""


def test_a_character_that_is_cut_waits_for_its_rest() -> None:
    """The offset stays before it."""
    one = encoder("text/plain")
    whole = "é".encode()
    first = Batch(
        "0" * 33, (Record(f"{1:016}_{2:016}", b"a" + whole[:1]),), f"{1:016}_{2:016}", True, False, "text/plain"
    )
    first = Batch(f"{1:016}_{0:016}", first.records, first.next_offset, True, False, "text/plain")
    found = told(one.encode(Data(first), 0))
    assert found[0]["r"] == ["a"]
    assert found[0]["o"] == f"{1:016}_{1:016}"
    second = Batch(first.next_offset, (Record(f"{1:016}_{3:016}", whole[1:]),), f"{1:016}_{3:016}", True, False, "t")
    assert told(one.encode(Data(second), 0))[0]["r"] == ["é"]


def test_a_stream_that_is_waited_for() -> None:
    """It is told to wait, or why it cannot be had; all else its subscription tells."""
    one = WaitingMessages("", codec=CODEC, id=4, path="a")
    assert told(one.encode(Missing(), 0)) == [{"t": "waiting", "id": 4, "path": "a", "o": "-1"}]
    assert one.encode(Made("text/plain", "o1"), 0) == b""
    (problem,) = told(one.encode(Failed("o1", StoreUnavailable("disk")), 0))
    assert (problem["t"], problem["id"], problem["code"]) == ("err", 4, "store-unavailable")


def codes(data: bytes) -> list[int]:
    return [int.from_bytes(payload[:2]) for first, payload in frames.split(data) if first == frames.CLOSE]


def test_each_line_is_a_message() -> None:
    """Those of NDJSON, and behind the last one the close frame."""
    found = list(frames.split(LineMessages("application/json").encode(batch(b"1", b"2", closed=True), 0)))
    assert [first for first, _ in found] == [frames.TEXT] * 3 + [frames.CLOSE]
    assert [json.loads(payload).get("data") for _, payload in found[:3]] == [1, 2, None]
    assert json.loads(found[2][1])["control"] == "closed"


@pytest.mark.parametrize(
    ("content_type", "first"),
    [("application/json", frames.TEXT), ("text/plain", frames.TEXT), ("image/png", frames.BINARY)],
)
def test_raw_messages_are_records(content_type: str, first: int) -> None:
    """Nothing else; of types that are no text, binary."""
    found = list(frames.split(RawMessages(content_type).encode(batch(b"1", b"22"), 0)))
    assert found == [(first, b"1"), (first, b"22")]


def test_raw_text_is_utf8_whatever_was_stored() -> None:
    """Else a browser would fail the connection."""
    found = list(frames.split(RawMessages("text/plain").encode(batch(b"a\xffb"), 0)))
    assert found == [(frames.TEXT, "a\ufffdb".encode())]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (batch(b"1"), None),
        (batch(closed=True), 1000),
        (batch(closed=True, failure=Failure("x")), 4409),
        (Detached("o", 0, "stopping"), 1012),
        (Detached("o", 0, "slow"), 1013),
        (Failed("o", StreamGone("x")), 4410),
        (Failed("o", HeadwaterError("x")), 1011),
        (Gap("a", "b", "b"), None),
    ],
)
def test_the_close_code_says_how_it_ended(event: Event, code: int | None) -> None:
    """The same in both forms."""
    for one in (LineMessages("application/json"), RawMessages("application/json")):
        assert codes(one.encode(event, 0)) == ([] if code is None else [code])
