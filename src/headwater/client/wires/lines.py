"""Lines of NDJSON out of bytes that are cut anywhere, and what they hold."""

from __future__ import annotations

from base64 import b64decode
from typing import Final, TypeVar

import msgspec

from headwater.client.codec import Codec, make_item
from headwater.client.errors import BadAnswer
from headwater.client.items import Item
from headwater.model import Principal
from headwater.surrogates import mended

T = TypeVar("T")

#: Bytes of one line; a text as a JSON string can take several times its own size.
MAX_LINE: Final = 128 * 1024 * 1024


class Blocks:
    """Whole parts out of the bytes of one connection; what is unfinished at a cut is never given out.

    Args:
        end: what a part ends with.
        limit: bytes of one part.
    """

    def __init__(self, end: bytes, limit: int = MAX_LINE) -> None:
        self._end: Final = end
        self._limit: Final = limit
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        """The parts that these bytes complete, with their ends; empty: none.

        Raises:
            BadAnswer: one is longer than the limit.
        """
        at = chunk.rfind(self._end)
        if at < 0 and self._size and len(self._end) > 1:
            return self._straddled(chunk)
        if at < 0:
            return self._hold(chunk)
        at += len(self._end)
        whole = chunk if at == len(chunk) else chunk[:at]
        if self._held:
            whole = b"".join([*self._held, whole])
            self._held, self._size = [], 0
        if at < len(chunk):
            self._hold(chunk[at:])
        return whole

    def rest(self) -> bytes:
        """What is held, which is forgotten."""
        held, self._held, self._size = b"".join(self._held), [], 0
        return held

    def _straddled(self, chunk: bytes) -> bytes:
        """An end may begin in what is held."""
        tail = (self._held[-1] if len(self._held[-1]) >= len(self._end) else b"".join(self._held))[1 - len(self._end) :]
        at = (tail + chunk).rfind(self._end)
        if at < 0:
            return self._hold(chunk)
        held = b"".join([*self._held, chunk])
        at += self._size - len(tail) + len(self._end)
        self._held, self._size = [], 0
        if at < len(held):
            self._hold(held[at:])
        return held[:at]

    def _hold(self, chunk: bytes) -> bytes:
        if chunk:
            self._held.append(chunk)
            self._size += len(chunk)
        if self._size > self._limit:
            raise BadAnswer(f"the server sent a part longer than {self._limit} bytes")
        return b""


class Line(msgspec.Struct):
    """Any line."""

    offset: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    base64: str | None = None
    control: str | None = None
    start: str = msgspec.field(default="", name="from")
    to: str = ""
    reason: str = ""
    retry_after: float | None = None
    code: str = ""
    message: str = ""
    content_type: str = ""
    at: float | None = None
    by: Principal | None = None


_line: Final = msgspec.json.Decoder(Line)


def decode_line(raw: bytes) -> Line:
    """A line, with its data as it was sent.

    Raises:
        msgspec.DecodeError: it is none.
    """
    try:
        return _line.decode(raw)
    except msgspec.DecodeError:
        whole = mended(raw)
        line = _line.decode(whole)
        at = whole.rindex(bytes(line.data))
        line.data = msgspec.Raw(raw[at : at + len(bytes(line.data))])
        return line


def record_of(codec: Codec[T], line: Line) -> Item[T]:
    """The record in a line.

    Raises:
        BadAnswer: it is none of the stream's.
        BadRecord: it is not of the type that is read.
    """
    try:
        if line.base64 is not None:
            raw = b64decode(line.base64, validate=True)
        elif codec.is_json:
            raw = bytes(line.data)
        else:
            raw = msgspec.json.decode(line.data, type=str).encode()
    except (ValueError, msgspec.DecodeError):
        raise BadAnswer("the server sent a record that is not of its stream's type") from None
    return make_item(codec, raw, line.offset, line.at, line.by)
