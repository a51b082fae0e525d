"""Bodies into records and back, without changing a value."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.errors import InvalidBody, TooManyRecords
from headwater.protocol import json_values
from headwater.protocol.framing import (
    complete_utf8,
    encode_value,
    is_json,
    is_text,
    join_records,
    media_type,
    same_content_type,
    split_body,
)
from headwater.protocol.json_values import split_json

JSON = "application/json"

numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
# Lone surrogates have no UTF-8, so only an escape can carry them; see test_surrogates.py.
texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4))
indents = st.sampled_from([None, 0, 2, "\t"])


def strictly(text: bytes) -> Any:
    """The value by Python's own parser, held to the standard: no NaN, no other encoding."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text.decode(), parse_constant=refuse)


@given(st.lists(values, min_size=1), indents, st.booleans())
def test_an_array_is_split_and_joined(items: list[Any], indent: int | str | None, ascii_only: bool) -> None:
    """The elements of an array are its records; joined again they are the same array, however it was laid out."""
    body = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode()
    records = split_body(JSON, body)
    assert [json.loads(record) for record in records] == items
    assert json.loads(join_records(JSON, records)) == items


@given(values.filter(lambda value: not isinstance(value, list)), indents)
def test_any_other_value_is_one_record(value: Any, indent: int | str | None) -> None:
    """A value that is no array is one record of the same value."""
    (record,) = split_body(JSON, b" \r\n\t" + json.dumps(value, indent=indent).encode() + b"\n")
    assert json.loads(record) == value


@given(st.lists(values, min_size=1), indents)
def test_a_record_is_one_line(items: list[Any], indent: int | str | None) -> None:
    """No record has a line break in it or white space around it, so that it fits a line of SSE or NDJSON."""
    for record in split_json(json.dumps(items, indent=indent).replace("\n", "\r\n").encode()):
        assert b"\n" not in record
        assert b"\r" not in record
        assert record == record.strip()


@pytest.mark.parametrize(
    "text", ["1.50", "1E400", "-0", '"\\u00e9"', '"\\ud83d\\ude00"', '{"a":1,"a":2}', "12345678901234567890"]
)
def test_a_value_keeps_its_own_bytes(text: str) -> None:
    """A value is not decoded and encoded again: numbers, escapes and repeated keys stay as they were written."""
    assert split_json(text.encode()) == (text.encode(),)
    assert split_json(f"[{text}]".encode()) == (text.encode(),)


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"")
@example(b"\xef\xbb\xbf1")
@example(b"NaN")
@example(b"-Infinity")
@example(b"01")
@example(b"1.")
@example(b"+1")
@example(b"[1,]")
@example(b'{"a":1,}')
@example(b"[1 2]")
@example(b"'a'")
@example(b'"\\q"')
@example(b'"\\u12"')
@example(b'"a\nb"')
@example(b'"a\x00b"')
@example(b'"a\x1fb"')
@example(b'["a\tb"]')
@example(b'"\xed\xa0\x80"')
@example(b'["\xc3"]')
@example(b'{"\xff":1}')
@example(b"1\x00")
@example(b"\x0c1")
@example(b"nul")
@example(b"truefalse")
@example(b"1e")
@example(b"-")
def test_what_is_not_json_is_refused(body: bytes) -> None:
    """A body is taken when Python's own JSON parser takes it; any other is InvalidBody."""
    try:
        value = strictly(body)
    except (ValueError, RecursionError):
        with pytest.raises(InvalidBody):
            split_json(body)
    else:
        items = value if isinstance(value, list) else [value]
        assert [strictly(record) for record in split_json(body, allow_empty_array=True)] == items


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
def test_deep_nesting_is_refused(body: bytes) -> None:
    """A body nested without end is refused, and takes no stack with it."""
    with pytest.raises(InvalidBody):
        split_json(body)


