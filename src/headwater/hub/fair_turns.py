"""How much is done in one turn of the event loop, so that long work of some holds up nobody else.

A store that answers at once and a client that takes all at once never make a long read wait. Alone it would hold the
loop until its end, and many of them for a piece of each. So would eight large appends that came together.

Rule 1: work begins while less than `PER_TURN` was begun in this turn of the loop; each is then done whole. All others
        wait, and go on in the order in which they came.
Rule 2: who finds room waits for nothing, so that much small work costs what it costs.
Rule 3: what an event loop left behind that has ended holds up nobody: a hub may be opened again in another one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from headwater.model import Batch
from headwater.protocol.offsets import position_of

#: Bytes of records. To read, code and send so many takes about a millisecond.
PER_TURN: Final = 256 * 1024
#: A first piece of fewer bytes is no part of any measure: to count it would cost as much as to send it.
SMALL: Final = 16 * 1024


class FairTurns:
    """What was begun in this turn of the loop, and who waits for another one."""

    def __init__(self) -> None:
        self._begun = 0
        #: Each begins its work, and says whether there was some.
        self._waiting: deque[tuple[Callable[[], bool], int]] = deque()
        self._is_due = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def come(self, size: int) -> None:
        """Wait for a turn.

        Args:
            size: bytes of the work in it, at most.
        """
        if self._finds_room(size):
            return
        turn = asyncio.get_running_loop().create_future()

        def begin() -> bool:
            if turn.done():  # who waited was cancelled
                return False
            turn.set_result(None)
            return True

        self._waiting.append((begin, size))
        await turn

    async def come_with(self, batch: Batch) -> None:
        """Wait until the first piece of a read, which tells how large it is, may be coded and sent.

        Args:
            batch: the piece.
        """
        size = position_of(batch.next_offset) - position_of(batch.offset)
        if size >= SMALL:
            await self.come(size)

    async def come_alone(self) -> None:
        """Wait for a turn of one's own."""
        await self.come(PER_TURN)

    def call(self, act: Callable[[], None]) -> None:
        """Do something that takes a turn of its own: now, or when it comes.

        Args:
            act: raises nothing.
        """
        if self._finds_room(PER_TURN):
            act()
            return

        def begin() -> bool:
            act()
            return True

        self._waiting.append((begin, PER_TURN))

    def _finds_room(self, size: int) -> bool:
        if (self._begun >= PER_TURN or self._waiting) and self._is_of(asyncio.get_running_loop()):
            return False
        self._begun += size
        self._expect()
        return True

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
        try:
            while self._waiting and self._begun < PER_TURN:
                begin, size = self._waiting.popleft()
                if begin():
                    self._begun += size
        finally:  # a mistake in what one does is the loop's to report, and nobody behind it waits for ever
            if self._begun or self._waiting:
                # Behind those who were told, so that what they do in their turn is counted in it.
                self._expect()
