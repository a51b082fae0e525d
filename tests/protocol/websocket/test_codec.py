"""Messages as JSON: one table, records as they are stored, offsets without what they have in common."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import InvalidMessage
from headwater.model import Principal, Record
from headwater.protocol.offsets import Segment, format_offset
from headwater.protocol.spans import Span
from headwater.protocol.websocket import frames
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codec import endings
from headwater.protocol.websocket.codecs import CODECS

CODEC = CODECS["headwater.v1+json"]


def told(data: bytes) -> list[dict[str, Any]]:
    found = list(frames.split(data))
    assert all(first == frames.TEXT for first, _ in found)
    return [json.loads(payload) for _, payload in found]


def records(*data: bytes) -> Span:
    return Span((Segment(1, 0),), 0, list(data), [1000] * len(data))


def test_every_message_of_a_client_is_read_by_its_tag() -> None:
    """With the fields that it must have; what is not known is let through."""
    for cls in m.CLIENT:
        name = cls.__struct_config__.tag
        needed = {"id": 1, "path": "a", "s": 1, "o": "x", "code": "x", "token": "x"}
        fields = {key: value for key, value in needed.items() if key in cls.__struct_encode_fields__}
        found = CODEC.decode(json.dumps({"t": name, "later": [1], **fields}).encode())
        assert type(found) is cls


@pytest.mark.parametrize(
    ("sent", "detail", "id"),
    [
        (b"", "object", None),
        (b"[1]", "object", None),
        (b"nothing", "object", None),
        (b'{"t":"sub"', "object", None),
        (b"[" * 100_000, "object", None),
        (b"{}", "there is no message", None),
        (b'{"t":"nix","id":7}', "there is no message 'nix'; there are ack, append", 7),
        (b'{"t":7,"id":7}', "there is no message '7'", 7),
        (b'{"t":"sub","id":8}', "'sub' is not valid: Object missing required field `path`", 8),
        (b'{"t":"sub","id":"8","path":"a"}', "Expected `int`", None),
        (b'{"t":"append","id":9,"path":"a","b":["!"]}', "base64", 9),
        (b'{"t":"append","id":9,"path":"a","r":{"x":1}}', "Expected `array | null`, got `object` - at `$.r`", 9),
        (b'{"t":"append","id":9,"path":"a","p":["x",1]}', "length 3", 9),
        (b'{"t":"append","id":9,"path":"a","create":{"tll":1}}', "unknown field", 9),
        (b'{"t":"sub","id":8,"path":"a","window":1.5}', "Expected `int", 8),
    ],
)
def test_what_is_no_message(sent: bytes, detail: str, id: int | None) -> None:
    """It is refused in words, with the id of the message if it has one."""
    with pytest.raises(InvalidMessage) as caught:
        CODEC.decode(sent)
    assert detail in caught.value.message
    assert caught.value.details.get("id") == id


def test_records_go_out_as_they_are_stored() -> None:
    """Spaces, the order of keys and large numbers stay."""
    stored = [b'{"b": 1,  "a":2}', b"12345678901234567890", b'"x"']
    frame = CODEC.data(7, "application/json", records(*stored), envelope=False)
    (_, payload), *_ = frames.split(frame)
    assert payload.endswith(b',"r":[' + b",".join(stored) + b"]}")
    (found,) = told(frame)
    assert found["s"] == 7
    assert list(found) == ["t", "s", "o", "e", "r"]


def test_one_record_has_no_list_of_offsets() -> None:
    """71 bytes and the header of the frame around it."""
    frame = CODEC.data(7, "application/json", records(b"1"), envelope=False)
    assert told(frame) == [{"t": "data", "s": 7, "o": format_offset(1, 1), "r": [1]}]


@pytest.mark.parametrize(
    ("content_type", "data", "field"),
    [
        ("text/plain", ["hé".encode(), b'"'], {"r": ["hé", '"']}),
        ("text/plain", [b"a", b"\xff"], {"b": ["YQ==", "/w=="]}),
        ("application/octet-stream", [b"a", b"\x00"], {"b": ["YQ==", "AA=="]}),
    ],
)
def test_other_types(content_type: str, data: list[bytes], field: dict[str, Any]) -> None:
    """Text is strings, unless one is no UTF-8; everything else is base64."""
    (found,) = told(CODEC.data(1, content_type, records(*data), envelope=True))
    assert {key: found[key] for key in field} == field
    assert found["at"] == [1.0, 1.0]


def test_who_appended_each() -> None:
    """Null where nobody is named; not there where that is so of all, or nobody asks."""
    by = [None, Principal("u1"), Principal('u"1', "https://app.example")]
    found = [Record("x", b"1", 1.5, each) for each in by]
    (message,) = told(CODEC.data(7, "application/json", found, envelope=True))
    assert message["by"] == [None, {"subject": "u1"}, {"subject": 'u"1', "issuer": "https://app.example"}]
    (message,) = told(CODEC.page(m.Page(3, "x", "y"), "text/plain", found, envelope=True))
    assert message["by"][0] is None
    assert b'"by"' not in CODEC.data(7, "application/json", found, envelope=False)
    assert b'"by"' not in CODEC.data(7, "application/json", found[:1], envelope=True)


@given(st.integers(0, 10**15), st.lists(st.integers(1, 10**6), min_size=1, max_size=50))
def test_a_client_puts_the_offsets_together(start: int, sizes: list[int]) -> None:
    """`o` without as many characters as the entry has, and the entry."""
    offsets, at = [], start
    for size in sizes:
        at += size
        offsets.append(format_offset(3, at).encode())
    last = offsets[-1].decode()
    ends = [each.decode() for each in endings(offsets)]
    assert [last[: len(last) - len(end)] + end for end in ends] + [last] == [each.decode() for each in offsets]


def test_a_page_has_its_records_behind_its_fields() -> None:
    """Without records it is the message alone."""
    page = m.Page(3, "x", "y", live=True)
    assert told(CODEC.page(page, "application/json", (), envelope=False)) == [
        {"t": "page", "id": 3, "from": "x", "o": "y", "live": True}
    ]
    (found,) = told(CODEC.page(page, "application/json", (Record("y", b"1"),), envelope=False))
    assert found["r"] == [1]


def test_tags_are_told_apart_in_each_direction() -> None:
    """And the tables have every message once."""
    for table in (m.CLIENT, m.SERVER):
        tags = [cls.__struct_config__.tag for cls in table]
        assert len(set(tags)) == len(tags)
