"""Messages under way on one connection: begun in their order, bounded in number and bytes.

Rule 1: a message is begun when all before it are begun. What one waits for before it is begun, such as the
        application's word, all behind it wait for. Writes reach the store in the order in which they are begun.
Rule 2: answers come in the order in which they are ready.
Rule 3: when too many wait for their answer, or the client takes no answers, nothing more is read of it. What came
        already waits; that is a part of one read of the socket.
Rule 4: what messages take of a turn of the loop is counted with large appends (hub/fair_turns.py). When it is full, the
        next one waits for a turn, and all behind it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final, Protocol

from headwater.errors import InvalidMessage
from headwater.hub.eager import begin
from headwater.hub.fair_turns import FairTurns
from headwater.hub.limits import Limits

#: The largest whole number that JavaScript can hold.
_MAX_ID: Final = 2**53 - 1


class Reading(Protocol):
    """What can be told to read no more."""

    def stop_reading(self) -> None:
        """See `Duplex.stop_reading`."""
        ...

    def read_on(self) -> None:
        """See `Duplex.read_on`."""
        ...


class Handles(Protocol):
    """What begins messages."""

    def handle(self, data: bytes, is_text: bool) -> None:
        """Begin one."""
        ...


def check_range(id: int) -> None:
    """Refuse an id that no message may have.

    Raises:
        InvalidMessage: it is such a one.
    """
    if not 0 <= id <= _MAX_ID:
        raise InvalidMessage(f"an id is a whole number from 0 to {_MAX_ID}")


class Requests:
    """Those of one connection.

    Args:
        limits: `connection_requests` and `connection_bytes` count.
        source: of the messages.
        handler: begins them.
        turns: of the loop, for all who write much.

    Attributes:
        ids: of those under way.
        is_full: the connection takes no answers.
    """

    __slots__ = (
        "_awaits_turn",
        "_bytes",
        "_count",
        "_handler",
        "_holds",
        "_is_pumping",
        "_is_stopped",
        "_limits",
        "_source",
        "_tasks",
        "_turns",
        "_waiting",
        "ids",
        "is_full",
    )

    def __init__(self, limits: Limits, source: Reading, handler: Handles, turns: FairTurns) -> None:
        self.ids: set[int] | None = None
        self.is_full = False
        self._limits = limits
        self._source = source
        self._handler = handler
        self._turns = turns
        self._count = self._bytes = self._holds = 0
        self._waiting: deque[tuple[bytes, bool]] | None = None
        self._tasks: set[asyncio.Future[Any]] | None = None
        self._is_pumping = self._is_stopped = self._awaits_turn = False

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is read of the client."""
        return self._is_stopped

    @property
    def are_done(self) -> bool:
        """Whether nothing is under way, or waits to be."""
        return not self._count and not self._holds and not self._waiting

    def put(self, data: bytes, is_text: bool) -> None:
        """Take a message."""
        if self._waiting or self._is_pumping or self._holds or self.is_full or (self._count and self._must_wait()):
            self._wait(data, is_text)
        elif self._turns.is_full:
            self._wait(data, is_text)
            self._await_turn()
        else:
            self._turns.measure(partial(self._handler.handle, data, is_text))
            self.check()

    def _wait(self, data: bytes, is_text: bool) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((data, is_text))
        self._stop()

    def _await_turn(self) -> None:
        if not self._awaits_turn:
            self._awaits_turn = True
            self._turns.call(self._have_turn, 0)

    def _have_turn(self) -> None:
        self._awaits_turn = False
        self.go_on()

    def check(self) -> None:
        """Read nothing more of the client, when the next message has to wait."""
        if self._holds or self.is_full or (self._count and self._must_wait()):
            self._stop()

    def _must_wait(self) -> bool:
        limits = self._limits
        return bool(
            self._holds
            or self.is_full
            or self._count >= limits.connection_requests
            or self._bytes >= limits.connection_bytes
        )

    def _stop(self) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            self._source.stop_reading()

    def go_on(self) -> None:
        """Begin what waits, as far as may be; then read on."""
        if self._is_pumping or self._awaits_turn:
            return
        self._is_pumping = True
        try:
            while self._waiting and not self._must_wait() and not self._turns.is_spent:
                self._turns.measure(partial(self._handler.handle, *self._waiting.popleft()))
        finally:
            self._is_pumping = False
        if self._waiting and not self._must_wait():
            self._await_turn()
            return
        if self._is_stopped and not self._waiting and not self._must_wait():
            self._is_stopped, self._waiting = False, None
            self._source.read_on()

    # Under way.

    def check_id(self, id: int) -> None:
        """Refuse an id that no message may have, or that one has which is under way.

        Raises:
            InvalidMessage: it is such a one.
        """
        check_range(id)
        if self.ids is not None and id in self.ids:
            raise InvalidMessage(f"the id {id} is of a message that waits for its answer")

    def began(self, id: int | None, size: int) -> None:
        """A message waits for its answer."""
        self._count += 1
        self._bytes += size
        if id is not None:
            if self.ids is None:
                self.ids = set()
            self.ids.add(id)

    def answered(self, id: int | None, size: int) -> None:
        """It has it."""
        self._count -= 1
        self._bytes -= size
        if id is not None and self.ids is not None:
            self.ids.discard(id)
            if not self.ids:
                self.ids = None
        if self._is_stopped:
            self.go_on()

    def hold(self, found: Awaitable[Any], then: Callable[[asyncio.Future[Any]], None]) -> None:
        """Begin nothing until something is decided."""
        self._holds += 1
        self._keep(asyncio.ensure_future(found)).add_done_callback(partial(self._released, then))

    def _released(self, then: Callable[[asyncio.Future[Any]], None], done: asyncio.Future[Any]) -> None:
        self._holds -= 1
        if not done.cancelled():
            then(done)
        self.go_on()

    def hold_until_decided(self, then: Callable[[], None]) -> None:
        """Call it when nothing is being decided any more."""
        if not self._holds:
            then()
        elif self._tasks is not None:
            everything = asyncio.gather(*self._tasks, return_exceptions=True)
            self.hold(everything, lambda _: then())

    def run(self, work: Coroutine[Any, Any, Any], then: Callable[[asyncio.Future[Any]], None]) -> None:
        """Do something that may take waiting; as far as it does not, now."""
        future = begin(work)
        if future.done():
            then(future)
        else:
            self._keep(future).add_done_callback(partial(_unless_cancelled, then))

    def _keep(self, future: asyncio.Future[Any]) -> asyncio.Future[Any]:
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(future)
        future.add_done_callback(self._tasks.discard)
        return future

    def forget(self) -> None:
        """The connection is gone: what was begun goes on, and nobody is told."""
        self._waiting = None
        self._holds += 1  # nothing is begun any more


def _unless_cancelled(then: Callable[[asyncio.Future[Any]], None], done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        then(done)
