"""NDJSON: every line is one JSON object, records arrive as they were, and a body says how it ends."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import StreamNotFound
from headwater.protocol.cursor import Data, Detached, Event, Failed, Idle
from headwater.protocol.ndjson import JsonLines

if TYPE_CHECKING:
    from tests.protocol.conftest import Log

OFFSET = "0000000000000007_0000000000000001"


def lines_of(body: bytes) -> list[dict[str, Any]]:
    """The lines, each of which must be one JSON object."""
    if body == b"":
        return []
    *lines, rest = body.split(b"\n")
    assert rest == b""
    values = [json.loads(line.decode()) for line in lines]
    assert all(isinstance(value, dict) for value in values)
    return values


def read(log: Log, offset: str = "-1", limit: int = 1 << 30) -> list[dict[str, Any]]:
    """All lines from an offset on, with a keepalive after every batch."""
    encoder = JsonLines(log.state.content_type)
    body = encoder.opening()
    for batch in log.batches(offset, limit):
        body += encoder.encode(Data(batch), 0.0)
        if not batch.closed:
            body += encoder.encode(Idle(batch.next_offset), 0.0)
    return lines_of(body)


def text_of(lines: list[dict[str, Any]]) -> str:
    return "".join(line["data"] for line in lines if "data" in line)


def test_a_stream_from_its_start_to_its_end(make_log: type[Log]) -> None:
    """JSON values with their offsets, then the news that it is complete."""
    encoder = JsonLines("application/json")
    log = make_log("application/json", b'[1, {"a": "\\n"}]')
    assert encoder.opening() == b""
    assert encoder.encode(Data(log.read()), 0.0) == (
        b'{"offset":"0000000000000007_0000000000000001","data":1}\n'
        b'{"offset":"0000000000000007_0000000000000012","data":{"a": "\\n"}}\n'
        b'{"control":"up-to-date","offset":"0000000000000007_0000000000000012"}\n'
    )
    log.append(b"2", close=True)
    assert encoder.encode(Data(log.read("0000000000000007_0000000000000012")), 0.0) == (
        b'{"offset":"0000000000000007_0000000000000013","data":2}\n'
        b'{"control":"closed","offset":"0000000000000007_0000000000000013"}\n'
    )


def test_up_to_date_is_told_once_until_there_is_more(make_log: type[Log]) -> None:
    """A live record needs no further news that it was the last one; falling behind and catching up does."""
    encoder = JsonLines("text/plain")
    log = make_log("text/plain", b"a")
    first = log.read()
    assert [line.get("control") for line in lines_of(encoder.encode(Data(first), 0.0))] == [None, "up-to-date"]
    log.append(b"b")
    second = log.read(first.next_offset)
    assert [line.get("control") for line in lines_of(encoder.encode(Data(second), 0.0))] == [None]
    log.append(b"cd")
    behind = log.read(second.next_offset, limit=1)
    assert [line.get("control") for line in lines_of(encoder.encode(Data(behind), 0.0))] == [None]
    caught_up = log.read(behind.next_offset)
    assert [line.get("control") for line in lines_of(encoder.encode(Data(caught_up), 0.0))] == [None, "up-to-date"]


def test_every_way_to_end_has_its_line() -> None:
    """Keepalive, letting go and failure say the offset to come back to."""
    encoder = JsonLines("application/json")
    assert lines_of(encoder.encode(Idle(OFFSET), 0.0)) == [{"control": "keepalive", "offset": OFFSET}]
    assert lines_of(encoder.encode(Detached(OFFSET, 1.23456), 0.0)) == [
        {"control": "detached", "offset": OFFSET, "retry_after": 1.235}
    ]
    [line] = lines_of(encoder.encode(Detached(OFFSET, 0.0, "shed"), 0.0))
    assert line["reason"] == "shed"
    [line] = lines_of(encoder.encode(Failed(OFFSET, StreamNotFound("it\r\nwas\0deleted")), 0.0))
    assert (line["control"], line["offset"], line["code"]) == ("error", OFFSET, "stream-not-found")
    assert line["detail"] == "it\r\nwas\0deleted"


@given(bodies=st.lists(st.binary(min_size=1, max_size=30), max_size=5))
def test_bytes_arrive_as_base64(make_log: type[Log], bodies: list[bytes]) -> None:
    """Any bytes of a binary stream, record by record."""
    lines = read(make_log("application/octet-stream", *bodies, close=True))
    assert [b64decode(line["base64"], validate=True) for line in lines if "base64" in line] == bodies
    assert lines[-1]["control"] == "closed"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    values=st.lists(json_values, min_size=1, max_size=5),
    indent=st.sampled_from([None, 2]),
    ascii_only=st.booleans(),
    limit=st.integers(1, 50),
)
def test_json_values_arrive_one_a_line(
    make_log: type[Log], values: list[Any], indent: int | None, ascii_only: bool, limit: int
) -> None:
    """However they are laid out and whatever is in their strings; from every offset the rest is the rest."""
    log = make_log("application/json", json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode(), close=True)
    lines = read(log, limit=limit)
    records = [line for line in lines if "data" in line]
    assert [record["data"] for record in records] == values
    assert lines[-1]["control"] == "closed"
    middle = len(records) // 2
    assert [line["data"] for line in read(log, records[middle]["offset"]) if "data" in line] == values[middle + 1 :]


def check_text(log: Log, text: str, limit: int) -> None:
    """The text arrives exactly, and from every offset in any line on the rest does."""
    so_far = ""
    lines = read(log, limit=limit)
    assert lines[-1]["control"] == "closed"
    for line in lines:
        so_far += line.get("data", "")
        assert so_far + text_of(read(log, line["offset"])) == text
    assert so_far == text


def test_text_cut_inside_characters_arrives_exactly(make_log: type[Log]) -> None:
    """Every two cuts of a text, a keepalive after every batch: whole, and from every offset in any line."""
    text = 'aé"€\r\n😀'
    data = text.encode()
    for first, second in combinations(range(1, len(data)), 2):
        log = make_log("text/plain", data[:first], data[first:second], data[second:], close=True)
        check_text(log, text, 1 << 30)
        check_text(log, text, 2)


@given(text=st.text(min_size=1, max_size=15), cuts=st.lists(st.integers(1, 60), max_size=5), limit=st.integers(1, 9))
def test_any_text_cut_anywhere_arrives_exactly(make_log: type[Log], text: str, cuts: list[int], limit: int) -> None:
    """Any text, in any appends, read in batches of any size."""
    data = text.encode()
    ends = sorted({cut for cut in cuts if cut < len(data)})
    appends = [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]
    check_text(make_log("text/plain", *appends, close=True), text, limit)


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("keepalive", Idle),
        ("detached", lambda offset: Detached(offset, 0.0)),
        ("error", lambda offset: Failed(offset, StreamNotFound())),
    ],
)
def test_no_line_tells_an_offset_behind_held_bytes(
    make_log: type[Log], kind: str, make: Callable[[str], Event]
) -> None:
    """While half a character is held back, who comes back where any line says gets the whole of it."""
    log = make_log("text/plain", b"a\xe2\x82")
    encoder = JsonLines("text/plain")
    encoder.encode(Data(log.read()), 0.0)
    [line] = lines_of(encoder.encode(make(log.tail), 0.0))
    log.append(b"\xac", close=True)
    assert line["control"] == kind
    assert text_of(read(log, line["offset"])) == "€"


@given(bodies=st.lists(st.binary(min_size=1, max_size=5) | st.just("€\r\n".encode()), max_size=5))
def test_text_that_is_not_utf8_arrives_as_it_is(make_log: type[Log], bodies: list[bytes]) -> None:
    """As base64, where a string has no way to say it; every byte arrives."""
    lines = read(make_log("text/plain", *bodies, close=True))
    told = [
        line["data"].encode() if "data" in line else b64decode(line["base64"], validate=True)
        for line in lines
        if "control" not in line
    ]
    assert b"".join(told) == b"".join(bodies)
    for line in lines:
        if "base64" in line:
            with pytest.raises(UnicodeDecodeError):
                b64decode(line["base64"]).decode()


def test_the_state_is_what_is_held_and_what_was_told(make_log: type[Log]) -> None:
    """Readers differ in what they are told next by half a character, and by the news that there was no more."""
    log = make_log("text/plain", b"a", b"\xe2")
    behind, up_to_date, holding = (JsonLines("text/plain") for _ in range(3))
    behind.encode(Data(log.read(limit=1)), 0.0)
    holding.encode(Data(log.read()), 0.0)
    up_to_date.encode(Data(log.read(log.tail)), 0.0)
    assert len({behind.state(), up_to_date.state(), holding.state()}) == 3
    assert behind.state() == JsonLines("text/plain").state()
