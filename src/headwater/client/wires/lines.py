"""Lines of NDJSON out of bytes that are cut anywhere, and what they hold."""

from __future__ import annotations

from typing import Final

from headwater.client.errors import BadAnswer

#: Bytes of one line; a text as a JSON string can take several times its own size.
MAX_LINE: Final = 128 * 1024 * 1024


class Blocks:
    """Whole parts out of the bytes of one connection; what is unfinished at a cut is never given out.

    Args:
        end: what a part ends with.
        limit: bytes of one part.
    """

    def __init__(self, end: bytes, limit: int = MAX_LINE) -> None:
        self._end: Final = end
        self._limit: Final = limit
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        """The parts that these bytes complete, with their ends; empty: none.

        Raises:
            BadAnswer: one is longer than the limit.
        """
        at = chunk.rfind(self._end)
        if at < 0 and self._size and len(self._end) > 1:
            return self._straddled(chunk)
        if at < 0:
            return self._hold(chunk)
        at += len(self._end)
        whole = chunk if at == len(chunk) else chunk[:at]
        if self._held:
            whole = b"".join([*self._held, whole])
            self._held, self._size = [], 0
        if at < len(chunk):
            self._hold(chunk[at:])
        return whole

    def rest(self) -> bytes:
        """What is held, which is forgotten."""
        held, self._held, self._size = b"".join(self._held), [], 0
        return held

    def _straddled(self, chunk: bytes) -> bytes:
        """An end may begin in what is held."""
        tail = (self._held[-1] if len(self._held[-1]) >= len(self._end) else b"".join(self._held))[1 - len(self._end) :]
        at = (tail + chunk).rfind(self._end)
        if at < 0:
            return self._hold(chunk)
        held = b"".join([*self._held, chunk])
        at += self._size - len(tail) + len(self._end)
        self._held, self._size = [], 0
        if at < len(held):
            self._hold(held[at:])
        return held[:at]

    def _hold(self, chunk: bytes) -> bytes:
        if chunk:
            self._held.append(chunk)
            self._size += len(chunk)
        if self._size > self._limit:
            raise BadAnswer(f"the server sent a part longer than {self._limit} bytes")
        return b""
