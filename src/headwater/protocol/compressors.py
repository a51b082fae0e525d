"""The compression libraries that are installed: Python's own, and those of the extra `compress`.

zlib-ng stands in for zlib where it is installed: the same format, at a fifth to four fifths of the time. zstd is in
Python from 3.14 on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Final

#: Modules by coding; the first that can be imported is taken.
_MODULES: Final = {
    "gzip": ("zlib_ng.zlib_ng", "zlib"),
    "zstd": ("compression.zstd", "backports.zstd"),
    "br": ("brotli",),
}

#: What `level` means for each library: zstd's own levels and brotli's quality, for 1 to 9.
ZSTD_LEVELS: Final = (1, 1, 2, 2, 3, 3, 5, 7, 9)
BROTLI_QUALITIES: Final = (1, 2, 3, 4, 4, 5, 6, 8, 9)
MAX_LEVEL: Final = 9


@cache
def find(coding: str) -> Any:
    """The library for a coding; None: there is none."""
    for name in _MODULES[coding]:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


#: The window of a body that comes in pieces, as a power of two: 256 KiB, so that one on its way costs little memory.
_WINDOW: Final = 18


class BodyCompressor:
    """A body in a coding whose library is installed, in pieces; for each body a new one.

    Args:
        coding: `gzip`, `zstd` or `br`.
        level: 1 (fast) to 9 (small).
    """

    def __init__(self, coding: str, level: int) -> None:
        library = find(coding)
        self._add: Callable[[bytes], bytes]
        self._end: Callable[[], bytes]
        match coding:
            case "gzip":
                deflate = library.compressobj(level, library.DEFLATED, 31)
                self._add, self._end = deflate.compress, deflate.flush
            case "zstd":
                names = library.CompressionParameter
                options = {names.compression_level: ZSTD_LEVELS[level - 1], names.window_log: _WINDOW}
                frame = library.ZstdCompressor(options=options)
                self._add, self._end = frame.compress, frame.flush
            case _:
                brotli = library.Compressor(quality=BROTLI_QUALITIES[level - 1], lgwin=_WINDOW)
                self._add, self._end = brotli.process, brotli.finish

    def add(self, data: bytes) -> bytes:
        """What goes out after another piece, maybe nothing. May be called in any thread, one at a time."""
        return self._add(data)

    def end(self) -> bytes:
        """What goes out behind the last piece."""
        return self._end()


def compress(coding: str, data: bytes, level: int) -> bytes:
    """A whole body in a coding whose library is installed.

    Args:
        coding: `gzip`, `zstd` or `br`.
        data: the body. May be called in any thread; the libraries let others run meanwhile.
        level: 1 (fast) to 9 (small).
    """
    library = find(coding)
    coded: bytes
    match coding:
        case "gzip":
            # The window of gzip, and a header and a trailer around it. Without a time, so that equal bodies stay equal.
            coded = library.compress(data, level, wbits=31)
        case "zstd":
            coded = library.compress(data, level=ZSTD_LEVELS[level - 1])
        case _:
            coded = library.compress(data, quality=BROTLI_QUALITIES[level - 1])
    return coded
