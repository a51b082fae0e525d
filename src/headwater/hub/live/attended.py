"""Readers that are members of their stream while they read: the member's connection is lost with the reader's."""

from __future__ import annotations

from typing import Protocol

from headwater.hub.live.connection import Connection, SingleConnection
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import GivesUp, Sink
from headwater.hub.peers import Peer
from headwater.protocol.access.identity import ANYBODY


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


class MemberPeer(Peer, frozen=True, gc=True, kw_only=True):
    """A reader that is a member.

    Attributes:
        attends: its connection, as the room has it.
        silence: seconds for which what is sent may stay unanswered by the peer's machine.
    """

    attends: Attends
    silence: float


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


def connection_to(runtime: Runtime, to: Sink | Connection, peer: Peer) -> Connection:
    """The connection of a reader that is its only channel; or the one of which it becomes a channel.

    Args:
        runtime: of the hub.
        to: where its bytes go.
        peer: who reads.
    """
    if isinstance(to, Connection):
        return to
    if isinstance(peer, MemberPeer):
        found: Connection = MemberConnection(runtime, to, peer)
    else:
        found = SingleConnection(runtime, to)
    if peer.access is not ANYBODY:
        found.live_by(peer.access)
    return found
