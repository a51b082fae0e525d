"""First frames: what a reader is told that comes and has no more to read, and the group that is told what follows.

Rule 1: they are made in one step, so that the reader is live from its first write on, and never has a cursor.
Rule 2: what one reader was told is told again to the next ones that come to the same place. It holds until the stream
        changes, for readers of their format who come at their offset, as long as the group has members.
Rule 3: few and small ones are kept, of streams with some readers; they cost an idle stream nothing.
"""

from __future__ import annotations

import time
from typing import Final, Protocol

import msgspec

from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.window import Window
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Expiry, Retention, StreamInfo
from headwater.protocol.cursor import Data, Event, State
from headwater.protocol.wire import Encoder

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
    """What a reader is told when it comes.

    Attributes:
        info: the stream, as it is until it changes.
        start: where its first records begin.
        group: that it joins.
        data: the format's opening and the first event, framed.
        answers: the same behind the answer to who asked, by the question's id, where there are such.
    """

    info: StreamInfo
    start: str
    group: FanoutGroup
    data: bytes
    answers: dict[int, bytes] = {}


class Joined(Protocol):
    """A stream.

    Attributes:
        window: its newest records.
        readers: how many it has.
        changed_at: when something came that its groups were not given yet; 0: nothing did.
        first_frames: those that are kept; None: none are.
    """

    window: Window
    readers: int
    changed_at: float
    first_frames: dict[Place, FirstFrames] | None

    def group_for(self, form: WireFormat, place: LogCursor, encoder: Encoder) -> FanoutGroup | None:
        """The group for a reader that is up to date; None: it stands elsewhere, and is about to come here."""
        ...


def first_frames(
    stream: Joined, info: StreamInfo, place: LogCursor, first: Event, form: WireFormat, encoder: Encoder
) -> FirstFrames | None:
    """Those of a reader that has come; None: there is more to read, or a coding makes them each reader's own.

    Args:
        stream: that it reads.
        info: the stream when it came.
        place: behind the first event.
        first: what was read when it came.
        form: the wire format.
        encoder: of the format, that has told nothing yet.
    """
    cursor = place.cursor
    if cursor.state is not State.LIVE or form.coding.token or not isinstance(first, Data):
        return None
    # Then nothing is on its way to the groups, and all of them stand at the tail.
    if stream.changed_at or not stream.window.ends_at(cursor.offset):
        return None
    told = encoder.opening() + encoder.encode(first, time.time())
    group = stream.group_for(form, place, encoder)
    assert group is not None, "it stands at the tail"
    return FirstFrames(info, first.batch.offset, group, form.frame(told) if told else b"")


def kept(stream: Joined, place: Place) -> FirstFrames | None:
    """What readers of a format are told who come at an offset; None: not known."""
    frames = None if stream.first_frames is None else stream.first_frames.get(place)
    return frames if frames is not None and frames.group.members and not stream.window.deleted else None


def keep(stream: Joined, info: StreamInfo, asked: str | None, first: Event, told: tuple[FanoutGroup, bytes]) -> None:
    """Keep what a reader was told who came and is live, if there may be more like it until the stream changes.

    What goes with time or age must be looked up.

    Args:
        stream: that it reads.
        info: the stream when it came.
        asked: the offset with which it came; None: another word than an offset.
        first: what it was told first.
        told: the group that it joined, and the bytes.
    """
    group, data = told
    form = group.form
    if asked is None or stream.readers < FROM_READERS or len(data) > MAX_BYTES or not isinstance(first, Data):
        return
    if not form.timeless or form.coding.token or info.expiry != Expiry() or info.retention != Retention():
        return
    if stream.first_frames is None:
        stream.first_frames = {}
    place = form.key, asked
    if len(stream.first_frames) < MAX_KEPT or place in stream.first_frames:
        stream.first_frames[place] = FirstFrames(info, first.batch.offset, group, data)
