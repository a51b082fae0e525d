"""Signals that hold for a while, so that who comes later is told them: the newest of each sender in each topic.

Rule 1: they are of one stream. One that is made anew at the path knows nothing of them.
Rule 2: a state that was ended is kept as such until it would have been over, for readers who were told that it holds
        and were not live when it ended.
Rule 3: what is kept has an end of its own, and limits for a stream, for a sender and for all together.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Final

import msgspec

from headwater.errors import LimitReached
from headwater.hub.limits import Limits
from headwater.hub.peers import Peer
from headwater.hub.timers import Timers
from headwater.hub.wheel import Timer
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.signals import Signal, state_of, told


class Kept(msgspec.Struct):
    """One of them.

    Attributes:
        signal: the newest.
        number: of its event.
        until: when it is over, on the clock of timers.
        by: who sent it.
        size: bytes that count.
    """

    signal: Signal
    number: int
    until: float
    by: Hashable
    size: int


class KeptOfStream:
    """Those of one stream.

    Args:
        incarnation: of the stream.

    Attributes:
        incarnation: as given.
        kept: by whose they are, about what, and for whom.
        size: of all.
        counts: how many each sender has.
        timer: for the first one that will be over.
    """

    __slots__ = ("counts", "incarnation", "kept", "size", "timer")

    def __init__(self, incarnation: int) -> None:
        self.incarnation = incarnation
        self.kept: dict[Hashable, Kept] = {}
        self.size = 0
        self.counts = Counter[Hashable]()
        self.timer: Timer | None = None

    def put(self, one: Kept) -> None:
        """Keep one in place of the one before it."""
        self.pop(state_of(one.signal))
        self.kept[state_of(one.signal)] = one
        self.size += one.size
        self.counts[one.by] += 1

    def pop(self, state: Hashable) -> None:
        """Keep one no longer."""
        one = self.kept.pop(state, None)
        if one is not None:
            self.size -= one.size
            self.counts[one.by] -= 1
            if not self.counts[one.by]:
                del self.counts[one.by]

    def drop_over(self, now: float) -> None:
        """Keep those no longer that are over."""
        for state in [state for state, one in self.kept.items() if one.until <= now]:
            self.pop(state)


class KeptSignals:
    """Those of a hub.

    Args:
        limits: how many and how much may be kept.
        timers: the hub's.
        incarnation: gives that of the stream which is at a path now; 0: not known.
    """

    def __init__(self, limits: Limits, timers: Timers, incarnation: Callable[[str], int]) -> None:
        self._limits: Final = limits
        self._timers: Final = timers
        self._incarnation: Final = incarnation
        self._streams: Final[dict[str, KeptOfStream]] = {}
        #: Bytes of all.
        self.size = 0

    def __len__(self) -> int:
        return sum(len(found.kept) for found in self._streams.values())

    def clear(self) -> None:
        """Keep nothing."""
        for path, found in list(self._streams.items()):
            self._drop(path, found)

    def check(self, path: str, incarnation: int, signal: Signal, by: Hashable) -> None:
        """Refuse to keep one more than may be.

        Raises:
            LimitReached: names the limit.
        """
        reached = self._limit(path, incarnation, signal, by) if signal.keep else ""
        if reached:
            raise LimitReached(reached)

    def _limit(self, path: str, incarnation: int, signal: Signal, by: Hashable) -> str:
        """The limit that a signal would pass, in a sentence; empty: none."""
        limits, found = self._limits, self._of(path, incarnation)
        former = None if found is None else found.kept.get(state_of(signal))
        more = size_of(signal) - (0 if former is None else former.size)
        if self.size + more > limits.max_kept_signal_bytes:
            return f"all streams together keep max_kept_signal_bytes={limits.max_kept_signal_bytes} of signals"
        if found is None:
            found = KeptOfStream(incarnation)
        if found.size + more > limits.kept_signal_bytes:
            return f"a stream keeps kept_signal_bytes={limits.kept_signal_bytes} of signals"
        if former is None and len(found.kept) >= limits.max_kept_signals:
            return f"a stream keeps max_kept_signals={limits.max_kept_signals} signals"
        if former is None and found.counts[by] >= limits.max_sender_kept_signals:
            return f"a stream keeps max_sender_kept_signals={limits.max_sender_kept_signals} signals of one sender"
        return ""

    def put(self, path: str, incarnation: int, signal: Signal, number: int, by: Hashable) -> None:
        """Keep one that may be, or end the state it is of.

        Args:
            path: of the stream.
            incarnation: of the stream.
            signal: with `keep`.
            number: of its event.
            by: who sent it.
        """
        assert signal.keep is not None, "only a state is kept"
        now, found = time.monotonic(), self._of(path, incarnation)
        former = None if found is None else found.kept.get(state_of(signal))
        until = now + signal.keep
        if not signal.keep:
            if found is None or former is None:
                return
            until = former.until
            if self._limit(path, incarnation, signal, by):
                self.size -= former.size
                found.pop(state_of(signal))
                return
        if found is None:
            found = self._streams[path] = KeptOfStream(incarnation)
        before = found.size
        found.put(Kept(signal, number, until, by, size_of(signal)))
        self.size += found.size - before
        if found.timer is None:
            self._watch(path, found, until)

    def of(self, path: str, by: Hashable) -> list[tuple[int, Signal]]:
        """The states that a sender has at a stream, each with the stream's incarnation."""
        found = self._streams.get(path)
        if found is None or not found.counts[by]:
            return []
        now = time.monotonic()
        every = [one for one in found.kept.values() if one.by == by and one.signal.keep and one.until > now]
        return [(found.incarnation, one.signal) for one in every]

    def told_first(self, path: str, since: int, peer: Peer) -> Iterator[Ephemeral]:
        """What a reader is told that becomes live; see `Greeter`."""
        found = self._of(path, self._incarnation(path))
        if found is None:
            return
        now = time.monotonic()
        for one in found.kept.values():
            signal, left = one.signal, one.until - now
            if one.number <= since or left <= 0 or (signal.to is not None and not peer.is_called(signal.to)):
                continue
            if signal.keep:
                yield told(msgspec.structs.replace(signal, keep=math.ceil(left)))
            elif since:
                yield told(signal)

    def _of(self, path: str, incarnation: int) -> KeptOfStream | None:
        found = self._streams.get(path)
        if found is not None and found.incarnation != incarnation:
            self._drop(path, found)
            return None
        return found

    def _drop(self, path: str, found: KeptOfStream) -> None:
        self.size -= found.size
        del self._streams[path]
        if found.timer is not None:
            found.timer.cancel()

    def _watch(self, path: str, found: KeptOfStream, until: float) -> None:
        """Look again when one is over; a sooner one is over by its own time, and is let go later."""
        found.timer = self._timers.after(until - time.monotonic(), partial(self._look, path, found))

    def _look(self, path: str, found: KeptOfStream) -> None:
        found.timer = None
        before = found.size
        found.drop_over(time.monotonic())
        self.size += found.size - before
        if found.kept:
            self._watch(path, found, min(one.until for one in found.kept.values()))
        else:
            del self._streams[path]


def size_of(signal: Signal) -> int:
    """Bytes of a signal that count as kept."""
    names = (signal.sender, signal.topic, signal.to, None if signal.by is None else signal.by.issuer)
    return len(signal.content) + sum(len(name.encode()) for name in names if name is not None)
