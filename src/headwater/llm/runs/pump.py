"""From a source to appends: its items in groups, one append under way at a time, with a rest between two.

Rule 1: the first item is handed on as it comes, in the source's own step. What comes during an append or a rest is the
        next group; an item that comes then costs a place in a list, and wakes nobody. An item behind a rest waits for
        the next tick where there are many runs: when the event loop lags, what all of them are owed comes at once.
Rule 2: a source that is faster than its log is slowed down and not stored: there is a limit to what is taken ahead.
Rule 3: however the source ends, what it gave before is handed on before the end is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from headwater.errors import SourceFailed
from headwater.llm.runs.pacing import TICK, Rests

#: Items taken from a source while the last ones are written or the run rests, at most.
AHEAD: Final = 256


Source = AbstractAsyncContextManager[AsyncIterable[Any]]


class Pump:
    """Takes a source's items to its end; make it in a running event loop.

    Args:
        source: a context in which its items are given; left when they end, however they do.
        write: takes a group of items; `written` is to be called when that is done, from inside or later.
        rests: of all runs.
    """

    def __init__(self, source: Source, write: Callable[[list[Any]], None], rests: Rests) -> None:
        self._source: Final = source
        self._write: Final = write
        self._rests: Final = rests
        self._held: list[Any] = []
        self._is_free = True  # no append is under way, and nobody waits for the end of a rest
        self._is_writing = False
        self._is_resting = False
        self._written_at = time.monotonic()
        self._rests_until = 0.0
        self._room: asyncio.Future[None] | None = None
        self._stopped = False
        self._cause: Exception | None = None
        self._ended: Final[asyncio.Future[Exception | None]] = asyncio.get_running_loop().create_future()
        self._filler: Final = asyncio.create_task(self._fill(), name="headwater-source")
        self._filler.add_done_callback(lambda _: self._settle())

    @property
    def waiting_since(self) -> float | None:
        """The source is waited for, and has given nothing since then, on the clock of `time.monotonic`; or None."""
        return self._written_at if self._is_free and not self._filler.done() else None

    async def ended(self) -> Exception | None:
        """Wait until the source is over and all is written; gives why the source broke off, if it did.

        Raises:
            What a write failed with.
        """
        return await self._ended

    def stop(self) -> None:
        """Ask the source for nothing more; what it has given still comes, then this ends."""
        self._stopped = True
        self._filler.cancel()

    def give_up(self, cause: Exception) -> None:
        """End with this cause, behind what was given, whatever the source does."""
        self._cause = self._cause or cause
        self.stop()
        self._settle()

    def written(self, error: Exception | None = None) -> None:
        """A group is written, or could not be; then all is over."""
        self._is_writing = False
        self._written_at = now = time.monotonic()
        if error is not None:
            self._fail(error)
        elif self._is_over:
            self._settle()
        else:
            self._rests_until = now + self._rests.seconds
            if self._held:
                self._rest(self._rests_until)
            else:
                self._is_free = True

    async def aclose(self) -> None:
        """End now; the source is closed when this returns."""
        self.stop()
        await asyncio.gather(self._filler, return_exceptions=True)

    async def _fill(self) -> None:
        held = self._held
        async with self._source as items:
            async for item in items:
                held.append(item)
                if self._is_free:
                    self._is_free = False
                    now = time.monotonic()
                    if now >= self._rests_until and (not self._rests_until or self._rests.seconds < TICK):
                        self._hand_on()
                        await asyncio.sleep(0)  # a source that never waits lets others run
                    else:
                        self._rest(max(now, self._rests_until))
                if len(held) >= AHEAD:
                    await self._wait_for_room()

    async def _wait_for_room(self) -> None:
        loop = asyncio.get_running_loop()
        self._room = loop.create_future()
        loop.call_soon(self._make_room)
        await self._room

    @property
    def _is_over(self) -> bool:
        """Nothing more comes."""
        return self._cause is not None or self._filler.done()

    def _rest(self, until: float) -> None:
        if not self._is_resting:
            self._is_resting = True
            self._rests.end_at(until, self._end_rest)

    def _end_rest(self) -> None:
        self._is_resting = False
        if self._is_writing or not self._held:
            return
        # A full group does not wait for the end of its rest; this may then be the end of an older one.
        if time.monotonic() < self._rests_until:
            self._rest(self._rests_until)
        else:
            self._hand_on()

    def _make_room(self) -> None:
        if len(self._held) >= AHEAD and not self._is_writing:
            self._hand_on()

    def _hand_on(self) -> None:
        group = self._held[:]
        self._held.clear()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._is_writing = True
        try:
            self._write(group)
        except Exception as error:
            self._fail(error)

    def _settle(self) -> None:
        """Nothing more comes: hand on what is left, and end when it is written."""
        if self._is_writing or self._ended.done():
            return
        if self._held:
            self._hand_on()
        else:
            self._ended.set_result(self._cause or self._why())

    def _why(self) -> Exception | None:
        """What the source raised."""
        if not self._filler.done():
            return None
        if self._filler.cancelled():
            return None if self._stopped else SourceFailed("the source was cancelled")
        error = self._filler.exception()
        return error if error is None or isinstance(error, Exception) else SourceFailed("the source broke off")

    def _fail(self, error: Exception) -> None:
        self._is_writing = False
        self._held.clear()
        if not self._ended.done():
            self._ended.set_exception(error)
