"""A stream that is read live: its window, its groups, and who waits at its end.

Rule 1: there is one for each stream that has live readers, whatever their number; the last one takes it along.
Rule 2: a stream whose first records come is made here before the reads of patterns are told of it. Each of them would
        ask the store, as they all come in the same moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import count, islice
from typing import Final, Protocol

from msgspec import structs

from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.ephemeral import Hears, Listeners, Told
from headwater.hub.live.first_frames import FirstFrames, Place
from headwater.hub.live.follower import Follower
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.window import Window
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Change, StreamInfo
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.wire import Encoder
from headwater.stores import AtOnce


class Parked(Protocol):
    """Who stands where its group will stand after its next flush."""

    def advance(self) -> None:
        """The group stands there now."""
        ...


class Onlooker(Protocol):
    """Who tells its reader from time to time where it stands."""

    def tell_cursor(self) -> None:
        """Tell it, if it has moved."""
        ...


class Awaits(Protocol):
    """Who came before the stream was there."""

    def admit(self) -> None:
        """It is there."""
        ...

    def move(self) -> None:
        """It was deleted; wait for another one."""
        ...


#: Readers that are let in to a new stream in one turn of the event loop.
ADMITTED: Final = 100


class LiveStream:
    """One stream.

    Args:
        path: of the stream.
        runtime: of the hub.
        forget: called when the last reader has left, or the stream is no more.

    Attributes:
        runtime: as given.
        window: its newest records.
        followers: its live readers that have come.
        readers: how many there are, with those that are coming.
        parked: see `Parked`.
        first_frames: those that may be told again until something changes; None: there are none.
        changed_at: when the oldest change came that no group was given yet, on the clock of timers; 0: none.
        onlookers: told when the groups were given something; see `Onlooker`.
        flushed_at: when its groups were given something last, on the clock of timers; 0: never.
        number: of this one, in this process; a later stream at the path has another.
        listeners: who asked for ephemeral events; None: nobody.
    """

    _numbers = count(1)

    def __init__(self, path: str, runtime: Runtime, forget: Callable[[LiveStream], None]) -> None:
        self.runtime = runtime
        self.number = next(self._numbers)
        self.window = Window(path, runtime.limits.window_bytes)
        self.followers: dict[Follower, None] = {}
        self.readers = 0
        self.parked: list[Parked] = []
        self.first_frames: dict[Place, FirstFrames] | None = None
        self.changed_at = 0.0
        self.flushed_at = 0.0
        self.onlookers: set[Onlooker] = set()
        self.listeners: Listeners | None = None
        self._forget = forget
        self._groups: dict[tuple[object, ...], FanoutGroup] = {}
        self._waiters: dict[object, asyncio.Future[None]] = {}
        self._pausing: set[asyncio.Future[None]] = set()
        self._awaiting: dict[Awaits, None] = {}
        self._is_admitting = False

    @property
    def path(self) -> str:
        """Of the stream."""
        return self.window.path

    @property
    def is_watched(self) -> bool:
        """Whether it has readers, of a stream that is there; who only asks whether there is one keeps none alive."""
        return bool(self.followers) and not self.window.deleted

    # What the store tells.

    def seed(self, info: StreamInfo) -> bool:
        """Take the stream's state, read after this was made.

        Returns:
            False: it is that of a later stream at the path. This one is over, though its end was not told yet.
        """
        window = self.window
        if window.is_of_earlier(info.tail):
            if not window.deleted:
                self.apply(Change(self.path, window.offset, deleted=True))
            return False
        window.seed(info)
        if self._awaiting and not window.deleted:
            # What is told of the stream later may be no news any more.
            self._admit_soon()
        return True

    def apply(self, change: Change) -> None:
        """Take a notification and wake the readers."""
        if not self.window.apply(change):
            return
        self.first_frames = None
        self.wake()
        if self._awaiting and not self.window.deleted:
            self._admit_soon()
        if self._groups:
            self.changed_at = self.changed_at or time.monotonic()
            self.runtime.flusher.schedule(self)
        if self.window.deleted:
            self.progressed()
            self._forget(self)
            self._move_awaiting()
        elif self.window.is_over:
            # The groups come first, so that nobody who is live has to read from the store what was just here.
            self.flush(self.runtime.limits.window_bytes)
            self.window.make_room()

    # Who came before the stream.

    def await_creation(self, reader: Awaits) -> None:
        """Have a reader let in when the stream is there, which may be now."""
        self._awaiting[reader] = None
        if self.window.is_known:
            self._admit_soon()

    def stop_awaiting(self, reader: Awaits) -> None:
        """It waits no more."""
        self._awaiting.pop(reader, None)

    def _move_awaiting(self) -> None:
        """The stream was deleted before they were let in: they wait for another one at the path."""
        awaiting, self._awaiting = self._awaiting, {}
        for reader in awaiting:
            reader.move()

    def _admit_soon(self) -> None:
        if not self._is_admitting:
            self._is_admitting = True
            asyncio.get_running_loop().call_soon(self._admit)

    def _admit(self) -> None:
        self._is_admitting = False
        for reader in list(islice(self._awaiting, ADMITTED)):
            del self._awaiting[reader]
            reader.admit()
        if self._awaiting:
            self._admit_soon()

    # Who reads.

    def enter(self) -> None:
        """Count a reader that is coming."""
        stats = self.runtime.stats
        self.readers += 1
        stats.readers += 1
        stats.readers_total += 1

    def leave(self, follower: Follower | None = None) -> None:
        """Count a reader out; the TTL of the stream begins when the last one leaves.

        Args:
            follower: who leaves; None: it never came.
        """
        if follower is not None:
            if len(self.followers) == 1 and self.window.ttl is not None and not self.window.deleted:
                store = self.runtime.store
                store.touch({self.path: store.time()})
            self.followers.pop(follower, None)
            self.progressed()
        self.runtime.stats.readers -= 1
        self.let_loose()

    def let_loose(self) -> None:
        """One less holds it."""
        self.readers -= 1
        if not self.readers:
            # No timer of a group keeps the window until its next heartbeat.
            for key in list(self._groups):
                self._drop(key)
            self._forget(self)

    # The groups.

    def group_for(self, form: WireFormat, place: LogCursor, encoder: Encoder) -> FanoutGroup | None:
        """The group for a reader that is up to date; None: its group is about to be flushed to where it stands.

        A reader who was told something else than the group's members, such as a part of a character that they were
        given whole, gets a group of its own.
        """
        key = form.key
        group = self._groups.get(key)
        if group is not None and group.members and not group.admits(place, encoder):
            if group.offset != place.cursor.offset:
                return None
            key, group = (*key, object()), None
        if group is None or not group.members:
            if group is not None:
                self._drop(key)
            group = self._groups[key] = FanoutGroup(place, encoder, form, self.runtime, partial(self._drop, key))
            self.runtime.heartbeats.watch(group)
        return group

    def _drop(self, key: tuple[object, ...]) -> None:
        group = self._groups.pop(key, None)
        if group is not None:
            self.runtime.heartbeats.forget(group)

    def flush(self, limit: int) -> int:
        """Give every live reader what is new, and let those go on who waited for that.

        Args:
            limit: bytes of records in one batch.

        Returns:
            How many times a reader was written to.
        """
        written = 0
        now = time.time()
        for key, group in list(self._groups.items()):
            written += group.flush(limit, now)
            if not group.members and self._groups.get(key) is group:
                self._drop(key)
        if written and self.onlookers:
            self.runtime.cursors.touched(self.onlookers)
        self.changed_at = 0.0
        parked, self.parked = self.parked, []
        for member in parked:
            member.advance()
        self.progressed()
        return written

    # What is told and not kept; see `ephemeral`.

    def listen(self, reader: Hears | None = None, kinds: frozenset[str] = frozenset()) -> Listeners:
        """Let a reader be told events of some kinds; those who listen, as they are then."""
        if self.listeners is None:
            self.listeners = Listeners(self.path, self.runtime.ephemerals)
        if reader is not None:
            self.listeners.come(reader, kinds)
        return self.listeners

    def unlisten(self, reader: Hears) -> None:
        """It is told nothing any more."""
        listeners = self.listeners
        if listeners is not None:
            listeners.go(reader)
            if not listeners:
                self.listeners = None

    def tell(self, event: Ephemeral, to: str | None = None) -> Told:
        """Tell those who asked, behind every record that was committed before.

        Args:
            event: what they are told.
            to: only those readers are told whom this name stands for; None: all.
        """
        self.flush_before()
        self.runtime.ephemerals.number += 1
        listeners = self.listeners
        if listeners is None:
            return Told()
        asked = listeners.to_all(event) if to is None else listeners.to_some(event, to)
        told = 0
        for group in list(self._groups.values()):
            if event.kind in group.form.kinds:
                told += group.tell(event, to)
        self.runtime.stats.deliveries += told
        told += listeners.give_loops(event, to)
        return Told(told, asked - told)

    def flush_before(self) -> None:
        """Give the groups what is new, before something is told that is behind it."""
        if not self.changed_at:
            return
        changed_at, stats = self.changed_at, self.runtime.stats
        written = self.flush(self.runtime.limits.read_bytes)
        self.flushed_at = time.monotonic()
        stats.delivered(written, self.flushed_at - changed_at)

    # Pulled readers that wait.

    async def wait(self, seconds: float, who: object) -> None:
        """Wait until something changes, `wake` is called, or the time is over.

        Args:
            seconds: at most.
            who: waits, and nowhere else here meanwhile.
        """
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.runtime.timers.after(seconds, partial(_finish, waiter))
        try:
            await self.wait_for(waiter, who)
        finally:
            timer.cancel()

    async def wait_for(self, waiter: asyncio.Future[None], who: object) -> None:
        """Wait until something changes, `wake` is called, or the waiter is done; see `wait`."""
        self._waiters[who] = waiter
        try:
            await waiter
        finally:
            if self._waiters.get(who) is waiter:
                del self._waiters[who]

    def wake(self, who: object | None = None) -> None:
        """Wake every reader that waits; or `who` alone, if that one does."""
        if who is not None:
            if (one := self._waiters.get(who)) is not None:
                _finish(one)
            return
        for waiter in self._waiters.values():
            _finish(waiter)

    # Writers that wait for readers; see `hub.backpressure`.

    async def progress(self) -> None:
        """Wait until a reader has got on, or has gone."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pausing.add(waiter)
        try:
            await waiter
        finally:
            self._pausing.discard(waiter)

    def progressed(self) -> None:
        """A reader has got on, or has gone."""
        for waiter in self._pausing:
            _finish(waiter)


def with_first_records(change: Change, runtime: Runtime, forget: Callable[[LiveStream], None]) -> LiveStream | None:
    """A stream that has no readers yet, with all of its records in memory, so that none who comes now asks the store.

    Args:
        change: that brought them.
        runtime: of the hub.
        forget: see `LiveStream`.

    Returns:
        Held, until `let_loose`: of a closed stream each reader is at its end at once. None: the store does not have
        them at hand, or they are not all.
    """
    store, batch = runtime.store, change.batch
    if batch is None or not isinstance(store, AtOnce):
        return None
    info = store.info_at_once(change.path)
    if info is None or info.earliest != batch.offset:
        return None
    stream = LiveStream(change.path, runtime, forget)
    stream.window.seed(structs.replace(info, tail=batch.offset, closed=False, failure=None))
    stream.window.apply(change)
    stream.readers = 1
    return stream


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
