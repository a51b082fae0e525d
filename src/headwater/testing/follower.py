"""What a watcher knows of a store's streams, from the changes that it was told alone.

Rule: a change that cannot follow those before is a fault. It is kept and reported later, because watchers never raise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from headwater.model import Change, Failure

#: Seconds in which a change must be told, once the call that made it has returned.
PATIENCE_SECONDS: Final = 10.0

#: A stream as changes tell it: its tail, whether it is closed, and why it was closed before it was complete.
Known = tuple[str, bool, Failure | None]


class Follower:
    """A watcher.

    Attributes:
        streams: those that there are, by path.
        faults: what was told and cannot be.
    """

    def __init__(self) -> None:
        self.streams: dict[str, Known] = {}
        self.faults: list[str] = []
        self._last: dict[str, str] = {}
        self._news = asyncio.Event()

    def __call__(self, change: Change) -> None:
        """Take a change."""
        known = self.streams.get(change.path)
        fault = self._fault(change, known)
        if fault:
            self.faults.append(f"{fault}: {change} after {known}")
        if change.deleted:
            self.streams.pop(change.path, None)
        else:
            self.streams[change.path] = (change.tail, change.closed, change.failure)
        self._last[change.path] = change.tail
        self._news.set()

    def _fault(self, change: Change, known: Known | None) -> str:
        last = self._last.get(change.path, "")
        if change.created:
            if known is not None or change.tail <= last:
                return "made although there was one"
            return "made with records or an end" if change.closed or change.deleted or change.batch else ""
        if known is None:
            return "told of no stream"
        if change.deleted:
            return "gone at another tail" if change.tail != known[0] else ""
        if known[1] or change.tail < last or (change.batch is not None and change.batch.offset != known[0]):
            return "does not follow"
        return ""

    async def until(self, shows: Callable[[], bool]) -> None:
        """Wait until what is known shows something.

        Raises:
            AssertionError: it was not told in `PATIENCE_SECONDS`.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not shows():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"a change was not told; told so far: {self.streams}") from None
