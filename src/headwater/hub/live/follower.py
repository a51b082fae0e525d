"""Who reads a stream live: what it is called, where it stands, and what is shown of it.

Rule: nothing is kept for introspection but who a reader is. Where it stands is computed when somebody asks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from headwater.hub.live.ephemeral import Told
from headwater.hub.live.window import Window
from headwater.hub.peers import Peer, ReaderInfo
from headwater.model import SlowPolicy
from headwater.protocol.cursor import Cursor, State
from headwater.protocol.slow import format_slow


class Followed(Protocol):
    """A stream.

    Attributes:
        window: its newest records.
    """

    window: Window


class Follower(ABC):
    """A live reader, as its stream knows it.

    Args:
        stream: that it reads.
        number: counts the readers of this process, from 1.
        since: when it came, on the clock of timers.
        slow: what it gets when it was slow.
        peer: who reads.
    """

    __slots__ = ("_stream", "number", "peer", "since", "slow")

    def __init__(self, stream: Followed, number: int, since: float, slow: SlowPolicy, peer: Peer) -> None:
        self._stream = stream
        self.number = number
        self.since = since
        self.slow = slow
        self.peer = peer

    @property
    @abstractmethod
    def stands(self) -> Cursor | None:
        """Its cursor, or that of its group; None: it has none any more."""

    @property
    def held(self) -> int | None:
        """Bytes that wait for it in this process; None: not known."""
        return None

    @property
    def address(self) -> str | None:
        """`HOST:PORT` of its connection; None: not known."""
        return self.peer.address

    @property
    def credit(self) -> int | None:
        """Bytes of records that it may be told and not acknowledge; None: it has none."""
        return None

    @property
    def unacknowledged(self) -> int | None:
        """Bytes of records that it was told and has not acknowledged; None: nobody counts."""
        return None

    @property
    def heard_of(self) -> Told | None:
        """The ephemeral events that it was told and not told; None: it asked for none."""
        return None

    def full_seconds(self, now: float) -> float:
        """How long it has taken nothing; 0: it does."""
        return 0.0

    def is_paused(self, now: float) -> bool:
        """Whether it is given nothing, because it takes nothing."""
        return False

    def let_go(self) -> None:
        """The hub stops: tell it to come back, unless it asks for that itself."""
        return

    def at(self) -> Cursor | None:
        """Where it stands, if it has not ended."""
        cursor = self.stands
        return None if cursor is None or cursor.state is State.ENDED else cursor

    def brief(self, now: float) -> tuple[str, str, int] | None:
        """Its wire format, its state, and the bytes held for it as far as known; None: it has ended."""
        cursor = self.at()
        if cursor is None:
            return None
        return self.peer.wire, "paused" if self.is_paused(now) else cursor.state.value, self.held or 0

    def describe(self, now: float) -> ReaderInfo | None:
        """What it is at `now`, on the clock of timers; None: it has ended."""
        cursor = self.at()
        if cursor is None:
            return None
        window = self._stream.window
        records, size = window.lag(cursor.offset)
        heard = self.heard_of
        return ReaderInfo(
            number=self.number,
            path=window.path,
            wire=self.peer.wire,
            state="paused" if self.is_paused(now) else cursor.state.value,
            pushed=self.held is not None,
            name=self.peer.name,
            address=self.address,
            offset=cursor.offset,
            lag_records=records,
            lag_bytes=size,
            held=self.held,
            policy=format_slow(self.slow),
            connected_seconds=now - self.since,
            full_seconds=self.full_seconds(now),
            window=self.credit,
            unacknowledged=self.unacknowledged,
            signals_told=None if heard is None else heard.told,
            signals_dropped=None if heard is None else heard.dropped,
        )
