"""Life between an opening and a close, and the event loop it belongs to: the same for a hub and for what stands on it.

Rule 1: openings nest. The first one opens, the last close closes; one that comes meanwhile waits for the other's end.
Rule 2: what is open belongs to the event loop that opened it. A call from a thread or from another loop is refused
        before it does anything: half of it would happen here, and its answer would be lost there.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Self

from headwater.errors import HeadwaterError, HubNotOpen, WrongLoop

_ELSEWHERE: Final = "the hub was opened in another event loop, and is used from there only"

#: Two threads may open the same thing at the same moment.
_claiming: Final = threading.Lock()


class Gate:
    """Lets calls through while a hub is open, if they come from its own event loop.

    Attributes:
        loop: the hub's; the gate itself while the hub is not open, which no call comes from.
        thread: the one that runs it; 0, which none has, while the hub is not open. The loop's own callbacks, of which
            there may be many, are compared with it, and `refusal` raised: to look up the loop takes a system call.
    """

    __slots__ = ("loop", "thread")

    def __init__(self) -> None:
        self.loop: object = self
        self.thread = 0

    def open(self) -> None:
        """Let calls through from the running event loop."""
        self.loop, self.thread = asyncio.get_running_loop(), threading.get_ident()

    @property
    def is_open(self) -> bool:
        """Whether the hub can be used."""
        return self.loop is not self

    def check(self) -> None:
        """Refuse a call that the hub cannot take.

        Raises:
            HubNotOpen: it was not opened, or it was closed.
            WrongLoop: the call comes from a thread, or from another event loop.
        """
        if asyncio._get_running_loop() is not self.loop:
            raise self.refusal()

    def refusal(self) -> HeadwaterError:
        """What is wrong with a call that does not come from the hub's event loop."""
        if not self.is_open:
            return HubNotOpen(
                "the hub is not open: use `async with hub`, or `lifespan=hub.lifespan` in the application"
            )
        return WrongLoop(f"{_ELSEWHERE}; nothing was done")

    def check_same(self, loop: object) -> None:
        """Refuse to go on in another event loop than the one in which something began.

        Raises:
            WrongLoop: this is another one.
        """
        if asyncio._get_running_loop() is not loop:
            raise WrongLoop(f"{_ELSEWHERE}; nothing was done")

    def close(self) -> None:
        """Let nothing through."""
        self.loop, self.thread = self, 0


class Lifespan(ABC):
    """What is opened before use and closed after it: `async with it:`, or `lifespan=it.lifespan`."""

    _loop: asyncio.AbstractEventLoop | None = None
    _turn: asyncio.Lock
    _claims = 0
    _opens = 0

    async def open(self) -> None:
        """Make ready for use. What is open already stays open until it was closed as often as it was opened.

        Raises:
            StoreUnavailable: the store cannot be used.
            WrongLoop: it is open in another event loop.
        """
        self._claim()
        try:
            async with self._turn:
                if not self._opens:
                    await self._open()
                self._opens += 1
        finally:
            self._claims -= 1
            self._let_go()

    async def aclose(self) -> None:
        """Undo one `open`. The last one ends what is under way and lets go of everything; a further one does nothing.

        Raises:
            WrongLoop: it is open in another event loop.
        """
        if self._loop is None:
            return
        self._check_loop()
        async with self._turn:
            if self._opens > 1:
                self._opens -= 1
            elif self._opens:
                try:
                    await self._aclose()
                except Exception:
                    self._opens = 0
                    raise
                self._opens = 0
        self._let_go()

    @abstractmethod
    async def _open(self) -> None:
        """Make ready for use."""

    @abstractmethod
    async def _aclose(self) -> None:
        """End what is under way and let go of everything; again, if it was cancelled."""

    def _claim(self) -> None:
        with _claiming:
            if self._loop is None:
                self._loop, self._turn = asyncio.get_running_loop(), asyncio.Lock()
            self._check_loop()
            self._claims += 1

    def _check_loop(self) -> None:
        if self._loop is not asyncio.get_running_loop():
            gone = "; that one has ended: make a new hub" if self._loop is not None and self._loop.is_closed() else ""
            raise WrongLoop(f"{_ELSEWHERE}{gone}")

    def _let_go(self) -> None:
        if not self._opens and not self._claims:
            self._loop = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """For an ASGI framework's application: `FastAPI(lifespan=hub.lifespan)`, or `lifespan=runs.lifespan`."""
        async with self:
            yield
