"""What all live readers of a hub share: the log, what is allowed, the timers, and the figures."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, Protocol

from headwater.errors import LimitReached, ShuttingDown
from headwater.hub.access.bounds import Bounds, bounds_of
from headwater.hub.access.principals import Principals
from headwater.hub.access.refusals import Refusals
from headwater.hub.fair_turns import FairTurns
from headwater.hub.lifespan import Gate
from headwater.hub.limits import Limits
from headwater.hub.live.budget import Budget
from headwater.hub.live.cursors import Cursors
from headwater.hub.live.ephemeral import Ephemerals
from headwater.hub.live.flushing import Flusher
from headwater.hub.live.heartbeats import Heartbeats
from headwater.hub.rounds import Rounds
from headwater.hub.stats import Stats
from headwater.hub.timers import Timers
from headwater.protocol.backoff import share
from headwater.stores import Store

#: Says whether the readers of a stream stay; and is told that the others are let go.
Keeps = Callable[[str], bool]
Begun = Callable[[], None]


class Holder(Protocol):
    """A connection that is told when the hub stops, also when it reads nothing."""

    def stop(self) -> None:
        """The hub stops."""
        ...


class Runtime:
    """What readers, their connections and their streams are handed.

    Args:
        store: what they read.
        limits: as the hub has them.
        stats: where they are counted.

    Attributes:
        store: as given.
        limits: as given.
        stats: as given.
        gate: lets calls in while the hub is open.
        draining: readers are being let go, and no new ones are taken.
        keepers: who keeps the readers of some streams meanwhile; see `Engine.hold_readers`.
        reads: from logs, a little of them in each turn of the loop.
        bulk: large appends, one of them in each turn.
        timers: heartbeats, lifetimes, waits and write timeouts of all readers.
        rounds: of the same, for those that wait for the same time.
        principals: the proofs by which something lives.
        bounds: how often one of them may do something; None: no such limit is set.
        refusals: what is refused, for the log.
        budget: what full sinks hold.
        heartbeats: of the groups.
        cursors: of reads of many streams, told from time to time.
        flusher: says when the groups are given what is new.
        holders: connections that live whether they read something or not.
        ephemerals: what is told and not kept.
    """

    def __init__(self, store: Store, limits: Limits, stats: Stats) -> None:
        self.store: Final = store
        self.limits: Final = limits
        self.stats: Final = stats
        self.gate: Final = Gate()
        self.draining = False
        self.keepers: Final[list[tuple[Keeps, Begun]]] = []
        self.reads: Final = FairTurns()
        self.bulk: Final = FairTurns()
        self.timers: Final = Timers()
        self.rounds: Final = Rounds(self.timers)
        self.principals: Final = Principals(self.timers)
        self.bounds: Final[Bounds | None] = bounds_of(limits, self.principals)
        self.refusals: Final = Refusals(stats.access_refused)
        self.budget: Final = Budget(limits, self.timers)
        self.heartbeats: Final = Heartbeats(self.timers, self.rounds, self._beaten)
        self.cursors: Final = Cursors(self.timers)
        self.holders: Final[set[Holder]] = set()
        self.flusher: Final = Flusher(limits.read_bytes, limits.flush_seconds, stats)
        self.ephemerals: Final = Ephemerals()

    def check_open(self, *, while_stopping: bool = False) -> None:
        """Refuse a reader that comes now.

        Args:
            while_stopping: one is taken also while readers are let go.

        Raises:
            LimitReached, ShuttingDown: no more are taken.
            HubNotOpen, WrongLoop: see `Gate.check`.
        """
        self.gate.check()
        if self.draining and not while_stopping:
            raise ShuttingDown
        if self.stats.readers >= self.limits.max_readers:
            raise LimitReached(f"there are max_readers={self.limits.max_readers} live readers already")

    def begin_to_drain(self) -> None:
        """Readers are let go from now on, but for those that somebody keeps."""
        self.draining = True
        for _, begun in list(self.keepers):
            begun()
        for holder in list(self.holders):
            holder.stop()

    def lets_go(self, path: str) -> bool:
        """Whether the readers of a stream are let go now."""
        return self.draining and not any(keeps(path) for keeps, _ in self.keepers)

    def share(self) -> float:
        """A reader's own moment in the drain window, in seconds."""
        return share(self.limits.drain_seconds, random.random())

    def stop(self) -> None:
        """Write to nobody any more."""
        self.flusher.stop()
        self.budget.stop()
        self.rounds.stop()
        self.timers.stop()

    def _beaten(self, count: int) -> None:
        self.stats.deliveries += count
