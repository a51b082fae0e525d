"""A reader that has come: it is counted and its first batch is read, and it is not pushed or pulled yet."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.follower import Follower
from headwater.hub.live.stream import LiveStream
from headwater.hub.peers import Peer
from headwater.model import SlowPolicy, StreamInfo
from headwater.protocol.cursor import Cursor, Event


class Arrival(Follower):
    """One of them; it leaves with its `with` block, unless it was taken.

    Args:
        stream: that it reads.
        info: the stream when it came.
        place: where it stands.
        asked: the offset with which it came; None: it was told from behind.
        number: see `Follower`.
        slow: see `Follower`.
        since: see `Follower`.
        peer: see `Follower`.

    Attributes:
        stream: as given.
        info: as given.
        place: as given.
        asked: as given.
        first: the first thing to tell.
        previous: where it begins, if it was told from behind and records before it are kept.
    """

    __slots__ = ("_taken", "asked", "first", "info", "place", "previous", "stream")

    first: Event

    def __init__(
        self,
        stream: LiveStream,
        info: StreamInfo,
        place: LogCursor,
        asked: str | None,
        *,
        number: int,
        since: float,
        slow: SlowPolicy,
        peer: Peer,
    ) -> None:
        super().__init__(stream.window, number, since, slow, peer)
        self.stream = stream
        self.info = info
        self.place = place
        self.asked = asked
        self.previous: str | None = None
        self._taken = False
        stream.followers.add(self)

    @property
    def stands(self) -> Cursor:
        """See `Follower.stands`."""
        return self.place.cursor

    def take(self) -> None:
        """Somebody else reads in its stead, from now on."""
        self._taken = True
        self.stream.followers.discard(self)

    def leave(self) -> None:
        """Nobody reads."""
        self._taken = True
        self.stream.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._taken:
            self.leave()
