"""A WebSocket while it lives: messages come, it is listened for, and it ends. What both doors have in common.

Rule: everything goes out through the connection, so that its bytes have one order.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from headwater.errors import RequestTimeout
from headwater.http.duplex import Duplex
from headwater.http.websocket.patience import EARLY, check_message, is_dead
from headwater.http.websocket.requests import Requests
from headwater.hub import Engine
from headwater.hub.live.connection import Connection
from headwater.hub.wheel import Timer
from headwater.protocol.websocket import frames


class Talk(ABC):
    """A WebSocket that is open; subclassed for what is said. See `Receiver`.

    Args:
        hub: whose streams are spoken of.
        sink: the connection.
        connection: on the same.

    Attributes:
        hub: as given.
        connection: as given.
        requests: messages under way.
        is_over: nothing of it goes on.
    """

    __slots__ = ("_sink", "_timer", "connection", "hub", "is_over", "requests")

    def __init__(self, hub: Engine, sink: Duplex, connection: Connection) -> None:
        self.hub = hub
        self.connection = connection
        self.requests = Requests(hub.limits, sink, self)
        self.is_over = False
        self._sink = sink
        self._timer: Timer | None = None

    # Messages.

    def received(self, data: bytes, *, is_text: bool) -> None:
        """See `Receiver.received`."""
        if not self.is_over:
            self.requests.put(data, is_text)

    @abstractmethod
    def handle(self, data: bytes, is_text: bool) -> None:
        """See `Handles.handle`."""

    @abstractmethod
    def gather(self) -> None:
        """See `Receiver.gather`."""

    @abstractmethod
    def settle(self) -> None:
        """See `Receiver.settle`."""

    def write(self, data: bytes) -> None:
        """See `Receiver.write`."""
        if not self.is_over:
            self.connection.write(data)

    # Time.

    @property
    def interval(self) -> float:
        """Seconds between two beats."""
        return self.hub.limits.heartbeat_seconds

    def watch(self, seconds: float | None = None) -> None:
        """Beat after so many seconds; None: after an interval."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.hub.runtime.timers.after(self.interval if seconds is None else seconds, self._beat)

    def _beat(self) -> None:
        self._timer = None
        limits, now, sink = self.hub.limits, time.monotonic(), self._sink
        if not self.requests.is_stopped:
            if is_dead(sink, limits, now):
                sink.abort()
                return
            try:
                check_message(sink, limits, now)
            except RequestTimeout as error:
                self.late(error)
                return
        if not self.connection.is_stopped:
            self.speak(now)
            if now - sink.heard_at >= self.interval - EARLY:
                sink.ping()
        self.beaten()
        self.watch()

    @abstractmethod
    def speak(self, now: float) -> None:
        """Tell the client that the server is there, if nothing else did; the connection takes bytes."""

    @abstractmethod
    def beaten(self) -> None:
        """Do what else is due at a beat."""

    @abstractmethod
    def late(self, error: RequestTimeout) -> None:
        """A message that has begun does not come: end, for this reason."""

    # Its end.

    def close(self, code: int, reason: str) -> None:
        """End it."""
        if self.is_over:
            return
        self._sink.ends_with(code)
        self.write(frames.close(code, reason))
        self._leave()
        self.connection.finish()

    def closing(self) -> None:
        """See `Receiver.closing`."""
        if not self.is_over:
            self._leave()

    @abstractmethod
    def _leave(self) -> None:
        """Let its channels go; nothing more is told to anybody."""

    def _forget(self) -> None:
        """Nothing of it goes on."""
        self.is_over = True
        self.requests.forget()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
