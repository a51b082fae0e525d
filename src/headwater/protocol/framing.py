"""Bodies into records and back: raw bytes, JSON values (protocol section 9), MessagePack values, Protobuf messages.

Rule: a record keeps the bytes with which it came. It is checked once, never decoded and encoded again; see
json_values.py, msgpack.py and delimited.py.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec

from headwater.errors import BadRequest, InvalidBody
from headwater.model import JSON
from headwater.protocol.delimited import MessageSplitter, delimited, message_of
from headwater.protocol.json_values import SPACE, split_json
from headwater.protocol.msgpack import ValueSplitter, from_json
from headwater.protocol.objects import encoded
from headwater.protocol.splitter import Splitter, split_whole

DEFAULT_CONTENT_TYPE: Final = "application/octet-stream"

#: The names of MessagePack: the registered one is the last, the first two are what most programs send.
MSGPACK: Final = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
#: The names of Protobuf.
PROTOBUF: Final = ("application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf")
#: The parameter of a Protobuf type whose bodies are messages with their lengths in front, as Prometheus has it.
_DELIMITED: Final = re.compile(r";[ \t]*encoding[ \t]*=[ \t]*\"?delimited\"?[ \t]*(;|$)", re.IGNORECASE)
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
_value: Final = msgspec.json.Decoder(msgspec.Raw)
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
def is_delimited(content_type: str) -> bool:
    """Whether they have their lengths in front: `application/x-protobuf; encoding=delimited`."""
    return is_protobuf(content_type) and _DELIMITED.search(content_type) is not None


def lies_in_line(content_type: str) -> bool:
    """Whether a body is records one behind the other, so that two bodies are one as well."""
    return is_msgpack(content_type) or is_delimited(content_type)


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
    """Whether two content types are the same media type, by any of its names; of Protobuf with lengths or without.

    None stands for a caller that is not checked.
    """
    return left is None or left == right or _name_of(left) == _name_of(right)


def _name_of(content_type: str) -> tuple[str, bool]:
    kind = media_type(content_type)
    return _SAME.get(kind, kind), is_delimited(content_type)


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

    A JSON array is flattened by one level (protocol section 9.1.2). MessagePack values, and Protobuf messages with
    their lengths, lie one behind the other, and each is a record. A body of any other type is one record.

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
        # The usual case, one object in one line of ASCII, is kept as it is.
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
    return MessageSplitter if is_delimited(content_type) else None


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
                return (value.strip(SPACE),)
        records = split_json(b"".join((b"[", value, b"]")))
        if len(records) != 1:
            raise InvalidBody("there is more than one JSON value")
        return records
    if is_msgpack(content_type):
        return (_to_msgpack(value),)
    if is_protobuf(content_type):
        raise InvalidBody(f"the stream is {content_type}, and takes base64 of messages")
    try:
        text = msgspec.json.decode(value, type=str).encode()
        return (text,) if text else ()
    except (msgspec.DecodeError, UnicodeError):  # bytes that are no UTF-8, or half of a surrogate pair
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


def split_message(
    content_type: str, body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None
) -> tuple[bytes, ...]:
    """The record of one Protobuf message, which comes with its length in front, whether the stream has it so or not.

    Raises:
        InvalidBody: the stream takes no messages, or none that is empty.
    """
    if is_delimited(content_type):
        return (body,)
    if not is_protobuf(content_type):
        raise InvalidBody(f"the stream is {content_type}, and takes no message of Protobuf")
    return (_not_empty(content_type, message_of(body)),)


def _not_empty(content_type: str, message: bytes) -> bytes:
    if not message:
        raise InvalidBody(
            f"the stream is {content_type}, where an empty message has no bytes, as a record must; one of "
            f"{PROTOBUF[0]}; encoding=delimited takes it"
        )
    return message


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
        message = encoded("Protobuf", value)
        return delimited((message,)) if is_delimited(content_type) else _not_empty(content_type, message)
    if isinstance(value, str):
        return value.encode()
    raise InvalidBody(
        f"the stream is {content_type} and takes bytes or text, not {type(value).__name__}; a stream of "
        "application/json takes any value"
    )


def payloads(content_type: str, data: list[bytes]) -> list[bytes]:
    """Records as those see them who are given each by itself: of Protobuf without a length in front.

    Args:
        content_type: the stream's.
        data: of the records, as they are kept.
    """
    return list(map(message_of, data)) if is_delimited(content_type) else data


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
