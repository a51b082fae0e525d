"""Streams that end before they are complete: what a failure may be, and what each format says of one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import BadRequest, StreamClosed
from headwater.model import Batch, Failure
from headwater.protocol.cursor import Data
from headwater.protocol.failure import MAX_MESSAGE, check_failure, failure_headers, parse_failure
from headwater.protocol.ledger import Append, append
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.requests import Write, parse_request
from headwater.protocol.sse import Parser
from headwater.protocol.sse_control import ControlEvents
from headwater.protocol.sse_plain import PlainEvents

if TYPE_CHECKING:
    from tests.protocol.conftest import Log

TAIL = "0000000000000007_0000000000000003"
FAILURE = Failure("timeout", "no answer; 100 % \N{LATIN SMALL LETTER A WITH DIAERESIS}")

codes = st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True)
messages = st.text(max_size=200).filter(str.isprintable)


def last_batch(content_type: str) -> Batch:
    return Batch(TAIL, (), TAIL, up_to_date=True, closed=True, content_type=content_type, failure=FAILURE)


@given(code=codes, message=messages)
def test_headers_carry_any_failure(code: str, message: str) -> None:
    """ASCII without line breaks on the wire, and the same failure when read back."""
    headers = dict(failure_headers(Failure(code, message)))
    assert all(32 <= byte < 127 for value in headers.values() for byte in value)
    read = {name: value.decode() for name, value in headers.items()}
    found = parse_failure(read.get(b"stream-failure"), read.get(b"stream-failure-message"))
    assert found == Failure(code, message)


def test_no_failure_no_headers() -> None:
    """Neither way."""
    assert failure_headers(None) == []
    assert parse_failure(None, None) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("", None),
        ("Timeout", None),
        ("-a", None),
        ("a b", None),
        ("a" * 65, None),
        ("a", "x" * (MAX_MESSAGE + 1)),
        ("a", "%0A"),
        ("a", "%FF"),
        (None, "x"),
    ],
)
def test_what_a_failure_may_not_be(code: str | None, message: str | None) -> None:
    """A code that is none, a message too long, of many lines, not UTF-8, or without a code: 400."""
    with pytest.raises(BadRequest):
        parse_failure(code, message)


def test_the_longest_failure_is_allowed() -> None:
    """At both limits."""
    failure = Failure("a" * 64, "x" * MAX_MESSAGE)
    assert check_failure(failure) is failure


def test_a_request_that_fails_a_stream_closes_it() -> None:
    """With or without `Stream-Closed`."""
    for headers in ({b"stream-failure": b"timeout"}, {b"stream-failure": b"timeout", b"stream-closed": b"true"}):
        command = parse_request("POST", "a", b"", headers)
        assert isinstance(command, Write)
        assert (command.close, command.failure) == (True, Failure("timeout"))


def test_a_failed_stream_takes_nothing_and_says_why(make_log: type[Log]) -> None:
    """The refusal names the failure's code."""
    log = make_log("text/plain", b"abc")
    append(log.state, None, Append(close=True, failure=FAILURE), 0.0)
    with pytest.raises(StreamClosed, match="timeout"):
        append(log.state, None, Append(b"x"), 0.0)


def test_plain_events_end_with_another_event() -> None:
    """`stream-failed` in place of `stream-closed`, with the offset as its id."""
    (event,) = Parser().feed(PlainEvents("text/plain").encode(Data(last_batch("text/plain")), 0.0))
    assert (event.event, event.id) == (b"stream-failed", TAIL.encode())
    assert json.loads(event.data) == {"offset": TAIL, "code": FAILURE.code, "message": FAILURE.message}


def test_control_events_say_closed_and_why() -> None:
    """A client of the protocol alone sees a closed stream; ours sees the failure beside it."""
    encoder = ControlEvents("text/plain", None, 1)
    (event,) = Parser().feed(encoder.encode(Data(last_batch("text/plain")), 0.0))
    control = json.loads(event.data)
    assert control["streamClosed"] is True
    assert control["streamFailure"] == {"code": FAILURE.code, "message": FAILURE.message}


def test_lines_end_with_failed() -> None:
    """`failed` in place of `closed`."""
    line = json.loads(JsonLines("text/plain").encode(Data(last_batch("text/plain")), 0.0))
    assert line == {"control": "failed", "offset": TAIL, "code": FAILURE.code, "message": FAILURE.message}