@pytest.mark.parametrize("text", ['"\\ud83d"', '{"\\uDE00": "\\\\"}', '"\\ud83d\\ud83d\\ude00"', '["\\ud83d", "x"]'])
def test_half_a_surrogate_pair_is_kept_as_it_was_sent(text: str) -> None:
    """JavaScript writes an emoji that was cut as an escape of its half; it is JSON, and its bytes are the record."""
    (record,) = split_json(b" [\n" + text.encode() + b" ] ")
    assert record == text.encode()
    many = split_json(f"[1 ,\n[{text}],{text}\t, [] ]".encode())
    assert many == (b"1", b"[%b]" % text.encode(), text.encode(), b"[]")


@pytest.mark.parametrize(
    "text", ['"\\ud83d', '["\\ude00",]', '{"\\ud83d": \\ud83d}', '"\\ud83"', '"\\ud83d\0"', '"\\\\\\"']
)
def test_half_a_surrogate_pair_excuses_nothing(text: str) -> None:
    """What is wrong beside it is refused, and pointed at."""
    with pytest.raises(InvalidBody, match="not valid JSON"):
        split_json(text.encode())


def test_a_bad_byte_is_pointed_at() -> None:
    """The message says where the body stops to be UTF-8."""
    with pytest.raises(InvalidBody, match="byte 3"):
        split_json(b'"ab\xff"')


@pytest.mark.parametrize("body", [b"[]", b" [ \n ] "])
def test_an_empty_array_is_for_creates_only(body: bytes) -> None:
    """An empty array creates an empty stream, and appends nothing, which is refused."""
    assert split_body(JSON, body, allow_empty_array=True) == ()
    with pytest.raises(InvalidBody, match="empty array"):
        split_body(JSON, body)


@given(st.binary(min_size=1))
def test_other_types_keep_the_body(body: bytes) -> None:
    """A body of any other type is one record with the same bytes."""
    assert split_body("text/plain", body) == (body,)
    assert join_records("text/plain", split_body("text/plain", body)) == body


@pytest.mark.parametrize("content_type", [JSON, "text/plain"])
def test_no_body_is_no_record(content_type: str) -> None:
    """An empty body has no records, of any type."""
    assert split_body(content_type, b"") == ()


@given(values)
def test_a_python_value_is_one_json_record(value: Any) -> None:
    """A value appended to a JSON stream is read back as one record of the same value, lists too."""
    (record,) = split_body(JSON, encode_value(JSON, value))
    assert json.loads(record) == value


@given(texts)
def test_a_text_is_its_bytes(text: str) -> None:
    """A text appended to any other stream is its UTF-8."""
    assert encode_value("text/plain", text) == text.encode()


@pytest.mark.parametrize("content_type", [JSON, "text/plain"])
def test_bytes_are_a_body_already(content_type: str) -> None:
    """Bytes of every kind are passed on as they are, whatever the stream's type."""
    assert [encode_value(content_type, kind(b"[1]")) for kind in (bytes, bytearray, memoryview)] == [b"[1]"] * 3


@pytest.mark.parametrize(("content_type", "value"), [(JSON, object()), (JSON, {1: {2j}}), ("text/plain", 5)])
def test_a_value_without_a_form_is_refused(content_type: str, value: object) -> None:
    """What has no JSON, or is no text where text is due, is refused."""
    with pytest.raises(InvalidBody):
        encode_value(content_type, value)


def test_a_value_in_a_stream_of_bytes_is_told_the_type_that_takes_it() -> None:
    """A stream created without a type takes no dict; the message says which type does."""
    with pytest.raises(InvalidBody, match=r"is application/octet-stream .* not dict; a stream of application/json"):
        encode_value("application/octet-stream", {"done": 1})


