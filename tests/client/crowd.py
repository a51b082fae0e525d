"""Readers of one stream in a process of its own, which say when they asked and when they were there.

`python -m tests.client.crowd URL COUNT`: a line when all are live; behind that, when each has lost its connection and
is live again, a line of JSON with the moments of the kernel's monotonic clock, which all processes share.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec

from headwater.client import Batch, ReaderState, Stream
from headwater.client.http import Answer, Http


class Crowd(msgspec.Struct):
    """What a crowd has done.

    Attributes:
        asked: the moment of each request of a reader that had lost its connection.
        back: the moment at which each was live again.
    """

    asked: list[float] = []
    back: list[float] = []


class NotedHttp(Http):
    """HTTP whose requests are noted in `asked`."""

    asked: list[float]

    @asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> AsyncIterator[Answer]:
        """See `Http.open`."""
        self.asked.append(time.monotonic())
        async with super().open(method, url, query, headers, body, hold=hold) as answer:
            yield answer


async def read(url: str, client: httpx2.AsyncClient, crowd: Crowd, live: asyncio.Semaphore) -> None:
    """One reader: until it is live for the second time."""
    http = NotedHttp(client=client)
    http.asked = []
    stream: Stream[Any] = Stream(url, content_type="application/json", transport="ndjson", http=http)
    reader, firsts = stream.read(), 0
    async for given in reader.batches():
        if not (isinstance(given, Batch) and given.up_to_date) or reader.state is not ReaderState.LIVE:
            continue
        firsts += 1
        if firsts == 1:
            live.release()
            http.asked = crowd.asked
        else:
            crowd.back.append(time.monotonic())
            await reader.close()


def tell(line: str) -> None:
    """Say it to who started this process."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(url: str, count: int) -> None:
    """All of them."""
    crowd, live = Crowd(), asyncio.Semaphore(0)
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(verify=False, limits=limits) as client:
        readers = [asyncio.create_task(read(url, client, crowd, live)) for _ in range(count)]
        for _ in range(count):
            await live.acquire()
        tell("live")
        await asyncio.gather(*readers)
    tell(msgspec.json.encode(crowd).decode())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
