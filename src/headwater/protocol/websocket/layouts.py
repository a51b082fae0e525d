"""Reads that are laid out as one before: where each of their frames begins is known.

Clients of one program send the same messages behind their handshake, each with masks of its own. So what they send has
as many bytes, and the same two at the head of each frame (RFC 6455 section 5.2), and is taken apart in one step.

Rule: a layout says where frames are, and nothing of what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any, Final

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # the one in C, where there is one

#: Layouts that are kept, the newest ones, and the bytes of one.
MAX_KEPT: Final = 64
MAX_BYTES: Final = 4096


#: What a message says, and whether it is text.
Messages = tuple[tuple[bytes, bool], ...]


class Layouts:
    """Those of reads with two frames or more, each of a whole message and short, by the size of the read."""

    def __init__(self) -> None:
        self._known: Final[dict[int, _Layout]] = {}

    def take_apart(self, data: bytes) -> Messages | None:
        """What each of the frames says, and whether it is text; None: no layout that is kept is this one's.

        Text of which not all is ASCII is not taken apart here.
        """
        found = self._known.get(len(data))
        if found is None:
            return None
        parts = found.unpack(data)
        if parts[::3] != found.heads:
            return None
        payloads = list(map(apply_mask, parts[2::3], parts[1::3]))
        whole = b"".join(payloads)
        if whole == found.last:
            return found.messages
        if not whole.isascii():
            return None
        found.last, found.messages = whole, tuple(zip(payloads, found.kinds, strict=True))
        return found.messages

    def keep(self, data: bytes, messages: Sequence[tuple[bytes, bool]]) -> None:
        """Keep the layout of a read that is these messages and nothing else, none of more than 125 bytes."""
        if len(messages) < 2 or len(data) > MAX_BYTES:
            return
        layout = Struct("".join([f"2s4s{len(payload)}s" for payload, _ in messages]))
        if layout.size != len(data):
            return
        known = self._known
        known.pop(len(data), None)
        known[len(data)] = _Layout(layout.unpack, layout.unpack(data)[::3], [is_text for _, is_text in messages])
        if len(known) > MAX_KEPT:
            del known[next(iter(known))]


class _Layout:
    """One of them; what such a read said last, and the same as messages: most clients say the same."""

    __slots__ = ("heads", "kinds", "last", "messages", "unpack")

    def __init__(self, unpack: Callable[[bytes], tuple[Any, ...]], heads: tuple[bytes, ...], kinds: list[bool]) -> None:
        self.unpack = unpack
        self.heads = heads
        self.kinds = kinds
        self.last: bytes | None = None
        self.messages: Messages = ()
