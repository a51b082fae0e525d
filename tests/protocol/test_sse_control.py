"""`live=sse` of the protocol: data and control events (section 5.8)."""

from __future__ import annotations

import json
from base64 import b64decode
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import StreamNotFound
from headwater.protocol.cache_headers import CURSOR_EPOCH, CURSOR_INTERVAL
from headwater.protocol.cursor import Data, Detached, Failed, Idle
from headwater.protocol.sse import Parser, ServerEvent
from headwater.protocol.sse_control import ControlEvents

if TYPE_CHECKING:
    from tests.protocol.conftest import Log

OFFSET = "0000000000000007_0000000000000001"
NOW = CURSOR_EPOCH + 1000.0 * CURSOR_INTERVAL

Told = tuple[bytes | None, dict[str, Any]]


def pairs(events: list[ServerEvent]) -> list[Told]:
    """Data, if there is any, with the control event that follows it: the only order there may be."""
    told: list[Told] = []
    data: bytes | None = None
    for event in events:
        assert event.id == b""
        if event.event == b"data":
            assert data is None
            data = event.data
        else:
            assert event.event == b"control"
            told.append((data, json.loads(event.data)))
            data = None
    assert data is None
    return told


def read(log: Log, offset: str = "-1", limit: int = 1 << 30) -> list[Told]:
    """All pairs from an offset on, with a keepalive after every batch."""
    encoder = ControlEvents(log.state.content_type, None, 1)
    body = encoder.opening()
    for batch in log.batches(offset, limit):
        body += encoder.encode(Data(batch), NOW) + encoder.encode(Idle(batch.next_offset), NOW)
    return pairs(Parser().feed(body))


def test_a_stream_from_its_start_to_its_end(make_log: type[Log]) -> None:
    """Data, then control with the offset and the cursor; at the end no cursor but the closure."""
    encoder = ControlEvents("application/json", None, 1)
    assert encoder.media_type == b"text/event-stream"
    assert encoder.opening() == b""
    log = make_log("application/json", b'[1, {"a": 2}]')
    first = log.read()
    assert encoder.encode(Data(first), NOW) == (
        b'event: data\ndata:[1,{"a": 2}]\n\n'
        b"event: control\n"
        b'data:{"streamNextOffset":"0000000000000007_0000000000000009","streamCursor":"1000","upToDate":true}\n\n'
    )
    log.append(b"3", close=True)
    assert encoder.encode(Data(log.read(first.next_offset)), NOW) == (
        b"event: data\ndata:[3]\n\n"
        b"event: control\n"
        b'data:{"streamNextOffset":"0000000000000007_0000000000000010","streamClosed":true,"upToDate":true}\n\n'
    )


def test_a_batch_before_the_tail_is_not_up_to_date(make_log: type[Log]) -> None:
    """Control says so only when there is nothing more."""
    told = read(make_log("text/plain", b"ab", b"cd"), limit=2)
    assert [control.get("upToDate") for _, control in told] == [None, True]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png"])
@pytest.mark.parametrize("close", [False, True])
def test_nothing_to_tell_is_a_control_event_alone(make_log: type[Log], content_type: str, close: bool) -> None:
    """A reader at the tail learns at once where it is, and whether that is the end."""
    log = make_log(content_type, close=close)
    [(data, control)] = read(log)
    assert data is None
    assert control["streamNextOffset"] == log.tail
    assert control["upToDate"] is True
    assert ("streamClosed" in control, "streamCursor" in control) == (close, not close)


@given(bodies=st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5))
def test_bytes_arrive_as_base64(make_log: type[Log], bodies: list[bytes]) -> None:
    """The records of a batch, one after another, in one piece of base64."""
    [(data, _)] = read(make_log("application/octet-stream", *bodies))
    assert data is not None
    assert b64decode(data, validate=True) == b"".join(bodies)


@given(values=st.lists(st.text() | st.integers(), min_size=1, max_size=6), limit=st.integers(1, 30))
def test_json_batches_are_arrays(make_log: type[Log], values: list[str | int], limit: int) -> None:
    """Each data event is one JSON array; together they are the stream, and so is the rest from every offset."""
    log = make_log("application/json", json.dumps(values, ensure_ascii=False, indent=1).encode(), close=True)
    so_far: list[str | int] = []
    for data, control in read(log, limit=limit):
        so_far += json.loads(data or b"[]")
        rest = [value for more, _ in read(log, control["streamNextOffset"]) for value in json.loads(more or b"[]")]
        assert so_far + rest == values
    assert so_far == values


@given(body=st.text(st.sampled_from("\r\n\0 :\ufeff\u2028\x85adeintvyco"), min_size=1, max_size=30))
def test_no_text_breaks_out_of_its_event(make_log: type[Log], body: str) -> None:
    """Line ends, fields and marks in text stay text; only line ends change."""
    [(data, _)] = read(make_log("text/plain", body.encode(), close=True))
    assert data == body.replace("\r\n", "\n").replace("\r", "\n").encode()


