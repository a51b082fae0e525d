"""The bytes that full sinks hold, all together, and who goes first when they are too many.

Rule 1: accounts are kept when a sink becomes full and when it has drained, never in a write. A sink that is not full
holds less than `limits.buffer_bytes`, and is not counted.
Rule 2: above the limit those are let go who hold most, of these the longest full first, until an eighth is free.
Rule 3: who still takes bytes is told so behind what its sink holds, as long as that adds no more than a quarter to the
limit, and is cut when it has not taken it in time. Who takes nothing cannot be told anything, and is cut at once.
Rule 4: the last one is never let go. A record larger than the limit is given whole; a reader that was let go for it
would come back for it, and be let go again. Who takes nothing is cut by its own timer.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from headwater.hub.limits import Limits
from headwater.hub.timers import Timers

_log: Final = logging.getLogger("headwater")

#: Seconds between two lines of the log.
LOG_SECONDS: Final = 1.0


class Held(Protocol):
    """What holds bytes."""

    def held(self) -> int:
        """How many."""
        ...


class Holder(Protocol):
    """Who has an account: a pushed reader, or a long body on its way.

    Attributes:
        full_at: since when it takes nothing, on the clock of timers.
    """

    full_at: float

    @property
    def sink(self) -> Held:
        """What holds its bytes."""
        ...

    def shed(self, *, tell: bool) -> None:
        """Let the reader go: told so behind what it holds, or cut."""
        ...


class Account:
    """What one full sink holds: when it became full, and when it was last looked at."""

    __slots__ = ("first", "held", "told")

    def __init__(self, held: int) -> None:
        self.first = held
        self.held = held
        self.told = False


class Budget:
    """The accounts of a hub's full sinks.

    Args:
        limits: `max_buffered_bytes` counts.
        timers: the hub's.

    Attributes:
        total: bytes held by all of them, as last seen.
    """

    def __init__(self, limits: Limits, timers: Timers) -> None:
        self.total = 0
        self._limit = limits.max_buffered_bytes
        self._timers = timers
        self._accounts: dict[Holder, Account] = {}
        self._look: asyncio.Handle | None = None
        self._shed = 0

    def full(self, member: Holder) -> None:
        """A member's sink is full."""
        account = self._accounts[member] = Account(member.sink.held())
        self.total += account.held
        if self.total > self._limit and self._look is None:
            self._look = asyncio.get_running_loop().call_soon(self._relieve)

    def free(self, member: Holder) -> None:
        """A member's sink has drained or is gone; nothing, if it was not full."""
        account = self._accounts.pop(member, None)
        if account is not None:
            self.total -= account.held

    def stop(self) -> None:
        """Look at nobody any more."""
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _relieve(self) -> None:
        self._look = None
        for member, account in self._accounts.items():
            account.held = member.sink.held()
        self.total = sum(account.held for account in self._accounts.values())
        if self.total <= self._limit:
            return
        worst = sorted(self._accounts, key=lambda member: (-self._accounts[member].held, member.full_at))
        leaving = sum(account.held for account in self._accounts.values() if account.told)
        for member in worst:
            if self.total - leaving <= self._limit - self._limit // 8:
                break
            account = self._accounts[member]
            if account.told or member is worst[-1]:
                continue
            account.told = account.held < account.first and self.total <= self._most
            leaving += account.held if account.told else 0
            self._let_go(member, tell=account.told)
        for member in worst[:-1]:
            if self.total <= self._most:
                break
            if member in self._accounts:
                self._let_go(member, tell=False)

    @property
    def _most(self) -> int:
        return self._limit + self._limit // 4

    def _let_go(self, member: Holder, *, tell: bool) -> None:
        member.shed(tell=tell)
        if not tell:
            self.free(member)
        if not self._shed:
            self._timers.after(LOG_SECONDS, self._say)
        self._shed += 1

    def _say(self) -> None:
        count, self._shed = self._shed, 0
        _log.warning(
            "let %d slow readers go: readers held more than max_buffered_bytes=%d, now %d",
            count,
            self._limit,
            self.total,
        )
