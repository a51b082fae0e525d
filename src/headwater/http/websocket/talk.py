"""A WebSocket while it lives: messages come, it is listened for, and it ends. What both doors have in common.

Rule: everything goes out through the connection, so that its bytes have one order.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from headwater.errors import RequestTimeout
from headwater.http.duplex import Duplex
from headwater.http.websocket.patience import EARLY, check_message, is_dead
from headwater.http.websocket.requests import Requests
from headwater.hub import Engine
from headwater.hub.live.connection import Connection
from headwater.hub.rounds import Round
from headwater.protocol.websocket import frames

#: Messages of one read, and bytes of one, below which the first ones of a connection are no part of any measure.
FEW: Final = 8
SMALL_BYTES: Final = 1024


class Talk(ABC):
    """A WebSocket that is open; subclassed for what is said. See `Receiver`.

    Args:
        hub: whose streams are spoken of.
        sink: the connection.
        connection: on the same.

    Attributes:
        hub: as given.
        connection: as given.
        is_over: nothing of it goes on.
    """

    __slots__ = ("_requests", "_round", "_sink", "connection", "hub", "is_over")

    def __init__(self, hub: Engine, sink: Duplex, connection: Connection) -> None:
        self.hub = hub
        self.connection = connection
        self.is_over = False
        self._sink = sink
        #: Most connections never have a message under way.
        self._requests: Requests | None = None
        #: In which it waits for its next beat.
        self._round: Round | None = None

    # Messages.

    @property
    def has_requests(self) -> bool:
        """Whether a message is under way, or was."""
        return self._requests is not None

    @property
    def requests(self) -> Requests:
        """Messages under way."""
        if self._requests is None:
            self._requests = Requests(self.hub.limits, self._sink, self, self.hub.runtime.bulk)
        return self._requests

    def received(self, messages: Sequence[tuple[bytes, bool]]) -> None:
        """See `Receiver.received`."""
        for number, (data, is_text) in enumerate(messages):
            if self.is_over:
                return
            requests = self._requests
            if requests is None and (number >= FEW or len(data) >= SMALL_BYTES):
                requests = self.requests
            if requests is not None:
                requests.put(data, is_text)
                continue
            self.handle(data, is_text)
            if self._requests is not None:  # by now something is under way
                self._requests.check()

    @abstractmethod
    def handle(self, data: bytes, is_text: bool) -> None:
        """See `Handles.handle`."""

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
        if self._round is not None:
            self._round.discard(self)
        self._round = self.hub.runtime.rounds.of(self.interval if seconds is None else seconds)
        self._round.add(self)

    def waited(self) -> None:
        """See `Waits.waited`: a beat is due."""
        self._round = None
        limits, now, sink = self.hub.limits, time.monotonic(), self._sink
        if self._requests is None or not self._requests.is_stopped:
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
        if self._requests is not None:
            self._requests.forget()
        if self._round is not None:
            self._round.discard(self)
            self._round = None
