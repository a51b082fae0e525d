"""`Accept`: which of three forms a stream is sent in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.model import Mode
from headwater.protocol.accept import MAX_RANGES, NAMES, accepted

OWN, LINES, EVENTS = Mode.CATCH_UP, Mode.NDJSON, Mode.EVENTS
#: `Accept`, and the form of a JSON stream and of one that is `text/plain; charset=UTF-8`.
CASES: list[tuple[str, Mode, Mode]] = [
    ("", OWN, OWN),
    ("*/*", OWN, OWN),
    ("text/event-stream", EVENTS, EVENTS),
    ("Text/Event-Stream;Charset=UTF-8", EVENTS, EVENTS),
    ("text/event-stream;q=0", OWN, OWN),
    ("text/event-stream;q=0.000", OWN, OWN),
    ("text/event-stream;q=0.001", EVENTS, EVENTS),
    # What MCP's clients send.
    ("application/json, text/event-stream", OWN, EVENTS),
    ("text/event-stream, application/json", OWN, EVENTS),
    ("application/json;q=0.9, text/event-stream", EVENTS, EVENTS),
    ("application/json, text/event-stream;q=0.1", OWN, EVENTS),
    ("application/json, text/event-stream;q=0", OWN, OWN),
    ("application/json;q=0, text/event-stream;q=0.1", EVENTS, EVENTS),
    ("application/json;q=0", OWN, OWN),
    # NDJSON before SSE, unless the weights say otherwise.
    ("text/event-stream, application/x-ndjson", LINES, LINES),
    ("application/x-ndjson;q=0.1, text/event-stream;q=0.9", EVENTS, EVENTS),
    ("application/x-ndjson;q=0, text/event-stream;q=0.1, application/jsonl;q=0.2", LINES, LINES),
    # A wildcard is for what ends; a range that says more counts before one that says less.
    ("text/event-stream, */*", OWN, OWN),
    ("text/event-stream, */*;q=0.5", EVENTS, EVENTS),
    ("text/*", OWN, OWN),
    ("application/*, text/html", OWN, OWN),
    ("text/*, application/x-ndjson;q=0.5", LINES, OWN),
    ("text/event-stream;q=0.5, text/*;q=0.4, text/plain;q=0.6", EVENTS, OWN),
    ("text/event-stream;q=0.5, text/plain;q=0, */*", OWN, EVENTS),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", OWN, OWN),
    # Parameters.
    ("text/plain;charset=utf-8, text/event-stream", EVENTS, OWN),
    ('text/plain;charset="utf\\-8", text/event-stream', EVENTS, OWN),
    ("text/plain;charset=latin1, text/event-stream;q=0.1", EVENTS, EVENTS),
    ("text/plain;charset=utf-8;q=0.2, text/plain, text/event-stream;q=0.5", EVENTS, EVENTS),
    ('application/json;a=", text/event-stream", application/x-ndjson', LINES, LINES),
    ("text/event-stream;version=2", OWN, OWN),
    ("text/event-stream;q=0.5;level=1;x", EVENTS, EVENTS),
    # Space, and empty elements.
    (" ,, text/event-stream ;\tq=1.0 , ,", EVENTS, EVENTS),
    # What is not in the grammar counts as absent, all of it.
    *((f"text/event-stream{bad}", OWN, OWN) for bad in (";q=2", ";q=-1", ";q=a", ";q=.5", ";q=1.1", ";q=", ";q", ' "')),
    *(
        (f"text/event-stream, {bad}", OWN, OWN)
        for bad in ("*", "x", "*/json", "a/b/c", "a /b", "a/b c/d", ";", 'a/b;c="')
    ),
]


@pytest.mark.parametrize(("value", "json", "text"), CASES)
def test_weights_decide_then_the_order(value: str, json: Mode, text: Mode) -> None:
    """By the ranges and the stream's type, and by nothing else."""
    found = accepted(value)
    assert found.mode("application/json") is json
    assert found.mode("text/plain; charset=UTF-8") is text
    assert found.always in (json, None)
    assert found.always in (text, None)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_alone_needs_no_type(name: str) -> None:
    """What `EventSource` and `fetch` send is decided at once, also for a stream whose own type it is."""
    found = accepted(name)
    assert found.always is found.mode(name) is NAMES[name]
    assert found.name == name.encode()


def test_the_name_is_the_one_that_was_preferred() -> None:
    """Clients look for it in `Content-Type`."""
    assert accepted("application/x-ndjson;q=0.5, application/jsonl, text/event-stream").name == b"application/jsonl"


def test_a_very_long_header_counts_as_absent() -> None:
    """It would take long to read, and no client has so many wishes."""
    assert accepted(", ".join(["a/b"] * (MAX_RANGES - 1) + ["text/event-stream"])).mode("x/y") is EVENTS
    assert accepted(", ".join(["a/b"] * MAX_RANGES + ["text/event-stream"])).mode("x/y") is OWN


kinds = st.sampled_from([*NAMES, "application/json", "text/plain", "text/*", "application/*", "*/*", "text/html"])
weights = st.sampled_from(["", ";q=0", ";q=0.5", ";q=1", ";charset=utf-8", ";charset=utf-8;q=0.7", ";x=y;q=0.3"])
headers = st.lists(st.tuples(kinds, weights).map("".join), max_size=5).map(", ".join)
types = st.sampled_from(
    ["application/json", "text/plain", "text/plain;charset=utf-8", "a/b", "text/event-stream", "none", ""]
)


@given(value=headers, content_type=types)
def test_what_is_always_so_is_so(value: str, content_type: str) -> None:
    """The type is asked for only where it matters, and a form that goes on is named and not refused."""
    found = accepted(value)
    mode = found.mode(content_type)
    assert found.always in (mode, None)
    if mode is not OWN:
        assert NAMES[found.name.decode()] is mode
        assert found.name.decode() in value
        assert f"{found.name.decode()};q=0" not in value.replace(";q=0.5", "")


@given(st.text(max_size=40) | st.lists(st.sampled_from(list('ab*/;,="\\ q0.1')), max_size=20).map("".join))
def test_any_text_is_read(value: str) -> None:
    """Nothing is raised."""
    assert accepted(value).mode(value) in (OWN, LINES, EVENTS)
