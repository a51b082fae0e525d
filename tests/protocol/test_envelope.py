"""Records with what is known of them."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest

from headwater.errors import BadRequest
from headwater.model import Batch, Mode, Principal, Record
from headwater.protocol.commands import Read
from headwater.protocol.cursor import Data
from headwater.protocol.envelope import enveloped
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.requests import parse_request
from headwater.protocol.sse import Parser
from headwater.protocol.sse_plain import PlainEvents

OFFSETS = [f"{1:016}_{end:016}" for end in (1, 2, 3)]
JSON, TEXT, BYTES = "application/json", "text/plain", "application/octet-stream"


def batch(content_type: str, *data: bytes) -> Batch:
    records = tuple(
        Record(offset, each, 1.5 + number) for number, (offset, each) in enumerate(zip(OFFSETS, data, strict=False))
    )
    return Batch(
        f"{1:016}_{0:016}", records, records[-1].offset, up_to_date=True, closed=False, content_type=content_type
    )


@pytest.mark.parametrize(
    ("content_type", "data", "field"),
    [
        (JSON, b'{"a":  1.50}', b'"data":{"a":  1.50}'),
        (TEXT, "ä\r\n".encode(), b'"data":"\xc3\xa4\\r\\n"'),
        (TEXT, b"\xff", b'"base64":"/w=="'),
        (BYTES, b"\x00", b'"base64":"AA=="'),
    ],
)
def test_each_kind_has_its_field(content_type: str, data: bytes, field: bytes) -> None:
    """The bytes of JSON as they are; the time with its milliseconds."""
    [found] = enveloped(content_type, [Record(OFFSETS[0], data, 1764000000.123)])
    assert found == b'{"offset":"%b","at":1764000000.123,%b}' % (OFFSETS[0].encode(), field)


def test_who_appended_it() -> None:
    """As the proof has it, whatever its names are; without an issuer, where it is the application's own."""
    one, strange = Principal("u1"), Principal('u"1\n', "https://app.example/é")
    found = enveloped(JSON, [Record(OFFSETS[0], b"1", 1.5, one), Record(OFFSETS[1], b"2", 1.5, strange)])
    assert found[0] == b'{"offset":"%b","at":1.500,"by":{"subject":"u1"},"data":1}' % OFFSETS[0].encode()
    assert b"\n" not in found[1]
    assert json.loads(found[1])["by"] == {"subject": 'u"1\n', "issuer": "https://app.example/é"}


def test_events_and_lines_have_them() -> None:
    """The id of an event and what follows are as without; an event key names events as before."""
    found = batch(JSON, b'{"kind":"x","n":1}', b"2")
    events = Parser().feed(PlainEvents(JSON, "kind", envelope=True).encode(Data(found), 0.0))
    assert [(event.event, event.id) for event in events] == [
        (b"x", OFFSETS[0].encode()),
        (b"", OFFSETS[1].encode()),
    ]
    told = [json.loads(event.data) for event in events]
    assert told == [
        {"offset": OFFSETS[0], "at": 1.5, "data": {"kind": "x", "n": 1}},
        {"offset": OFFSETS[1], "at": 2.5, "data": 2},
    ]
    lines = JsonLines(JSON, envelope=True).encode(Data(found), 0.0).splitlines()
    assert [json.loads(line) for line in lines] == [*told, {"control": "up-to-date", "offset": OFFSETS[1]}]


def test_characters_stay_whole() -> None:
    """What one append begins and the next one ends comes with the later one, and its time; nothing is replaced."""
    first, second = "xä".encode()[:2], "xä".encode()[2:] + b"\r\n"
    [one, two] = Parser().feed(PlainEvents(TEXT, envelope=True).encode(Data(batch(TEXT, first, second)), 0.0))
    assert json.loads(one.data)["data"] == "x"
    assert json.loads(two.data) == {"offset": OFFSETS[1], "at": 2.5, "data": "ä\r\n"}
    lines = JsonLines(BYTES, envelope=True).encode(Data(batch(BYTES, b"\x80")), 0.0).splitlines()
    assert b64decode(json.loads(lines[0])["base64"]) == b"\x80"


def test_it_is_asked_for_where_it_has_a_place() -> None:
    """By 1, in plain SSE, NDJSON and pages; every other way is refused."""
    page = parse_request("GET", "s", b"last=2&envelope=1", {})
    assert isinstance(page, Read)
    assert (page.mode, page.envelope) == (Mode.CATCH_UP, True)
    for accept, mode in ((b"text/event-stream", Mode.EVENTS), (b"application/x-ndjson", Mode.NDJSON)):
        command = parse_request("GET", "s", b"envelope=1", {b"accept": accept})
        assert isinstance(command, Read)
        assert (command.mode, command.envelope) == (mode, True)
    bad: tuple[tuple[bytes, dict[bytes, bytes]], ...] = (
        (b"envelope=1", {}),
        (b"envelope=1&live=sse&offset=-1", {}),
        (b"envelope=yes", {b"accept": b"text/event-stream"}),
    )
    for query, headers in bad:
        with pytest.raises(BadRequest, match="envelope"):
            parse_request("GET", "s", query, headers)
