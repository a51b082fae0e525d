"""Messages of a connection of many streams that are begun when they are allowed, and answered when they are done."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from headwater.errors import ShuttingDown
from headwater.http.websocket.requests import check_range
from headwater.http.websocket.rights import OpenRights, Rights
from headwater.http.websocket.shared import Door
from headwater.http.websocket.talk import Talk
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask
from headwater.protocol.websocket import closes

#: Begins a message, with the access that is granted for it.
Go = Callable[[Access], None]


class Answers(Talk):
    """A connection whose messages are begun and answered; subclassed for what else a session is.

    Attributes:
        door: through which it came.
        is_draining: what is under way is answered, and then it ends.
        rights: what the client may do.
    """

    __slots__ = ("door", "is_draining", "rights")

    door: Door
    is_draining: bool
    rights: Rights | OpenRights

    @abstractmethod
    def refuse(self, error: BaseException, id: int | None = None, s: int | None = None) -> None:
        """Tell what is wrong.

        Args:
            error: a refusal, or a mistake in the program, of which the client is told nothing.
            id: of the message.
            s: of the stream, for one without.
        """

    def perform(self, id: int | None, size: int, asks: tuple[Ask, ...] | None, go: Go, s: int | None = None) -> None:
        """Begin a message, when the application allows it; it is under way until `answer` or `refuse`.

        Args:
            id: of the message; one that is under way already has no other.
            size: bytes for which it counts.
            asks: all that it names; None: nothing yet, and only who it is of is asked.
            go: begins it.
            s: of its stream, for one without an id.

        Raises:
            HeadwaterError: it is refused.
        """
        requests = self.requests
        if id is not None:
            requests.check_id(id)
        found = self.rights.proof() if asks is None else self.rights.of(asks)
        requests.began(id, size)
        if isinstance(found, Access):
            self._go(id, size, go, s, found)
        else:
            requests.hold(found, partial(self._decided, id, size, go, s))

    def allow(self, id: int | None, size: int, asks: tuple[Ask, ...], go: Go, s: int | None = None) -> None:
        """`perform` for what is done when `go` returns, and told by itself. Most is not even under way."""
        if id is not None:
            self.check_id(id)
        found = self.rights.of(asks)
        if isinstance(found, Access):
            go(found)
            self.accepted()
        else:
            self.requests.began(id, size)
            self.requests.hold(found, partial(self._decided, id, size, partial(self._allowed, id, size, go), s))

    def check_id(self, id: int) -> None:
        """See `Requests.check_id`."""
        check_range(id)
        if self._requests is not None:
            self._requests.check_id(id)

    def _allowed(self, id: int | None, size: int, go: Go, access: Access) -> None:
        go(access)
        self.answer(id, size, b"")

    def _decided(self, id: int | None, size: int, go: Go, s: int | None, done: asyncio.Future[Access]) -> None:
        error = done.exception()
        if error is not None:
            self.fail(id, size, error, s)
        elif not self.is_over:
            self._go(id, size, go, s, done.result())

    def _go(self, id: int | None, size: int, go: Go, s: int | None, access: Access) -> None:
        try:
            go(access)
        except Exception as error:
            self.fail(id, size, error, s)

    def answer(self, id: int | None, size: int, frame: bytes) -> None:
        """Answer a message that was under way.

        Args:
            id: of the message.
            size: as for `perform`.
            frame: to tell; empty: it was told otherwise.
        """
        if not self.is_over and frame:
            self.write(frame)
        self.accepted()
        self._done(id, size)

    def accepted(self) -> None:
        """A message was taken: the client does listen."""
        warned = self.door.warned
        if warned.counts:
            warned.forget(self)

    def fail(self, id: int | None, size: int, error: BaseException, s: int | None = None) -> None:
        """The same with an error; `s` as for `refuse`."""
        if not self.is_over:
            self.refuse(error, id, s)
        self._done(id, size)

    def _done(self, id: int | None, size: int) -> None:
        self.requests.answered(id, size)
        if self.is_draining and self.requests.are_done:
            self.close(closes.GOING, ShuttingDown.code)

    def run(self, id: int | None, size: int, work: Coroutine[Any, Any, bytes], s: int | None = None) -> None:
        """Do what takes waiting; what it gives is the answer."""
        self.requests.run(work, partial(self._ran, id, size, s))

    def _ran(self, id: int | None, size: int, s: int | None, done: asyncio.Future[bytes]) -> None:
        error = done.exception()
        if error is None:
            self.answer(id, size, done.result())
        else:
            self.fail(id, size, error, s)
