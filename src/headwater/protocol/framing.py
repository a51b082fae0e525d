"""Bodies into records and back: raw bytes, JSON values (protocol section 9), MessagePack values, Protobuf messages.

Rule: a record of a JSON stream is one JSON value in UTF-8 without line breaks, so that it fits one line of SSE or
NDJSON as it is. The value keeps its own bytes otherwise: it is checked once, never decoded and encoded again.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec

from headwater.errors import BadRequest, InvalidBody, TooManyRecords
from headwater.model import JSON
from headwater.protocol.delimited import MessageSplitter, delimited, message_of
from headwater.protocol.msgpack import ValueSplitter, from_json
from headwater.protocol.objects import encoded
from headwater.protocol.splitter import Splitter, split_whole
from headwater.surrogates import mended

DEFAULT_CONTENT_TYPE: Final = "application/octet-stream"

#: The names of MessagePack: the registered one is the last, the first two are what most programs send.
MSGPACK: Final = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
#: The names of Protobuf.
PROTOBUF: Final = ("application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf")
#: Each name of a type with several, and the one that stands for all.
_SAME: Final = {name: names[0] for names in (MSGPACK, PROTOBUF) for name in names}

#: Records that one append or create takes, unless a setting says otherwise.
MAX_RECORDS: Final = 10_000
#: Content types of which is remembered what they are; a server has few.
_REMEMBERED: Final = 128
#: Characters of a content type with its parameters.
MAX_CONTENT_TYPE: Final = 256

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_CONTENT_TYPE: Final = re.compile(_TOKEN + "/" + _TOKEN + r"[ \t]*(;[\t\x20-\x7e]*)?", re.ASCII)
_values: Final = msgspec.json.Decoder(list[msgspec.Raw])
_value: Final = msgspec.json.Decoder(msgspec.Raw)
# A line break inside a JSON text is white space: inside a string it must be escaped (RFC 8259 section 7).
_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
#: White space of JSON (RFC 8259 section 2).
_SPACE: Final = b" \t\r\n"
#: What may stand before a value of an array.
_BETWEEN: Final = re.compile(rb"[, \t\r\n]*")
_OPEN: Final = ord("{")
_CLOSE: Final = ord("}")
_LF: Final = 10
_CR: Final = 13


def media_type(content_type: str) -> str:
    """The type and subtype in lower case, without parameters (RFC 9110 section 8.3.1)."""
    return content_type.partition(";")[0].strip().lower()


def check_content_type(content_type: str) -> str:
    """The same content type, if it is one: it is given back in headers as it is.

    Raises:
        BadRequest: no type and subtype, a control character, or more than 256 characters.
    """
    if len(content_type) > MAX_CONTENT_TYPE or _CONTENT_TYPE.fullmatch(content_type) is None:
        raise BadRequest(f"Content-Type {content_type[:80]!r} is not a media type")
    return content_type


@lru_cache(_REMEMBERED)
def is_json(content_type: str) -> bool:
    """Whether the stream holds JSON values; `application/json` only, as the protocol has it."""
    return content_type == JSON or media_type(content_type) == JSON


@lru_cache(_REMEMBERED)
def is_msgpack(content_type: str) -> bool:
    """Whether the stream holds MessagePack values."""
    return media_type(content_type) in MSGPACK


@lru_cache(_REMEMBERED)
def is_protobuf(content_type: str) -> bool:
    """Whether the stream holds Protobuf messages."""
    return media_type(content_type) in PROTOBUF


@lru_cache(_REMEMBERED)
def keeps_records(content_type: str) -> bool:
    """Whether records stay whole and apart: such a stream is counted in records, and every other one in bytes."""
    return is_json(content_type) or is_msgpack(content_type) or is_protobuf(content_type)


@lru_cache(_REMEMBERED)
def is_text(content_type: str) -> bool:
    """Whether the bytes are UTF-8 text that event streams carry unencoded: `text/*` and JSON."""
    kind = media_type(content_type)
    return kind.startswith("text/") or kind == JSON


def same_content_type(left: str | None, right: str) -> bool:
    """Whether two content types are the same media type, by any of its names.

    None stands for a caller that is not checked.
    """
    return left is None or left == right or _name_of(left) == _name_of(right)


def _name_of(content_type: str) -> str:
    kind = media_type(content_type)
    return _SAME.get(kind, kind)


def check_body(body: bytes, *, close: bool) -> None:
    """Refuse an append that would do nothing (section 5.2); over HTTP and in process alike.

    Args:
        body: of the append.
        close: it closes the stream.

    Raises:
        BadRequest: an empty body that closes nothing.
    """
    if not body and not close:
        raise BadRequest("the body is empty, and the append does not close the stream")


class Split(Protocol):
    """Makes records of one body."""

    def __call__(
        self, content_type: str, body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None
    ) -> tuple[bytes, ...]:
        """See `split_body`."""
        ...


def split_body(
    content_type: str, body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None
) -> tuple[bytes, ...]:
    """The records of one request body.

    A JSON array is flattened by one level (protocol section 9.1.2). MessagePack values and Protobuf messages lie one
    behind the other, and each is a record. A body of any other type is one record.

    Args:
        content_type: the stream's type.
        body: the whole body; empty gives no records.
        allow_empty_array: a create may say `[]` for "no records yet" (section 9.1.3).
        max_records: records that the body may have; None: any number.

    Raises:
        TooManyRecords: the body has more; told without reading further.
        InvalidBody: not of the type, with the position; or an empty array where that means nothing.
    """
    if not body:
        return ()
    if content_type == JSON:
        # One object in one line of ASCII: by far the most, and kept as it is.
        if body[0] == _OPEN and body[-1] == _CLOSE and body.isascii() and _LF not in body and _CR not in body:
            try:
                _value.decode(body)
            except (msgspec.DecodeError, RecursionError):
                pass  # told below
            else:
                return (body,)
    elif (split := _splitter(content_type)) is None:
        return (body,)
    elif split is not _OF_JSON:
        return split_whole(split(max_records), body)
    return split_json(body, allow_empty_array=allow_empty_array, max_records=max_records)


#: Stands for `split_json`.
_OF_JSON: Final = Splitter


@lru_cache(_REMEMBERED)
def _splitter(content_type: str) -> type[Splitter] | None:
    """What takes a body apart; None: nothing does."""
    if is_json(content_type):
        return _OF_JSON
    if is_msgpack(content_type):
        return ValueSplitter
    return MessageSplitter if is_protobuf(content_type) else None


def split_json(body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None) -> tuple[bytes, ...]:
    """The JSON values of a body, one level of an array flattened; see `split_body`."""
    if not body.isascii():
        _check_utf8(body)
    text = body.strip(_SPACE)
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
    return [bytes(value).strip(_SPACE) for value in _values.decode(text)]


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


def split_value(content_type: str, value: bytes) -> tuple[bytes, ...]:
    """The record of one JSON value.

    Args:
        content_type: the stream's type. In a JSON stream the value is the record, an array too, and in one of
            MessagePack the same value is; in any other it must be a string, whose text is the record.
        value: as JSON; empty gives no record, and so does an empty text: a record has a byte at least.

    Raises:
        InvalidBody: not one JSON value, or no string where one is needed.
    """
    if not value:
        return ()
    if is_json(content_type):
        if value.isascii() and _LF not in value and _CR not in value:
            try:
                _value.decode(value)
            except (msgspec.DecodeError, RecursionError):
                pass  # told below
            else:
                return (value.strip(_SPACE),)
        records = split_json(b"".join((b"[", value, b"]")))
        if len(records) != 1:
            raise InvalidBody("there is more than one JSON value")
        return records
    if is_msgpack(content_type):
        return (_to_msgpack(value),)
    if is_protobuf(content_type):
        raise InvalidBody(f"the stream is {content_type}, and takes base64 of messages, each with its length in front")
    try:
        text = msgspec.json.decode(value, type=str).encode()
        return (text,) if text else ()
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise InvalidBody(f"the stream is {content_type}, and takes a string or base64, not a JSON value") from None


def split_one(
    content_type: str, body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None
) -> tuple[bytes, ...]:
    """`split_body` of a body that is one JSON value, and one record; see `split_value`.

    Raises:
        BadRequest: it is an empty text, which is no record.
    """
    records = split_value(content_type, body)
    if not records:
        check_body(b"", close=False)
    return records


def split_one_or_none(
    content_type: str, body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None
) -> tuple[bytes, ...]:
    """The same of an append that closes, which needs no record."""
    return split_value(content_type, body)


def _to_msgpack(value: bytes) -> bytes:
    try:
        return from_json(value)
    except ValueError as error:
        raise InvalidBody(f"the value cannot be written as MessagePack: {error}") from None


def encode_value(content_type: str, value: Any) -> bytes:
    """A Python value as the body that appends it to a stream.

    Args:
        content_type: the stream's type.
        value: bytes, passed on as they are; in a stream of JSON or MessagePack anything that msgspec can encode, and
            models of pydantic, as one record, lists included; in one of Protobuf a message, which is what has
            `SerializeToString`; elsewhere text.

    Raises:
        InvalidBody: the value has no such form.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if is_json(content_type):
        return b"[" + encoded("JSON", value) + b"]"
    if is_msgpack(content_type):
        return encoded("MessagePack", value)
    if is_protobuf(content_type):
        return delimited((encoded("Protobuf", value),))
    if isinstance(value, str):
        return value.encode()
    raise InvalidBody(
        f"the stream is {content_type} and takes bytes or text, not {type(value).__name__}; a stream of "
        "application/json takes any value"
    )


def payloads(content_type: str, data: list[bytes]) -> list[bytes]:
    """Records as those see them who are given each by itself: of Protobuf without the length in front.

    Args:
        content_type: the stream's.
        data: of the records, as they are kept.
    """
    return list(map(message_of, data)) if is_protobuf(content_type) else data


def join_records(content_type: str, records: Sequence[bytes] | Iterable[bytes]) -> bytes:
    """The body of a read: a JSON array of the values, or the bytes one after another."""
    if is_json(content_type):
        return b"[" + b",".join(records) + b"]"
    return b"".join(records)


def complete_utf8(data: bytes) -> int:
    """How many leading bytes of `data` end at a character's edge; all of them, if it cannot be a cut character.

    For text streams whose appends split a character: the rest is delivered with the bytes that complete it.
    """
    # No character is longer than four bytes, so a cut one lies in the last three.
    end = data[-3:]
    return len(data) - len(end) + codecs.utf_8_decode(end, "ignore", False)[1]
