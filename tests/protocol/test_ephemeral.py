"""Ephemeral events on the wires: one object, framed, and read back by the parsers of each."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from headwater.protocol.ephemeral import Ephemeral, as_event, as_line, of_stream
from headwater.protocol.names import EVENT_SIGNAL
from headwater.protocol.signals import Addressed, make_signal, told
from headwater.protocol.sse import Parser

EVENT = Ephemeral("signal", b'{"from":"ada","data":[1, 2]}')


def test_bytes_of_each_wire() -> None:
    """A named event without an id; a line of control."""
    assert as_event(EVENT) == b'event: stream-signal\ndata:{"from":"ada","data":[1, 2]}\n\n'
    assert as_line(EVENT) == b'{"control":"signal","from":"ada","data":[1, 2]}\n'
    assert of_stream(EVENT, 'a"b').body == b'{"stream":"a\\"b","from":"ada","data":[1, 2]}'


def test_an_event_has_no_id_so_that_a_reader_comes_back_behind_its_last_record() -> None:
    """The id that a parser holds is that of the record before."""
    parser = Parser()
    (record,) = parser.feed(b"id:7\ndata:x\n\n")
    (signal,) = parser.feed(as_event(EVENT))
    assert (record.id, signal.id, signal.event, parser.last_event_id) == (b"7", b"7", EVENT_SIGNAL, b"7")


@given(st.text(), st.text(min_size=1).filter(str.isprintable), st.binary(min_size=1))
def test_whatever_a_signal_says_is_one_event_and_one_line(text: str, name: str, data: bytes) -> None:
    """Line breaks, markup and control characters in the data are data."""
    addressed = Addressed(name[:256], None, name[:256], 3)
    for kind, content in (("application/json", json.dumps([text]).encode()), ("application/x", data)):
        event = told(make_signal(addressed, kind, content))
        line = as_line(of_stream(event, name))
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        (found,) = Parser().feed(as_event(event))
        shown = json.loads(found.data)
        assert {**shown, "control": "signal", "stream": name} == json.loads(line)
        assert (shown["from"], shown["topic"], shown["keep"]) == (name[:256], name[:256], 3)
        assert ("base64" in shown) == (kind == "application/x")
        if kind == "application/json":
            assert shown["data"] == [text]
