"""First frames: what one reader was told when it came is told again to the next ones that come to the same place.

Rule 1: they hold until the stream changes, for readers of their format who come at their offset, and only if they
        brought the first of them to the tail at once, into a group that still stands there.
Rule 2: few and small ones are kept, of streams with some readers; they cost an idle stream nothing.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Expiry, Retention, SlowPolicy, StreamInfo

#: Readers of a stream from which first frames are kept.
FROM_READERS: Final = 16
#: First frames of a stream that are kept, and the bytes of one.
MAX_KEPT: Final = 64
MAX_BYTES: Final = 4096

#: The key of a format, and an offset as asked for.
Place = tuple[tuple[object, ...], str]


class FirstFrames(msgspec.Struct, frozen=True, gc=False):
    """What a reader was told when it came.

    Attributes:
        content_type: the stream's.
        slow: the stream's policy.
        group: that it joined.
        data: the format's opening and the first event, framed.
    """

    content_type: str
    slow: SlowPolicy
    group: FanoutGroup
    data: bytes


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
        """Tell them again."""
        if len(frames.data) > MAX_BYTES:
            return
        if self._kept is None:
            self._kept = {}
        if len(self._kept) < MAX_KEPT or place in self._kept:
            self._kept[place] = frames

    def clear(self) -> None:
        """The stream has changed."""
        self._kept = None


def may_be_told_again(form: WireFormat, info: StreamInfo) -> bool:
    """Whether first frames hold until the stream changes: what goes with time or age must be looked up."""
    is_lasting = info.expiry == Expiry() and info.retention == Retention()
    return is_lasting and form.timeless and not form.coding.token
