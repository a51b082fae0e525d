"""A pushed reader whose access ends: it stays where it stood, and is told so.

Rule 1: the members of a group stay where the group stood, with one place for all of them.
Rule 2: those of one place are told the same bytes, made once, by one write each; a content coding makes them each one's
        own.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from functools import partial
from typing import NamedTuple

from headwater.hub.access.end import AccessEnd
from headwater.hub.live.connection import Connection
from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.fanout import put
from headwater.hub.live.follower import Follower
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.coding import IDENTITY
from headwater.protocol.wire import Encoder


class _LastWords(NamedTuple):
    data: bytes
    frame: bytes  # where nothing codes it
    whole: bytes  # with what ends the response
    cut: bool


class EndsWithAccess(Follower):
    """The part of a `PushedReader` that does it."""

    __slots__ = ()

    _connection: Connection
    _encoder: Encoder | None
    _form: WireFormat
    _group: FanoutGroup | None
    _place: LogCursor | None
    _stream: LiveStream

    def hush(self, end: AccessEnd) -> None:
        """See `Channel.hush`."""
        group = self._group
        if group is None:
            self._stop_reading()
        elif group.members.discard(self):  # type: ignore[arg-type]  # a pushed reader is a member
            self.fall_behind(*end.once((group, group.offset), group.copies))

    def end_access(self, end: AccessEnd) -> None:
        """See `Channel.end_access`."""
        if self._place is None:
            return
        words = end.once(self._place, partial(self._last_words, end))
        if self._form.coding is not IDENTITY:
            self._say(words.data)
            self.finish(cut=words.cut)
            return
        self._stream.runtime.stats.sent("", len(words.frame), len(words.frame))
        descriptor, whole = self._connection.direct(self), words.whole  # type: ignore[arg-type]  # and a channel
        rest = whole if descriptor is None else whole[put(descriptor, whole) :]
        if rest:
            self._connection.write(rest)
        self._release()
        self._connection.remove(self)  # type: ignore[arg-type]

    def _last_words(self, end: AccessEnd) -> _LastWords:
        place, encoder, form = self._place, self._encoder, self._form
        assert place is not None, "it is in no group"
        assert encoder is not None, "it is in no group"
        data = encoder.encode(place.cursor.detach(end.retry_after, end.reason), time.time())
        frame = form.frame(data) if data else b""
        return _LastWords(data, frame, frame if encoder.must_cut else frame + form.last, encoder.must_cut)

    @abstractmethod
    def _say(self, data: bytes) -> bytes:
        """Write what is not coded yet."""

    @abstractmethod
    def fall_behind(self, place: LogCursor, encoder: Encoder) -> None:
        """See `Member.fall_behind`."""

    @abstractmethod
    def finish(self, *, cut: bool) -> None:
        """See `Member.finish`."""

    @abstractmethod
    def _release(self) -> None:
        """Let everything go."""

    @abstractmethod
    def _stop_reading(self) -> None:
        """Read nothing of the store any more."""
