"""`headwater.v1+msgpack`: binary messages, each a MessagePack map with the names of JSON."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from headwater.errors import InvalidMessage
from headwater.model import Record
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.framing import payloads
from headwater.protocol.spans import data_of, offsets_of
from headwater.protocol.websocket import frames
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codec import Framed, endings, refuse
from headwater.protocol.websocket.ephemeral import message_of
from headwater.protocol.websocket.protobuf import Malformed, json_value
from headwater.protocol.websocket.schema import FIELDS, Field, Kind

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(m.ClientMessage).decode
_any: Final = msgspec.msgpack.Decoder().decode
_OF_VALUES: Final = (Kind.VALUE, Kind.MEMBERS)
#: The fields of each message that are JSON values.
_VALUES: Final[dict[type[msgspec.Struct], tuple[Field, ...]]] = {
    cls: found for cls, every in FIELDS.items() if (found := tuple(each for each in every if each.kind in _OF_VALUES))
}
#: A map of so many entries, and the first of `data`.
_MAP: Final = 0x80
_T_DATA: Final = b"\xa1t\xa4data\xa1s"


class MsgpackCodec(Framed):
    """See `Codec`."""

    name = "headwater.v1+msgpack"
    is_text = False

    def decode(self, data: bytes) -> m.ClientMessage:
        """See `Codec.decode`."""
        try:
            found: m.ClientMessage = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refuse(error, data, msgspec.msgpack.decode)
        for field in _VALUES.get(type(found), ()):
            value = getattr(found, field.name)
            if value is not None and value is not msgspec.UNSET:
                setattr(found, field.name, _taken(found, field, value))
        return found

    def encode(self, message: m.ServerMessage) -> bytes:
        """See `Codec.encode`."""
        return self._frame(frames.BINARY, _encoded(message))

    def data(self, number: int, content_type: str, records: Sequence[Record], *, envelope: bool) -> bytes:
        """See `Codec.data`."""
        offsets = offsets_of(records)
        count, more = _records(content_type, records, offsets, envelope=envelope)
        head = bytes((_MAP | 3 + count,)) + _T_DATA + _encode(number)
        return self._frame(frames.BINARY, head + b"\xa1o" + _text(offsets[-1]) + more)

    def ephemeral(self, number: int, event: Ephemeral) -> bytes:
        """See `Codec.ephemeral`."""
        return self.encode(message_of(number, event))

    def page(self, message: m.ServerMessage, content_type: str, records: Sequence[Record], *, envelope: bool) -> bytes:
        """See `Codec.page`."""
        head = _encoded(message)
        if not records:
            return self._frame(frames.BINARY, head)
        count, more = _records(content_type, records, offsets_of(records), envelope=envelope)
        return self._frame(frames.BINARY, bytes((head[0] + count,)) + head[1:] + more)


def _encoded(message: m.ServerMessage) -> bytes:
    values = _VALUES.get(type(message), ())
    given = {field.name: getattr(message, field.name) for field in values}
    changed: dict[str, Any] = {
        name: _encode(list(map(bytes, value))) if isinstance(value, list) else _encode(bytes(value))
        for name, value in given.items()
        if value is not None and value is not msgspec.UNSET
    }
    if changed:
        message = msgspec.structs.replace(message, **{name: msgspec.Raw(value) for name, value in changed.items()})
    return _encode(message)


def _taken(message: msgspec.Struct, field: Field, value: Any) -> Any:
    """JSON values, of which MessagePack has the texts."""
    try:
        if field.is_list:
            return [_value(each) for each in value]
        return _value(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Malformed) as error:
        wrong = InvalidMessage(f"{field.told} has the text of a JSON value, as bytes: {error}")
        given = getattr(message, "id", None)
        if given is not None:
            wrong.details["id"] = given
        raise wrong from None


def _value(value: msgspec.Raw) -> msgspec.Raw:
    text = _any(value)
    if not isinstance(text, bytes | str):
        raise Malformed(f"it is {type(text).__name__}")
    return json_value(text.encode() if isinstance(text, str) else text)


# By hand, what every live reader is told: records go into it as they are stored.


def _records(
    content_type: str, records: Sequence[Record], offsets: list[bytes], *, envelope: bool
) -> tuple[int, bytes]:
    """`e`, `b`, `at` and `by`, and how many of them there are."""
    data = payloads(content_type, data_of(records))
    parts, count = [], 1
    if len(offsets) > 1:
        count += 1
        parts += [b"\xa1e", _array(len(offsets) - 1), *map(_text, endings(offsets))]
    parts += [b"\xa1b", _array(len(data))]
    for each in data:
        parts += (_binary_head(len(each)), each)
    if envelope:
        count += 1
        parts += (b"\xa2at", _encode([record.at for record in records]))
        if any(by := [record.by for record in records]):
            count += 1
            parts += (b"\xa2by", _encode(by))
    return count, b"".join(parts)


def _array(size: int) -> bytes:
    if size < 16:
        return bytes((0x90 | size,))
    return struct.pack("!BH", 0xDC, size) if size < 1 << 16 else struct.pack("!BI", 0xDD, size)


def _text(data: bytes) -> bytes:
    """A text of less than 256 bytes, as every offset is."""
    return bytes((0xA0 | len(data),)) + data if len(data) < 32 else bytes((0xD9, len(data))) + data


def _binary_head(size: int) -> bytes:
    if size < 1 << 8:
        return bytes((0xC4, size))
    return struct.pack("!BH", 0xC5, size) if size < 1 << 16 else struct.pack("!BI", 0xC6, size)