def test_a_line_end_cut_anywhere_is_one(make_log: type[Log]) -> None:
    """Every two cuts of a text with each kind of line end: as if it were whole, and so from every offset."""
    text = b"a\r\nb\rc\r\r\n\nd\r"
    whole = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for first, second in combinations(range(1, len(text)), 2):
        log = make_log("text/plain", text[:first], text[first:second], text[second:], close=True)
        for limit in (1, 2, 1 << 30):
            so_far = b""
            for data, control in read(log, limit=limit):
                so_far += data or b""
                rest = read(log, control["streamNextOffset"], limit=limit)
                assert so_far + b"".join(more or b"" for more, _ in rest) == whole


def test_bytes_that_are_no_text_are_told(make_log: type[Log]) -> None:
    """The control event says between which offsets a client reads replacement characters."""
    told = read(make_log("text/plain", b"ab", b"\xff", "€".encode()), limit=2)
    gaps = [control.get("streamReplaced") for _, control in told]
    at = [OFFSET[:-1] + str(digit) for digit in range(10)]
    assert gaps[0] == {"from": at[0], "to": at[2]} or gaps[0] is None
    assert {"from": at[2], "to": at[3]} in gaps
    assert gaps[-1] is None
    assert not any("streamReplaced" in control for _, control in read(make_log("image/png", b"\xff")))


def check_text(log: Log, text: str, limit: int) -> None:
    """The text arrives exactly, and from every offset on the rest does."""
    so_far = b""
    for data, control in read(log, limit=limit):
        so_far += data or b""
        assert so_far + b"".join(more or b"" for more, _ in read(log, control["streamNextOffset"])) == text.encode()
    assert so_far == text.encode()


def test_text_cut_inside_characters_arrives_exactly(make_log: type[Log]) -> None:
    """Every two cuts of a text, a keepalive after every batch: whole, and from every offset."""
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


def test_a_heartbeat_is_a_comment_and_so_is_no_end() -> None:
    """Clients ignore it; an end that is due in any case is not told: the client connects again."""
    encoder = ControlEvents("text/plain", None, 1)
    assert encoder.encode(Idle(OFFSET), NOW) == b":\n\n"
    assert encoder.encode(Detached(OFFSET, 0.0), NOW) == b""


@pytest.mark.parametrize(
    ("event", "field", "told"),
    [
        (Failed(OFFSET, StreamNotFound("it was deleted")), "streamError", {"code": "stream-not-found", "status": 404}),
        (Detached(OFFSET, 1.5, "stopping"), "streamDetached", {"reason": "stopping", "retry_after": 1.5}),
    ],
)
def test_an_early_end_is_told_in_a_control_event(event: Failed | Detached, field: str, told: dict[str, object]) -> None:
    """Valid for clients of the protocol alone, which come back at its offset and are told by the response."""
    [control] = Parser().feed(ControlEvents("text/plain", None, 1).encode(event, NOW))
    assert control.event == b"control"
    found = json.loads(control.data)
    assert found["streamNextOffset"] == OFFSET
    assert found["streamCursor"].isdigit()
    assert told.items() <= found[field].items()
    assert found.keys() == {"streamNextOffset", "streamCursor", field}


def test_the_client_s_cursor_is_beaten(make_log: type[Log]) -> None:
    """A client that comes back within the interval gets a cursor beyond its own."""
    encoder = ControlEvents("text/plain", "1000", 400)
    [(_, control)] = pairs(Parser().feed(encoder.encode(Data(make_log("text/plain").read()), NOW)))
    assert control["streamCursor"] == "1020"


@given(
    ahead=st.integers(-3, 300),
    jitter=st.integers(1, 3600),
    waits=st.lists(st.floats(0, 3000), min_size=1, max_size=12),
)
def test_cursors_of_one_answer_never_go_back(make_log: type[Log], ahead: int, jitter: int, waits: list[float]) -> None:
    """Whatever the client echoed, and however time goes on: each is at least the last, and beyond the client's."""
    encoder = ControlEvents("text/plain", str(1000 + ahead), jitter)
    batch = make_log("text/plain", b"a").read()
    last, now = 1000 + ahead + 1, NOW
    for wait in waits:
        now += wait
        [(_, control)] = pairs(Parser().feed(encoder.encode(Data(batch), now)))
        assert int(control["streamCursor"]) >= last
        last = int(control["streamCursor"])
        assert last >= (now - CURSOR_EPOCH) // CURSOR_INTERVAL


def test_a_cursor_beyond_the_clock_s_is_a_state_of_its_own(make_log: type[Log]) -> None:
    """Until the clock has caught up with what one reader was told, nobody else is told the same."""
    data = Data(make_log("text/plain", b"a").read())
    ahead, usual = ControlEvents("text/plain", "1000", 40), ControlEvents("text/plain", None, 40)
    for encoder in (ahead, usual):
        encoder.encode(data, NOW)
    assert ahead.state() != usual.state()
    later = NOW + 2 * CURSOR_INTERVAL
    assert ahead.encode(data, later) == usual.encode(data, later)
    assert ahead.state() == usual.state()
