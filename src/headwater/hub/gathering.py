"""Items of a source in groups: what came while the last group was worked on is the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from typing import TypeVar

T = TypeVar("T")


async def gather(source: AsyncIterable[T], limit: int) -> AsyncGenerator[list[T], None]:
    """Groups of items, in order; the first item comes alone as soon as it is there.

    The source is asked for more while a group is worked on, up to a limit; at the limit it waits, so a source that is
    faster than its consumer is slowed down and not stored.

    Args:
        source: closed when the groups end, however they do.
        limit: items of a group at most, and so items taken ahead.

    Raises:
        What the source raises, after all items that came before.
    """
    held: list[T] = []
    news, room = asyncio.Event(), asyncio.Event()

    async def fill() -> None:
        try:
            async for item in source:
                held.append(item)
                news.set()
                if len(held) >= limit:
                    room.clear()
                    await room.wait()
        finally:
            news.set()
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    filler = asyncio.create_task(fill(), name="headwater-gather")
    try:
        while True:
            await news.wait()
            news.clear()
            if held:
                group = held[:]
                held.clear()
                room.set()
                yield group
            elif filler.done():
                filler.result()
                return
            if filler.done():
                news.set()
    finally:
        filler.cancel()
        await asyncio.gather(filler, return_exceptions=True)
