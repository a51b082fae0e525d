"""A stream's bytes in blocks: whole events with the blank line behind them, or lines; nothing added or left out."""

from __future__ import annotations

import re
from typing import Final

#: A line's end followed by another one; CR, LF and CRLF may be mixed (WHATWG HTML, section 9.2.5).
_BLANK: Final = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r(?!\n)|\n)")

#: Bytes of one event that are held until it is whole; a larger one passes in pieces.
MAX_BLOCK: Final = 1024 * 1024


_LINE: Final = re.compile(rb"\n")


class Blocks:
    """Cuts a stream behind its events.

    Args:
        lines: it is one of lines; else of events, which end with a blank one.
    """

    def __init__(self, *, lines: bool = False) -> None:
        self._end: Final = _LINE if lines else _BLANK
        self._held = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes and give the events they complete, each with the blank line behind it."""
        held = self._held + data
        found = []
        end = 0
        for match in self._end.finditer(held, max(0, len(self._held) - 3)):
            # A CR at the very end may be the first half of a CRLF.
            if match.end() < len(held) or held[-1:] == b"\n":
                found.append(held[end : match.end()])
                end = match.end()
        if not found and len(held) > MAX_BLOCK:
            found, end = [held], len(held)
        self._held = held[end:]
        return found

    def rest(self) -> bytes:
        """What is left when the stream ends."""
        rest, self._held = self._held, b""
        return rest
