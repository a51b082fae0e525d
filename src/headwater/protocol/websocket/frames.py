"""Frames that a server sends, as bytes (RFC 6455 section 5): never masked, never fragmented, never compressed.

Rule: a frame is the same for every client, so it is made once and written to all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

#: The first byte of a whole message or control frame: the FIN bit and the opcode (section 5.2).
TEXT: Final = 0x81
BINARY: Final = 0x82
CLOSE: Final = 0x88
PING: Final = 0x89
PONG: Final = 0x8A

#: Bytes of a control frame's payload at most (section 5.5), and of a close frame's reason beside its code.
MAX_CONTROL: Final = 125
MAX_REASON: Final = MAX_CONTROL - 2

_SHORT: Final = 125
_TWO_BYTES: Final = 126
_EIGHT_BYTES: Final = 127
_MAX_TWO_BYTES: Final = 0xFFFF


def frame(first: int, payload: bytes) -> bytes:
    """One frame.

    Args:
        first: its first byte, such as `TEXT`.
        payload: of the frame.
    """
    size = len(payload)
    if size <= _SHORT:
        return bytes((first, size)) + payload
    if size <= _MAX_TWO_BYTES:
        return struct.pack("!BBH", first, _TWO_BYTES, size) + payload
    return struct.pack("!BBQ", first, _EIGHT_BYTES, size) + payload


def text(payload: bytes) -> bytes:
    """A text message; the payload is UTF-8."""
    return frame(TEXT, payload)


def binary(payload: bytes) -> bytes:
    """A binary message."""
    return frame(BINARY, payload)


def close(code: int, reason: str = "") -> bytes:
    """The frame that begins the end.

    Args:
        code: see `closes`.
        reason: for people and programs; cut where it does not fit.
    """
    cut = reason.encode()[:MAX_REASON].decode(errors="ignore").encode()
    return frame(CLOSE, struct.pack("!H", code) + cut)


def split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The frames that were made by this module and put together: of each the first byte, and the payload.

    For servers that make the frames themselves, and are given messages.
    """
    at = 0
    while at < len(data):
        first, size = data[at], data[at + 1]
        at += 2
        if size == _TWO_BYTES:
            (size,) = struct.unpack_from("!H", data, at)
            at += 2
        elif size == _EIGHT_BYTES:
            (size,) = struct.unpack_from("!Q", data, at)
            at += 8
        yield first, data[at : at + size]
        at += size
