"""Signals held to a schema that runs code of an application: in a thread, so that the event loop waits for none.

Rule 1: what one sender sends to a stream is told in its order, however long each check takes. Nobody waits for the
        check of another sender's, or of another stream's.
Rule 2: what waits is bounded in bytes, and what is too much is refused to its sender.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from headwater.errors import TooManyBodies
from headwater.hub.check_threads import CheckThreads
from headwater.hub.turns import Turns
from headwater.protocol.schemas.registry import Applied, SchemaIndex
from headwater.protocol.signals import Signal


class SignalChecks:
    """Those of one hub.

    Args:
        schemas: of signals.
        most_bytes: of signals that wait; `limits.max_inflight_bytes`.
    """

    def __init__(self, schemas: SchemaIndex, most_bytes: int) -> None:
        self._schemas: Final = schemas
        self._most: Final = most_bytes
        self._threads: Final = CheckThreads()
        self._turns: Final = Turns()
        self._waiting = 0

    def of(self, path: str) -> Applied | None:
        """The schema of a stream's signals; None: they are anything."""
        return self._schemas.of(path)

    def is_under_way(self, path: str, by: Hashable) -> bool:
        """Whether a signal of a sender to a stream waits."""
        return (path, by) in self._turns

    @asynccontextmanager
    async def turn(self, path: str, by: Hashable, size: int = 0) -> AsyncIterator[None]:
        """Wait for what a sender sent to a stream before; what it sends later waits for the end of this.

        Args:
            path: of the stream.
            by: who sends.
            size: of the signal.

        Raises:
            TooManyBodies: too much waits.
        """
        if self._waiting and self._waiting + size > self._most:
            raise TooManyBodies(
                f"{self._waiting} bytes of signals wait to be held to a schema, and max_inflight_bytes is {self._most}"
            )
        self._waiting += size
        try:
            async with self._turns.of([(path, by)]):
                yield
        finally:
            self._waiting -= size

    async def check(self, applied: Applied, signal: Signal) -> None:
        """Hold a signal to a schema.

        Raises:
            SchemaMismatch: it does not fit.
            StoreUnavailable: the hub was closed meanwhile.
        """
        await self._threads.run(partial(applied.check, signal.content_type, (signal.content,)))

    def close(self) -> None:
        """Let the threads go; whose check is not over is told so."""
        self._threads.close()
