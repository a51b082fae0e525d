"""`headwater.v1+protobuf`: binary messages, each a `ClientMessage` or a `ServerMessage` of `websocket.proto`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from headwater.errors import InvalidMessage
from headwater.model import Record
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.framing import payloads
from headwater.protocol.spans import data_of, offsets_of
from headwater.protocol.websocket import frames
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codec import Framed, endings
from headwater.protocol.websocket.ephemeral import message_of
from headwater.protocol.websocket.protobuf import (
    BLOCK,
    VARINT,
    Malformed,
    block,
    blocks,
    decode,
    doubles,
    encode,
    fields,
    tag,
    varint,
)
from headwater.protocol.websocket.schema import CLIENT_NUMBERS, FIELDS, SERVER_NUMBERS

_NUMBER_OF: Final = {cls: number for number, cls in SERVER_NUMBERS.items()}
_OF_DATA: Final = {field.name: field.number for field in FIELDS[m.Data]}
_OF_PAGE: Final = {field.name: field.number for field in FIELDS[m.Page]}


class ProtobufCodec(Framed):
    """See `Codec`."""

    name = "headwater.v1+protobuf"
    is_text = False

    def decode(self, data: bytes) -> m.ClientMessage:
        """See `Codec.decode`."""
        number, parts = 0, list[bytes]()
        try:
            for each, wire, value in fields(data):
                if wire != BLOCK or each not in CLIENT_NUMBERS:
                    continue
                if number and each != number:
                    decode(CLIENT_NUMBERS[number], *parts)  # the last one counts, and the others are messages, too
                    parts.clear()
                number = each
                parts.append(value)
            if not number:
                raise InvalidMessage("the message is none of ClientMessage")
            found: m.ClientMessage = decode(CLIENT_NUMBERS[number], *parts)
        except Malformed as error:
            wrong = InvalidMessage(f"the message is not valid: {error.args[0]}")
            if len(error.args) > 1 and error.args[1] is not None:
                wrong.details["id"] = error.args[1]
            raise wrong from None
        return found

    def encode(self, message: m.ServerMessage) -> bytes:
        """See `Codec.encode`."""
        return self._frame(frames.BINARY, block(_NUMBER_OF[type(message)], encode(message)))

    def data(self, number: int, content_type: str, records: Sequence[Record], *, envelope: bool) -> bytes:
        """See `Codec.data`."""
        offsets = offsets_of(records)
        head = tag(_OF_DATA["s"], VARINT) + varint(number) + block(_OF_DATA["o"], offsets[-1])
        body = head + _records(_OF_DATA, content_type, records, offsets, envelope=envelope)
        return self._frame(frames.BINARY, block(_NUMBER_OF[m.Data], body))

    def ephemeral(self, number: int, event: Ephemeral) -> bytes:
        """See `Codec.ephemeral`."""
        return self.encode(message_of(number, event))

    def page(self, message: m.ServerMessage, content_type: str, records: Sequence[Record], *, envelope: bool) -> bytes:
        """See `Codec.page`."""
        body = encode(message)
        if records:
            body += _records(_OF_PAGE, content_type, records, offsets_of(records), envelope=envelope)
        return self._frame(frames.BINARY, block(_NUMBER_OF[type(message)], body))


def _records(
    numbers: dict[str, int], content_type: str, records: Sequence[Record], offsets: list[bytes], *, envelope: bool
) -> bytes:
    parts = [blocks(numbers["e"], endings(offsets)), blocks(numbers["b"], payloads(content_type, data_of(records)))]
    if envelope:
        parts.append(doubles(numbers["at"], [record.at for record in records]))
        if any(by := [record.by for record in records]):
            parts.append(blocks(numbers["by"], [b"" if each is None else encode(each) for each in by]))
    return b"".join(parts)
