"""Finished bodies in a content coding; the event loop does not wait for large ones."""

from __future__ import annotations

import asyncio
from typing import Final

from headwater.model import Batch
from headwater.protocol.compression import Compressor
from headwater.protocol.requests import Read
from headwater.protocol.responses import Answer, coding_headers

#: Bytes from which a body is compressed in a thread: about a millisecond with the slowest coding.
IN_THREAD: Final = 32 * 1024


def choose(compressor: Compressor, command: Read, batch: Batch) -> str:
    """The coding for what was read; empty: none.

    Raises:
        NotAcceptable: the client accepts nothing that there is.
    """
    if not compressor.offered:
        return ""
    return compressor.whole(command.accept_encoding, sum(len(record.data) for record in batch.records))


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
