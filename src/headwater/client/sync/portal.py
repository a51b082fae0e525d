"""An event loop in a thread of its own, for what has to go on while a program that is not asynchronous does else.

Rule 1: a process has one such thread at most, which begins with the first that needs it and ends with the last.
Rule 2: who waits for the loop is never on its thread: that would wait for itself.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, ClassVar, Final, TypeVar

from headwater.client.errors import Stopped

T = TypeVar("T")


class Portal:
    """The thread of this process; see `join`."""

    _shared: ClassVar[Portal | None] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._users = 0
        self._is_over = False
        self._process: Final = os.getpid()
        self._begun: Final = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread: Final = threading.Thread(target=self._main, name="headwater-client", daemon=True)
        self._thread.start()
        self._begun.wait()

    @classmethod
    def join(cls) -> Portal:
        """The thread of this process, which runs until `leave`; a forked process gets one of its own."""
        with cls._lock:
            found = cls._shared
            if found is None or found._process != os.getpid():
                found = cls._shared = cls()
            found._users += 1
            return found

    def leave(self) -> None:
        """It is needed no more here."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            self._is_over = True
            if Portal._shared is self:
                Portal._shared = None
        if self._process == os.getpid():
            assert self._loop is not None
            assert self._end is not None
            self._loop.call_soon_threadsafe(self._end.set)
            if threading.current_thread() is not self._thread:
                self._thread.join()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives, which runs in the loop. An interrupt ends it there, too.

        Raises:
            Stopped: the loop is over.
            RuntimeError: the loop calls this.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("this is called by the client's own thread, as listeners are: hand it to another one")
        with self._lock:  # what is handed over before the end is run, or cancelled; behind it nothing would be
            future = None
            if self._loop is not None and not self._is_over and self._process == os.getpid():
                future = asyncio.run_coroutine_threadsafe(work, self._loop)
        if future is None:
            work.close()
            raise Stopped("it was closed")
        try:
            return future.result()
        except CancelledError:
            raise Stopped("it was closed") from None
        except BaseException:
            future.cancel()
            raise

    def _main(self) -> None:
        asyncio.run(self._live())

    async def _live(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        await self._end.wait()
