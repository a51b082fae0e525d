"""A feed: one wire format of one stream, for all live readers that stand at its offset.

Rule 1: what is new is encoded once, into one `bytes`, which every member's sink is given.
Rule 2: the members have no cursor of their own: the feed's is theirs. Who falls behind gets a copy of it and leaves.
Rule 3: all of this happens between two steps of the event loop, so nobody can join or leave in the middle.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING

import msgspec

from headwater.errors import StreamNotFound
from headwater.hub.members import Members
from headwater.protocol.coding import IDENTITY, Coding, Common
from headwater.protocol.reading import Event, Reader, State
from headwater.protocol.wire import Encoder

if TYPE_CHECKING:
    from headwater.hub.subscriptions import Subscription
    from headwater.hub.tails import Tail
    from headwater.hub.wheel import Timer


class Format(msgspec.Struct, frozen=True):
    """A wire format as readers ask for it.

    Attributes:
        key: equal for readers of a stream who are to be given the same bytes.
        encoder: makes an encoder that has told nothing yet, for a content type.
        frame: wraps what is sent at once, such as an HTTP/1.1 chunk.
        last: what ends the answer, after its last frame.
        coding: the content coding, inside the frames.
        timeless: what it says of a batch follows from the batch alone, and is the same for each reader of the key.
    """

    key: tuple[object, ...]
    encoder: Callable[[str], Encoder]
    frame: Callable[[bytes], bytes]
    last: bytes = b""
    coding: Coding = IDENTITY
    timeless: bool = False


class Feed:
    """The live readers of a stream in one format, and their common cursor.

    Args:
        tail: the stream's live end.
        cursor: up to date.
        encoder: what the members have been told so far.
        form: the format.

    Attributes:
        form: as given.
        members: who is given it.
        timer: of its next heartbeat.
        common: what the members are sent, in the format's content coding.
        aside: the last heartbeat, before it was coded.
    """

    __slots__ = ("_slow", "_tail", "_telling", "aside", "common", "cursor", "encoder", "form", "members", "timer")

    def __init__(self, tail: Tail, cursor: Reader, encoder: Encoder, form: Format) -> None:
        self.cursor = cursor
        self.encoder = encoder
        self.members = Members()
        self._tail = tail
        self.form = form
        self._slow: list[Subscription] = []
        self._telling = False
        self.timer: Timer | None = None
        self.common: Common = form.coding.common()
        self.aside = b""

    def admits(self, cursor: Reader, encoder: Encoder) -> bool:
        """Whether a reader who was told the same and stands at the same offset may join."""
        return self.cursor.offset == cursor.offset and self.encoder.state() == encoder.state()

    def copies(self) -> tuple[Reader, Encoder]:
        """Cursor and encoder for a member that leaves."""
        return self.cursor.copy(), deepcopy(self.encoder)

    def slow_down(self, member: Subscription) -> None:
        """A member's sink is full; it leaves, behind what is being written to all."""
        self._slow.append(member)
        if not self._telling:
            self._let_slow_go()

    def flush(self, limit: int, monotonic: float, now: float) -> int:
        """Give the members everything new.

        Args:
            limit: bytes of records in one batch.
            monotonic: the time of timers.
            now: seconds since the Unix epoch.

        Returns:
            How many times a sink was written to.
        """
        written = 0
        if self._tail.deleted and self.members:
            path = self._tail.path
            return self.tell(
                self.cursor.fail(StreamNotFound(f"the stream at {path!r} was deleted or has expired")), now
            )
        tail = self._tail
        while self.members and tail.has_news(self.cursor.offset):
            batch = tail.read(self.cursor.offset, limit)
            if batch is None:
                self._scatter()
                break
            writes = self.tell(self.cursor.receive(batch, monotonic), now)
            tail.stats.coalesced.add(len(batch.records), writes)
            written += writes
            if batch.up_to_date:
                break
        return written

    def beat(self, monotonic: float, now: float) -> bytes:
        """A heartbeat for the members, if it is due; else nothing."""
        due = self.cursor.handle_timer(monotonic)
        data = b"" if due is None else self.encoder.encode(due, now)
        if not data:
            return b""
        self.aside = data
        return self.form.frame(self.common.aside(data))

    def tell(self, event: Event, now: float) -> int:
        """Encode an event once and give it to every member; ends them, if it ends the reader."""
        data = self.encoder.encode(event, now)
        written = 0
        if data:
            frame = self.form.frame(self.common.piece(data))
            self._telling = True
            written = self.members.give_all(frame)
            self._telling = False
            self._tail.stats.sent(self.form.coding.token, len(data), len(frame), written)
        if self.cursor.state is State.ENDED:
            for member in list(self.members):
                member.finish(cut=self.encoder.must_cut)
        else:
            self._let_slow_go()
        return written

    def _let_slow_go(self) -> None:
        slow, self._slow = self._slow, []
        for member in slow:
            if self.members.discard(member):
                member.fall_behind(*self.copies())

    def _scatter(self) -> None:
        """The window does not reach the members: each reads the log for itself."""
        members, self.members = list(self.members), Members()
        for member in members:
            member.fall_behind(*self.copies())
            member.advance()