def test_a_value_that_holds_itself_is_refused() -> None:
    """A list inside itself has no JSON, and takes no stack with it."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidBody):
        encode_value(JSON, loop)


def test_joining_nothing() -> None:
    """No records are an empty array of JSON, and no bytes of anything else."""
    assert join_records(JSON, []) == b"[]"
    assert join_records("text/plain", iter([])) == b""


@pytest.mark.parametrize(
    ("content_type", "json_mode", "text"),
    [
        ("application/json", True, True),
        ("Application/JSON; charset=utf-8", True, True),
        ("application/json ;v=1", True, True),
        ("application/ndjson", False, False),
        ("application/ld+json", False, False),
        ("text/plain", False, True),
        ("TEXT/html;charset=utf-8", False, True),
        ("application/octet-stream", False, False),
        ("", False, False),
    ],
)
def test_what_a_type_means(content_type: str, json_mode: bool, text: bool) -> None:
    """JSON mode is for application/json alone; text is that and text/*, whatever the case and parameters."""
    assert is_json(content_type) is json_mode
    assert is_text(content_type) is text


def test_types_are_compared_without_parameters() -> None:
    """Two content types are the same by type and subtype; None is not checked."""
    assert media_type(" Text/Plain ; charset=utf-8") == "text/plain"
    assert same_content_type(None, "text/plain")
    assert same_content_type("text/plain", "text/plain")
    assert same_content_type("TEXT/plain;x=1", "text/plain; charset=utf-8")
    assert not same_content_type("text/html", "text/plain")


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("aé€😀")
def test_a_cut_never_splits_a_character(text: str) -> None:
    """Wherever UTF-8 text is cut, what is held back is less than a character, and nothing is held back at an edge."""
    data = text.encode()
    edges = {len(text[:count].encode()) for count in range(len(text) + 1)}
    for cut in range(len(data) + 1):
        complete = complete_utf8(data[:cut])
        assert complete == max(edge for edge in edges if edge <= cut)
        assert data[:complete].decode() == text[: len(data[:complete].decode())]


@given(st.binary(max_size=12))
@example(b"\xc0")
@example(b"\xc1")
@example(b"\xf5")
@example(b"\xff")
@example(b"\xe0\x80")
@example(b"\xed\xa0")
@example(b"\xf0\x80")
@example(b"\xf4\x90")
@example(b"\x80\x80\x80\x80")
def test_nothing_waits_for_a_character_that_cannot_come(data: bytes) -> None:
    """Only bytes that more bytes can complete to a character are held back, as Python's own decoder does it."""
    _, consumed = codecs.utf_8_decode(data, "replace", False)
    assert complete_utf8(data) == consumed


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b",".join([b"1"] * 11) + b"]",
        b" [\n" + b" , ".join([b'"a,b"'] * 11) + b"]",
        b"[" + b",".join([b"[1,2]"] * 11) + b"]",
        b'["\\ud800",' + b",".join([b"1"] * 10) + b"]",
    ],
)
def test_an_array_of_too_many_values_is_refused(body: bytes) -> None:
    """One more than the limit; with as many as the limit it is taken, whatever commas they have inside."""
    assert len(split_json(body, max_records=11)) == 11
    with pytest.raises(TooManyRecords):
        split_json(body, max_records=10)


def test_commas_inside_values_do_not_count() -> None:
    """Neither in strings nor in arrays and objects; bytes are one record in any case."""
    body = json.dumps(["a," * 50, [1] * 50, {str(n): n for n in range(50)}]).encode()
    assert len(split_json(body, max_records=3)) == 3
    assert split_body("text/plain", body, max_records=1) == (body,)


def test_what_is_no_json_stays_so() -> None:
    """Also when there are too many values behind the mistake."""
    with pytest.raises(InvalidBody):
        split_json(b"[nope," + b",".join([b"1"] * 100) + b"]", max_records=10)


def test_values_behind_the_limit_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 MB of digits are refused before an object is made for each: the limit is met long before the end."""
    monkeypatch.setattr(json_values, "_values", None)
    with pytest.raises(TooManyRecords):
        split_json(b"[" + b",".join([b"1"] * 100) + b",nope", max_records=10)
