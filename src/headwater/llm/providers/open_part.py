"""A part that is open: a text, thinking, or the input of a call, as it comes."""

from __future__ import annotations

from typing import Final

from headwater.llm.parts import ToolStart

#: First halves of surrogate pairs.
_HIGH: Final = range(0xD800, 0xDC00)


class OpenPart:
    """An open part: the half of a character that waits for its other half, and a tool's input so far."""

    __slots__ = ("held", "pieces", "tool")

    def __init__(self, tool: ToolStart | None = None) -> None:
        self.held = ""
        self.tool = tool
        self.pieces: list[str] = []

    def take(self, delta: str) -> str:
        """The delta as characters; half of a surrogate pair at its end waits, a lone half becomes U+FFFD.

        Providers cut JSON escapes in the middle of a pair.
        """
        if delta.isascii() and not self.held:
            return delta
        delta, self.held = self.held + delta, ""
        if delta and ord(delta[-1]) in _HIGH:
            delta, self.held = delta[:-1], delta[-1]
        return delta.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
