"""What a slow reader gets under `slow=conflate`: the gap, then of each key the newest record, in the log's order.

Rule: the reader's cursor stays where it is until what is kept is told. Whatever ends the reader meanwhile tells the
offset of the cursor, and the reader must find all of it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from headwater.model import Batch
from headwater.protocol.cursor import Cursor, Event
from headwater.protocol.slow import Conflater

#: Bytes of kept records at which they are told, although the reader is not at the tail yet.
MAX_KEPT: Final = 1024 * 1024


class Conflation:
    """The batches that a reader missed, on the way to one.

    Args:
        key: of the records.
        cursor: where the reader stands.
        limit: see `MAX_KEPT`.

    Attributes:
        offset: where the next batch is read.
    """

    def __init__(self, key: str, cursor: Cursor, limit: int = MAX_KEPT) -> None:
        self.offset = cursor.offset
        self._cursor = cursor
        self._limit = limit
        self._conflater = Conflater(key)

    def feed(self, batch: Batch, now: float) -> Iterator[Event]:
        """Take the next batch; nothing to tell means that one more is needed.

        The cursor moves with each event that is taken, so that it has not ended before the last one is told.
        """
        self._conflater.feed(batch)
        self.offset = batch.next_offset
        if not batch.up_to_date and self._conflater.size < self._limit:
            return
        start = self._cursor.offset
        if self._conflater.dropped:
            yield self._cursor.thin(batch.next_offset)
        survivors = msgspec.structs.replace(batch, offset=start, records=self._conflater.records())
        yield self._cursor.receive(survivors, now)
