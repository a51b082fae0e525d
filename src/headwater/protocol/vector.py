"""The cursor of a read of many streams: where it stands in each of them, as one short text.

It is the id of an event, which a browser sends back by itself. Its bytes, in base64 for URLs without padding:

    the form (1), a checksum of the names that the read asked for (4), then of each name in the order of the request
      a stream:   0: not begun | 1, incarnation: told to its end; 0: waited for | incarnation + 1, position
      a pattern:  the highest incarnation that was seen, doubled, and one more if all that matches was seen; how many
                  streams follow, and of each, by incarnation: the distance of its own incarnation to the one before,
                  the distance from there back to the one of the offset, position

All numbers but the checksum are LEB128 (DWARF 5, section 7.6). An incarnation names a stream for ever: what matches a
pattern needs no path here.

Rule: it is opaque to clients, and whoever sends a wrong one learns so: it is bound to its read.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from zlib import crc32

import msgspec

from headwater.errors import InvalidOffset
from headwater.protocol.offsets import MAX_HALF, format_offset, parse_offset
from headwater.protocol.patterns import is_pattern

#: Pieces that are remembered, of streams that match and of others, 8.5 MB in all with their offsets. They are for reads
#: that are told where they stand in the same moment; each has 1,000 streams at most.
REMEMBERED_MATCHES: Final = 16_384
REMEMBERED_PLACES: Final = 8192
#: Characters of a vector: of 1,000 streams it has some 12,000.
MAX_VECTOR: Final = 64 * 1024
_FORM: Final = b"\x01"
_HEAD: Final = 5
_NOT_BEGUN: Final = 0
_ENDED: Final = 1
#: The piece of a stream that nothing was told of, and of one that is waited for.
NOT_BEGUN: Final = b"\x00"
WAITED_FOR: Final = b"\x01\x00"


class Stood(msgspec.Struct, frozen=True, gc=False):
    """Where a read stood in a stream.

    Attributes:
        offset: that was told last; None: told to its end, or waited for.
        incarnation: of the stream, if it was told to its end; 0: there was none.
    """

    offset: str | None
    incarnation: int = 0


class Matched(msgspec.Struct, frozen=True):
    """Where a read stood in the streams that match a pattern.

    Attributes:
        highest: incarnation that was seen; a stream with a higher one is new.
        offsets: by the incarnation of the stream; `ZERO`: its start. A closed stream that is not here and not new was
            told to its end.
        is_listed: all that matches was seen. If not, what is not here begins where the read says.
    """

    highest: int
    offsets: Mapping[int, str]
    is_listed: bool = True


#: By the order of the names that were asked for. Of a stream None: not begun.
Vector = Sequence[Stood | Matched | None]


def encode_vector(head: bytes, pieces: Sequence[bytes]) -> str:
    """The text of a vector.

    Args:
        head: of the read; see `head_of`.
        pieces: of each name; see `NOT_BEGUN`, `ended`, `begun` and `matched`.
    """
    return urlsafe_b64encode(head + b"".join(pieces)).rstrip(b"=").decode()


def head_of(names: Sequence[str]) -> bytes:
    """What the vectors of a read begin with.

    Args:
        names: that it asks for, streams and patterns, in their order.
    """
    return _FORM + crc32("\n".join(names).encode()).to_bytes(4, "big")


def decode_vector(text: str, names: Sequence[str]) -> Vector:
    """Where a read stood.

    Args:
        text: as it was sent.
        names: as for `head_of`.

    Raises:
        InvalidOffset: it is no vector, or one of another read.
    """
    if len(text) > MAX_VECTOR:
        raise InvalidOffset(f"the cursor has {len(text)} characters, the limit is {MAX_VECTOR}")
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, UnicodeEncodeError):
        raise InvalidOffset(f"{text[:40]!r} is no cursor of a read of many streams") from None
    if data[:1] != _FORM or len(data) < _HEAD:
        raise InvalidOffset(f"{text[:40]!r} is no cursor of a read of many streams")
    if data[:_HEAD] != head_of(names):
        raise InvalidOffset("the cursor is of a read of other streams; leave it out, and begin each where you want")
    reader = _Numbers(data[_HEAD:])
    places = [_read_matched(reader) if is_pattern(name) else _read_place(reader) for name in names]
    reader.end()
    return places


def matched(place: Matched) -> bytes:
    """The piece of a pattern."""
    parts, before = [_number(place.highest * 2 + place.is_listed), _number(len(place.offsets))], 0
    offsets = place.offsets
    for incarnation in sorted(offsets):
        parts += (_number(incarnation - before), _of_match(incarnation, offsets[incarnation]))
        before = incarnation
    return b"".join(parts)


@lru_cache(REMEMBERED_MATCHES)
def _of_match(incarnation: int, offset: str) -> bytes:
    of_offset, position = parse_offset(offset)
    return _number(incarnation - of_offset) + _number(position)


def ended(incarnation: int) -> bytes:
    """The piece of a stream that was told to its end."""
    return b"\x01" + _number(incarnation)


# The members of a group stand at one offset, which is put into the vector of each.
@lru_cache(REMEMBERED_PLACES)
def begun(offset: str) -> bytes:
    """The piece of a stream that was told up to an offset."""
    incarnation, position = parse_offset(offset)
    return _number(incarnation + 1) + _number(position)


def _number(value: int) -> bytes:
    if value < 0x80:
        return value.to_bytes(1, "little")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class _Numbers:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next(self, maximum: int = MAX_HALF) -> int:
        value = shift = 0
        while self._at < len(self._data) and shift < 63:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if value > maximum:
                    break
                return value
        raise InvalidOffset("the cursor is cut or damaged")

    def end(self) -> None:
        if self._at != len(self._data):
            raise InvalidOffset("the cursor is damaged: something follows its end")


def _read_place(numbers: _Numbers) -> Stood | None:
    kind = numbers.next(MAX_HALF + 1)
    if kind == _NOT_BEGUN:
        return None
    if kind == _ENDED:
        return Stood(None, numbers.next())
    return Stood(format_offset(kind - 1, numbers.next()))


def _read_matched(numbers: _Numbers) -> Matched:
    highest, is_listed = divmod(numbers.next(2 * MAX_HALF + 1), 2)
    count, offsets, incarnation = numbers.next(MAX_VECTOR), {}, 0
    for _ in range(count):
        incarnation += numbers.next()
        of_offset = incarnation - numbers.next(incarnation)
        if incarnation > MAX_HALF:
            raise InvalidOffset("the cursor is damaged: an incarnation is out of range")
        offsets[incarnation] = format_offset(of_offset, numbers.next())
    return Matched(highest, offsets, bool(is_listed))
