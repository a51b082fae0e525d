"""Items of a source in groups: what came while the last group was worked on is the next one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Groups(Generic[T]):
    """Groups of items, in order; the first item comes alone as soon as it is there. An asynchronous iterator.

    The source is asked for more while a group is worked on, up to a limit; at the limit it waits, so a source that is
    faster than its consumer is slowed down and not stored. Iterating raises what the source raises, after all items
    that came before.

    Args:
        source: closed when the groups end, however they do.
        limit: items of a group at most, and so items taken ahead.

    Attributes:
        waiting_since: the consumer waits for the source, which has given nothing since then, on the clock of
            `time.monotonic`; None: it does not.
        given_up: what the consumer raises; see `give_up`.
    """

    def __init__(self, source: AsyncIterable[T], limit: int) -> None:
        self.waiting_since: float | None = None
        self._source = source
        self._limit = limit
        self._held: list[T] = []
        self._rests_until = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._consumer: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._stopped = False
        self.given_up: Exception | None = None
        self._filler = asyncio.create_task(self._fill(), name="headwater-gather")
        self._filler.add_done_callback(lambda _: self._wake())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[T]:
        while self.given_up is None and not self._filler.done() and not (self._held and self._is_rested()):
            self._consumer = asyncio.get_running_loop().create_future()
            if self._held:
                self._set_alarm()
            else:
                self.waiting_since = time.monotonic()
            try:
                await self._consumer
            finally:
                self._consumer = self.waiting_since = None
        if self.given_up is not None:
            raise self.given_up
        if self._held:
            group, self._held = self._held, []
            self._room.set()
            return group
        if not (self._stopped and self._filler.cancelled()):
            self._filler.result()
        raise StopAsyncIteration

    def rest(self, seconds: float) -> None:
        """The next group comes after a while and has what came meanwhile; sooner, if it is full or the source ends."""
        self._rests_until = time.monotonic() + seconds if seconds > 0 else 0.0

    def stop(self) -> None:
        """Ask the source for nothing more; what it has given still comes, then the groups end."""
        self._stopped = True
        self._filler.cancel()

    def give_up(self, error: Exception) -> None:
        """Have the consumer raise this, now or at its next step, whatever the source does."""
        self.given_up = error
        self._wake()

    async def aclose(self) -> None:
        """End now; the source is closed when this returns."""
        self.stop()
        await asyncio.gather(self._filler, return_exceptions=True)

    async def _fill(self) -> None:
        try:
            async for item in self._source:
                self._held.append(item)
                if self._consumer is not None and self._alarm is None:
                    self._tell()
                if len(self._held) >= self._limit:
                    self._wake()
                    self._room.clear()
                    await self._room.wait()
        finally:
            close = getattr(self._source, "aclose", None)
            if close is not None:
                await close()

    def _is_rested(self) -> bool:
        return not self._rests_until or len(self._held) >= self._limit or time.monotonic() >= self._rests_until

    def _tell(self) -> None:
        """There is an item: wake the consumer, now or when it has rested. What comes meanwhile costs nothing here."""
        self.waiting_since = None
        if self._is_rested():
            self._wake()
        else:
            self._set_alarm()

    def _set_alarm(self) -> None:
        seconds = max(0.0, self._rests_until - time.monotonic())
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._end_rest)

    def _end_rest(self) -> None:
        self._alarm, self._rests_until = None, 0.0
        self._wake()

    def _wake(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._consumer is not None and not self._consumer.done():
            self._consumer.set_result(None)
