"""Bodies of MessagePack values and of Protobuf messages, taken apart whole, byte by byte and cut at each point."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.errors import InvalidBody, TooManyRecords
from headwater.protocol.delimited import MAX_MESSAGE, MessageSplitter, delimited, encode_length, message_of
from headwater.protocol.framing import (
    encode_value,
    join_records,
    payloads,
    same_content_type,
    split_body,
    split_message,
    split_value,
)
from headwater.protocol.msgpack import ValueSplitter, from_json, to_json
from headwater.protocol.splitter import Splitter

MSGPACK: Final = "application/msgpack"
PROTOBUF: Final = "application/x-protobuf; encoding=delimited"

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.binary(max_size=300)
    | st.builds(msgspec.msgpack.Ext, st.integers(-128, 127).filter(lambda code: code != -1), st.binary(max_size=40))
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text("ab", max_size=3), inner, max_size=20),
    max_leaves=20,
)
packed = values.map(msgspec.msgpack.encode)


def outcome(splitter: Splitter, pieces: list[bytes]) -> list[bytes] | tuple[str, int]:
    """The records; or what is wrong, and where."""
    found = []
    try:
        for piece in pieces:
            found += splitter.feed(piece)
        splitter.end()
    except InvalidBody as error:
        return error.message, int(error.details["position"])
    return found


def however_it_is_cut(make: Callable[[], Splitter], body: bytes) -> list[bytes] | tuple[str, int]:
    whole = outcome(make(), [body])
    assert outcome(make(), [body[at : at + 1] for at in range(len(body))]) == whole
    for cut in range(1, len(body)):
        assert outcome(make(), [body[:cut], body[cut:]]) == whole, cut
    return whole


class Walker:
    """MessagePack by its specification, as slow as it is plain: what the splitter is compared with."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise EOFError
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def skip(self) -> None:
        """One value; raises EOFError, or LookupError with the position of what is none."""
        left = 1
        while left:
            left += self._inner() - 1

    def _inner(self) -> int:
        place = self.at
        [code] = self.take(1)
        if code <= 0x7F or code >= 0xE0 or code in (0xC0, 0xC2, 0xC3):
            return 0
        if code <= 0x8F:
            return 2 * (code & 0x0F)
        if code <= 0x9F:
            return code & 0x0F
        if code <= 0xBF:
            self.take(code & 0x1F)
        elif code in (0xC4, 0xC5, 0xC6):
            self.take(self.number(1 << (code - 0xC4)))
        elif code in (0xC7, 0xC8, 0xC9):
            self.take(self.number(1 << (code - 0xC7)) + 1)
        elif code in (0xCA, 0xCB):
            self.take(4 << (code - 0xCA))
        elif 0xCC <= code <= 0xD3:
            self.take(1 << ((code - 0xCC) % 4))
        elif 0xD4 <= code <= 0xD8:
            self.take((1 << (code - 0xD4)) + 1)
        elif code in (0xD9, 0xDA, 0xDB):
            self.take(self.number(1 << (code - 0xD9)))
        elif code in (0xDC, 0xDD):
            return self.number(2 << (code - 0xDC))
        elif code in (0xDE, 0xDF):
            return 2 * self.number(2 << (code - 0xDE))
        else:
            raise LookupError(place)
        return 0


def walked(body: bytes) -> list[bytes] | int:
    """The values by the walker; or the position of what is none, or of a value that is not whole."""
    walker, found, start = Walker(body), [], 0
    while walker.at < len(body):
        start = walker.at
        try:
            walker.skip()
        except EOFError:
            return start
        except LookupError as error:
            return int(error.args[0])
        found.append(body[start : walker.at])
    return found


@given(st.lists(packed, max_size=5))
def test_values_are_kept_apart(items: list[bytes]) -> None:
    """However the body is cut; joined they are the body again."""
    body = b"".join(items)
    assert however_it_is_cut(ValueSplitter, body[:200]) is not None
    assert outcome(ValueSplitter(), [body]) == items
    assert split_body(MSGPACK, body) == tuple(items)
    assert join_records(MSGPACK, items) == body


