"""Readers that come: looked for, then counted and with a first batch, and not pushed or pulled yet.

Rule: a `Prospect` is nothing but what was read, so that whoever drops it has nothing to undo. It holds as long as
nobody waits. An `Arrival` may be kept: its stream knows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.first_frames import FirstFrames
from headwater.hub.live.follower import Follower
from headwater.hub.live.stream import LiveStream
from headwater.hub.peers import Peer
from headwater.model import NOW, Batch, Last, SlowPolicy, StreamInfo
from headwater.protocol.cursor import Cursor, Event
from headwater.stores import Store


class Prospect(msgspec.Struct, frozen=True):
    """A reader that can come at once.

    Attributes:
        path: the stream.
        info: the stream now.
        offset: as asked for.
        first: the first batch; or what another one was told who came to the same place.
        slow: see `Follower`.
        peer: see `Follower`.
    """

    path: str
    info: StreamInfo
    offset: str
    first: Batch | FirstFrames
    slow: SlowPolicy
    peer: Peer


class Coming(msgspec.Struct):
    """A reader that is counted.

    Attributes:
        stream: that it reads.
        info: the stream when it came.
        place: where it stands.
        asked: the offset with which it came; None: it was told from behind.
        number: see `Follower`.
        since: see `Follower`.
        slow: see `Follower`.
        peer: see `Follower`.
    """

    stream: LiveStream
    info: StreamInfo
    place: LogCursor
    asked: str | None
    number: int
    since: float
    slow: SlowPolicy
    peer: Peer


def come(
    stream: LiveStream,
    info: StreamInfo,
    offset: str | Last,
    slow: SlowPolicy,
    peer: Peer,
    *,
    heartbeat: float,
    lifetime: float | None = None,
) -> Coming:
    """A reader that comes now.

    Args:
        stream: where it was counted just before.
        info: the stream.
        offset: as asked for.
        slow: see `Follower`.
        peer: see `Follower`.
        heartbeat: see `Cursor`.
        lifetime: see `Cursor`.
    """
    runtime, now = stream.runtime, time.monotonic()
    asked = offset if isinstance(offset, str) else None
    place = LogCursor(runtime, stream.window, Cursor(asked or NOW, now, heartbeat=heartbeat, lifetime=lifetime))
    return Coming(stream, info, place, asked, runtime.stats.readers_total, now, slow, peer)


async def enter_known(enter: Callable[[str], LiveStream], store: Store, path: str) -> tuple[LiveStream, StreamInfo]:
    """Count a reader that is coming, to a stream that is there; gives its state, which is read behind that.

    Args:
        enter: counts it.
        store: where the stream is.
        path: of the stream.

    Raises:
        StreamNotFound, StreamGone, StoreUnavailable: it is not there, or nobody can say; nobody is counted.
    """
    while True:
        stream = enter(path)
        is_there = False
        try:
            info = await store.info(path)
            is_there = stream.seed(info)
        finally:
            if not is_there:
                stream.leave()
        if is_there:
            return stream, info


class Arrival(Follower):
    """A reader that has come; it leaves with its `with` block, unless it was taken.

    Args:
        coming: the reader.

    Attributes:
        coming: as given.
        stream: see `Coming`.
        info: see `Coming`.
        place: see `Coming`.
        asked: see `Coming`.
        first: the first thing to tell.
        previous: where it begins, if it was told from behind and records before it are kept.
    """

    __slots__ = ("_taken", "asked", "coming", "first", "info", "place", "previous", "stream")

    first: Event

    def __init__(self, coming: Coming) -> None:
        stream = coming.stream
        super().__init__(stream, coming.number, coming.since, coming.slow, coming.peer)
        self.coming = coming
        self.stream = stream
        self.info = coming.info
        self.place = coming.place
        self.asked = coming.asked
        self.previous: str | None = None
        self._taken = False
        stream.followers[self] = None

    @property
    def stands(self) -> Cursor:
        """See `Follower.stands`."""
        return self.place.cursor

    def take(self) -> None:
        """Somebody else reads in its stead, from now on."""
        self._taken = True
        self.stream.followers.pop(self, None)

    def leave(self) -> None:
        """Nobody reads."""
        self._taken = True
        self.stream.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._taken:
            self.leave()
