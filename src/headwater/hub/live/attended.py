"""Readers that are members of their stream while they read: the member's connection is lost with the reader's."""

from __future__ import annotations

from typing import Protocol

from headwater.hub.live.connection import OwnKind, SingleConnection
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import GivesUp, Sink


class Attends(Protocol):
    """A member's connection; see `presence.attendance`.

    Attributes:
        is_owned: somebody will say when it is lost.
    """

    is_owned: bool

    def join(self) -> None:
        """It is there."""
        ...

    def lost(self) -> None:
        """Its owner is gone."""
        ...


class MemberPeer(OwnKind, frozen=True, gc=True, kw_only=True):
    """A reader that is a member.

    Attributes:
        attends: its connection, as the room has it.
        silence: seconds for which what is sent may stay unanswered by the peer's machine.
    """

    attends: Attends
    silence: float

    def connection(self, runtime: Runtime, sink: Sink) -> SingleConnection:
        """See `OwnKind.connection`."""
        return MemberConnection(runtime, sink, self)


class MemberConnection(SingleConnection):
    """The connection of a reader that is a member."""

    __slots__ = ("_attends",)

    def __init__(self, runtime: Runtime, sink: Sink, peer: MemberPeer) -> None:
        self._attends = peer.attends
        self._attends.is_owned = True
        super().__init__(runtime, sink)
        if isinstance(sink, GivesUp):
            sink.give_up_after(peer.silence)

    def finish(self) -> None:
        """See `Connection.finish`."""
        super().finish()
        self._attends.lost()

    def lost(self) -> None:
        """See `Connection.lost`."""
        super().lost()
        self._attends.lost()
