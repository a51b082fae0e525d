"""A reader's place in its stream's log: what it is told next, and what its policy leaves out when it was slow.

Rule 1: pushed and pulled readers and groups ask here. None of them reads the window, the store or a policy itself.
Rule 2: what comes next is in the window, or else in the store.
Rule 3: a delete is told in one sentence, whether the window or the store knows of it first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from headwater.errors import HeadwaterError, OffsetGone, StreamGone, StreamNotFound
from headwater.hub.live.conflation import Conflation
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.window import Window
from headwater.model import Batch, Last, Policy, SlowPolicy
from headwater.protocol.batches import head_of
from headwater.protocol.cursor import Cursor, Event, Gap, State


class LogCursor:
    """A cursor over a log that is partly in memory.

    Args:
        runtime: of the hub.
        window: of the stream.
        cursor: where the reader stands.

    Attributes:
        cursor: as given.
        window: as given.
    """

    __slots__ = ("_conflation", "_runtime", "cursor", "window")

    def __init__(self, runtime: Runtime, window: Window, cursor: Cursor) -> None:
        self.cursor = cursor
        self.window = window
        self._runtime = runtime
        self._conflation: Conflation | None = None

    def copy(self) -> LogCursor:
        """Another one at the same place, without a lifetime."""
        return LogCursor(self._runtime, self.window, self.cursor.copy())

    @property
    def is_conflating(self) -> bool:
        """Whether records are being left out of what it missed: it reads on without being told anything yet."""
        return self._conflation is not None

    @property
    def is_at_tail(self) -> bool:
        """Whether it was told that it is up to date, and nothing has changed since."""
        cursor = self.cursor
        return cursor.state is State.LIVE and not self.window.has_news(cursor.offset)

    def at_once(self, limit: int) -> Sequence[Event] | None:
        """What comes next, without waiting.

        Args:
            limit: bytes of records; one record in any case.

        Returns:
            Events in their order; none while it conflates, or at the tail. None: the window does not reach so far
            back; see `from_store`.
        """
        if self.window.deleted:
            return (self.cursor.fail(self.window.gone()),)
        if self.is_at_tail:
            return ()
        batch = self.window.read(self._next(), limit)
        if batch is None:
            return None
        self._runtime.stats.window_reads += 1
        return self._take(batch)

    async def first(self, limit: int) -> Event:
        """The first thing to tell, so that a bad offset is an error and not the start of a response.

        Args:
            limit: bytes of records in it; one record in any case.

        Raises:
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable: nothing can be read.
        """
        offset = self.cursor.offset
        batch = None if self.window.deleted else self.window.read(offset, limit)
        if batch is None:
            batch = await self._from_store(offset, limit)
        else:
            self._runtime.stats.window_reads += 1
        return self.cursor.receive(batch, time.monotonic())

    async def newest(self, last: Last, limit: int) -> tuple[Event, str | None]:
        """The same, told from behind, and where that begins, if records before it are kept.

        Args:
            last: what is asked for.
            limit: bytes of records in the first thing to tell; one record in any case. What is asked for may have
                `limits.read_bytes`.

        Raises:
            BadRequest: the stream is counted in the other way.
            StreamNotFound, StreamGone, StoreUnavailable: nothing can be read.
        """
        self._runtime.stats.store_reads += 1
        page = await self._runtime.store.page(self.window.path, last, limit=self._runtime.limits.read_bytes)
        first = self.cursor.receive(head_of(page.batch, limit), time.monotonic())
        return first, page.batch.offset if page.has_earlier else None

    async def from_store(self, limit: int, *, times: bool = True) -> Sequence[Event]:
        """`at_once` where the window does not reach; an error of the store is the reader's end.

        Args:
            limit: bytes of records; one record in any case.
            times: see `Store.read`.
        """
        try:
            return self._take(await self._from_store(self._next(), limit, times=times))
        except HeadwaterError as error:
            return (self.cursor.fail(self.window.gone() if await self._is_gone(error) else error),)

    async def _is_gone(self, error: HeadwaterError) -> bool:
        """Whether an error of the store is that the stream is deleted; it may know of that before it tells of it."""
        if isinstance(error, StreamNotFound | StreamGone) or self.window.deleted:
            return True
        if not isinstance(error, OffsetGone):
            return False
        try:  # of records that are not kept any more, or of a later stream at the path
            return self.window.is_of_earlier((await self._runtime.store.info(self.window.path)).tail)
        except HeadwaterError as another:
            return isinstance(another, StreamNotFound | StreamGone)

    async def _from_store(self, offset: str, limit: int, *, times: bool = True) -> Batch:
        store, whole = self._runtime.store, self._runtime.limits.read_bytes
        self._runtime.stats.store_reads += 1
        await self._runtime.reads.come(limit)
        batch = await store.read(self.window.path, offset, limit=limit, whole=whole, times=times)
        self._runtime.reads.count(batch)
        return batch

    def leave_out(self, slow: SlowPolicy) -> Sequence[Event]:
        """What a reader is told first that was slow, and is not let go for it.

        Args:
            slow: its policy.
        """
        cursor, window = self.cursor, self.window
        if cursor.state is State.ENDED or self.is_conflating or window.deleted or window.offset <= cursor.offset:
            return ()
        if slow.policy is Policy.LATEST:
            return (self._gap(cursor.skip(window.offset), slow.policy),)
        if slow.policy is Policy.CONFLATE:
            self._conflation = Conflation(slow.key, cursor)
        return ()

    def _next(self) -> str:
        return self.cursor.offset if self._conflation is None else self._conflation.offset

    def _take(self, batch: Batch) -> Sequence[Event]:
        now, conflation = time.monotonic(), self._conflation
        if conflation is None:
            return (self.cursor.receive(batch, now),)
        events = list(conflation.feed(batch, now))
        if events:
            self._conflation = None
        for event in events:
            if isinstance(event, Gap):
                self._gap(event, Policy.CONFLATE)
        return events

    def _gap(self, gap: Gap, policy: Policy) -> Gap:
        self._runtime.stats.gaps[policy.value] += 1
        return gap
