"""What a check is, and how one is run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from headwater.testing.clock import ManualClock
from headwater.testing.contract.trial import MakeStore, Reopen, Trial

Check = Callable[[Trial], Awaitable[None]]


@dataclass(frozen=True)
class StoreCheck:
    """One promise of `headwater.stores.Store`, as a function that fails when it is broken.

    Attributes:
        name: chapter and promise, such as `producers/a_duplicate_writes_nothing`.
        promise: the promise in words.
        durable: it is about what a restart leaves, so it needs `reopen`.
    """

    name: str
    promise: str
    durable: bool
    check: Check

    async def run(self, make_store: MakeStore, *, reopen: Reopen | None = None) -> None:
        """Try the promise on a fresh store.

        Raises:
            AssertionError: it is broken.
            ValueError: the check is durable and there is no `reopen`.
        """
        if self.durable and reopen is None:
            raise ValueError(f"{self.name} needs reopen")
        clock = ManualClock()
        trial = Trial(make_store(clock), clock, reopen)
        await trial.store.open()
        try:
            await self.check(trial)
        finally:
            await trial.store.aclose()


class Chapter:
    """The checks of one subject, in the order of their definition."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.checks: list[StoreCheck] = []

    def promise(self, check: Check) -> Check:
        """Add a check; a decorator."""
        return self._add(check, durable=False)

    def durable_promise(self, check: Check) -> Check:
        """Add a check that restarts the store; a decorator."""
        return self._add(check, durable=True)

    def _add(self, check: Check, *, durable: bool) -> Check:
        name = f"{self.name}/{getattr(check, '__name__', 'check')}"
        promise = " ".join((check.__doc__ or "").split())
        self.checks.append(StoreCheck(name, promise, durable, check))
        return check
