"""Streams that have something to tell, and the reads of patterns that are still to be told of them.

Rule 1: so many reads are told in one turn of the event loop, the others in the next ones; each hears of streams in
        their order. Ten thousand reads would hold it for a fifth of a second.
Rule 2: what a read was not told of yet stands in its cursor where it begins: see `untold`.
Rule 3: of a stream that is gone nobody is told any more.
Rule 4: when many streams wait, the oldest is told to all that are left before another one waits. Who makes streams
        faster than their readers can be told is slowed down by that, and what waits is bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, Protocol

#: Reads that are told in one turn of the event loop: two milliseconds.
TOLD: Final = 100
#: Streams that wait at most.
MOST: Final = 16


class Listener(Protocol):
    """A read of a pattern."""

    def made(self, path: str, incarnation: int) -> None:
        """A stream that matches was made, and has something to tell."""
        ...


class Made:
    """One stream that reads are told of.

    Args:
        path: of the stream.
        incarnation: of the same.
        listeners: who is to be told.
        done: called when all were, or nobody is any more; None: nothing is to be done then.

    Attributes:
        path: as given.
        incarnation: as given.
    """

    __slots__ = ("_done", "_left", "incarnation", "path")

    def __init__(
        self, path: str, incarnation: int, listeners: Iterable[Listener], done: Callable[[], None] | None
    ) -> None:
        self.path: Final = path
        self.incarnation: Final = incarnation
        self._left = dict.fromkeys(listeners)
        self._done = done

    def tell(self, most: int | None = None) -> int:
        """Tell so many, None: all; gives how many were told."""
        told = 0
        for listener in list(islice(self._left, most)):
            if listener in self._left:  # one of them may end another one
                del self._left[listener]
                listener.made(self.path, self.incarnation)
                told += 1
        if not self._left:
            self.drop()
        return told

    def drop(self) -> None:
        """Tell nobody any more."""
        self._left.clear()
        done, self._done = self._done, None
        if done is not None:
            done()

    def leave(self, listener: Listener) -> None:
        """Do not tell one."""
        self._left.pop(listener, None)

    @property
    def is_over(self) -> bool:
        """Whether nobody is to be told."""
        return not self._left

    def waits(self, listener: Listener) -> bool:
        """Whether one is to be told."""
        return listener in self._left


class News:
    """Those of one hub."""

    def __init__(self) -> None:
        self._waiting: deque[Made] = deque()
        self._handle: asyncio.Handle | None = None

    def tell(self, made: Made) -> None:
        """Tell of a stream: some reads now, if no other stream waits."""
        while len(self._waiting) >= MOST:
            self._waiting[0].tell()
            self._waiting.popleft()
        is_alone = not self._waiting
        self._waiting.append(made)
        if is_alone:
            made.tell(TOLD)
        self._next()

    def forget(self, path: str) -> None:
        """The stream at a path is gone."""
        for made in self._waiting:
            if made.path == path:
                made.drop()

    def leave(self, listener: Listener) -> None:
        """A read is over."""
        for made in self._waiting:
            made.leave(listener)

    def untold(self, listener: Listener) -> list[int]:
        """The incarnations of the streams of which a read is still to be told."""
        return [made.incarnation for made in self._waiting if made.waits(listener)]

    def _next(self) -> None:
        while self._waiting and self._waiting[0].is_over:
            self._waiting.popleft().drop()
        if self._waiting and self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._handle = None
        left = TOLD
        for made in list(self._waiting):
            left -= made.tell(left)
            if left <= 0:
                break
        self._next()
