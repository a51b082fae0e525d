"""Connections with many channels, which share the socket as `connection` says."""

from __future__ import annotations

from typing import Final

from headwater.hub.live.connection import Channel, Connection
from headwater.hub.live.fanout import put
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import Sink

#: Bytes that wait for those behind them, at most.
MAX_GATHERED: Final = 64 * 1024


class SharedConnection(Connection):
    """A connection whose channels come and go until `finish`, and may be of one stream."""

    __slots__ = ("_channels", "_turns")

    def __init__(self, runtime: Runtime, sink: Sink) -> None:
        self._channels: tuple[Channel, ...] = ()
        #: Whose turns come, while turns are given.
        self._turns: list[Channel] | None = None
        super().__init__(runtime, sink)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """See `Connection.channels`."""
        return self._channels

    def add(self, channel: Channel) -> None:
        """See `Connection.add`."""
        self._channels += (channel,)
        if self._turns is not None:
            self._turns.append(channel)

    def write(self, data: bytes | memoryview) -> None:
        """See `Connection.write`."""
        self.sink.write(data)
        if len(self._channels) > 1 and self.sink.held():
            for channel in self._channels:
                channel.hold_back()

    def direct(self, channel: Channel) -> int | None:
        """See `Connection.direct`."""
        sink = self.sink
        if sink.descriptor is None or sink.held():
            return None
        if len(self._channels) > 1 and any(
            other is not channel and other.shares_group(channel) for other in self._channels
        ):
            return None
        return sink.descriptor

    def go_on(self, channel: Channel | None = None) -> None:
        """See `Connection.go_on`."""
        if self._turns is not None:
            return
        self._turns = waiting = list(self._channels)
        last = None
        try:
            while waiting and not (self.full_at or self._stopped):
                last = waiting.pop(0)
                if last.step():
                    waiting.append(last)
        finally:
            self._turns = None
        if len(self._channels) > 1 and last in self._channels:
            behind = self._channels.index(last) + 1
            self._channels = (*self._channels[behind:], *self._channels[:behind])

    def remove(self, channel: Channel) -> None:
        """See `Connection.remove`."""
        self.drop(channel)

    def drop(self, channel: Channel) -> None:
        """See `Connection.drop`."""
        self._channels = tuple(other for other in self._channels if other is not channel)

    def clear(self) -> None:
        """See `Connection.clear`."""
        self._channels = ()


class AttendedConnection(SharedConnection):
    """A connection that ends with its channel, where another one looks on, and writes as well."""

    __slots__ = ()

    _is_single = True

    def remove(self, channel: Channel) -> None:
        """See `Connection.remove`."""
        super().remove(channel)
        self.finish()


class DistinctConnection(SharedConnection):
    """A connection whose channels are of different streams, so that no two are given the same bytes.

    They may be a thousand, so that nothing here asks all of them but what happens seldom.
    """

    __slots__ = ("_gathered", "_is_held_back")

    def __init__(self, runtime: Runtime, sink: Sink) -> None:
        self._channels: tuple[Channel, ...] = ()
        self._turns: list[Channel] | None = None
        #: What is written by and by, and goes out at once; None: nothing is gathered.
        self._gathered: bytearray | None = None
        self._is_held_back = False
        Connection.__init__(self, runtime, sink)

    def write(self, data: bytes | memoryview) -> None:
        """See `Connection.write`. Who is held back comes back through `direct` alone."""
        gathered = self._gathered
        if gathered is not None:
            gathered += data
            if len(gathered) < MAX_GATHERED:
                return
            data = self._take_gathered(gathered)
        self.sink.write(data)
        if not self._is_held_back and self.sink.held():
            self._hold_back()

    def _hold_back(self) -> None:
        self._is_held_back = True
        for channel in self._channels:
            channel.hold_back()

    def _take_gathered(self, gathered: bytearray) -> bytes:
        data = bytes(gathered)
        gathered.clear()
        return data

    def put(self, data: bytes, descriptor: int | None) -> None:
        """`write` by one system call, to the descriptor that `direct` gives now, if it gives one."""
        if descriptor is not None:
            data = data[put(descriptor, data) :]
        if data:
            self.write(data)

    def gather(self, first: bytes) -> None:
        """Write these bytes and what is written from now on at once, with `send`; channels write through this one."""
        self._gathered = bytearray(first)
        if self._channels:
            self._hold_back()

    def send(self) -> None:
        """Write what was gathered."""
        gathered, self._gathered = self._gathered, None
        if gathered:
            self.put(bytes(gathered), self.direct())

    def finish(self) -> None:
        """See `Connection.finish`."""
        if self._gathered is not None:
            self.send()
        super().finish()

    def direct(self, channel: Channel | None = None) -> int | None:
        """See `Connection.direct`; it is the same for all channels."""
        sink = self.sink
        if sink.descriptor is None or self._gathered is not None or sink.held():
            return None
        self._is_held_back = False
        return sink.descriptor

    def go_on(self, channel: Channel | None = None) -> None:
        """See `Connection.go_on`; they are many, and most have nothing."""
        if channel is None or self._turns is not None:
            super().go_on()
            return
        while not self.is_stopped and channel.step():
            pass
