"""Plain event streams: the ids are the offsets, and every way to end has its event."""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import InvalidBody, StreamNotFound
from headwater.protocol.framing import split_json
from headwater.protocol.names import EVENT_CLOSED, EVENT_DETACHED, EVENT_ERROR, RESERVED_EVENTS
from headwater.protocol.reading import Data, Detached, Failed, Idle
from headwater.protocol.sse import Parser, ServerEvent
from headwater.protocol.sse_plain import RETRY_MILLISECONDS, PlainEvents, event_name

if TYPE_CHECKING:
    from tests.protocol.conftest import Log

OFFSET = "0000000000000007_0000000000000001"


def read(log: Log, offset: str = "-1", limit: int = 1 << 30, *, event_key: str | None = None) -> list[ServerEvent]:
    """All events from an offset on, with a keepalive after every batch."""
    encoder = PlainEvents(log.state.content_type, event_key)
    body = encoder.opening()
    for batch in log.batches(offset, limit):
        body += encoder.encode(Data(batch), 0.0)
        if not batch.closed:
            body += encoder.encode(Idle(batch.next_offset), 0.0)
    return Parser().feed(body)


def data_of(events: list[ServerEvent]) -> bytes:
    return b"".join(event.data for event in events if event.event == b"")


def test_a_stream_from_its_start_to_its_end(make_log: type[Log]) -> None:
    """The wait, an event a record with its offset as the id, and the news that the stream is complete."""
    encoder = PlainEvents("application/json")
    assert encoder.media_type == b"text/event-stream"
    assert encoder.opening() == b"retry:%d\n\n" % RETRY_MILLISECONDS
    log = make_log("application/json", b"[1, 23]", close=True)
    assert encoder.encode(Data(log.read()), 0.0) == (
        b"id:0000000000000007_0000000000000001\ndata:1\n\n"
        b"id:0000000000000007_0000000000000003\ndata:23\n\n"
        b"id:0000000000000007_0000000000000003\nevent: stream-closed\n"
        b'data:{"offset":"0000000000000007_0000000000000003"}\n\n'
    )


@given(values=st.lists(st.integers(), min_size=1, max_size=8), limit=st.integers(1, 20))
def test_ids_are_exactly_the_offsets(make_log: type[Log], values: list[int], limit: int) -> None:
    """Of every record, in every batch size; coming back with any of them gives exactly the rest."""
    log = make_log("application/json", json.dumps(values).encode(), close=True)
    events = read(log, limit=limit)
    assert [event.id.decode() for event in events[:-1]] == [record.offset for record in log.read().records]
    assert (events[-1].event, events[-1].id.decode()) == (EVENT_CLOSED, log.tail)
    for count, event in enumerate(events[:-1], 1):
        assert read(log, event.id.decode()) == events[count:]


@given(bodies=st.lists(st.binary(min_size=1, max_size=30), max_size=5))
def test_bytes_arrive_as_base64(make_log: type[Log], bodies: list[bytes]) -> None:
    """Any bytes of a binary stream, record by record."""
    events = read(make_log("application/octet-stream", *bodies, close=True))
    assert [b64decode(event.data, validate=True) for event in events[:-1]] == bodies
    assert events[-1].event == EVENT_CLOSED


@given(
    bodies=st.lists(st.text(st.sampled_from("\r\n\0 :\ufeff\u2028\x85adeintvy"), min_size=1, max_size=20), max_size=5)
)
def test_no_text_breaks_out_of_its_event(make_log: type[Log], bodies: list[str]) -> None:
    """Line ends, fields and marks in text stay text; only line ends change."""
    log = make_log("text/plain", *(body.encode() for body in bodies), close=True)
    expected = [body.replace("\r\n", "\n").replace("\r", "\n") for body in bodies]
    events = read(log)
    assert [event.data.decode() for event in events[:-1]] == expected
    assert [event.event for event in events] == [b""] * len(bodies) + [EVENT_CLOSED]
    assert [event.id.decode() for event in events[:-1]] == [record.offset for record in log.read().records]


