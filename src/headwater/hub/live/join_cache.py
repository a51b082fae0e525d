"""First frames: what one reader was told when it came is told again to the next ones that come to the same place.

Rule 1: they hold until the stream changes, for readers of their format who come at their offset, and only if they
        brought the first of them to the tail at once, into a group that still stands there.
Rule 2: few and small ones are kept, of streams with some readers; they cost an idle stream nothing.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from headwater.hub.live.group import FanoutGroup
from headwater.model import Expiry, Retention, StreamInfo
from headwater.protocol.cursor import Data, Event

#: Readers of a stream from which first frames are kept.
FROM_READERS: Final = 16
#: First frames of a stream that are kept, and the bytes of one.
MAX_KEPT: Final = 64
MAX_BYTES: Final = 4096
#: Answers that are kept in front of them: clients count their questions from a small number on.
MAX_ANSWERS: Final = 4

#: The key of a format, and an offset as asked for.
Place = tuple[tuple[object, ...], str]


class FirstFrames(msgspec.Struct, frozen=True, gc=False):
    """What a reader was told when it came.

    Attributes:
        info: the stream, as it is until it changes.
        start: where its first records begin.
        group: that it joined.
        data: the format's opening and the first event, framed.
        answers: the same behind the answer to who asked, by the question's id, where there are such.
    """

    info: StreamInfo
    start: str
    group: FanoutGroup
    data: bytes
    answers: dict[int, bytes] = {}


class JoinCache:
    """Those of one stream."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[Place, FirstFrames] | None = None

    def get(self, place: Place) -> FirstFrames | None:
        """What readers of a format are told who come at an offset; None: not known."""
        frames = None if self._kept is None else self._kept.get(place)
        return frames if frames is not None and frames.group.members else None

    def keep(self, place: Place, frames: FirstFrames) -> None:
        """Tell them again, if they hold until the stream changes: what goes with time or age must be looked up."""
        info, form = frames.info, frames.group.form
        is_lasting = info.expiry == Expiry() and info.retention == Retention()
        if len(frames.data) > MAX_BYTES or not is_lasting or not form.timeless or form.coding.token:
            return
        if self._kept is None:
            self._kept = {}
        if len(self._kept) < MAX_KEPT or place in self._kept:
            self._kept[place] = frames

    def clear(self) -> None:
        """The stream has changed."""
        self._kept = None


class Crowded(Protocol):
    """A stream.

    Attributes:
        readers: how many it has.
        join_cache: of it.
    """

    readers: int
    join_cache: JoinCache


def keep(stream: Crowded, info: StreamInfo, asked: str | None, first: Event, told: tuple[FanoutGroup, bytes]) -> None:
    """Keep what a reader was told who came and is live, if there may be more like it.

    Args:
        stream: that it reads.
        info: the stream when it came.
        asked: the offset with which it came; None: another word than an offset.
        first: what it was told first.
        told: the group that it joined, and the bytes.
    """
    if asked is not None and stream.readers >= FROM_READERS and isinstance(first, Data):
        group, data = told
        stream.join_cache.keep((group.form.key, asked), FirstFrames(info, first.batch.offset, group, data))
