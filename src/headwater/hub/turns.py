"""Turns by path, or by what else has an order: what comes goes on in the order in which it came, however long it takes.

Rule: a turn of several is taken in one step of the loop, so that no two wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable
from contextlib import asynccontextmanager


class Turns:
    """Those of one hub."""

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Future[None]] = {}

    def __contains__(self, what: Hashable) -> bool:
        """Whether somebody has a turn at it, or waits for one."""
        return what in self._last

    @asynccontextmanager
    async def of(self, these: Iterable[Hashable]) -> AsyncIterator[None]:
        """Wait until all that came before to one of these is over; what comes later waits for the end of this."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wanted = frozenset(these)
        before = {found for each in wanted if (found := self._last.get(each)) is not None}
        self._last.update(dict.fromkeys(wanted, mine))
        try:
            if before:
                await asyncio.wait(before)
            yield
        finally:
            self._end(mine, wanted, {each for each in before if not each.done()})

    def _end(self, mine: asyncio.Future[None], wanted: frozenset[Hashable], before: set[asyncio.Future[None]]) -> None:
        if before:
            # It was given up while it waited, and who waits for it waits for these all the same.
            before.pop().add_done_callback(lambda _: self._end(mine, wanted, {one for one in before if not one.done()}))
            return
        mine.set_result(None)
        for each in wanted:
            if self._last.get(each) is mine:
                del self._last[each]
