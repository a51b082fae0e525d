"""A catch-up read, driven: what its head promises, then its body in pieces, read from the log one after the other.

Rule 1: nothing is locked and nothing is read ahead between two pieces; what was deleted or dropped meanwhile is noticed
        by the read of the next one.
Rule 2: each piece has its turn among all that is read (fair_turns.py).
Rule 3: an error of `pieces` means that the promise cannot be kept. Whoever sends the body then cuts it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from headwater.errors import OffsetGone
from headwater.hub.live.readers import LiveReaders
from headwater.model import Batch, Extent
from headwater.protocol.catch_up import CatchUp, promise
from headwater.protocol.spans import are_lines, body_of

#: The log moves on between the first piece and the look at what is behind it; more often in a row takes a strange log.
_ATTEMPTS = 5


class CatchUpRead:
    """One catch-up read; made by `begin`.

    Attributes:
        path: the stream.
        extent: what the head promises.
        whole: the body, if the first piece is all of it; None: it comes in pieces.
        length: bytes of the body; None: only the end of it tells.
    """

    def __init__(self, live: LiveReaders, path: str, first: Batch, rest: Extent | None) -> None:
        self.path = path
        self.extent = promise(first, rest)
        self.whole: bytes | None = None
        self._live = live
        self._first: Batch | None = None
        if rest is None:
            self.whole = body_of(first.content_type, first.records)
            self.length: int | None = len(self.whole)
        else:
            self._body = CatchUp(self.extent, live.runtime.limits.read_bytes)
            self.length = self._body.length
            self._first = first

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body, piece by piece; once.

        Raises:
            StreamNotFound, StreamGone, OffsetGone, StoreUnavailable: the rest of what was promised is not there.
        """
        if self.whole is not None:
            yield self.whole
            return
        first, self._first = self._first, None
        assert first is not None, "a body is sent once"
        with self._live.watched.reading(self.path):
            await self._live.runtime.reads.come_with(first, joined=True)
            piece = self._body.take(first)
            del first
            yield piece
            del piece  # the caller has it, and nobody else: one piece in memory, not two
            while (wanted := self._body.wanted()) is not None:
                offset, limit = wanted
                store = self._live.runtime.store
                await self._live.runtime.reads.come(limit)
                batch = await store.read(self.path, offset, limit=limit, times=False)
                if not are_lines(batch.records):
                    self._live.runtime.reads.count(batch)
                yield self._body.take(batch)
                del batch


async def begin(live: LiveReaders, path: str, offset: str) -> CatchUpRead:
    """Read the first piece, and see where the tail is.

    Args:
        live: of the hub; a piece has `limits.read_bytes` of records, a larger one that is kept whole comes alone.
        path: the stream.
        offset: an offset, `-1` or `now`.

    Raises:
        StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable: nothing can be promised.
    """
    store, limit = live.runtime.store, live.runtime.limits.read_bytes
    for attempt in range(_ATTEMPTS):
        first = await store.read(path, offset, limit=limit, times=False)
        if first.up_to_date:
            await live.runtime.reads.come_with(first, joined=True)
            return CatchUpRead(live, path, first, None)
        try:
            rest = await store.extent(path, first.next_offset)
        except OffsetGone:
            # Dropped, or deleted and created again, since the piece was read. Nothing was promised yet.
            if attempt + 1 == _ATTEMPTS:
                raise
            continue
        return CatchUpRead(live, path, first, rest)
    raise AssertionError("the last attempt returns or raises")
