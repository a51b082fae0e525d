"""What memory knows of the committed streams.

Rule 1: the writer thread puts a state here after its commit, and never changes it again. The event loop reads it
        without a lock, and changes `touched_at` alone, which only grows, but for jumps of the clock.
Rule 2: what is missing here may be in the file: it is loaded by the writer, in turn with the writes. What is in the
        journal is never missing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from itertools import islice
from math import inf
from typing import Final

from headwater.errors import StoreUnavailable
from headwater.protocol import ledger
from headwater.protocol.ledger import StreamState, Watched, nobody
from headwater.protocol.producers import ProducerState
from headwater.stores.sqlite.database import Database
from headwater.stores.sqlite.journal import Journal, load_entries
from headwater.stores.sqlite.rows import from_row
from headwater.stores.sqlite.schema import query
from headwater.stores.sqlite.tables import ProducerKey

#: Producers whose state is kept in memory, the last to write; about 300 bytes each.
CACHED_PRODUCERS: Final = 50_000
#: Streams that are remembered to be full of producers.
MAX_FULL: Final = 1000
#: Streams that are remembered to be gone, the last ones.
MAX_DROPPED: Final = 1000

_STORE: Final = query("store")
_STREAM_NUMBERED: Final = query("stream_numbered")


class Committed:
    """States by path, producers by (incarnation, id), and what the tables do not know of.

    Args:
        limit: streams to keep.
        journaling: whether new appends may be kept in the journal.
        watched: see `Store.attend`; asked in both threads.
    """

    def __init__(self, limit: int, journaling: bool, watched: Watched = nobody) -> None:
        self.watched = watched
        self.journal = Journal(journaling)
        self.states: dict[str, StreamState] = {}
        self.producers: dict[ProducerKey, ProducerState] = {}
        self.last_incarnation = 0
        #: Of the file, when it was opened; see `Timekeeper`.
        self.drift = 0.0
        #: See `Unit.full_until`.
        self.full_until: dict[int, float] = {}
        #: Numbers of streams that were dropped; see `Agreement`.
        self.dropped: deque[int] = deque(maxlen=MAX_DROPPED)
        #: When a stream with a TTL was last in use, until a sweep has written it down. The event loop's to change.
        self.touched: dict[str, float] = {}
        #: Uses of streams whose state the file alone has, as (told at, used at), likewise. One counts if the stream
        #: lived when it was told, which is known when the state is.
        self.told: dict[str, list[tuple[float, float]]] = {}
        self._limit = limit

    def load(self, database: Database) -> None:
        """Take from the file what it alone knows: the last incarnation, the drift, and the journal.

        Raises:
            StoreUnavailable: the journal has a stream that the file does not have.
        """
        self.last_incarnation, self.drift = database.run(_STORE)[0]
        for entry in load_entries(database):
            states = [grown.applied_to(self._journaled(database, grown.incarnation)) for grown in entry.streams]
            self.journal.add(entry, entry.size, states, 0.0)
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
        """Note a use."""
        ledger.touch(state, now)
        if state.config.expiry.ttl is not None:
            self._used(state.path, now)

    def touch_unknown(self, path: str, at: float, now: float) -> None:
        """The same of a stream whose state is in the file alone, told now."""
        if self.watched(path):
            self._used(path, at)
        else:
            self.told.setdefault(path, []).append((now, at))

    def _used(self, path: str, at: float) -> None:
        if at > self.touched.get(path, -inf):
            self.touched[path] = at

    def uses(self) -> tuple[dict[str, float], dict[str, int]]:
        """What is not in the file: the last uses, and how many of a stream were told besides."""
        told = {path: len(times) for path, times in self.told.items()}
        return dict.fromkeys(told, -inf) | self.touched, told

    def written(self, touched: Mapping[str, float], told: Mapping[str, int]) -> None:
        """These uses are in the file; what came since is not."""
        for path, at in touched.items():
            if self.touched.get(path) == at:
                del self.touched[path]
        for path, count in told.items():
            if len(rest := self.told.pop(path, [])) > count:
                self.told[path] = rest[count:]

    def as_touched(self, state: StreamState) -> StreamState:
        """A state from the file, with its last use."""
        ledger.touch(state, self.touched.get(state.path, -inf))
        for now, at in tuple(self.told.get(state.path, ())):
            if not ledger.is_expired(state, now, nobody):
                ledger.touch(state, at)
        return state

    def shift(self, seconds: float) -> None:
        """Go with a jump of the clock. The event loop's."""
        # What the journal has may be another copy, and is what the tables get.
        known = {id(state): state for state in (*self.states.values(), *self.journal.states.values())}
        for state in known.values():
            if state.config.expiry.ttl is not None:
                state.touched_at += seconds
        self.touched = {path: at + seconds for path, at in self.touched.items()}
        self.told = {path: [(now + seconds, at + seconds) for now, at in told] for path, told in self.told.items()}

    def publish(
        self,
        states: Mapping[str, StreamState | None],
        producers: Mapping[ProducerKey, ProducerState],
        forgotten: Iterable[ProducerKey],
        last_incarnation: int,
    ) -> None:
        """Replace what a batch changed; None: there is no stream any more."""
        self.last_incarnation = last_incarnation
        known = self.states
        for path, state in states.items():
            if state is None:
                known.pop(path, None)
                continue
            before = known.get(path)
            # A read may have come while the batch worked on its copy.
            if before is not None and before.touched_at > state.touched_at and before.incarnation == state.incarnation:
                state.touched_at = before.touched_at
            known[path] = state
        for key in forgotten:
            self.producers.pop(key, None)
        for key, producer in producers.items():
            self.producers.pop(key, None)
            self.producers[key] = producer
        self._evict()

    def remember_full(self, full_until: Mapping[int, float]) -> None:
        """Take what a batch found out about streams that are full of producers; it can be found out again."""
        if len(self.full_until) >= MAX_FULL:
            self.full_until.clear()
        self.full_until.update(full_until)

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
