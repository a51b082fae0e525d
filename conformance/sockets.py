"""Messages inside the bytes of a WebSocket (RFC 6455 section 5), both ways.

Rule: what is not looked at is passed on as it came.
"""

from __future__ import annotations

import os
import struct
from typing import Any, Final

import msgspec

_TEXT: Final = 1
_FIN: Final = 0x80
_MASKED: Final = 0x80


class Frames:
    """Frames out of bytes that come in parts."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes, bytes]]:
        """Take bytes; gives of each whole frame its opcode, its payload and its bytes."""
        self._rest += data
        found: list[tuple[int, bytes, bytes]] = []
        while (size := _size(self._rest)) is not None and len(self._rest) >= size:
            whole, self._rest = self._rest[:size], self._rest[size:]
            found.append((whole[0] & 0x0F, _payload(whole), whole))
        return found


def _header(data: bytes) -> tuple[int, int] | None:
    """Where the mask or the payload begins, and the payload's size."""
    if len(data) < 2:
        return None
    size = data[1] & 0x7F
    if size < 126:
        return 2, size
    width, form = (2, "!H") if size == 126 else (8, "!Q")
    if len(data) < 2 + width:
        return None
    return 2 + width, struct.unpack_from(form, data, 2)[0]


def _size(data: bytes) -> int | None:
    header = _header(data)
    if header is None:
        return None
    at, size = header
    return at + size + (4 if data[1] & _MASKED else 0)


def _payload(whole: bytes) -> bytes:
    header = _header(whole)
    assert header is not None
    at, _ = header
    if not whole[1] & _MASKED:
        return whole[at:]
    mask, data = whole[at : at + 4], whole[at + 4 :]
    return _masked(data, mask)


def _masked(data: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


def message_of(opcode: int, payload: bytes) -> dict[str, Any] | None:
    """A message of `headwater.v1+json`; None: it is none."""
    if opcode != _TEXT:
        return None
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def client_text(message: dict[str, Any]) -> bytes:
    """A message as a client sends it."""
    payload, mask = msgspec.json.encode(message), os.urandom(4)
    size = len(payload)
    head = (
        bytes((_FIN | _TEXT, _MASKED | size)) if size < 126 else struct.pack("!BBH", _FIN | _TEXT, _MASKED | 126, size)
    )
    return head + mask + _masked(payload, mask)
