"""The bytes of a JSON array as they come, cut behind its elements: how some providers stream without events.

Rule: nothing is added or left out. An element has the comma and the white space before it, the first one the bracket.
"""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = re.compile(rb'["\[\]{}]')
_MARK_IN_STRING: Final = re.compile(rb'["\\]')


class JsonArray:
    """Cuts an array whose elements are objects.

    Attributes:
        is_closed: its last bracket has come.
        size: bytes that are held, because their element is not whole.
    """

    def __init__(self) -> None:
        self.is_closed = False
        self.size = 0
        self._held: list[bytes] = []
        self._depth = 0
        self._is_string = False
        self._is_escape = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes and give the elements they complete; the closing bracket is one for itself."""
        found: list[bytes] = []
        begin = 0
        at = 1 if self._is_escape and data else 0
        self._is_escape = self._is_escape and not data
        while match := (_MARK_IN_STRING if self._is_string else _MARK).search(data, at):
            at = match.end()
            if self._ends_element(match.group()):
                found.append(b"".join([*self._held, data[begin:at]]))
                self._held, self.size, begin = [], 0, at
            elif match.group() == b"\\":
                self._is_escape = at == len(data)
                at += 1
        if begin < len(data):
            self._held.append(data[begin:])
            self.size += len(data) - begin
        return found

    def rest(self) -> bytes:
        """What is held."""
        rest, self._held, self.size = b"".join(self._held), [], 0
        return rest

    def _ends_element(self, mark: bytes) -> bool:
        if mark == b'"':
            self._is_string = not self._is_string
        elif mark in b"[{":
            self._depth += 1
        elif mark in b"]}":
            self._depth -= 1
            self.is_closed = self.is_closed or self._depth <= 0
            return self._depth <= 1
        return False


def element_of(piece: bytes) -> bytes:
    """The JSON of a piece, without what stands between elements; empty: there is none in it."""
    return (
        piece.strip(b" \t\r\n,").removeprefix(b"[").lstrip(b" \t\r\n").removesuffix(b"]" if b"{" not in piece else b"")
    )
