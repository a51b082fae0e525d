"""Messages as MessagePack: maps with the names of JSON, JSON values as the bytes of their text."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.websocket.test_protobuf import message_of, raws

from headwater.errors import InvalidMessage
from headwater.model import Principal, Record
from headwater.protocol.given import GivenConfig
from headwater.protocol.offsets import Segment
from headwater.protocol.spans import Span
from headwater.protocol.websocket import frames
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codecs import CODECS
from headwater.protocol.websocket.schema import SERVER_NUMBERS

CODEC = CODECS["headwater.v1+msgpack"]
JSON = CODECS["headwater.v1+json"]

pack = msgspec.msgpack.encode


def unpacked(data: bytes) -> dict[str, Any]:
    ((first, payload),) = frames.split(data)
    assert first == frames.BINARY
    found: dict[str, Any] = msgspec.msgpack.decode(payload)
    return found


def span(*data: bytes) -> Span:
    return Span((Segment(1, 0),), 0, list(data), [1500] * len(data))


def as_text(value: Any) -> Any:
    """What MessagePack has, as JSON has it: the texts of values are values, bytes are base64."""
    return json.loads(value) if isinstance(value, bytes) else [json.loads(each) for each in value]


@given(st.data())
def test_the_fields_are_those_of_json(data: st.DataObject) -> None:
    """Every message of the server: the same names, the same values."""
    cls = data.draw(st.sampled_from([cls for cls in SERVER_NUMBERS.values() if cls not in (m.Data, m.Page)]))
    message = data.draw(message_of(cls))
    found = unpacked(CODEC.encode(message))
    ((_, payload),) = frames.split(JSON.encode(message))
    expected = json.loads(payload)
    for name in ("data", "members", "joined", "changed"):
        if found.get(name) is not None:
            found[name] = as_text(found[name])
    if "b" in found:
        found["b"] = json.loads(msgspec.json.encode(found["b"]))
    assert found == expected


@given(raws, st.lists(raws, min_size=1, max_size=3))
def test_values_of_a_client_are_texts(one: msgspec.Raw, several: list[msgspec.Raw]) -> None:
    """As bytes or as a string; checked, so that nothing else comes in between."""
    sent = {"t": "append", "id": 1, "path": "a", "r": [bytes(each) for each in several], "later": [None]}
    found = CODEC.decode(pack(sent))
    assert isinstance(found, m.Append)
    assert [bytes(each) for each in found.r or ()] == [bytes(each) for each in several]
    for value in (bytes(one), bytes(one).decode()):
        found = CODEC.decode(pack({"t": "signal", "s": 1, "data": value}))
        assert isinstance(found, m.SendSignal)
        assert isinstance(found.data, msgspec.Raw)
        assert bytes(found.data) == bytes(one)


def test_what_is_not_given() -> None:
    found = CODEC.decode(pack({"t": "signal", "b": b"\x00\xff", "id": 3}))
    assert isinstance(found, m.SendSignal)
    assert (found.b, found.data is msgspec.UNSET, found.id) == (b"\x00\xff", True, 3)
    found = CODEC.decode(pack({"t": "append", "id": 1, "p": ["x", 1, 2], "create": {"ttl": 5}, "b": [b"\xff"]}))
    assert isinstance(found, m.Append)
    assert (found.p, found.create, found.b, found.r) == (("x", 1, 2), GivenConfig(ttl=5), [b"\xff"], None)


@pytest.mark.parametrize(
    ("sent", "detail", "id"),
    [
        (b"", "object", None),
        (b"\xc1", "object", None),
        (pack([1]), "object", None),
        (b"\x91" * 100_000, "object", None),
        (b'{"t":"ping"}', "object", None),
        (pack({"id": 7}), "there is no message", 7),
        (pack({"t": "nix", "id": 7}), "there is no message 'nix'; there are ack, append", 7),
        (pack({"t": "sub", "id": 8}), "'sub' is not valid: Object missing required field `path`", 8),
        (pack({"t": "append", "id": 9, "r": [b"1,2"]}), "r has the text of a JSON value, as bytes", 9),
        (pack({"t": "append", "id": 9, "r": [b"1", b"2]"]}), "r has the text of a JSON value, as bytes", 9),
        (pack({"t": "append", "id": 9, "r": [{"x": 1}]}), "as bytes: it is dict", 9),
        (pack({"t": "append", "id": 9, "r": [b""]}), "r has the text", 9),
        (pack({"t": "signal", "s": 9, "data": None}), "as bytes: it is NoneType", None),
        (pack({"t": "signal", "s": 9, "data": b"\xff"}), "data has the text", None),
        (b"\x83\xa1t\xa6append\xa2id\x09\xa1r\x91\xa1\xff", "r has the text of a JSON value, as bytes", 9),
        (pack({"t": "append", "id": 9, "b": "x"}), "Expected `array | null`", 9),
    ],
)
def test_what_is_no_message_is_refused(sent: bytes, detail: str, id: int | None) -> None:
    with pytest.raises(InvalidMessage) as caught:
        CODEC.decode(sent)
    assert detail in caught.value.message
    assert caught.value.details.get("id") == id


@given(st.binary(max_size=200))
def test_bytes_of_any_kind(data: bytes) -> None:
    """A message, or a refusal."""
    try:
        CODEC.decode(data)
    except InvalidMessage:
        return


@pytest.mark.parametrize("envelope", [False, True])
@pytest.mark.parametrize("count", [1, 2, 16, 17, 70_000])
def test_records_are_bytes_as_they_are_stored(count: int, envelope: bool) -> None:
    """However many; a page has its own fields before them."""
    data = [b'{"n":%d}' % number for number in range(count)]
    told = unpacked(CODEC.data(7, "application/json", span(*data), envelope=envelope))
    assert list(told)[:3] == ["t", "s", "o"]
    last = told["o"]
    offsets = [last[: len(last) - len(end)] + end for end in told.get("e", [])] + [last]
    assert (told["t"], told["s"], told["b"]) == ("data", 7, data)
    assert offsets == [record.offset for record in span(*data)]
    assert told.get("at") == ([1.5] * count if envelope else None)
    page = m.Page(3, "x", last, live=True, earlier=True, closed=True, code="c", message="d")
    told = unpacked(CODEC.page(page, "text/plain", span(*data), envelope=envelope))
    assert (told["id"], told["live"], told["message"], told["b"]) == (3, True, "d", data)
    assert unpacked(CODEC.page(page, "text/plain", (), envelope=envelope)).get("b") is None


def test_who_appended_each() -> None:
    """Null where nobody is named; not there where that is so of all, or nobody asks."""
    by = [None, Principal("u1"), Principal("u1", "https://app.example")]
    records = [Record("x", b"1", 1.5, each) for each in by]
    told = unpacked(CODEC.data(7, "application/json", records, envelope=True))
    assert told["by"] == [None, {"subject": "u1"}, {"subject": "u1", "issuer": "https://app.example"}]
    assert "by" not in unpacked(CODEC.data(7, "application/json", records, envelope=False))
    assert "by" not in unpacked(CODEC.data(7, "application/json", records[:1], envelope=True))


@pytest.mark.parametrize("size", [1, 255, 256, 65_535, 65_536])
def test_a_record_of_any_size(size: int) -> None:
    assert unpacked(CODEC.data(1 << 40, "image/png", span(bytes(size)), envelope=False))["b"] == [bytes(size)]


#: What is told for ever.
VECTORS: list[tuple[m.ServerMessage, str]] = [
    (m.Live(4, "0_1"), "83a174a46c697665a17304a16fa3305f31"),
    (m.Signal(2, keep=0, data=msgspec.Raw(b"null")), "84a174a67369676e616ca17302a46b65657000a464617461c4046e756c6c"),
    (m.Beat(), "81a174a470696e67"),
]


@pytest.mark.parametrize(("message", "expected"), VECTORS, ids=lambda value: type(value).__name__)
def test_vectors(message: m.ServerMessage, expected: str) -> None:
    ((_, payload),) = frames.split(CODEC.encode(message))
    assert payload.hex() == expected


def test_a_vector_of_records() -> None:
    told = CODEC.data(4, "application/json", span(b"1", b"22"), envelope=False)
    offset = b"0000000000000001_0000000000000003"
    assert (
        told
        == b"\x82\x3f\x85\xa1t\xa4data\xa1s\x04\xa1o\xd9\x21" + offset + b"\xa1e\x91\xa11\xa1b\x92\xc4\x011\xc4\x0222"
    )