@given(st.binary(max_size=40) | st.lists(packed, min_size=1, max_size=3).map(b"".join))
@example(b"\xc1")
@example(b"\x92\x01\xc1")
@example(b"\x01\x92\x01")
@example(b"\xdd\xff\xff\xff\xff\x01")
@example(b"\xdf\xff\xff\xff\xff")
@example(b"\xc6\xff\xff\xff\xff12")
@example(b"\xd9\x02\xff\xfe\x01")
@example(b"\xd4\x05a\xc7\x00\x05")
def test_values_are_where_the_specification_has_them(body: bytes) -> None:
    """The splitter goes by what msgspec says; this one by the specification."""
    expected, found = walked(body), outcome(ValueSplitter(), [body])
    assert found == expected if isinstance(expected, list) else found[1] == expected


@pytest.mark.parametrize(
    ("body", "position", "reason"),
    [
        (b"\xc1", 0, "invalid opcode"),
        (b"\x01\x02\x93\x01\xc1", 4, "invalid opcode"),
        (b"\x01\x93\x01", 1, "not whole"),
        (b"\x01\xa5abc", 1, "not whole"),
        (b"\x01" + b"\x91" * 100_000 + b"\x01", 1, "nested too deeply"),
    ],
)
def test_what_is_no_value_is_told_with_its_place(body: bytes, position: int, reason: str) -> None:
    with pytest.raises(InvalidBody, match=rf"byte {position}: .*{reason}") as told:
        split_body(MSGPACK, body)
    assert told.value.details == {"position": position}


def test_the_words_of_msgspec_are_known() -> None:
    """It has no other way to say where a value ends."""
    with pytest.raises(msgspec.DecodeError, match=re.escape("trailing characters (byte 2)")):
        msgspec.msgpack.decode(b"\x91\x01\x01", type=msgspec.Raw)
    with pytest.raises(msgspec.DecodeError, match=r"^Input data was truncated$"):
        msgspec.msgpack.decode(b"\x91", type=msgspec.Raw)


messages = st.binary(max_size=300)


@given(st.lists(messages, max_size=4))
@example([b"", b""])
@example([b"x" * 128])
def test_messages_are_kept_apart(items: list[bytes]) -> None:
    """Empty ones too; each record keeps its length, and is its message without."""
    body = delimited(items)
    records = however_it_is_cut(MessageSplitter, body[:150])
    records = outcome(MessageSplitter(), [body])
    assert isinstance(records, list)
    assert [message_of(record) for record in records] == items
    assert b"".join(records) == body
    assert split_body(PROTOBUF, body) == tuple(records)


@given(st.binary(max_size=30))
def test_what_is_no_message_is_refused_alike(body: bytes) -> None:
    """However it is cut, with the same words and place; what is accepted gives the same bytes."""
    found = however_it_is_cut(MessageSplitter, body)
    assert isinstance(found, tuple) or b"".join(found) == body


@pytest.mark.parametrize(
    ("body", "position", "reason"),
    [
        (b"\x02a", 0, "not whole"),
        (b"\x01a\x80", 2, "not whole"),
        (b"\x01a\x80\x80\x80\x80\x80\x01", 2, "at most 5 bytes"),
        (b"\xff\xff\xff\xff\x0f", 0, "4294967295"),
    ],
)
def test_what_is_no_message_is_told_with_its_place(body: bytes, position: int, reason: str) -> None:
    with pytest.raises(InvalidBody, match=rf"byte {position}: .*{reason}") as told:
        split_body(PROTOBUF, body)
    assert told.value.details == {"position": position}


@given(st.integers(0, MAX_MESSAGE))
@example(MAX_MESSAGE)
def test_a_length_is_a_varint(length: int) -> None:
    """Seven bits a byte, the lowest first."""
    encoded = encode_length(length)
    assert sum((byte & 0x7F) << 7 * number for number, byte in enumerate(encoded)) == length
    assert [byte >> 7 for byte in encoded] == [1] * (len(encoded) - 1) + [0]


@given(st.binary(max_size=10))
def test_old_records_are_given_as_they_are(record: bytes) -> None:
    """A stream of this type may have some from before its records were kept apart."""
    try:
        is_message = split_body(PROTOBUF, record) == (record,)
    except InvalidBody:
        is_message = False
    assert is_message or message_of(record) == record


@pytest.mark.parametrize(("kind", "one"), [(MSGPACK, b"\x01"), (PROTOBUF, b"\x00")])
def test_records_are_counted_while_they_are_split(kind: str, one: bytes) -> None:
    assert len(split_body(kind, one * 10, max_records=10)) == 10
    with pytest.raises(TooManyRecords, match="more than max_append_records=9"):
        split_body(kind, one * 10 + b"\xc1", max_records=9)