def check_text(log: Log, text: str, limit: int) -> None:
    """The text arrives exactly, and from every id on the rest does."""
    so_far = b""
    for event in read(log, limit=limit):
        so_far += data_of([event])
        assert so_far + data_of(read(log, event.id.decode())) == text.encode()
    assert so_far == text.encode()


def test_text_cut_inside_characters_arrives_exactly(make_log: type[Log]) -> None:
    """Every two cuts of a text, a keepalive after every batch: whole, and from every id."""
    text = "aé€\n 😀"
    data = text.encode()
    for first, second in combinations(range(1, len(data)), 2):
        log = make_log("text/plain", data[:first], data[first:second], data[second:], close=True)
        check_text(log, text, 1 << 30)
        check_text(log, text, 2)


@given(
    text=st.text(st.characters(exclude_characters="\r", codec="utf-8"), min_size=1, max_size=15),
    cuts=st.lists(st.integers(1, 60), max_size=5),
    limit=st.integers(1, 9),
)
def test_any_text_cut_anywhere_arrives_exactly(make_log: type[Log], text: str, cuts: list[int], limit: int) -> None:
    """Any text without CR, in any appends, read in batches of any size."""
    data = text.encode()
    ends = sorted({cut for cut in cuts if cut < len(data)})
    appends = [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]
    check_text(make_log("text/plain", *appends, close=True), text, limit)


def test_a_heartbeat_is_a_comment() -> None:
    """It reaches the socket, and no listener."""
    assert PlainEvents("text/plain").encode(Idle(OFFSET), 0.0) == b":\n\n"


def test_a_failure_is_told_with_its_problem() -> None:
    """The event has the error's code and the offset, and no id: the browser keeps the last one."""
    body = PlainEvents("text/plain").encode(Failed(OFFSET, StreamNotFound("a\r\n\r\nb")), 0.0)
    [event] = Parser().feed(body)
    told = json.loads(event.data)
    assert (event.event, event.id, told["code"], told["offset"]) == (EVENT_ERROR, b"", "stream-not-found", OFFSET)
    assert told["detail"] == "a\r\n\r\nb"


def test_a_reader_that_is_let_go_is_told_when_to_come_back() -> None:
    """The wait is set for the browser, and told with the offset for everybody else."""
    parser = Parser()
    [event] = parser.feed(PlainEvents("text/plain").encode(Detached(OFFSET, 1.2345678), 0.0))
    assert parser.retry == 1000 + 1234
    assert event.event == EVENT_DETACHED
    assert json.loads(event.data) == {"offset": OFFSET, "retry_after": 1.235}
    [event] = parser.feed(PlainEvents("text/plain").encode(Detached(OFFSET, 0.0, "stopping"), 0.0))
    assert json.loads(event.data)["reason"] == "stopping"


def test_no_event_tells_an_offset_behind_held_bytes(make_log: type[Log]) -> None:
    """While half a character is held back, who comes back where any event says gets the whole of it."""
    log = make_log("text/plain", b"a\xe2\x82")
    encoder = PlainEvents("text/plain")
    body = encoder.encode(Data(log.read()), 0.0)
    body += encoder.encode(Failed(log.tail, StreamNotFound()), 0.0) + encoder.encode(Detached(log.tail, 0.0), 0.0)
    record, error, detached = Parser().feed(body)
    log.append(b"\xac", close=True)
    for offset in (record.id.decode(), json.loads(error.data)["offset"], json.loads(detached.data)["offset"]):
        assert data_of(read(log, offset)) == "€".encode()


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (b'{"type": "add", "x": 1}', "add"),
        (b'{"type": " two words "}', " two words "),
        (b'{"type": "\\u00e4\\ud83d\\ude00"}', "ä😀"),
        (b'{"type": ":"}', ":"),
        (b'{"type": "a", "type": "b"}', "b"),
    ],
)
def test_a_record_names_its_event(make_log: type[Log], record: bytes, name: str) -> None:
    """`?event=type`: listeners for that name get the record."""
    [event] = read(make_log("application/json", record), event_key="type")
    assert (event.event.decode(), event.data) == (name, record)


