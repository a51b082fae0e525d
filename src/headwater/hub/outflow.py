"""A long body on its way to a reader that may be slow: piece by piece, as it is taken.

Rule 1: the next piece is asked for when the last one was taken. A reader costs one piece, and nothing is locked.
Rule 2: what a reader leaves waiting for longer than `GRACE_SECONDS` counts as buffered (budget.py). Who takes nothing
        of it for `limits.write_seconds` is cut, and so are the worst when all together hold too much.
Rule 3: a body that cannot be finished is never ended: `run` says so, and its driver cuts the connection or the stream.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Protocol

from headwater.errors import HeadwaterError
from headwater.hub.access.end import AccessEnd
from headwater.hub.live.runtime import Runtime
from headwater.hub.wheel import Timer
from headwater.protocol.access.identity import ANYBODY, Access

_log: Final = logging.getLogger("headwater")

#: Seconds a reader may take over what it was given before that counts as buffered.
GRACE_SECONDS: Final = 0.1


class Outlet(Protocol):
    """Where a body goes."""

    #: Bytes that are given to it at once, at most.
    lump: int

    async def give(self, data: bytes) -> None:
        """Take bytes, or none; returns when it would take more.

        Raises:
            OSError: the other side is gone.
        """
        ...

    def held(self) -> int:
        """Bytes that were given and are not sent yet, as far as that is known."""
        ...


class Ending(enum.Enum):
    """How a body ended."""

    WHOLE = "whole"  # all of it was taken: send its end
    CUT = "cut"  # it cannot be finished: what was given may still be sent, its end not
    STALLED = "stalled"  # nobody takes it: drop everything now
    LOST = "lost"  # the other side is gone


class Outflow:
    """One body on its way.

    Args:
        runtime: of the hub; its limits, timers, budget and figures.
        outlet: where the body goes.
        path: the stream it is from.
        access: by which it is sent.

    Attributes:
        sink: what holds its bytes; see `Budget`.
        full_at: since when it takes nothing more, on the clock of timers; 0: it does.
    """

    def __init__(self, runtime: Runtime, outlet: Outlet, path: str, access: Access = ANYBODY) -> None:
        self.sink = self
        self.full_at = 0.0
        self._runtime = runtime
        self._outlet = outlet
        self._path = path
        self._access = access
        self._behind = 0
        self._seen = 0
        self._timer: Timer | None = None
        self._timeout: asyncio.Timeout | None = None
        self._ending = Ending.WHOLE

    async def run(self, pieces: AsyncGenerator[bytes]) -> Ending:
        """Give all pieces; whoever calls sends the end of the body, or cuts it, as told.

        Args:
            pieces: of the body; an error of theirs cuts it.
        """
        self._runtime.principals.enter(self._access, self)
        try:
            async with aclosing(pieces):
                await self._give_all(pieces)
        except _Gone:
            self._ending = Ending.LOST
        except HeadwaterError as error:
            self._ending = Ending.CUT
            self._runtime.stats.cuts[error.code] += 1
            _log.warning("a read of %s was cut, because it could not be finished: %s", self._path, error)
        except Exception as error:
            if not isinstance(error, TimeoutError) or self._ending is Ending.WHOLE:
                self._ending = Ending.CUT
                self._runtime.stats.cuts[HeadwaterError.code] += 1
                _log.exception("a read of %s was cut", self._path)
        finally:
            self._runtime.principals.leave(self._access, self)
        if self._ending is Ending.LOST:
            self._runtime.stats.disconnects += 1
        return self._ending

    async def _give_all(self, pieces: AsyncGenerator[bytes]) -> None:
        try:
            async with asyncio.timeout(None) as self._timeout:
                async for piece in pieces:
                    await self._give(piece)
                    del piece
        finally:
            # What makes the pieces may take its time to end, and is not to be cut for that.
            self._timeout = None

    async def wait(self) -> Ending:
        """The same for a body that was given before, all at once."""
        return await self.run(_nothing_more())

    async def _give(self, piece: bytes) -> None:
        lump = self._outlet.lump
        for start in range(0, len(piece) or 1, lump):
            part = piece if len(piece) <= lump else piece[start : start + lump]
            self._behind = len(piece) - start - len(part)
            self._timer = self._runtime.timers.after(GRACE_SECONDS, self._is_slow)
            try:
                await self._outlet.give(part)
            except OSError as error:
                raise _Gone from error
            finally:
                self._went_on()

    def _is_slow(self) -> None:
        self.full_at = time.monotonic()
        self._seen = self.held()
        self._runtime.stats.pauses += 1
        self._runtime.budget.full(self)
        self._watch()

    def _watch(self) -> None:
        self._timer = self._runtime.timers.after(self._runtime.limits.write_seconds, self._look)

    def _look(self) -> None:
        """After `write_seconds`: who took a little meanwhile has the same time again."""
        held = self.held()
        if held < self._seen:
            self._seen = held
            self._watch()
            return
        self._timer = None
        self._runtime.stats.stalls += 1
        self._stop(Ending.STALLED)

    def _went_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.full_at:
            self.full_at = 0.0
            self._runtime.budget.free(self)

    def _stop(self, ending: Ending) -> None:
        if self._timeout is not None and not self._timeout.expired():
            self._ending = ending
            self._timeout.reschedule(0.0)

    # From the budget, and from who watches the other side.

    def held(self) -> int:
        """Bytes that wait for the reader."""
        return self._behind + self._outlet.held()

    def shed(self, *, tell: bool) -> None:
        """See `budget.Holder`: a body has no words for it, so it is cut in any case."""
        if self._timeout is not None and self._ending is Ending.WHOLE:
            self._runtime.stats.sheds += 1
        self._stop(Ending.STALLED)

    def hush(self, end: AccessEnd) -> None:
        """See `Living.hush`: a body has what its head promised, and goes on until its turn to end."""

    def end_access(self, end: AccessEnd) -> None:
        """See `Living.end_access`: a body has no words for it."""
        self._stop(Ending.STALLED)

    def tell_expiring(self, at: float) -> None:
        """See `Living.tell_expiring`; a body has no words for it."""

    def lost(self) -> None:
        """The other side is gone."""
        self._stop(Ending.LOST)


class _Gone(Exception):
    """The other side is gone."""


async def _nothing_more() -> AsyncGenerator[bytes]:
    yield b""
