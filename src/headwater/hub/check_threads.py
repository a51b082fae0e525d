"""Threads for an application's own checks: the event loop waits for none, nor does the thread that writes.

Rule: a check that never returns keeps a thread, and nothing else; the program can end without it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final, TypeVar

from headwater.errors import StoreUnavailable

T = TypeVar("T")

#: Checks that run at the same time.
THREADS: Final = 4

_Work = tuple[Callable[[], object], "asyncio.Future[object]"]


class CheckThreads:
    """A few, begun when they are needed."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._begun = 0
        self._under_way: set[asyncio.Future[object]] = set()

    async def run(self, work: Callable[[], T]) -> T:
        """What a function gives that runs in a thread.

        Raises:
            StoreUnavailable: `close` came before.
            What it raises.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[object] = loop.create_future()
        self._under_way.add(done)
        if self._begun < min(len(self._under_way), THREADS):
            self._begun += 1
            threading.Thread(target=_main, args=(self._queue, loop), name="headwater-check", daemon=True).start()
        self._queue.put((work, done))
        try:
            return await done  # type: ignore[return-value]
        finally:
            self._under_way.discard(done)

    def close(self) -> None:
        """End the threads, each behind what it does; nobody waits for that."""
        for done in self._under_way:
            if not done.done():
                done.set_exception(StoreUnavailable("the hub was closed before the check was over; nothing was done"))
        begun, self._begun = self._begun, 0
        for _ in range(begun):
            self._queue.put(None)
        self._queue = SimpleQueue()


def _main(queue: SimpleQueue[_Work | None], loop: asyncio.AbstractEventLoop) -> None:
    while (found := queue.get()) is not None:
        work, done = found
        try:
            result, error = work(), None
        except BaseException as raised:
            result, error = None, raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_tell, done, result, error)
        del found, work, done, result, error  # while it waits for the next one


def _tell(done: asyncio.Future[object], result: object, error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