@pytest.mark.parametrize(
    "record",
    [
        *(b'{"other": "add"}', b'["type"]', b'"type"', b"null", b'{"type": 1}', b'{"type": null}', b'{"type": ["a"]}'),
        *(b'{"type": ""}', b'{"type": "a\\nb"}', b'{"type": "a\\r"}', b'{"type": "\\u0000"}', b'{"type": "\\u2028"}'),
        *(b'{"type": "\\ufeff"}', b'{"type": "\\u0085"}', b'{"n": 1e999, "type": "a"}'),
        *(json.dumps({"type": name}).encode() for name in sorted(RESERVED_EVENTS)),
    ],
)
def test_a_name_no_event_can_have_is_passed_over(make_log: type[Log], record: bytes) -> None:
    """The record is a plain message then, and cannot be taken for one of our own events."""
    [event] = read(make_log("application/json", b"[" + record + b"]"), event_key="type")
    assert (event.event, event.data) == (b"", record)


@given(value=st.text() | st.integers() | st.none() | st.lists(st.text(), max_size=2))
def test_no_name_breaks_out_of_its_line(value: Any) -> None:
    """Whatever a client wrote under the key, the event is one event with that data."""
    record = json.dumps({"kind": value}).encode()
    name = event_name(record, "kind").decode()
    assert name in ("", value)
    assert name.isprintable()
    assert name not in RESERVED_EVENTS


def test_only_json_records_name_events(make_log: type[Log]) -> None:
    """Text that happens to be JSON does not."""
    [event] = read(make_log("text/plain", b'{"type": "add"}'), event_key="type")
    assert event.event == b""


def deep_in_the_stack(frames: int, call: Callable[[], bytes]) -> bytes:
    return call() if frames == 0 else deep_in_the_stack(frames - 1, call)


def is_taken(record: bytes) -> bool:
    try:
        return split_json(record) == (record,)
    except InvalidBody:
        return False


def test_a_deeply_nested_record_names_nothing() -> None:
    """A record that was taken with an empty stack does no harm to a reader with a fuller one."""
    nested = (b'{"type":' * depth + b"1" + b"}" * depth for depth in range(sys.getrecursionlimit(), 0, -1))
    deepest = next(record for record in nested if is_taken(record))
    assert deep_in_the_stack(100, lambda: event_name(deepest, "type")) == b""


def test_a_browser_at_the_tail_learns_where_it_is(make_log: type[Log]) -> None:
    """An id without an event, once: who came with `now` comes back to that place, not to a later now."""
    log = make_log("text/plain", b"a")
    encoder, parser = PlainEvents("text/plain"), Parser()
    nothing = log.read("now")
    assert parser.feed(encoder.encode(Data(nothing), 0.0)) == []
    assert parser.last_event_id.decode() == log.tail
    assert encoder.encode(Data(nothing), 0.0) == b""


def test_an_id_alone_is_not_told_behind_held_bytes(make_log: type[Log]) -> None:
    """When the first batch is half a character, the place to come back to is before it."""
    log = make_log("text/plain", b"a", b"\xe2\x82")
    encoder, parser = PlainEvents("text/plain"), Parser()
    start = log.read(limit=1).next_offset
    assert parser.feed(encoder.encode(Data(log.read(start)), 0.0)) == []
    assert parser.last_event_id.decode() == start


def test_the_state_is_what_is_held(make_log: type[Log]) -> None:
    """Readers differ in what they are told next only while half a character is held back for one of them."""
    log = make_log("text/plain", b"a\xe2")
    encoder, fresh = PlainEvents("text/plain"), PlainEvents("text/plain")
    first = log.read()
    encoder.encode(Data(first), 0.0)
    assert encoder.state() != fresh.state()
    log.append(b"\x82\xac")
    encoder.encode(Data(log.read(first.next_offset)), 0.0)
    assert encoder.state() == fresh.state()
