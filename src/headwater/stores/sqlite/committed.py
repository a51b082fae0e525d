"""What memory knows of the committed streams.

Rule 1: the writer thread puts a state here after its commit, and never changes it again. The event loop reads it
        without a lock, and changes `touched_at` alone.
Rule 2: what is missing here may be in the file: it is loaded by the writer, in turn with the writes. What is in the
        journal is never missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nsmallest
from itertools import islice
from typing import Final

from headwater.errors import StoreUnavailable
from headwater.protocol.ledger import StreamState
from headwater.protocol.producing import ProducerState
from headwater.stores.sqlite.database import Database
from headwater.stores.sqlite.journal import Journal, load_entries
from headwater.stores.sqlite.rows import from_row
from headwater.stores.sqlite.schema import query
from headwater.stores.sqlite.tables import ProducerKey

#: Producers whose state is kept in memory, the last to write; about 300 bytes each.
CACHED_PRODUCERS: Final = 50_000

_LAST_INCARNATION: Final = query("last_incarnation")
_STREAM_NUMBERED: Final = query("stream_numbered")


class Committed:
    """States by path, producers by (incarnation, id), and what the tables do not know of.

    Args:
        limit: streams to keep.
        journaling: whether new appends may be kept in the journal.
    """

    def __init__(self, limit: int, journaling: bool) -> None:
        self.journal = Journal(journaling)
        self.states: dict[str, StreamState] = {}
        self.producers: dict[ProducerKey, ProducerState] = {}
        self.last_incarnation = 0
        #: When a stream with a TTL was last read, until a sweep writes it down. The event loop's.
        self.touched: dict[str, float] = {}
        self._limit = limit

    def load(self, database: Database) -> None:
        """Take from the file what it alone knows: the last incarnation, and the journal.

        Raises:
            StoreUnavailable: the journal has a stream that the file does not have.
        """
        self.last_incarnation = database.run(_LAST_INCARNATION)[0][0]
        for entry in load_entries(database):
            states = [grown.applied_to(self._journaled(database, grown.incarnation)) for grown in entry.streams]
            self.journal.add(entry, states, 0.0)
        self.states.update({state.path: state for state in self.journal.states.values()})
        self.producers.update(self.journal.producers)

    def _journaled(self, database: Database, incarnation: int) -> StreamState:
        if incarnation in self.journal.states:
            return self.journal.states[incarnation]
        rows = database.run(_STREAM_NUMBERED, (incarnation,))
        if not rows:
            raise StoreUnavailable(f"the file is damaged: its journal has stream {incarnation}, which is not in it")
        return from_row(rows[0])

    def touch(self, state: StreamState, now: float) -> None:
        """Note a read."""
        state.touched_at = now
        if state.config.expiry.ttl is not None:
            self.touched[state.path] = now

    def take_touched(self) -> dict[str, float]:
        """The reads since the last time."""
        touched, self.touched = self.touched, {}
        return touched

    def publish(
        self,
        states: Mapping[str, StreamState | None],
        producers: Mapping[ProducerKey, ProducerState],
        last_incarnation: int,
    ) -> None:
        """Replace what a batch changed; None: there is no stream any more."""
        self.last_incarnation = last_incarnation
        for path, state in states.items():
            if state is None:
                self.states.pop(path, None)
            else:
                self._replace(path, state)
        for key, producer in producers.items():
            self.producers.pop(key, None)
            self.producers[key] = producer
        self._evict()

    def _replace(self, path: str, state: StreamState) -> None:
        before = self.states.get(path)
        # A read may have come while the batch worked on its copy.
        if before is not None and before.touched_at > state.touched_at and before.incarnation == state.incarnation:
            state.touched_at = before.touched_at
        self.states[path] = state

    def _evict(self) -> None:
        # A tenth at once, so that finding the oldest costs little per stream.
        if (surplus := len(self.states) - len(self.journal.states) - self._limit) > 0:
            count = surplus + self._limit // 10
            for path in nsmallest(count, self.states, key=lambda path: self.states[path].touched_at):
                if path not in self.touched and self.states[path].incarnation not in self.journal.states:
                    del self.states[path]
        if (surplus := len(self.producers) - len(self.journal.producers) - CACHED_PRODUCERS) > 0:
            for key in list(islice(self.producers, surplus + CACHED_PRODUCERS // 10)):
                if key not in self.journal.producers:
                    del self.producers[key]
