"""gzip for live answers: one member, of deflate blocks that are decoded as they come (RFC 1951, RFC 1952).

Not a member a piece: Chromium and curl end at the first one's trailer. A piece ends on a byte's edge with the empty
stored block that `Z_SYNC_FLUSH` makes; one that stands alone follows on a `Z_FULL_FLUSH`, behind which nothing refers
to what was before. The header is each reader's own, and so is the trailer, whose CRC follows at the answer's end from
that of the group.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from headwater.protocol.coding import LARGE, Common, Pool, Recent
from headwater.protocol.compressors import find
from headwater.protocol.crc import shift

#: A member's header: deflate, no name, no time, an unknown system (RFC 1952 section 2.3).
HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
#: The last block of a member: empty, with fixed codes.
LAST_BLOCK: Final = b"\x03\x00"
#: Window (2**13) and memory of a group's context: 70 KiB, where the largest take 220 KiB and save 3 percent.
_WINDOW: Final = -13
_MEMORY: Final = 6


class GzipCoding:
    """gzip for live answers.

    Args:
        level: 1 (fast) to 9 (small).
        min_bytes: below this a reader's own piece is a stored block.
        contexts: groups whose pieces refer to earlier ones, at most.
    """

    token = "gzip"

    def __init__(self, level: int, min_bytes: int, contexts: int) -> None:
        library = find("gzip")
        self._min_bytes = min(min_bytes, LARGE)
        self._small: Any = library.compressobj(level, library.DEFLATED, -15)
        self._large: Any = library.compressobj(1, library.DEFLATED, -15)
        self.recent: Final = Recent(self._code)
        self.pool: Pool[Any] = Pool(lambda: library.compressobj(level, library.DEFLATED, _WINDOW, _MEMORY), contexts)

    def body(self) -> GzipBody:
        """See `Coding.body`."""
        return GzipBody(self)

    def common(self) -> GzipCommon:
        """See `Coding.common`."""
        return GzipCommon(self)

    def alone(self, data: bytes) -> bytes:
        """A piece that stands alone."""
        if len(data) < self._min_bytes:
            return _stored(data)
        return self.recent.get(data)

    def _code(self, data: bytes) -> bytes:
        # Level 1 takes a third of the time of level 6, and the event loop waits for it.
        compressor = self._small if len(data) < LARGE else self._large
        # What follows on a full flush knows nothing of other readers' data before it.
        coded: bytes = compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)
        return coded


def _stored(data: bytes) -> bytes:
    """A block that is not compressed (RFC 1951 section 3.2.4); at most 65535 bytes."""
    size = len(data)
    return b"\x00" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + data


class GzipCommon:
    """See `coding.Common`.

    Attributes:
        crc: of everything so far.
        size: of everything so far, in bytes.
    """

    __slots__ = ("_coding", "_restart", "crc", "size")

    def __init__(self, coding: GzipCoding) -> None:
        self._coding = coding
        self._restart = True
        self.crc = 0
        self.size = 0

    def restart(self) -> None:
        """See `Common.restart`."""
        self._restart = True

    def piece(self, data: bytes) -> bytes:
        """See `Common.piece`."""
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        if len(data) >= LARGE:
            return self._alone(data)
        context, known = self._coding.pool.take(self)
        # The flush gives an empty block of 5 bytes, when the context was used before; it is part of nobody's answer.
        if self._restart or not known:
            context.flush(zlib.Z_FULL_FLUSH)
            self._restart = False
        coded: bytes = context.compress(data) + context.flush(zlib.Z_SYNC_FLUSH)
        return coded

    def aside(self, data: bytes) -> bytes:
        """See `Common.aside`."""
        return self._alone(data)

    def _alone(self, data: bytes) -> bytes:
        """What follows knows nothing of it, and so not how far back that lies which was before it."""
        self._restart = True
        return self._coding.alone(data)


class GzipBody:
    """See `coding.Body`."""

    __slots__ = ("_coding", "_common", "_crc", "_joined_at", "_size")

    def __init__(self, coding: GzipCoding) -> None:
        self._coding = coding
        self._common: GzipCommon | None = None
        self._crc = 0
        self._size = 0
        self._joined_at = 0

    def begin(self, data: bytes) -> bytes:
        """See `Body.begin`."""
        return HEADER + self.own(data) if data else HEADER

    def own(self, data: bytes) -> bytes:
        """See `Body.own`."""
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        return self._coding.alone(data)

    def join(self, common: Common) -> None:
        """See `Body.join`."""
        assert isinstance(common, GzipCommon)
        common.restart()
        self._count_from(common)

    def _count_from(self, common: GzipCommon) -> None:
        """Count by the group's size and CRC; ours is kept as what it differs by."""
        self._common = common
        self._joined_at = common.size
        self._crc ^= common.crc

    def heard(self, data: bytes) -> None:
        """See `Body.heard`."""
        common = self._common
        self.leave()
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        if common is not None:
            self._count_from(common)

    def leave(self) -> None:
        """See `Body.leave`."""
        common, self._common = self._common, None
        if common is not None:
            shared = common.size - self._joined_at
            self._size += shared
            self._crc = shift(self._crc, shared) ^ common.crc

    def end(self) -> bytes:
        """See `Body.end`."""
        self.leave()
        return LAST_BLOCK + self._crc.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little")
