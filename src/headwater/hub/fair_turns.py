"""How much is done in one turn of the event loop, so that long work of some holds up nobody else.

A store that answers at once and a client that takes all at once never make a long read wait. Alone it would hold the
loop until its end, and many of them for a piece of each. So would eight large appends that came together.

What costs are bytes, and records, each of which is handled by itself however small it is. So both are counted. How many
records are in a body is known when it is taken apart: of that the time is counted.

Rule 1: work begins while less than `PER_TURN` was begun in this turn of the loop; each is then done whole. All others
        wait, and go on in the order in which they came. What is called is also counted by its time.
Rule 2: who finds room waits for nothing, so that much small work costs what it costs.
Rule 3: what an event loop left behind that has ended holds up nobody: a hub may be opened again in another one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Final

from headwater.model import Batch
from headwater.protocol.offsets import position_of
from headwater.protocol.spans import are_lines, count_of

#: Bytes of records. To read, code and send so many takes about a millisecond.
PER_TURN: Final = 256 * 1024
#: Bytes that cost what a record costs beside its own: about a microsecond.
PER_RECORD: Final = 256
#: The same a second, of what is called: four milliseconds are a turn.
PER_SECOND: Final = PER_TURN * 250
#: A first piece of less is no part of any measure: to count it would cost as much as to send it.
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
            size: bytes of the work in it, at most; `PER_RECORD` are a record.
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

    async def come_with(self, batch: Batch, *, joined: bool = False) -> None:
        """Wait until the first piece of a read, which tells how large it is, may be coded and sent.

        Args:
            batch: the piece.
            joined: the form of the response is one of all records together, where the store gives them so: see `Span`.
        """
        size = position_of(batch.next_offset) - position_of(batch.offset)
        if not (joined and are_lines(batch.records)):
            size += PER_RECORD * count_of(batch.records)
        if size >= SMALL:
            await self.come(size)

    def count(self, batch: Batch) -> None:
        """Count the records of a piece, for whose bytes there was a turn: others wait the longer for them."""
        if self._is_due:
            self._begun += PER_RECORD * count_of(batch.records)

    async def come_alone(self) -> None:
        """Wait for a turn of one's own."""
        await self.come(PER_TURN)

    @property
    def is_full(self) -> bool:
        """Whether what comes now has to wait for a turn: see `call`. It may be so of a loop that has ended."""
        return self._begun >= PER_TURN or bool(self._waiting)

    @property
    def is_spent(self) -> bool:
        """Whether who has this turn has used it up."""
        return self._begun >= PER_TURN

    def call(self, act: Callable[[], None], size: int = PER_TURN) -> None:
        """Do something in its turn: now, or when it comes.

        Args:
            act: raises nothing.
            size: for which it counts beside its time; as it is, it takes a turn of its own.
        """
        if self._finds_room(size):
            self.measure(act)
            return

        def begin() -> bool:
            self.measure(act)
            return True

        self._waiting.append((begin, size))

    def measure(self, act: Callable[[], None]) -> None:
        """Do something now, of which the time counts."""
        begun = perf_counter()
        try:
            act()
        finally:
            self._begun += int((perf_counter() - begun) * PER_SECOND)
            self._expect()

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
