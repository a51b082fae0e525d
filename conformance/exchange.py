"""HTTP/1.1 messages on streams: as much as a server that makes faults needs of them (RFC 9112)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

#: Bytes that are read at once.
_PART: Final = 65536

Headers = list[tuple[str, str]]


class Head:
    """The first line and the headers of a message.

    Attributes:
        line: the first line's three parts.
        headers: as they came.
    """

    def __init__(self, line: tuple[str, str, str], headers: Headers) -> None:
        self.line = line
        self.headers = headers

    def get(self, name: str) -> str | None:
        """A header's first value."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def put(self, name: str, value: str | None) -> None:
        """Set a header, or take it away."""
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def encode(self) -> bytes:
        """As bytes."""
        lines = [" ".join(self.line), *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")

    @property
    def is_chunked(self) -> bool:
        """The body comes in chunks."""
        return "chunked" in (self.get("transfer-encoding") or "").lower()


async def read_head(reader: asyncio.StreamReader) -> Head:
    """The head of a message."""
    text = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
    first, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
    parts = [*first.split(" ", 2), "", ""][:3]
    pairs = [line.partition(":") for line in lines]
    return Head((parts[0], parts[1], parts[2]), [(name, value.strip()) for name, _, value in pairs])


def body_parts(head: Head, reader: asyncio.StreamReader, *, is_response: bool) -> AsyncIterator[bytes]:
    """A message's body, without its framing, which is as the head says now.

    Raises:
        asyncio.IncompleteReadError: it is cut.
    """
    if head.is_chunked:
        return _chunks(reader)
    length = head.get("content-length")
    return _sized(reader, int(length) if length is not None else None if is_response else 0)


async def _sized(reader: asyncio.StreamReader, left: int | None) -> AsyncIterator[bytes]:
    while left is None or left > 0:
        part = await reader.read(_PART if left is None else min(left, _PART))
        if not part:
            if left:
                raise asyncio.IncompleteReadError(b"", left)
            return
        left = None if left is None else left - len(part)
        yield part


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass


def chunk(data: bytes) -> bytes:
    """One chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


#: Behind the last chunk.
LAST_CHUNK: Final = b"0\r\n\r\n"
