"""What a slow reader gets under `slow=conflate`: the newest record of each key, and the gap before them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from headwater.model import Batch
from headwater.protocol.reading import Event, Reader
from headwater.protocol.slow import Conflater


class Lag:
    """The batches that a reader missed, on the way to one.

    Args:
        key: of the records.
        cursor: where the reader stands; moved with each batch.
    """

    def __init__(self, key: str, cursor: Reader) -> None:
        self._cursor = cursor
        self._start = cursor.offset
        self._conflater = Conflater(key)

    def feed(self, batch: Batch, now: float) -> Iterator[Event]:
        """Take the next batch at the cursor; nothing to tell means that one more is needed.

        The cursor moves with each event that is taken, so that it has not ended before the last one is told.
        """
        self._conflater.feed(batch)
        if not batch.up_to_date:
            self._cursor.receive(batch, now)
            return
        if self._conflater.dropped:
            self._cursor.offset = self._start
            yield self._cursor.skip(batch.next_offset)
        survivors = msgspec.structs.replace(batch, offset=self._start, records=self._conflater.records())
        yield self._cursor.receive(survivors, now)