def test_a_type_has_several_names() -> None:
    """They are one type, with parameters and without."""
    assert same_content_type("application/x-msgpack", "application/vnd.msgpack; a=b")
    assert same_content_type('Application/Protobuf;encoding="Delimited"', PROTOBUF)
    assert not same_content_type("application/x-protobuf", PROTOBUF)
    assert same_content_type("application/x-protobuf; a=b", "application/vnd.google.protobuf")
    assert not same_content_type(MSGPACK, PROTOBUF)
    assert split_body("application/vnd.msgpack", b"\x01\x02") == (b"\x01", b"\x02")
    assert split_body("application/protobuf; messageType=x; encoding=delimited", b"\x00\x00") == (b"\x00", b"\x00")


@given(values.filter(lambda value: not isinstance(value, bytes) and "Ext" not in repr(value)))
def test_a_value_is_one_record(value: Any) -> None:
    """A list too: nothing is flattened."""
    record = encode_value(MSGPACK, value)
    assert split_body(MSGPACK, record) == (record,)
    assert msgspec.msgpack.decode(record) == value


@pytest.mark.parametrize("json", [b'{"a": [1, -2.5, null, "\\ud800"]}', b"[]", b'"x"', b"18446744073709551615"])
def test_a_json_value_is_one_record_too(json: bytes) -> None:
    (record,) = split_value(MSGPACK, json)
    assert record == from_json(json)
    assert msgspec.json.decode(to_json(record)) is not Ellipsis


@pytest.mark.parametrize("json", [b"1e999", b"18446744073709551616", b"[1", b"1 2", b"NaN", b"[" * 100_000])
def test_what_has_no_place_in_msgpack_is_refused(json: bytes) -> None:
    with pytest.raises(InvalidBody, match="cannot be written as MessagePack"):
        split_value(MSGPACK, json)


PLAIN: Final = "application/x-protobuf"


def test_without_the_parameter_a_body_is_one_message() -> None:
    """As it is, as the protocol's suite has it; an empty one has no bytes to be a record."""
    assert split_body(PLAIN, b"\x01a\x01b") == (b"\x01a\x01b",)
    assert payloads(PLAIN, [b"\x01a"]) == [b"\x01a"]
    assert payloads(PROTOBUF, [b"\x01a"]) == [b"a"]
    assert (split_message(PLAIN, b"\x01a"), split_message(PROTOBUF, b"\x01a")) == ((b"a",), (b"\x01a",))
    with pytest.raises(InvalidBody, match="an empty message has no bytes"):
        split_message(PLAIN, b"\x00")
    with pytest.raises(InvalidBody, match="takes no message of Protobuf"):
        split_message(MSGPACK, b"\x01a")


def test_a_json_value_is_no_message() -> None:
    with pytest.raises(InvalidBody, match="takes base64 of messages"):
        split_value(PROTOBUF, b'"x"')
    with pytest.raises(InvalidBody, match="takes messages"):
        encode_value(PROTOBUF, {"a": 1})


@pytest.mark.parametrize(
    ("record", "json"),
    [
        (msgspec.msgpack.encode({1: b"xyz", "a": float("nan")}), b'{"1":"eHl6","a":null}'),
        (b"\xd6\xff" + struct.pack(">I", 0), b'"1970-01-01T00:00:00Z"'),
    ],
)
def test_msgpack_is_shown_as_json_where_it_can(record: bytes, json: bytes) -> None:
    assert to_json(record) == json


@pytest.mark.parametrize("record", [b"\xd4\x05a", b"\xa1\xff", b"\x81\x91\x01\x02", b"\x91" * 100_000, b"\xc1"])
def test_and_not_where_it_cannot(record: bytes) -> None:
    with pytest.raises(ValueError, match=r"unsupported|invalid|keys|recursion|malformed|utf-8|codec"):
        to_json(record)


@pytest.mark.parametrize("text", [b'"\xff"', b'"\xed\xa0\x80"', b'"\\ud800"'])
def test_a_string_that_is_no_text(text: bytes) -> None:
    """Not UTF-8, or half of a surrogate pair: refused, as every value is that is no string."""
    with pytest.raises(InvalidBody, match="takes a string"):
        split_value("text/plain", text)
