"""Finished bodies in a content coding; the event loop does not wait for large ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Final

from headwater.model import Batch, Extent
from headwater.protocol.compression import Compressor
from headwater.protocol.offsets import distance
from headwater.protocol.requests import Read
from headwater.protocol.responses import Answer, coding_headers

#: Bytes from which a body is compressed in a thread: about a millisecond with the slowest coding.
IN_THREAD: Final = 32 * 1024


def choose(compressor: Compressor, command: Read, found: Batch | Extent) -> str:
    """The coding for what was read, or is to be; empty: none.

    Raises:
        NotAcceptable: the client accepts nothing that there is.
    """
    if not compressor.offered:
        return ""
    return compressor.whole(command.accept_encoding, distance(found.offset, found.next_offset) or 0)


async def coded(compressor: Compressor, coding: str, answer: Answer) -> Answer:
    """An answer with its body in the coding that `choose` gave, and the headers that say so."""
    if not compressor.offered:
        return answer
    body = answer.body
    applied = coding if body else ""
    if applied and len(body) < IN_THREAD:
        body = compressor.compress(coding, body)
    elif applied:
        body = await asyncio.to_thread(compressor.compress, coding, body)
    return Answer(answer.status, [*answer.headers, *coding_headers(applied, varies=True)], body)


async def coded_pieces(compressor: Compressor, coding: str, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """A body in pieces, in the coding that `choose` gave; each is compressed in a thread, and one at a time.

    Args:
        compressor: whose coding it is.
        coding: not empty.
        pieces: of the body as it is; an error of theirs is one of this.
    """
    body = compressor.piecewise(coding)
    async with aclosing(pieces):
        async for piece in pieces:
            add = partial(body.add, piece)
            del piece
            if coded := await asyncio.to_thread(add):
                yield coded
                del coded
    yield await asyncio.to_thread(body.end)
