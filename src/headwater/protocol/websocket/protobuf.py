"""The wire format of Protocol Buffers, for the messages of a connection: what `schema` says, as bytes and back.

Rule 1: what is not known is skipped: other numbers, and numbers of ours with another wire type.
Rule 2: of a field that comes twice the last one counts; parts of one message are put together (the encoding's section
        "Last One Wins").
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final

import msgspec

from headwater.model import Principal
from headwater.protocol.given import GivenConfig
from headwater.protocol.websocket.schema import FIELDS, Field, Kind, Members, Producer

#: Wire types.
VARINT: Final = 0
FIXED64: Final = 1
BLOCK: Final = 2
_GROUP: Final = 3
_GROUP_END: Final = 4
_FIXED32: Final = 5

_64_BITS: Final = (1 << 64) - 1
_SIGN: Final = 1 << 63
_MAX_VARINT: Final = 10
_MAX_NUMBER: Final = (1 << 29) - 1
_doubles: Final = struct.Struct("<d")


class Malformed(Exception):
    """Bytes are no message."""


def varint(value: int) -> bytes:
    """A whole number of 64 bits; a negative one has ten bytes."""
    if 0 <= value < 0x80:
        return bytes((value,))
    value &= _64_BITS
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def tag(number: int, wire: int) -> bytes:
    """What precedes a field."""
    return varint(number << 3 | wire)


def block(number: int, data: bytes) -> bytes:
    """A field of bytes, of text, or of a message."""
    return tag(number, BLOCK) + varint(len(data)) + data


def blocks(number: int, every: Iterable[bytes]) -> bytes:
    """The same field several times."""
    head = tag(number, BLOCK)
    return b"".join([part for data in every for part in (head, varint(len(data)), data)])


def doubles(number: int, values: Iterable[float]) -> bytes:
    """Numbers, packed into one field."""
    return block(number, b"".join(map(_doubles.pack, values)))


# Out.


def encode(message: msgspec.Struct) -> bytes:
    """A message."""
    parts = []
    for field in FIELDS[type(message)]:
        value = getattr(message, field.name)
        if field.kind is Kind.MEMBERS:
            if value is not msgspec.UNSET:
                parts.append(block(field.number, encode(Members(value or [], value is None))))
        elif value is not None and value is not msgspec.UNSET:
            parts.append(_encoded(field, value))
    return b"".join(parts)


def _encoded(field: Field, value: Any) -> bytes:
    if field.is_list:
        if field.kind is Kind.NUMBER:
            return doubles(field.number, value) if value else b""
        return blocks(field.number, map(_PAYLOADS[field.kind], value))
    if field.kind in _PAYLOADS:
        return block(field.number, _PAYLOADS[field.kind](value)) if value or field.is_optional else b""
    if field.kind is Kind.COUNTS:
        entries = [block(1, name.encode()) + tag(2, VARINT) + varint(count) for name, count in value.items()]
        return blocks(field.number, entries)
    if field.kind is Kind.CONFIG:
        return block(field.number, encode(value) if isinstance(value, GivenConfig) else b"") if value else b""
    if not value and not field.is_optional:
        return b""
    if field.kind is Kind.NUMBER:
        return tag(field.number, FIXED64) + _doubles.pack(value)
    return tag(field.number, VARINT) + varint(value)


_PAYLOADS: Final[dict[Kind, Callable[[Any], bytes]]] = {
    Kind.TEXT: str.encode,
    Kind.BYTES: bytes,
    Kind.VALUE: bytes,
    Kind.FACTS: msgspec.json.Encoder().encode,
    Kind.PRODUCER: lambda value: encode(Producer(*value)),
    Kind.PRINCIPAL: lambda value: b"" if value is None else encode(value),
}


# In.


def fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """The fields of a message: of each the number, the wire type, and an integer or bytes. Groups are skipped.

    Raises:
        Malformed: it is none.
    """
    at, end, groups = 0, len(data), []
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if not 1 <= number <= _MAX_NUMBER:
            raise Malformed(f"a field has the number {number}")
        value: Any = None
        if wire == VARINT:
            value, at = _varint(data, at)
        elif wire == _GROUP:
            groups.append(number)
        elif wire == _GROUP_END:
            if not groups or groups.pop() != number:
                raise Malformed(f"a group {number} ends that did not begin")
        else:
            if wire == BLOCK:
                size, at = _varint(data, at)
            elif wire in (FIXED64, _FIXED32):
                size = 8 if wire == FIXED64 else 4
            else:
                raise Malformed(f"there is no wire type {wire}")
            if size > end - at:
                raise Malformed(f"field {number} has {size} bytes, and {end - at} are there")
            value = data[at : at + size]
            at += size
        if not groups and wire != _GROUP_END:
            yield number, wire, value
    if groups:
        raise Malformed(f"the group {groups[-1]} does not end")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    for byte in data[at : at + _MAX_VARINT]:
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found & _64_BITS, at
        shift += 7
    raise Malformed("a varint has no end")


def decode(cls: type[msgspec.Struct], *parts: bytes) -> Any:
    """A message.

    Args:
        cls: what it is.
        parts: of it, each whole; more than one, where it came so often.

    Raises:
        Malformed: it is none; its argument `id` is that of the message, where it was found.
    """
    found: dict[str, Any] = {}
    try:
        for number, wire, value in chain.from_iterable(map(fields, parts)):
            field = _BY_NUMBER[cls].get(number)
            if field is None or wire != _WIRES.get(field.kind, BLOCK):
                continue
            _take(found, field, value)
        _finish(cls, found)
    except Malformed as error:
        given = found.get("id")
        raise Malformed(str(error), given if isinstance(given, int) else None) from None
    return cls(**found)


def _take(found: dict[str, Any], field: Field, value: Any) -> None:
    name = field.name
    if field.kind in (Kind.PRODUCER, Kind.CONFIG):
        found.setdefault(name, []).append(value)
    elif field.is_list:
        found.setdefault(name, []).append(_VALUES[field.kind](value))
    else:
        found[name] = _VALUES[field.kind](value)


def _finish(cls: type[msgspec.Struct], found: dict[str, Any]) -> None:
    """Make messages of what was put together, and give what is needed its empty value."""
    for field in FIELDS[cls]:
        if field.name in found:
            if field.kind is Kind.PRODUCER:
                one = decode(Producer, *found[field.name])
                found[field.name] = (one.id, one.epoch, one.seq)
            elif field.kind is Kind.CONFIG:
                config = decode(GivenConfig, *found[field.name])
                found[field.name] = True if config == _NOTHING else config
        elif field.name in _NEEDED[cls]:
            found[field.name] = _EMPTY[field.kind]


def _integer(value: int) -> int:
    return value - (1 << 64) if value & _SIGN else value


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Malformed("a text is no UTF-8") from None


_json_value: Final = msgspec.json.Decoder(msgspec.Raw).decode


def json_value(value: bytes) -> msgspec.Raw:
    """The text of a JSON value.

    Raises:
        Malformed: it is none.
    """
    try:
        return msgspec.Raw(bytes(_json_value(value)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"a value is not the text of one JSON value: {error}") from None


_VALUES: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: lambda value: _doubles.unpack(value)[0],
    Kind.FLAG: bool,
    Kind.BYTES: bytes,
    Kind.VALUE: json_value,
    Kind.PRINCIPAL: lambda value: decode(Principal, value) if value else None,
}
_WIRES: Final = {Kind.INTEGER: VARINT, Kind.FLAG: VARINT, Kind.NUMBER: FIXED64}
_EMPTY: Final = {Kind.TEXT: "", Kind.INTEGER: 0, Kind.NUMBER: 0.0, Kind.FLAG: False}
_BY_NUMBER: Final = {cls: {field.number: field for field in every} for cls, every in FIELDS.items()}
_NOTHING: Final = GivenConfig()
_NEEDED: Final = {cls: {each.name for each in msgspec.structs.fields(cls) if each.required} for cls in FIELDS}
