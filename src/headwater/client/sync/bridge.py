"""The way to streams over what lives in an event loop, for programs that are not asynchronous; and the other way round.

Rule: everything of the loop is touched in its thread alone.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from headwater.client.answers import Head
from headwater.client.clock import Clock as AsyncClock
from headwater.client.doors import Answers as AsyncAnswers
from headwater.client.doors import Door as AsyncDoor
from headwater.client.errors import Unsupported
from headwater.client.retry import Retry
from headwater.client.sync.clock import Clock
from headwater.client.sync.doors import Door, Headers

if TYPE_CHECKING:
    from headwater.client.stream import Stream as AsyncStream
    from headwater.client.sync.portal import Portal


class BridgeAnswer:
    """An answer that comes into the loop."""

    def __init__(self, portal: Portal, answer: AsyncAnswers) -> None:
        self._portal: Final = portal
        self._answer: Final = answer

    @property
    def head(self) -> Head:
        """See `Answers.head`."""
        return self._answer.head

    def read(self) -> bytes:
        """See `Answers.read`."""
        return self._portal.run(self._answer.read())

    def chunks(self, silence: float, first: float | None) -> Generator[Any, None, None]:
        """See `Answers.chunks`."""
        pieces = self._answer.chunks(silence, first)

        async def following() -> Any:
            return await anext(pieces, None)

        try:
            while (piece := self._portal.run(following())) is not None:
                yield piece
        finally:
            self._portal.run(pieces.aclose())

    def abort(self) -> None:
        """See `Answers.abort`."""
        self._portal.run(self._answer.abort())


class Bridge:
    """See `Door`.

    Args:
        portal: the loop.
        door: the way, in it.
        clock: of who waits here.

    Attributes:
        portal: as given.
        door: as given.
        clock: as given.
    """

    def __init__(self, portal: Portal, door: AsyncDoor, clock: Clock) -> None:
        self.portal: Final = portal
        self.door: Final = door
        self.clock: Final = clock

    @property
    def ways(self) -> tuple[str, ...]:
        """See `Door.ways`."""
        return self.door.ways

    @property
    def can_refresh(self) -> bool:
        """See `Door.can_refresh`."""
        return self.door.can_refresh

    @contextmanager
    def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Headers,
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> Iterator[BridgeAnswer]:
        """See `Door.open`."""
        run, opened = self.portal.run, self.door.open(method, url, query, headers, body, hold=hold)

        async def begun() -> AsyncAnswers:
            return await opened.__aenter__()

        async def ended(*error: Any) -> None:
            await opened.__aexit__(*error)

        answer = BridgeAnswer(self.portal, run(begun()))
        try:
            yield answer
        except BaseException as error:
            run(ended(type(error), error, error.__traceback__))
            raise
        run(ended(None, None, None))

    def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Mapping[str, str] = {}
    ) -> tuple[Head, bytes]:
        """See `Door.ask`."""
        return self.portal.run(self.door.ask(method, url, headers, body, query))

    def close(self) -> None:
        """See `Door.close`: the connection is the caller's."""

    def stream(self, url: str, content_type: str | None, retry: Retry) -> AsyncStream[Any]:
        """The same stream in the loop."""
        from headwater.client.stream import Stream

        return Stream(url, content_type=content_type, retry=retry, http=self.door)


class Threaded:
    """A way to streams that blocks, for who is in the loop: what is asked is asked in other threads. See `Door`.

    Args:
        door: the way.
        threads: which ask.
    """

    clock = AsyncClock()

    def __init__(self, door: Door, threads: Executor) -> None:
        self._door: Final = door
        self._threads: Final = threads

    @property
    def ways(self) -> tuple[str, ...]:
        """See `Door.ways`."""
        return self._door.ways

    @property
    def can_refresh(self) -> bool:
        """See `Door.can_refresh`."""
        return self._door.can_refresh

    def open(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Headers,
        body: bytes | None = None,
        *,
        hold: float = 0.0,
    ) -> AbstractAsyncContextManager[AsyncAnswers]:
        """See `Door.open`.

        Raises:
            Unsupported: nobody reads this way.
        """
        raise Unsupported("a stream of this kind is only written to")

    async def ask(
        self, method: str, url: str, headers: Headers, body: bytes | None = None, query: Mapping[str, str] = {}
    ) -> tuple[Head, bytes]:
        """See `Door.ask`."""
        import asyncio

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._door.ask, method, url, headers, body, query)

    async def close(self) -> None:
        """See `Door.close`: it is the caller's."""


def door_of(door: Door, threads: Executor) -> AsyncDoor:
    """The same way, for who is in the loop."""
    return door.door if isinstance(door, Bridge) else Threaded(door, threads)
