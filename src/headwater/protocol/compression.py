"""Which codings a server offers, and the one that an answer gets.

Live answers are coded once for all readers of a group (coding.py), and flushed piece by piece; brotli has no use there.
Finished bodies are coded as wholes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from headwater.protocol.coding import IDENTITY, Coding
from headwater.protocol.coding_gzip import GzipCoding
from headwater.protocol.coding_zstd import ZstdCoding
from headwater.protocol.compressors import MAX_LEVEL, BodyCompressor, find
from headwater.protocol.compressors import compress as compress_whole
from headwater.protocol.negotiation import choose_coding

#: Every coding there is, the preferred first: the first two take about as much time, the first gives less bytes.
CODINGS: Final = ("zstd", "br", "gzip")
#: The same for messages of WebSockets (RFC 7692), which has to be asked for by its name.
OF_MESSAGES: Final = "permessage-deflate"
_LIVE: Final[dict[str, Callable[[int, int, int], Coding]]] = {"zstd": ZstdCoding, "gzip": GzipCoding}


class Compression(msgspec.Struct, frozen=True, kw_only=True):
    """Compression of answers to reads, for clients that accept it.

    Attributes:
        codings: what is offered, the preferred first: `zstd`, `br` (finished bodies only) and `gzip`. One whose
            library is not installed is left out; `pip install 'headwater[compress]'` brings them all. For WebSockets,
            `permessage-deflate`.
        min_bytes: a finished body, the part of a live answer that is one reader's own, or a message, is sent as it is
            below this.
        level: 1 (fast) to 9 (small).
        contexts: streams with live readers whose records are compressed with what was sent before them, for each
            coding; about 100 kB of memory each. The records of more streams are compressed by themselves.
    """

    codings: tuple[str, ...] = CODINGS
    min_bytes: int = 1024
    level: int = 6
    contexts: int = 128

    def __post_init__(self) -> None:
        known = (*CODINGS, OF_MESSAGES)
        unknown = [coding for coding in self.codings if coding not in known]
        if unknown:
            raise ValueError(f"compression knows {', '.join(known)}, not {', '.join(unknown)}")
        if not 1 <= self.level <= MAX_LEVEL:
            raise ValueError(f"the level of compression is from 1 to {MAX_LEVEL}, not {self.level}")
        if self.min_bytes < 1 or self.contexts < 1:
            raise ValueError("min_bytes and contexts of compression must be greater than 0")


class Compressor:
    """Chooses codings, and applies them to finished bodies.

    Args:
        settings: None: no compression, and `Accept-Encoding` is not looked at.

    Attributes:
        offered: codings, the preferred first.
        missing: codings that were asked for, and whose library is not installed.
    """

    def __init__(self, settings: Compression | None = None) -> None:
        given_names = () if settings is None else tuple(dict.fromkeys(settings.codings))
        wanted = tuple(name for name in given_names if name != OF_MESSAGES)
        self._settings = settings or Compression()
        self.offered: Final = tuple(coding for coding in wanted if find(coding) is not None)
        self.missing: Final = tuple(coding for coding in wanted if find(coding) is None)
        given = (self._settings.level, self._settings.min_bytes, self._settings.contexts)
        self._live: dict[str, Coding] = {name: _LIVE[name](*given) for name in self.offered if name in _LIVE}

    def live(self, accept_encoding: str | None) -> Coding:
        """The coding of a live answer.

        Args:
            accept_encoding: as sent, or None.

        Raises:
            NotAcceptable: see `negotiation.choose_coding`.
        """
        if not self.offered:
            return IDENTITY
        return self._live.get(choose_coding(accept_encoding, tuple(self._live)), IDENTITY)

    def whole(self, accept_encoding: str | None, size: int) -> str:
        """The coding of a finished body; empty: none.

        Args:
            accept_encoding: as sent, or None.
            size: of the body, in bytes.

        Raises:
            NotAcceptable: see `negotiation.choose_coding`.
        """
        if not self.offered:
            return ""
        coding = choose_coding(accept_encoding, self.offered, small=size < self._settings.min_bytes)
        return coding if coding in self.offered else ""

    def compress(self, coding: str, data: bytes) -> bytes:
        """A finished body in the coding that `whole` gave; may be called in any thread."""
        return compress_whole(coding, data, self._settings.level)

    def piecewise(self, coding: str) -> BodyCompressor:
        """For a body in the coding that `whole` gave, that comes in pieces."""
        return BodyCompressor(coding, self._settings.level)
