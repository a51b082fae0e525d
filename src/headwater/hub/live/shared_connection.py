"""Connections with many channels, which share the socket as `connection` says."""

from __future__ import annotations

from headwater.hub.live.connection import Channel, Connection
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import Sink


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
        self._channels = (*self._channels, channel)
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

    Attributes:
        before: goes out in front of what is written next; None: nothing may wait for that.
    """

    __slots__ = ("_is_held_back", "before")

    def __init__(self, runtime: Runtime, sink: Sink) -> None:
        super().__init__(runtime, sink)
        self.before: bytes | None = None
        self._is_held_back = False

    def write(self, data: bytes | memoryview) -> None:
        """See `Connection.write`. Who is held back comes back through `direct` alone."""
        if self.before:
            data, self.before = self.before + data, b""
        self.sink.write(data)
        if not self._is_held_back and self.sink.held():
            self._is_held_back = True
            for channel in self._channels:
                channel.hold_back()

    def in_front(self, data: bytes) -> bytes:
        """See `Connection.in_front`."""
        before = self.before
        if before:
            self.before = b""
            data = before + data
        return data

    def direct(self, channel: Channel) -> int | None:
        """See `Connection.direct`."""
        sink = self.sink
        if sink.descriptor is None or self.before or sink.held():
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
