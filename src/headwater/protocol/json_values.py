"""JSON bodies into values.

Rule: a record of a JSON stream is one JSON value in UTF-8 without line breaks, so that it fits one line of SSE or
NDJSON as it is. The value keeps its own bytes otherwise: it is checked once, never decoded and encoded again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from headwater.errors import InvalidBody, TooManyRecords
from headwater.surrogates import mended

_values: Final = msgspec.json.Decoder(list[msgspec.Raw])
_value: Final = msgspec.json.Decoder(msgspec.Raw)
# A line break inside a JSON text is white space: inside a string it must be escaped (RFC 8259 section 7).
_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
#: White space of JSON (RFC 8259 section 2).
SPACE: Final = b" \t\r\n"
#: What may stand before a value of an array.
_BETWEEN: Final = re.compile(rb"[, \t\r\n]*")
_LF: Final = 10
_CR: Final = 13


def split_json(body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None) -> tuple[bytes, ...]:
    """The JSON values of a body, one level of an array flattened; see `split_body`."""
    if not body.isascii():
        _check_utf8(body)
    text = body.strip(SPACE)
    try:
        values = _split(text, max_records)
    except (msgspec.DecodeError, RecursionError) as error:
        whole = mended(text)
        if whole is text:
            raise _not_json(error) from None
        # Half of a surrogate pair is JSON that msgspec refuses. The places of the values are those of the mended text.
        try:
            values = _take(text, _split(whole, max_records))
        except (msgspec.DecodeError, RecursionError) as second:
            raise _not_json(second) from None
    if not values and not allow_empty_array:
        raise InvalidBody("the body is an empty array, which appends nothing")
    return tuple([_one_line(value) for value in values])


def _split(text: bytes, max_records: int | None) -> list[bytes]:
    if text[:1] != b"[":
        _value.decode(text)
        return [text]
    if max_records is not None and len(text) > 2 * max_records and text.count(b",") >= max_records:
        _check_count(text, max_records)
    return [bytes(value).strip(SPACE) for value in _values.decode(text)]


def _check_count(text: bytes, max_records: int) -> None:
    """Refuse an array of more values, before an object is made for each: of 16 MB of digits those are eight million."""
    try:
        _up_to(max_records).decode(text)
    except msgspec.ValidationError:
        raise TooManyRecords(f"the body is an array of more than max_append_records={max_records} values") from None
    except msgspec.DecodeError:
        pass  # told by who reads the values, or mended there


@lru_cache(4)
def _up_to(count: int) -> msgspec.json.Decoder[msgspec.Struct]:
    """Reads an array of so many values, and stops at the first one behind them, which a list does at its end."""
    fields = [(f"v{number}", msgspec.Raw, b"") for number in range(count)]
    array = msgspec.defstruct("Array", fields, array_like=True, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(array)


def _take(text: bytes, values: list[bytes]) -> list[bytes]:
    """What stands in a text where another of the same length has its values."""
    if text[:1] != b"[":
        return [text]
    found: list[bytes] = []
    at = 1
    for value in values:
        between = _BETWEEN.match(text, at)
        assert between is not None
        at = between.end() + len(value)
        found.append(text[between.end() : at])
    return found


def _not_json(error: Exception) -> InvalidBody:
    return InvalidBody(f"the body is not valid JSON: {error}")


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidBody(f"the body is not UTF-8 at byte {error.start}") from None


def _one_line(value: bytes) -> bytes:
    # Looked for as numbers: `b"\n" in value` raises and forgets a TypeError inside, and takes six times as long.
    return value.translate(_ONE_LINE) if _LF in value or _CR in value else value
