"""Lines of NDJSON out of bytes that are cut anywhere, and what they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec

from headwater.cli.failures import Failure
from headwater.protocol.sse import MAX_EVENT_BYTES
from headwater.surrogates import mended

#: Bytes of one line; a text as a JSON string can take several times its own size.
MAX_LINE: Final = 8 * MAX_EVENT_BYTES

T = TypeVar("T")


class HasData(Protocol):
    """A line; a record's data is its last value."""

    data: msgspec.Raw


L = TypeVar("L", bound=HasData)


class Lines:
    """Splits the bytes of one connection; what is unfinished at a cut is never given out."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that these bytes complete, without their ends.

        Raises:
            Failure: a line is longer than `MAX_LINE`.
        """
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._held, lines[0]])
            self._held, self._size = [], 0
        if rest:
            self._held.append(rest)
            self._size += len(rest)
        if self._size > MAX_LINE:
            raise Failure("malformed", f"the server sent a line longer than {MAX_LINE} bytes")
        return [line for line in lines if line.strip()]


def read_line(take: Callable[[bytes], T], line: bytes) -> T:
    """What `take` makes of a line.

    Raises:
        Failure: nothing; it is not of Headwater's.
    """
    try:
        return take(line)
    except (msgspec.DecodeError, ValueError):
        raise Failure("malformed", "the server sent a line that is not of Headwater's NDJSON") from None


def decode_line(decoder: msgspec.json.Decoder[L], raw: bytes) -> L:
    """A line, with its data as it was sent.

    Raises:
        msgspec.DecodeError: it is none.
    """
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:
        whole = mended(raw)
        line = decoder.decode(whole)
        at = whole.rindex(bytes(line.data))
        line.data = msgspec.Raw(raw[at : at + len(bytes(line.data))])
        return line
