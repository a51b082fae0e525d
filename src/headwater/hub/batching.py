"""Items of a source in groups: what came while the last group was worked on is the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Batches(Generic[T]):
    """Batches of items, in order; the first item comes alone as soon as it is there. An asynchronous iterator.

    The source is asked for more while a group is worked on, up to a limit; at the limit it waits, so a source that is
    faster than its consumer is slowed down and not stored. Iterating raises what the source raises, after all items
    that came before.

    Args:
        source: closed when the groups end, however they do.
        limit: items of a group at most, and so items taken ahead.
    """

    def __init__(self, source: AsyncIterable[T], limit: int) -> None:
        self._source = source
        self._limit = limit
        self._held: list[T] = []
        self._consumer: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._stopped = False
        self._filler = asyncio.create_task(self._fill(), name="headwater-gather")
        self._filler.add_done_callback(lambda _: self._wake())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[T]:
        while not self._held and not self._filler.done():
            self._consumer = asyncio.get_running_loop().create_future()
            try:
                await self._consumer
            finally:
                self._consumer = None
        if self._held:
            group, self._held = self._held, []
            self._room.set()
            return group
        if not (self._stopped and self._filler.cancelled()):
            self._filler.result()
        raise StopAsyncIteration

    def stop(self) -> None:
        """Ask the source for nothing more; what it has given still comes, then the groups end."""
        self._stopped = True
        self._filler.cancel()

    async def aclose(self) -> None:
        """End now; the source is closed when this returns."""
        self.stop()
        await asyncio.gather(self._filler, return_exceptions=True)

    async def _fill(self) -> None:
        try:
            async for item in self._source:
                self._held.append(item)
                self._wake()
                if len(self._held) >= self._limit:
                    self._room.clear()
                    await self._room.wait()
        finally:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                await close()

    def _wake(self) -> None:
        if self._consumer is not None and not self._consumer.done():
            self._consumer.set_result(None)
