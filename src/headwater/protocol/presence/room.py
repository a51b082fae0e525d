"""One stream's room: who is there, and what readers are told of it.

Rule 1: a member is one whatever the number of its connections. Who holds its key, or is proven to be it, may add
        connections, change its state and leave; nobody else may.
Rule 2: an explicit leave is told at once. A member whose last connection is lost stays for the grace, and one that is
        silent for the lease; who comes back until then has never been away.
Rule 3: readers are told the difference between what they were told and what is, at most once in `FRAME_SECONDS`. What
        comes and goes in between is told to nobody. A reader that comes is told the list as all others know it.
Rule 4: above `rules.listed` members only their number is told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Final

import msgspec

from headwater.errors import LimitReached, RateLimited, StateTooLarge
from headwater.protocol.presence.claim import Claim, check_claim
from headwater.protocol.presence.due import Due
from headwater.protocol.presence.frames import Changes, Counted, Frame, Listing
from headwater.protocol.presence.members import Connection, Member, entry_of
from headwater.protocol.presence.rules import COUNTED_SECONDS, FRAME_SECONDS, Rules
from headwater.protocol.rates import Rates

#: Bytes of an entry's place in a list.
_BETWEEN: Final = 1


class Page(msgspec.Struct, frozen=True, gc=False):
    """A part of the list.

    Attributes:
        version: of the last frame.
        count: of all members.
        entries: JSON objects, by id.
        after: where the next page begins; None: there is none.
    """

    version: int
    count: int
    entries: tuple[bytes, ...]
    after: str | None


class Room:
    """One of them; fed with events and a time that never goes back.

    Args:
        rules: limits and times.
        version: of the last frame that was told of an earlier room.
    """

    def __init__(self, rules: Rules, version: int = 0) -> None:
        self._rules: Final = rules
        self._members: dict[str, Member] = {}
        self._ids: list[str] = []
        self._size = 0
        self._due: Final = Due()
        self._version = version
        self._unnamed = 0
        self._changes_made: Final = Rates(rules.changes)
        self._told_at = float("-inf")
        self._told_count = 0
        #: What readers were told of those who have changed since: a state, or None: that they are not there.
        self._before: dict[str, bytes | None] = {}
        self._lists = True
        self._counts_since = float("-inf")
        #: The list as readers know it, if somebody has asked for it.
        self._known: Listing | Counted | None = None

    # Who is there.

    def __len__(self) -> int:
        return len(self._members)

    def is_idle(self) -> bool:
        """Whether nobody is there, and nothing is left to tell."""
        return not self._members and not self._has_news

    @property
    def version(self) -> int:
        """Of the last frame."""
        return self._version

    def member(self, id: str) -> Member | None:
        """The member of this id."""
        return self._members.get(id)

    def page(self, after: str, limit: int) -> Page:
        """Members by id.

        Args:
            after: the last id of the page before; empty: from the first on.
            limit: at most so many.
        """
        start = bisect_right(self._ids, after) if after else 0
        ids = self._ids[start : start + limit]
        more = start + limit < len(self._ids)
        entries = tuple([self._members[id].entry for id in ids])
        return Page(self._version, len(self._members), entries, ids[-1] if more and ids else None)

    # What happens.

    def join(
        self,
        claim: Claim,
        new_key: str,
        now: float,
        *,
        connection: str = "",
        state: bytes | None = None,
        leased: bool,
        owned: bool = True,
    ) -> Connection:
        """A connection of a member, new or heard again.

        Args:
            claim: who it is.
            new_key: the member's, if it is new and brings none.
            now: the time.
            connection: its name. Without one, an owned one is another one each time; what is not owned is then of the
                member as a whole, and a connection of its own only while the member has no other.
            state: the member's, JSON in one line, empty for none; None: as it is.
            leased: it has to be heard from time to time.
            owned: somebody will say that it is lost, and it takes the place of an earlier one of its name.

        Raises:
            MemberTaken: the claim does not hold.
            StateTooLarge: the state is.
            LimitReached: there are too many members, connections, or changes.
        """
        self._check_state(state)
        member = self._members.get(claim.id)
        if member is None:
            if len(self._members) >= self._rules.members:
                raise LimitReached(f"there are max_presence_members={self._rules.members} members already")
            member = Member(claim.id, claim.key or new_key, state or b"")
            self._add(member)
            found = None
        else:
            check_claim(claim, member)
            found = None if owned else _named(connection, member)
            if found is None:
                self._check_room_for(connection, member)
            if state is not None:
                self._change(member, state, now)
        if found is None:
            found = self._connect(member, connection, now, leased=leased, owned=owned)
        if claim.proven:
            member.issuer = claim.issuer
        found.heard_at = now
        if found.leased:
            self._due.put(found, now + self._rules.lease)
        return found

    def change(self, claim: Claim, state: bytes, now: float) -> None:
        """A member has another state; nothing, if it is not there.

        Args:
            claim: who it is.
            state: JSON in one line; empty: none.
            now: the time.

        Raises:
            MemberTaken, StateTooLarge, LimitReached: see `join`.
        """
        self._check_state(state)
        member = self._members.get(claim.id)
        if member is not None:
            check_claim(claim, member)
            self._change(member, state, now)

    def leave(self, claim: Claim, now: float, *, connection: str | None = None) -> None:
        """A member leaves, or one connection of it; nothing, if it is not there.

        Args:
            claim: who it is.
            now: the time.
            connection: the only one that leaves; None: all.

        Raises:
            MemberTaken: see `join`.
        """
        member = self._members.get(claim.id)
        if member is None:
            return
        check_claim(claim, member)
        if connection is None:
            member.connections.clear()
        elif member.connections.pop(connection, None) is None:
            return
        if not member.connections:
            self._remove(member)

    def lost(self, connection: Connection, now: float) -> None:
        """A connection is gone, and nobody has said why; nothing, if it is its member's no more."""
        if not connection.is_open:
            return
        member = connection.member
        del member.connections[connection.name]
        if not member.connections:
            member.lost_at = now
            self._due.put(member, now + self._rules.grace)

    def dissolve(self) -> None:
        """The stream is no more, and so is the room: no connection is its member's any more."""
        for member in self._members.values():
            member.connections.clear()

    # Time.

    def next_due(self, now: float) -> float | None:
        """When `advance` and `tell` may have something to do; None: not before something happens."""
        due = self._due.next()
        news = self._news_at(now)
        if due is None or news is None:
            return news if due is None else due
        return min(due, news)

    def advance(self, now: float) -> None:
        """Let those go whose grace or lease is over."""
        rules = self._rules
        for target in self._due.take(now):
            if isinstance(target, Connection):
                self._end_lease(target, now)
            elif self._members.get(target.id) is target and target.lost_at is not None:
                if target.lost_at + rules.grace <= now:
                    self._remove(target)
                else:
                    self._due.put(target, target.lost_at + rules.grace)

    def may_tell(self, now: float) -> bool:
        """Whether `tell` has something."""
        at = self._news_at(now)
        return at is not None and at <= now

    def tell(self, now: float) -> Frame | None:
        """What readers are told now; None: nothing, or not yet."""
        if not self.may_tell(now):
            return None
        frame = self._frame(now)
        self._before.clear()
        self._told_at, self._told_count = now, len(self._members)
        self._known = frame if isinstance(frame, Listing | Counted) else None
        return frame

    def known(self) -> Listing | Counted:
        """What a reader is told that comes now: the list as it was told last; what has changed since comes next."""
        if self._known is None:
            self._known = self._told_list() if self._lists else Counted(self._version, self._told_count)
        return self._known

    # Inside.

    def _connect(self, member: Member, name: str, now: float, *, leased: bool, owned: bool) -> Connection:
        if owned and not name:
            self._unnamed += 1
            name = f"\0{self._unnamed}"  # no client's name has this character
        found = member.connections[name] = Connection(member, name, now, leased=leased)
        member.lost_at = None
        return found

    def _end_lease(self, connection: Connection, now: float) -> None:
        if not connection.is_open:
            return
        over = connection.heard_at + self._rules.lease
        if over > now:
            self._due.put(connection, over)
            return
        member = connection.member
        del member.connections[connection.name]
        if not member.connections:
            self._remove(member)

    def _check_state(self, state: bytes | None) -> None:
        if state is not None and len(state) > self._rules.state_bytes:
            raise StateTooLarge(
                f"the state has {len(state)} bytes, the limit is max_presence_state_bytes={self._rules.state_bytes}"
            )

    def _check_room_for(self, connection: str, member: Member) -> None:
        if len(member.connections) >= self._rules.connections and connection not in member.connections:
            raise LimitReached(f"the member has max_presence_connections={self._rules.connections} connections already")

    def _change(self, member: Member, state: bytes, now: float) -> None:
        if state == member.state:
            return
        if not self._changes_made.take(member.id, now):
            raise RateLimited(f"a member may change its state presence_changes={self._rules.changes} times a second")
        self._note(member.id, member.state)
        self._size -= len(member.entry)
        member.change(state)
        self._size += len(member.entry)
        self._settle(member.id, state)

    def _add(self, member: Member) -> None:
        self._note(member.id, None)
        self._members[member.id] = member
        insort(self._ids, member.id)
        self._size += len(member.entry) + _BETWEEN
        self._settle(member.id, member.state)

    def _remove(self, member: Member) -> None:
        self._note(member.id, member.state)
        del self._members[member.id]
        del self._ids[bisect_left(self._ids, member.id)]
        self._size -= len(member.entry) + _BETWEEN
        self._settle(member.id, None)

    def _note(self, id: str, was: bytes | None) -> None:
        if self._lists:
            self._before.setdefault(id, was)

    def _settle(self, id: str, state: bytes | None) -> None:
        """Nothing is told of one who is again as readers know it."""
        if self._lists and self._before[id] == state:
            del self._before[id]

    # What is told.

    @property
    def _fits(self) -> bool:
        return len(self._members) <= self._rules.listed and self._size <= self._rules.listed_bytes

    @property
    def _has_news(self) -> bool:
        if self._lists:
            return bool(self._before)
        return self._fits or len(self._members) != self._told_count

    def _news_at(self, now: float) -> float | None:
        """When there is something to tell; None: there is nothing."""
        if not self._has_news:
            return None
        at = self._told_at + FRAME_SECONDS
        if not self._lists and len(self._members) == self._told_count:
            at = max(at, self._counts_since + COUNTED_SECONDS)
        return max(at, now)

    def _frame(self, now: float) -> Frame:
        self._version += 1
        if self._lists and self._fits:
            return self._changes()
        if self._lists:
            self._lists, self._counts_since = False, now
        elif self._fits and now >= self._counts_since + COUNTED_SECONDS:
            self._lists = True
            return Listing(self._version, len(self._members), [self._members[id].entry for id in self._ids])
        return Counted(self._version, len(self._members))

    def _told_list(self) -> Listing:
        known = {id: member.entry for id, member in self._members.items()}
        for id, before in self._before.items():
            if before is None:
                known.pop(id, None)
            else:
                known[id] = entry_of(id, before)
        return Listing(self._version, len(known), [known[id] for id in sorted(known)])

    def _changes(self) -> Changes:
        joined, changed, left = [], [], []
        for id, before in self._before.items():
            member = self._members.get(id)
            if member is None:
                left.append(id)
            elif before is None:
                joined.append(member.entry)
            else:
                changed.append(member.entry)
        return Changes(self._version, len(self._members), joined, changed, left)


def _named(name: str, member: Member) -> Connection | None:
    """The connection of a request: that of its name; without a name, any one."""
    found = member.connections.get(name)
    if found is None and not name:
        found = next(iter(member.connections.values()), None)
    return found
