"""Protobuf messages one behind the other: each with its length in front, as Protobuf's own libraries write them.

Rule 1: a record of `application/x-protobuf; encoding=delimited` is a message and the length before it, a varint of 32
        bits: what `writeDelimitedTo` in Java, `SerializeDelimitedToOstream` in C++ and `protodelim` in Go write. So a
        body is records one behind the other, and the empty message, which has no bytes, is a record of one byte.
        Without the parameter a body is one message, as the protocol's own suite has it.
Rule 2: where records come apart (plain SSE, NDJSON, many streams in one read) a message comes without its length.
Rule 3: the message itself is not looked into: whether it is one, and of which type, a schema says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from headwater.protocol.splitter import Splitter

#: Bytes of a length: 32 bits, seven in each.
MAX_LENGTH_BYTES: Final = 5
#: Bytes of a message; Protobuf's own limit.
MAX_MESSAGE: Final = 2**31 - 1
_MORE: Final = 0x80
_BITS: Final = 0x7F


def delimited(messages: Iterable[bytes]) -> bytes:
    """The body of several messages, each with its length in front."""
    return b"".join([part for message in messages for part in (encode_length(len(message)), message)])


def encode_length(length: int) -> bytes:
    """A length as a varint."""
    found = bytearray()
    while length >= _MORE:
        found.append(length & _BITS | _MORE)
        length >>= 7
    found.append(length)
    return bytes(found)


def message_of(record: bytes) -> bytes:
    """The message of a record.

    A record that is none, of a stream from before its records were kept apart, is given as it is.
    """
    try:
        place = _length_at(record, 0)
    except ValueError:
        return record
    if place is None or len(record) - place[0] != place[1]:
        return record
    return record[place[0] :]


class MessageSplitter(Splitter):
    """Messages with their lengths."""

    format = "Protobuf messages with their lengths in front"
    noun = "message"

    def _end_of(self, data: bytes, at: int) -> int | None:
        try:
            place = _length_at(data, at)
        except ValueError as error:
            raise self.malformed(str(error), at) from None
        if place is None:
            return None
        start, length = place
        return start + length if len(data) - start >= length else None


def _length_at(data: bytes, at: int) -> tuple[int, int] | None:
    """Where a message begins, and how long it is; None: its length is not whole.

    Raises:
        ValueError: it is no length.
    """
    length = 0
    for number, byte in enumerate(data[at : at + MAX_LENGTH_BYTES]):
        length |= (byte & _BITS) << (7 * number)
        if byte < _MORE:
            if length > MAX_MESSAGE:
                raise ValueError(f"the length is {length}, and a message has at most {MAX_MESSAGE} bytes")
            return at + number + 1, length
    if len(data) - at >= MAX_LENGTH_BYTES:
        raise ValueError(f"a length has at most {MAX_LENGTH_BYTES} bytes")
    return None
