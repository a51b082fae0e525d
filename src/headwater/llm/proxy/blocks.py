"""A stream's bytes in blocks: whole events with the blank line behind them, lines, or elements of an array.

Rule: nothing is added or left out.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from headwater.llm.providers.json_array import JsonArray

#: A line's end followed by another one; CR, LF and CRLF may be mixed (WHATWG HTML, section 9.2.5).
_BLANK: Final = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r(?!\n)|\n)")

#: Bytes of one event that are held until it is whole; a larger one passes in pieces.
MAX_BLOCK: Final = 1024 * 1024


_LINE: Final = re.compile(rb"\n")


class Cutter(Protocol):
    """Cuts a stream behind whatever is whole."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes and give the blocks they complete."""
        ...

    def rest(self) -> bytes:
        """What is left when the stream ends."""
        ...


def cutter(form: str) -> Cutter:
    """That of a form, see `providers.wire`."""
    return Elements() if form == "array" else Blocks(lines=form == "lines")


class Elements:
    """Cuts an array behind its elements."""

    def __init__(self) -> None:
        self._array: Final = JsonArray()

    def feed(self, data: bytes) -> list[bytes]:
        """See `Cutter.feed`."""
        found = self._array.feed(data)
        return [*found, self._array.rest()] if self._array.size > MAX_BLOCK else found

    def rest(self) -> bytes:
        """See `Cutter.rest`."""
        return self._array.rest()


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
