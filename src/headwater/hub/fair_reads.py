"""How much is read from logs in one turn of the event loop: those who catch up hold nobody else up.

A store that answers at once and a client that takes all at once never make a long read wait. Alone it would hold the
loop until its end, and many of them for a piece of each.

Rule 1: reads begin while pieces of less than `PER_TURN` were begun in this turn of the loop. All others wait, and go on
        in the order in which they came.
Rule 2: who finds room waits for nothing, so that many small reads cost what they cost.
Rule 3: what an event loop left behind that has ended holds up nobody: a hub may be opened again in another one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from headwater.model import Batch
from headwater.protocol.offsets import position_of

#: Bytes of records. To read, code and send so many takes about a millisecond.
PER_TURN: Final = 256 * 1024
#: A first piece of fewer bytes is no part of any measure: to count it would cost as much as to send it.
SMALL: Final = 16 * 1024


class FairReads:
    """What was begun in this turn of the loop, and who waits for another one."""

    def __init__(self) -> None:
        self._begun = 0
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._is_due = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def come(self, size: int) -> None:
        """Wait until a piece may be read.

        Args:
            size: bytes that it may have.
        """
        if (self._begun >= PER_TURN or self._waiting) and self._is_of(loop := asyncio.get_running_loop()):
            turn = loop.create_future()
            self._waiting.append((turn, size))
            await turn
        else:
            self._begun += size
            self._expect()

    async def come_with(self, batch: Batch) -> None:
        """Wait until the first piece of a read, which tells how large it is, may be coded and sent.

        Args:
            batch: the piece.
        """
        size = position_of(batch.next_offset) - position_of(batch.offset)
        if size >= SMALL:
            await self.come(size)

    def _is_of(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether what is noted is of this loop; if not, it is forgotten."""
        if self._loop is not loop:
            self._waiting.clear()
            self._begun, self._is_due = 0, False
            return False
        return True

    def _expect(self) -> None:
        if not self._is_due:
            self._is_due, self._loop = True, asyncio.get_running_loop()
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        self._is_due, self._begun = False, 0
        while self._waiting and self._begun < PER_TURN:
            turn, size = self._waiting.popleft()
            if not turn.done():  # it is, if who waited was cancelled
                turn.set_result(None)
                self._begun += size
        if self._begun:
            self._expect()
