"""Turns by path: what comes to a stream goes on in the order in which it came, however long each takes.

Rule: a turn of several paths is taken in one step of the loop, so that no two wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class Turns:
    """Those of one hub."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[None]] = {}

    def __contains__(self, path: str) -> bool:
        """Whether somebody has a turn at a path, or waits for one."""
        return path in self._last

    @asynccontextmanager
    async def of(self, paths: Iterable[str]) -> AsyncIterator[None]:
        """Wait until all that came before to these paths is over; what comes later waits for the end of this."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wanted = frozenset(paths)
        before = {found for path in wanted if (found := self._last.get(path)) is not None}
        self._last.update(dict.fromkeys(wanted, mine))
        try:
            if before:
                await asyncio.wait(before)
            yield
        finally:
            self._end(mine, wanted, {each for each in before if not each.done()})

    def _end(self, mine: asyncio.Future[None], wanted: frozenset[str], before: set[asyncio.Future[None]]) -> None:
        if before:
            # It was given up while it waited, and who waits for it waits for these all the same.
            before.pop().add_done_callback(lambda _: self._end(mine, wanted, {one for one in before if not one.done()}))
            return
        mine.set_result(None)
        for path in wanted:
            if self._last.get(path) is mine:
                del self._last[path]
