"""Zstandard for live answers: frames that follow each other (RFC 8878 section 3.1; RFC 9659 for the window).

Between two pieces a reader's decoder is always inside a frame that has not ended. A piece that stands alone ends that
frame with an empty block and begins another; a piece that refers to earlier ones goes on in it. So nobody has to know
which of the two came before.
"""

from __future__ import annotations

from typing import Any, Final

from headwater.protocol.coding import LARGE, Common, Pool, Recent
from headwater.protocol.compressors import ZSTD_LEVELS, find

#: Begins a frame: the magic number, no size, checksum or dictionary, and a window of 128 KiB (section 3.1.1.1).
HEADER: Final = b"\x28\xb5\x2f\xfd\x00\x38"
#: Ends a frame: a last block, raw and empty (section 3.1.1.2).
END: Final = b"\x01\x00\x00"
#: Bytes in one raw block: the window.
MAX_RAW: Final = 128 * 1024


class ZstdCoding:
    """Zstandard for live answers.

    Args:
        level: 1 (fast) to 9 (small).
        min_bytes: below this a reader's own piece is a raw block.
        contexts: groups whose pieces refer to earlier ones, at most.
    """

    token = "zstd"

    def __init__(self, level: int, min_bytes: int, contexts: int) -> None:
        library = find("zstd")
        names = library.CompressionParameter
        base = {names.compression_level: ZSTD_LEVELS[level - 1], names.checksum_flag: 0}
        # 114 KiB a context; with the library's own sizes it is a megabyte, and saves nothing on small records.
        small = {**base, names.window_log: 14, names.hash_log: 12, names.chain_log: 12}
        self._min_bytes = min(min_bytes, MAX_RAW)
        self._alone: Any = library.ZstdCompressor(options={**base, names.window_log: 17})
        self.recent: Final = Recent(lambda data: _first(self._alone, data))
        self.pool: Pool[Any] = Pool(lambda: library.ZstdCompressor(options=small), contexts)

    def body(self) -> ZstdBody:
        """See `Coding.body`."""
        return ZstdBody(self)

    def common(self) -> ZstdCommon:
        """See `Coding.common`."""
        return ZstdCommon(self)

    def alone(self, data: bytes) -> bytes:
        """A piece that stands alone."""
        if len(data) < self._min_bytes:
            return END + HEADER + (len(data) << 3).to_bytes(3, "little") + data
        return self.recent.get(data)


def _first(compressor: Any, data: bytes) -> bytes:
    """Data at the start of a frame, whatever the compressor did before."""
    compressor.compress(b"", mode=compressor.FLUSH_FRAME)
    coded: bytes = END + compressor.compress(data, mode=compressor.FLUSH_BLOCK)
    return coded


class ZstdCommon:
    """See `coding.Common`."""

    __slots__ = ("_coding", "_restart")

    def __init__(self, coding: ZstdCoding) -> None:
        self._coding = coding
        self._restart = True

    def restart(self) -> None:
        """See `Common.restart`."""
        self._restart = True

    def piece(self, data: bytes) -> bytes:
        """See `Common.piece`."""
        if len(data) >= LARGE:
            return self.aside(data)
        context, known = self._coding.pool.take(self)
        if self._restart or not known:
            self._restart = False
            return _first(context, data)
        coded: bytes = context.compress(data, mode=context.FLUSH_BLOCK)
        return coded

    def aside(self, data: bytes) -> bytes:
        """See `Common.aside`."""
        self._restart = True
        return self._coding.alone(data)


class ZstdBody:
    """See `coding.Body`; all readers of a coding are in the same state."""

    __slots__ = ("_coding",)

    def __init__(self, coding: ZstdCoding) -> None:
        self._coding = coding

    def begin(self, data: bytes) -> bytes:
        """See `Body.begin`."""
        return HEADER + self.own(data) if data else HEADER

    def own(self, data: bytes) -> bytes:
        """See `Body.own`."""
        return self._coding.alone(data)

    def join(self, common: Common) -> None:
        """See `Body.join`."""
        common.restart()

    def heard(self, data: bytes) -> None:
        """See `Body.heard`."""

    def leave(self) -> None:
        """See `Body.leave`."""

    def end(self) -> bytes:
        """See `Body.end`."""
        return END
