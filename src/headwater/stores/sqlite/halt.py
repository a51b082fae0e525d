"""Commands that wait while the store goes with a jump of its clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from headwater.errors import StoreUnavailable
from headwater.stores.base import Done


class Halt:
    """A while in which no command is given to the writer. The event loop's.

    Attributes:
        is_on: commands have to wait.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._over: asyncio.Future[None] | None = None
        self._held: list[tuple[Callable[[], None], Done]] = []

    async def over(self) -> None:
        """Wait until they need not."""
        if self._over is not None:
            await asyncio.shield(self._over)

    def hold(self, call: Callable[[], None], done: Done) -> None:
        """Have a command given afterwards.

        Args:
            call: gives it.
            done: called with StoreUnavailable, if `call` raises it.
        """
        self._held.append((call, done))

    @contextmanager
    def on(self) -> Iterator[None]:
        """Have commands wait for as long as this lasts."""
        over = self._over = asyncio.get_running_loop().create_future()
        self.is_on = True
        try:
            yield
        finally:
            self._over = None
            self.is_on = False
            over.set_result(None)
            held, self._held = self._held, []
            for call, done in held:
                try:
                    call()
                except StoreUnavailable as error:
                    done(error)
