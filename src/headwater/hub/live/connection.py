"""A reader's connection: the one place where its bytes go, and the channels that share it.

A response of Server-Sent Events is a connection with one channel; a WebSocket is one with many.

Rule 1: the bytes have one order. What is given goes into the sink; as soon as the sink holds some, no channel's group
        writes past it (`fanout`).
Rule 2: a full sink pauses all channels: they leave their groups and cost what the sink holds. When it has drained each
        goes on from its own offset, in turns of one piece, and who had the last turn is the last one next time.
Rule 3: there is one account in the budget and one timer for a connection that takes nothing, whatever the number of
        its channels.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Protocol

from headwater.hub.access.end import AccessEnd
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import Sink
from headwater.hub.peers import Peer
from headwater.hub.wheel import Timer
from headwater.model import Policy, SlowPolicy
from headwater.protocol.access.identity import ANYBODY, Access

#: Why no channel may read on, besides a full sink: it is about to try what it holds; the access is over.
_HELD, _OVER = 1, 2


class Channel(Protocol):
    """What shares a connection: one stream, from one offset on, in one format."""

    slow: SlowPolicy

    def pause(self) -> None:
        """The connection is full: leave the group, and write nothing more."""
        ...

    def resume(self, paused: float) -> None:
        """It has drained; leave out what the policy says, and wait for a turn.

        Args:
            paused: seconds for which it was full.
        """
        ...

    def step(self) -> bool:
        """Have a turn: write a piece, if there is one at hand; True: there may be more."""
        ...

    def hold_back(self) -> None:
        """The connection holds bytes: the group writes through it."""
        ...

    def shares_group(self, other: object) -> bool:
        """Whether the other one is given the same bytes by the same group."""
        ...

    def detach(self, retry_after: float, reason: str = "") -> None:
        """Tell the reader to come back after some seconds, and why, and end."""
        ...

    def hush(self, end: AccessEnd) -> None:
        """The access is over: tell no more records, and read none. The connection gives it no turns any more."""
        ...

    def end_access(self, end: AccessEnd) -> None:
        """Tell the reader so, and end."""
        ...

    def tell_expiring(self, at: float) -> None:
        """Tell when the access is over, in seconds since the Unix epoch, if there are words for it."""
        ...

    def lost(self) -> None:
        """The connection is gone."""
        ...


class Connection(ABC):
    """A sink and its channels.

    Args:
        runtime: of the hub.
        sink: where the bytes go; it tells this object from now on.

    Attributes:
        sink: as given.
        full_at: since when it takes nothing, on the clock of timers; 0: it does.
        access: by which it lives; it ends with it.
    """

    __slots__ = ("_runtime", "_stall", "_stopped", "access", "full_at", "sink")

    #: It ends with its channel. Else channels come and go until `finish`.
    _is_single = False

    def __init__(self, runtime: Runtime, sink: Sink) -> None:
        self.sink = sink
        self.full_at = 0.0
        self.access: Access | None = None
        self._runtime = runtime
        self._stopped = 0
        self._stall: Timer | None = None
        sink.attach(self)

    @property
    def is_stopped(self) -> bool:
        """Whether no channel may read on: it is full, its sink is about to try what it holds, or its access is over."""
        return bool(self.full_at or self._stopped)

    @property
    def is_over(self) -> bool:
        """Whether its access is over, and it is told so soon."""
        return bool(self._stopped & _OVER)

    def full_seconds(self, now: float) -> float:
        """How long it has been full at `now`, on the clock of timers."""
        return now - self.full_at if self.full_at else 0.0

    # From the channels.

    @property
    @abstractmethod
    def channels(self) -> tuple[Channel, ...]:
        """Those that share it; the next turn is the first one's."""

    @abstractmethod
    def add(self, channel: Channel) -> None:
        """Take a channel in; it has its turns from now on, also where another one's turn brought it."""

    @abstractmethod
    def write(self, data: bytes | memoryview) -> None:
        """Take bytes of a channel."""

    @abstractmethod
    def direct(self, channel: Channel) -> int | None:
        """The descriptor to which a channel's group may write; None: it may not."""

    @abstractmethod
    def go_on(self, channel: Channel | None = None) -> None:
        """Give the channels turns until the connection is full or none has anything at hand.

        Args:
            channel: that has something now, if it is only this one.
        """

    @abstractmethod
    def remove(self, channel: Channel) -> None:
        """A channel has ended, and its last bytes are written."""

    @abstractmethod
    def drop(self, channel: Channel) -> None:
        """A channel goes, and another one has taken its place."""

    @abstractmethod
    def clear(self) -> None:
        """The channels have ended, each by itself, and nothing is told to them any more."""

    @property
    def is_left(self) -> bool:
        """Whether nobody is there any more to be told something."""
        return not self.channels

    def detach_all(self) -> None:
        """Tell the reader of each channel to come back, because all connections together hold too much."""
        for channel in self.channels:
            channel.detach(self._runtime.share(), "shed")

    # Its access; see `Living`.

    def live_by(self, access: Access) -> None:
        """End with an access, from now on."""
        if access is not ANYBODY:
            self.access = access
            self._runtime.principals.enter(access, self)

    def _leave_access(self) -> None:
        access, self.access = self.access, None
        if access is not None:
            self._runtime.principals.leave(access, self)

    def hush(self, end: AccessEnd) -> None:
        """See `Living.hush`; once."""
        if self.is_over:
            return
        self._stopped |= _OVER
        for channel in self.channels:
            channel.hush(end)

    def end_access(self, end: AccessEnd) -> None:
        """See `Living.end_access`. What a full sink holds is not sent any more, and so nothing is told either."""
        self.access = None
        if not self.is_over:  # it ended by itself meanwhile
            return
        if self.full_at or self.sink.held() or self.is_left:
            self.sink.abort()
            self.lost()
            return
        for channel in self.channels:
            channel.end_access(end)
        if self.sink.held():
            self.sink.abort()

    def tell_expiring(self, at: float) -> None:
        """See `Living.tell_expiring`; a full one is not told."""
        if not self.is_stopped:
            for channel in self.channels:
                channel.tell_expiring(at)

    # Ends.

    def finish(self) -> None:
        """Send what is held, then end."""
        self._stopped &= ~_OVER
        self._cancel_stall()
        self._leave_access()
        self.sink.finish()
        if self.sink.held():
            self._stall = self._runtime.timers.after(self._runtime.limits.write_seconds, self.sink.abort)

    def shed(self, *, tell: bool) -> None:
        """End, because all connections together hold too much: told so behind what the sink holds, or cut."""
        runtime = self._runtime
        runtime.stats.sheds += len(self.channels) or int(not self.is_left)
        if not tell or self.is_left:
            self.sink.abort()
            self.lost()
            return
        self.detach_all()
        if not self._is_single:
            self.finish()
        self._cancel_stall()
        self._stall = runtime.timers.after(runtime.limits.slow_seconds, self.sink.abort)

    # From the sink.

    def paused(self) -> None:
        """See `SinkOwner.paused`."""
        if self.full_at or self.is_left:
            return
        self.full_at = time.monotonic()
        self._runtime.stats.pauses += 1
        self._runtime.budget.full(self)
        self._watch()
        for channel in self.channels:
            channel.pause()

    def resumed(self) -> None:
        """See `SinkOwner.resumed`."""
        paused, self.full_at = self.full_seconds(time.monotonic()), 0.0
        self._runtime.budget.free(self)
        self._cancel_stall()
        for channel in self.channels:
            channel.resume(paused)
        self.go_on()

    def hold(self, *, on: bool) -> None:
        """See `SinkOwner.hold`."""
        self._stopped = self._stopped & _OVER | on * _HELD
        if not on:
            self.go_on()

    def lost(self) -> None:
        """See `SinkOwner.lost`."""
        self._stopped &= ~_OVER
        if self.access is not None:
            self._leave_access()
        self._runtime.budget.free(self)
        if self._stall is not None:
            self._cancel_stall()
        channels = self.channels
        self.clear()
        for channel in channels:
            channel.lost()

    # Time.

    def _watch(self) -> None:
        """After `slow_seconds` those go whose policy says so; after `write_seconds` the connection is cut."""
        if any(channel.slow.policy is Policy.DISCONNECT for channel in self.channels):
            self._stall = self._runtime.timers.after(self._runtime.limits.slow_seconds, self._let_slow_go)
        else:
            self._cut_after(self._runtime.limits.write_seconds)

    def _cut_after(self, seconds: float) -> None:
        self._stall = self._runtime.timers.after(seconds, self._stalled)

    def _let_slow_go(self) -> None:
        """Too slow for `slow=disconnect`: told so behind what the sink holds, and cut if it never takes that."""
        self._stall = None
        for channel in self.channels:
            if channel.slow.policy is Policy.DISCONNECT:
                channel.detach(0.0, "slow")
        if not self.is_left and self._stall is None:
            limits = self._runtime.limits
            self._cut_after(limits.write_seconds - limits.slow_seconds)

    def _stalled(self) -> None:
        self._runtime.stats.stalls += 1
        self.sink.abort()
        self.lost()

    def _cancel_stall(self) -> None:
        stall, self._stall = self._stall, None
        if stall is not None:
            stall.cancel()


