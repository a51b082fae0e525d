"""A group: the live readers of a stream that get the same bytes, because they stand at one offset in one wire format.

Rule 1: what is new is encoded once, into one `bytes`, which every member is given.
Rule 2: the members have no cursor of their own: the group's is theirs. Who falls behind gets a copy of it and leaves.
Rule 3: who has credit up to a position leaves before the group goes beyond it, and reads that far alone. The group
        looks at one number a flush, the smallest of its members'; theirs may have grown meanwhile, so that only then
        they are looked at.
Rule 4: all of this happens between two steps of the event loop, so nobody can join or leave in the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from random import getrandbits
from typing import Final, Protocol

from headwater.hub.live.cursor import LogCursor
from headwater.hub.live.fanout import Fanout
from headwater.hub.live.fanout import Member as Written
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.hub.wheel import Timer
from headwater.protocol.coding import Common
from headwater.protocol.cursor import Data, Event, ends
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.offsets import position_of
from headwater.protocol.wire import Encoder

_NUMBER_BITS: Final = 128


class Member(Written, Protocol):
    """Who can be in a group."""

    peer: Peer

    @property
    def allowed(self) -> int | None:
        """The position from which on it may be given nothing; None: there is none."""
        ...

    def fall_behind(self, place: LogCursor, encoder: Encoder) -> None:
        """It has left the group; this is where it stands, and what it was told."""
        ...

    def advance(self) -> None:
        """Go on by itself."""
        ...

    def finish(self, *, cut: bool) -> None:
        """It was told its end."""
        ...

    def heard(self, data: bytes) -> None:
        """It was given a heartbeat; these were its bytes before they were coded."""
        ...


class FanoutGroup:
    """The live readers of a stream in one format, and their common place.

    Args:
        place: at the tail.
        encoder: what the members have been told so far.
        form: the format.
        runtime: of the hub.
        emptied: see `Beating`.

    Attributes:
        place: as given.
        encoder: as given.
        form: as given.
        emptied: as given.
        members: who is given it.
        silence: see `Beating`.
        timer: see `Beating`.
        common: what the members are sent, in the format's content coding.
        noted: what those among the members that read many streams put into their cursors.
        noted_at: the offset of which that is; empty: of none.
        number: stands for it in a sum of several groups; see `many.standing`.
    """

    __slots__ = (
        "_brink",
        "_heartbeats",
        "_slow",
        "_stats",
        "_telling",
        "common",
        "emptied",
        "encoder",
        "form",
        "members",
        "noted",
        "noted_at",
        "number",
        "place",
        "silence",
        "timer",
    )

    def __init__(
        self, place: LogCursor, encoder: Encoder, form: WireFormat, runtime: Runtime, emptied: Callable[[], None]
    ) -> None:
        self.place = place
        self.encoder = encoder
        self.members: Fanout[Member] = Fanout()
        self.form = form
        self.emptied: Final = emptied
        self._heartbeats = runtime.heartbeats
        self._stats = runtime.stats
        self._slow: list[Member] = []
        self._telling = False
        #: No member is out of credit before this position; 0: none has to count.
        self._brink = 0
        self.silence: Final = form.heartbeat or runtime.limits.heartbeat_seconds
        self.timer: Timer | None = None
        self.common: Common = form.coding.common()
        self.noted, self.noted_at = b"", ""
        self.number = getrandbits(_NUMBER_BITS)

    @property
    def offset(self) -> str:
        """Where the members stand."""
        return self.place.cursor.offset

    def admits(self, place: LogCursor, encoder: Encoder) -> bool:
        """Whether a reader who was told the same and stands at the same offset may join."""
        return self.offset == place.cursor.offset and self.encoder.state() == encoder.state()

    def join(self, member: Member, descriptor: int | None = None) -> None:
        """Take a member in, who stands where the group does; see `Fanout.add`."""
        self.members.add(member, descriptor)
        allowed = member.allowed
        if allowed is not None:
            self._brink = min(self._brink, allowed) if self._brink else allowed

    def copies(self) -> tuple[LogCursor, Encoder]:
        """Place and encoder for a member that leaves."""
        return self.place.copy(), deepcopy(self.encoder)

    def leave(self, member: Member) -> None:
        """Let a member go, if it is one, to go on by itself."""
        if self.members.discard(member):
            member.fall_behind(*self.copies())

    def take_out(self, member: Member) -> None:
        """A member takes nothing more; it leaves, behind what is being written to all."""
        self._slow.append(member)
        if not self._telling:
            self._take_out_slow()

    def flush(self, limit: int, now: float) -> int:
        """Give the members everything new.

        Args:
            limit: bytes of records in one batch.
            now: seconds since the Unix epoch.

        Returns:
            How many times a member was written to.
        """
        written, place = 0, self.place
        if self._brink and not place.window.deleted:
            self._take_out_short(min(position_of(place.window.offset), position_of(self.offset) + limit))
        while self.members:
            events = place.at_once(limit)
            if events is None:
                self._scatter()
                break
            for event in events:
                writes = self._tell(event, now)
                if isinstance(event, Data):
                    self._stats.coalesced.add(len(event.batch.records), writes)
                written += writes
            if not events or place.is_at_tail:
                break
        return written

    def roll(self) -> list[Member]:
        """See `Beating.roll`."""
        return list(self.members)

    def beat(self, monotonic: float, now: float) -> tuple[bytes, bytes]:
        """See `Beating.beat`."""
        due = self.place.cursor.handle_timer(monotonic)
        data = b"" if due is None else self.encoder.encode(due, now)
        return (self.form.frame(self.common.aside(data)), data) if data else (b"", b"")

    def give_aside(self, members: list[Member], frame: bytes, data: bytes) -> None:
        """See `Beating.give_aside`."""
        for member in members:
            if self.members.give(member, frame):
                member.heard(data)

    def waited(self) -> None:
        """See `Waits.waited`."""
        self._heartbeats.due(self)

    def next_beat(self) -> float:
        """See `Beating.next_beat`."""
        return self.place.cursor.next_timer()

    def _tell(self, event: Event, now: float) -> int:
        """Encode an event once and give it to every member; ends them, if it ends the reader."""
        data = self.encoder.encode(event, now)
        written = self._give_all(data) if data else 0
        if ends(event):
            for member in list(self.members):
                member.finish(cut=self.encoder.must_cut)
        else:
            self._take_out_slow()
        return written

    def _take_out_short(self, end: int) -> None:
        """Let those go whose credit does not reach so far, or no farther than they stand."""
        if end < self._brink:
            return
        here, short, brink = position_of(self.offset), [], 0
        for member in list(self.members):
            allowed = member.allowed
            if allowed is None:
                continue
            if allowed < end or allowed <= here:
                short.append(member)
            else:
                brink = min(brink, allowed) if brink else allowed
        self._brink = brink
        for member in short:
            self.leave(member)
        for member in short:
            member.advance()

    def _give_all(self, data: bytes) -> int:
        """Give bytes to every member; those who take no more are still members."""
        frame = self.form.frame(self.common.piece(data))
        self._telling = True
        written = self.members.give_all(frame)
        self._telling = False
        self._stats.sent(self.form.coding.token, len(data), len(frame), written)
        return written

    # What is told and not kept.

    def tell(self, event: Ephemeral, to: str | None) -> int:
        """Tell the members an event of a kind that they asked for.

        Args:
            event: what they are told.
            to: only those are told whom this name stands for; None: all.

        Returns:
            How many were told.
        """
        data = self.form.tell(event) if self.members else b""
        if not data:
            return 0
        if to is None:
            written = self._give_all(data)
            self._take_out_slow()
            return written
        return self.give_some([member for member in self.members if member.peer.is_called(to)], data)

    def greet(self, member: Member, events: Iterable[Ephemeral]) -> None:
        """Tell a member that has just come what holds."""
        if data := b"".join(map(self.form.tell, events)):
            self.give_some([member], data)

    def give_some(self, members: list[Member], data: bytes) -> int:
        """Give bytes to some of the members; gives how many they are."""
        if members:
            frame = self.form.frame(self.common.aside(data))
            self.give_aside(members, frame, data)
            self._stats.sent(self.form.coding.token, len(data), len(frame), len(members))
        return len(members)

    def _take_out_slow(self) -> None:
        slow, self._slow = self._slow, []
        for member in slow:
            self.leave(member)

    def _scatter(self) -> None:
        """The window does not reach the members: each reads the log for itself."""
        members, self.members = list(self.members), Fanout()
        for member in members:
            member.fall_behind(*self.copies())
            member.advance()
