"""Records held to a schema before the store has them, in a thread: for schemas that run code of an application.

What a check finds, the store is told where it would take the body apart (`Found`). So all that comes before the body is
decided before, as without a schema: a closed stream, another type, a producer's retry.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

from headwater.errors import HeadwaterError, InvalidBody, StreamGone, StreamNotFound, TooManyBodies
from headwater.hub.check_threads import CheckThreads
from headwater.hub.turns import Turns
from headwater.model import StreamConfig
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, Split, split_body
from headwater.protocol.ledger import Append
from headwater.protocol.schemas.registry import Applied, Checked
from headwater.stores import Store

A = TypeVar("A")
R = TypeVar("R")


class Found:
    """What a check found; see `Split`.

    Args:
        content_type: of which the records were taken to be; None: there was no stream.
        outcome: the records, or why they are refused.
        split: takes the body apart.

    Attributes:
        is_stale: the stream is of another type, so that the check was of no use.
    """

    __slots__ = ("_content_type", "_outcome", "_split", "is_stale")

    def __init__(self, content_type: str | None, outcome: tuple[bytes, ...] | HeadwaterError, split: Split) -> None:
        self._content_type = content_type
        self._outcome = outcome
        self._split = split
        self.is_stale = False

    def __call__(
        self, content_type: str, body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None
    ) -> tuple[bytes, ...]:
        """See `framing.split_body`.

        Raises:
            SchemaMismatch: a record does not fit.
        """
        if content_type != self._content_type:
            self.is_stale = True
            raise InvalidBody(f"the stream is {content_type} by now; the check is repeated, and nobody is told this")
        outcome = self._outcome
        if isinstance(outcome, HeadwaterError):
            raise outcome
        if max_records is not None and len(outcome) > max_records:  # of several appends together
            self._split(content_type, body, allow_empty_array=allow_empty_array, max_records=max_records)
        return outcome


class Checks:
    """Those of one hub.

    Args:
        store: where the streams are.
        most_bytes: of bodies that wait; `limits.max_inflight_bytes`.
    """

    def __init__(self, store: Store, most_bytes: int) -> None:
        self._store: Final = store
        self._most: Final = most_bytes
        self._threads: Final = CheckThreads()
        self._turns: Final = Turns()
        self._waiting = 0

    def are_under_way(self, path: str) -> bool:
        """Whether something that goes to a stream waits for its check."""
        return path in self._turns

    def close(self) -> None:
        """Let the threads go."""
        self._threads.close()

    @asynccontextmanager
    async def turn(self, paths: Iterable[str], size: int = 0) -> AsyncIterator[None]:
        """See `Turns.of`.

        Args:
            paths: to whose streams something goes.
            size: of its bodies.

        Raises:
            TooManyBodies: too much waits.
        """
        if self._waiting and self._waiting + size > self._most:
            raise TooManyBodies(
                f"{self._waiting} bytes wait to be held to a schema, and max_inflight_bytes is {self._most}"
            )
        self._waiting += size
        try:
            async with self._turns.of(paths):
                yield
        finally:
            self._waiting -= size

    async def write(
        self,
        paths: Iterable[str],
        size: int,
        check: Callable[[], Awaitable[R]],
        submit: Callable[[R], asyncio.Future[A]],
        all_of: Callable[[R], Sequence[Found]],
    ) -> A:
        """Check a write in its turn, and give it to the store; again, if a stream is of another type by then.

        Args:
            paths: see `turn`.
            size: see `turn`.
            check: what the store is to be given.
            submit: gives it, in the same step of the loop.
            all_of: what was found, of what `check` gives.

        Raises:
            TooManyBodies: see `turn`.
            What the store raises.
        """
        while True:
            async with self.turn(paths, size):
                ready = await check()
                answer = submit(ready)
            try:
                return await answer
            except HeadwaterError:
                if not any(found.is_stale for found in all_of(ready)):
                    raise

    async def of_append(self, path: str, request: Append, applied: Applied) -> Found:
        """What is found in an append to a stream."""
        kind = await self._type_of(path)
        if kind is None and request.create is not None:
            kind = request.create.content_type or DEFAULT_CONTENT_TYPE
        return await self._find(applied, kind, request.splitter(), request.body, request.max_records)

    async def of_create(self, config: StreamConfig, body: bytes, applied: Applied, max_records: int | None) -> Found:
        """What is found in the first content of a stream."""
        fork = config.fork
        kind = config.content_type or DEFAULT_CONTENT_TYPE if fork is None else await self._type_of(fork.source)
        return await self._find(applied, kind, split_body, body, max_records, is_new=True)

    async def _type_of(self, path: str) -> str | None:
        try:
            return (await self._store.info(path)).content_type
        except (StreamNotFound, StreamGone):
            return None

    async def _find(
        self, applied: Applied, kind: str | None, split: Split, body: bytes, most: int | None, *, is_new: bool = False
    ) -> Found:
        if kind is None:
            return Found(None, (), split)
        check = partial(Checked(applied, split), kind, body, allow_empty_array=is_new, max_records=most)
        try:
            return Found(kind, await self._threads.run(check) if body else check(), split)
        except HeadwaterError as error:
            return Found(kind, error, split)