class SingleConnection(Connection):
    """A connection that is made for one channel, and ends with it.

    Most connections are such ones, so that it keeps the channel and no list of channels.
    """

    __slots__ = ("_channel", "_is_in_turn")

    _is_single = True

    def __init__(self, runtime: Runtime, sink: Sink) -> None:
        self._channel: Channel | None = None
        self._is_in_turn = False
        super().__init__(runtime, sink)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """See `Connection.channels`."""
        return () if self._channel is None else (self._channel,)

    def add(self, channel: Channel) -> None:
        """See `Connection.add`. One that is there has brought this one, and has nothing more to tell."""
        self._channel = channel

    def write(self, data: bytes | memoryview) -> None:
        """See `Connection.write`."""
        self.sink.write(data)

    def direct(self, channel: Channel) -> int | None:
        """See `Connection.direct`."""
        sink = self.sink
        return None if sink.held() else sink.descriptor

    def go_on(self, channel: Channel | None = None) -> None:
        """See `Connection.go_on`."""
        if self._is_in_turn:
            return
        self._is_in_turn = True
        try:
            while (turn := self._channel) is not None and not (self.full_at or self._stopped):
                if not turn.step() and self._channel is turn:
                    break
        finally:
            self._is_in_turn = False

    def remove(self, channel: Channel) -> None:
        """See `Connection.remove`."""
        self._channel = None
        self.finish()

    def drop(self, channel: Channel) -> None:
        """See `Connection.drop`."""
        if self._channel is channel:
            self._channel = None

    def clear(self) -> None:
        """See `Connection.clear`."""
        self._channel = None


class OwnKind(Peer, frozen=True, gc=True, kw_only=True):
    """A reader whose connection is of a kind of its own."""

    def connection(self, runtime: Runtime, sink: Sink) -> SingleConnection:
        """One for this reader alone."""
        raise NotImplementedError


def connection_to(runtime: Runtime, to: Sink | Connection, peer: Peer) -> Connection:
    """The connection of a reader that is its only channel; or the one of which it becomes a channel.

    Args:
        runtime: of the hub.
        to: where its bytes go.
        peer: who reads.
    """
    if isinstance(to, Connection):
        return to
    found = peer.connection(runtime, to) if isinstance(peer, OwnKind) else SingleConnection(runtime, to)
    if peer.access is not ANYBODY:
        found.live_by(peer.access)
    return found
