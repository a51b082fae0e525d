"""The parts of a body, and where it ends."""

from __future__ import annotations

import zlib

from conformance.scenario import Behind, Fault

#: zlib's window for a gzip header and trailer (zlib manual, deflateInit2).
_GZIP = 31


class Limit:
    """A place in a body.

    Args:
        at: so many bytes, or behind a text; None: there is none.

    Attributes:
        is_reached: the place lies in what came.
    """

    def __init__(self, at: int | Behind | None) -> None:
        self._at = at if isinstance(at, int) else None
        self._behind = at if isinstance(at, Behind) else None
        self._seen = b""
        self._count = 0
        self.is_reached = at == 0

    def take(self, data: bytes) -> bytes:
        """What of a part lies before the place."""
        if self.is_reached:
            return b""
        if self._behind is not None and self._at is None:
            self._seen += data
            found = self._seen.find(self._behind.behind.encode())
            if found >= 0:
                self._at = found + len(self._behind.behind.encode()) + self._behind.plus
        if self._at is not None and self._count + len(data) >= self._at:
            self.is_reached = True
            data = data[: self._at - self._count]
        self._count += len(data)
        return data


class Coding:
    """The body as it is sent: with what is put before it, and compressed."""

    def __init__(self, fault: Fault, insert: str) -> None:
        self._first = insert.encode()
        self._corrupt = fault.corrupt
        self._deflate = zlib.compressobj(wbits=_GZIP) if fault.gzip else None

    def encode(self, data: bytes) -> bytes:
        """A part, all of which can be decoded when it is there."""
        if self._corrupt:
            data = data[:-1] + b"\xff" if data else data
        data, self._first = self._first + data, b""
        if self._deflate is None or not data:
            return data
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        """What follows the last part."""
        return self.encode(b"") + (self._deflate.flush() if self._deflate is not None else b"")


def pieces(data: bytes, size: int) -> list[bytes]:
    """A part in pieces; 0: it stays whole."""
    if not size:
        return [data]
    return [data[at : at + size] for at in range(0, len(data), size)]
