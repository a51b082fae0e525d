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
from headwater.protocol.cursor import Data, Detached, Failed, Idle
from headwater.protocol.json_values import split_json
from headwater.protocol.names import EVENT_CLOSED, EVENT_DETACHED, EVENT_ERROR, RESERVED_EVENTS
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
    events = read(log)
    told = "".join(event.data.decode() for event in events[:-1])
    assert told == "".join(bodies).replace("\r\n", "\n").replace("\r", "\n")
    assert [event.event for event in events] == [b""] * (len(events) - 1) + [EVENT_CLOSED]


def test_a_line_end_cut_anywhere_is_one(make_log: type[Log]) -> None:
    """Every two cuts of a text with each kind of line end: as if it were whole, and so is the rest from every id."""
    text = b"a\r\nb\rc\r\r\n\nd\r"
    whole = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for first, second in combinations(range(1, len(text)), 2):
        log = make_log("text/plain", text[:first], text[first:second], text[second:], close=True)
        for limit in (1, 2, 1 << 30):
            so_far = b""
            for event in read(log, limit=limit):
                so_far += data_of([event])
                assert so_far + data_of(read(log, event.id.decode(), limit=limit)) == whole


def encoded(log: Log, encoder: PlainEvents, offset: str = "-1", limit: int = 1 << 30) -> bytes:
    return b"".join(encoder.encode(Data(batch), 0.0) for batch in log.batches(offset, limit))


def bytes_of(event: ServerEvent) -> bytes:
    """A record as `data=json` tells it."""
    value = json.loads(event.data)
    return b64decode(value["base64"], validate=True) if isinstance(value, dict) else value.encode()


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream"])
@given(
    bodies=st.lists(
        st.binary(min_size=1, max_size=6) | st.text("\r\n é\u2028", min_size=1).map(str.encode), max_size=5
    ),
    limit=st.integers(1, 9),
)
def test_as_json_every_byte_arrives(make_log: type[Log], content_type: str, bodies: list[bytes], limit: int) -> None:
    """Line ends, cut characters and bytes that are no text; and from every id the rest does."""
    log = make_log(content_type, *bodies, close=True)
    text = encoded(log, PlainEvents(content_type, as_json=True), limit=limit)
    so_far = b""
    for event in Parser().feed(text)[:-1]:
        so_far += bytes_of(event)
        again = encoded(log, PlainEvents(content_type, as_json=True), event.id.decode())
        assert so_far + b"".join(map(bytes_of, Parser().feed(again)[:-1])) == b"".join(bodies)
    assert so_far == b"".join(bodies)
    assert b"stream-replaced" not in text


def test_as_json_a_value_is_what_it_was(make_log: type[Log]) -> None:
    """A JSON stream has nothing that could be replaced."""
    log = make_log("application/json", b'[{"a":"\\r\\n"},"b",[1]]', close=True)
    as_json = encoded(log, PlainEvents("application/json", as_json=True))
    assert as_json == encoded(log, PlainEvents("application/json"))


def test_what_is_replaced_is_told(make_log: type[Log]) -> None:
    """Before bytes that are no UTF-8, an event with their place; before other line ends, a comment; else nothing."""
    log = make_log("text/plain", b"a", b"\xff\xfe", "€".encode())
    text = encoded(log, PlainEvents("text/plain"))
    first, told, _, last = Parser().feed(text)
    assert (first.data, last.data) == (b"a", "€".encode())
    assert told.event == b"stream-replaced"
    assert told.id == first.id
    place = json.loads(told.data)
    [record] = [record for record in log.read(place["from"]).records if record.offset == place["to"]]
    assert record.data == b"\xff\xfe"
    assert b"\n:" not in text
    ends = encoded(make_log("text/plain", b"a\r\nb"), PlainEvents("text/plain"))
    assert ends.startswith(b": line ends are sent as LF; data=json keeps them\n\n")
    assert [event.data for event in Parser().feed(ends)] == [b"a\nb"]


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
