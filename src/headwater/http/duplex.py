"""A connection with two ways: what takes its messages, and what a driver has for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headwater.hub.live.sinks import Sink


class Receiver(Protocol):
    """Takes what a client sends."""

    def received(self, messages: Sequence[tuple[bytes, bool]]) -> None:
        """Messages that came at once, in their order: of each what it says, a text in UTF-8, and whether it is one.

        Those behind one with which the connection ended were on their way, and are nobody's.
        """
        ...

    def write(self, data: bytes) -> None:
        """Write a frame that answers one of the protocol's own, in its order."""
        ...

    def closing(self) -> None:
        """The client has ended the connection, or what it sent has; nothing more is told to it."""
        ...


class Duplex(Sink, Protocol):
    """A sink whose bytes are frames as `protocol.websocket.frames` makes them, and which brings messages."""

    #: Bytes of the first message that are taken before its client has said who it is; 0: as many as of any other.
    unproven_bytes: int

    @property
    def heard_at(self) -> float:
        """When something came last, on the clock of timers."""
        ...

    @property
    def partial_since(self) -> float:
        """When the message began that is not whole yet, on the same clock; 0: there is none."""
        ...

    def stop_reading(self) -> None:
        """Take nothing more of the client, until `read_on`. What came already is given all the same."""
        ...

    def read_on(self) -> None:
        """See `stop_reading`."""
        ...

    def ends_with(self, code: int) -> None:
        """The close frame that comes next has this code, whatever the client repeats."""
        ...

    def ping(self) -> None:
        """Have the client's program answer, without its knowing, where the driver can."""
        ...
