"""What the writer's thread has committed, told to the watchers and the callers in the event loop.

Rule 1: in the order of the commits; callers of a batch are answered when all of its changes are told.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from headwater.model import Change
from headwater.stores.sqlite.commands import Batch

#: Changes of one turn.
PIECE: Final = 256


class Delivery:
    """The batches that are committed and not told yet. The event loop's.

    Args:
        tell: called with each change; must not raise, and what it does raise harms nobody else.
        answer: called with each batch.
    """

    def __init__(self, tell: Callable[[Change], None], answer: Callable[[Batch], None]) -> None:
        self._tell = tell
        self._answer = answer
        self._waiting: deque[tuple[Batch, list[Change]]] = deque()

    def add(self, batch: Batch, changes: list[Change]) -> None:
        """Deliver a batch, at once if it is small and no other one waits."""
        self._waiting.append((batch, changes))
        if len(self._waiting) == 1:
            self._go_on()

    def end(self, done: asyncio.Future[None]) -> None:
        """Resolve a future behind all that waits."""
        if self._waiting:
            asyncio.get_running_loop().call_soon(self.end, done)
        else:
            done.set_result(None)

    def _go_on(self) -> None:
        batch, changes = self._waiting[0]
        if len(changes) <= PIECE:
            self._tell_all(changes)
            self._waiting.popleft()
            self._answer(batch)
        else:
            self._waiting[0] = (batch, changes[PIECE:])
            self._tell_all(changes[:PIECE])
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _tell_all(self, changes: list[Change]) -> None:
        tell = self._tell
        for change in changes:
            try:
                tell(change)
            except Exception as error:
                context = {"message": "a watcher of the store raised", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
