"""A room: who is there, for how long, whose it is, and what its readers are told when."""

from __future__ import annotations

import msgspec
import pytest
from tests.protocol.presence.room_model import Reader, join, key_of

from headwater.errors import LimitReached, MemberTaken, StateTooLarge
from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.frames import Changes, Counted, Listing
from headwater.protocol.presence.room import Room
from headwater.protocol.presence.rules import COUNTED_SECONDS, FRAME_SECONDS, Rules

RULES = Rules()


def told(room: Room, now: float) -> Changes:
    """The changes that are told now."""
    found = room.tell(now)
    assert isinstance(found, Changes)
    return found


def is_counted(reader: Reader, count: int) -> bool:
    """Whether a reader has no list, and knows how many there are."""
    return reader.members is None and reader.count == count


def ids(room: Room) -> list[str]:
    return [msgspec.json.decode(entry)["id"] for entry in room.page("", 1000).entries]


class TestMembers:
    def test_several_connections_are_one_member(self) -> None:
        room = Room(RULES)
        first, second = join(room, "ada", 0.0, connection="a"), join(room, "ada", 1.0, connection="b")
        assert ids(room) == ["ada"]
        room.lost(first, 2.0)
        room.advance(100.0)
        assert ids(room) == ["ada"]
        room.lost(second, 100.0)
        room.advance(100.0 + RULES.grace - 0.01)
        assert ids(room) == ["ada"]
        room.advance(100.0 + RULES.grace)
        assert ids(room) == []

    def test_a_leave_is_told_at_once(self) -> None:
        room = Room(RULES)
        join(room, "ada", 0.0)
        told(room, 0.0)
        assert room.tell(10.0) is None
        room.leave(Claim("ada", key_of("ada")), 10.0)
        assert room.next_due(10.0) == 10.0
        assert told(room, 10.0).left == ["ada"]

    def test_a_leave_of_one_connection_of_two_is_none_of_the_member(self) -> None:
        room = Room(RULES)
        join(room, "ada", 0.0, connection="a")
        join(room, "ada", 0.0, connection="b")
        claim = Claim("ada", key_of("ada"))
        room.leave(claim, 1.0, connection="a")
        room.leave(claim, 1.0, connection="nobody's")
        assert ids(room) == ["ada"]
        room.leave(claim, 1.0, connection="b")
        assert ids(room) == []

    def test_a_reload_within_the_grace_is_no_event(self) -> None:
        room = Room(RULES)
        connection = join(room, "ada", 0.0, state=b"1")
        told(room, 0.0)
        room.lost(connection, 10.0)
        join(room, "ada", 10.0 + RULES.grace - 0.1)
        room.advance(10.0 + RULES.grace)
        assert room.tell(10.0 + RULES.grace) is None
        assert room.member("ada").state == b"1"  # type: ignore[union-attr]

    def test_a_page_that_says_that_it_leaves_and_is_back_at_once_is_no_event(self) -> None:
        room = Room(RULES)
        join(room, "ada", 0.0, state=b"1")
        join(room, "bob", 0.0)
        told(room, 0.0)
        join(room, "eve", 0.1)
        told(room, 0.35)
        room.leave(Claim("ada", key_of("ada")), 0.3)
        join(room, "ada", 0.4, state=b"1")
        assert room.tell(0.5) is None

    def test_a_lost_connection_that_was_replaced_is_nobodys(self) -> None:
        room = Room(RULES)
        old = join(room, "ada", 0.0, connection="tab")
        join(room, "ada", 1.0, connection="tab")
        room.lost(old, 2.0)
        room.advance(100.0)
        assert ids(room) == ["ada"]

    def test_a_silent_connection_is_over_after_the_lease(self) -> None:
        room = Room(RULES)
        connection = join(room, "ada", 0.0, leased=True, owned=False)
        assert join(room, "ada", 20.0, leased=True, owned=False) is connection
        room.advance(RULES.lease)
        assert ids(room) == ["ada"]
        room.advance(20.0 + RULES.lease - 0.01)
        assert ids(room) == ["ada"]
        room.advance(20.0 + RULES.lease)
        assert ids(room) == []

    def test_a_silent_connection_beside_another_one_is_no_leave(self) -> None:
        room = Room(RULES)
        join(room, "ada", 0.0, connection="a", leased=True)
        other = join(room, "ada", 0.0, connection="b")
        room.advance(RULES.lease)
        assert ids(room) == ["ada"]
        room.lost(other, RULES.lease)
        room.advance(RULES.lease + RULES.grace)
        assert ids(room) == []

    def test_a_request_of_a_member_that_is_there_otherwise_is_no_connection(self) -> None:
        """A page that reads as a member and sends its state by POST is gone with its reader."""
        room = Room(RULES)
        reader = join(room, "ada", 0.0)
        assert join(room, "ada", 1.0, state=b"1", leased=True, owned=False) is reader
        room.lost(reader, 2.0)
        room.advance(2.0 + RULES.grace)
        assert ids(room) == []

    def test_a_request_that_names_the_connection_of_a_reader_leaves_it_as_it_is(self) -> None:
        room = Room(RULES)
        reader = join(room, "ada", 0.0, connection="tab")
        assert join(room, "ada", 1.0, connection="tab", leased=True, owned=False) is reader
        other = join(room, "ada", 1.0, connection="phone", leased=True, owned=False)
        assert other is not reader
        room.lost(reader, 2.0)
        room.advance(20.0)
        assert ids(room) == ["ada"]

    def test_a_request_keeps_a_member_in_its_grace(self) -> None:
        room = Room(RULES)
        room.lost(join(room, "ada", 0.0), 1.0)
        join(room, "ada", 2.0, leased=True, owned=False)
        room.advance(20.0)
        assert ids(room) == ["ada"]
        room.advance(2.0 + RULES.lease)
        assert ids(room) == []

    def test_pages_are_by_id(self) -> None:
        room = Room(RULES)
        for id in ("c", "a", "d", "b"):
            join(room, id, 0.0)
        first = room.page("", 3)
        assert (first.count, first.after, len(first.entries)) == (4, "c", 3)
        room.leave(Claim("c", key_of("c")), 0.0)
        second = room.page(first.after or "", 3)
        assert second.entries == (b'{"id":"d"}',)
        assert second.after is None


class TestKeys:
    def test_the_first_join_decides_the_key(self) -> None:
        room = Room(RULES)
        room.join(Claim("ada"), key_of("made"), 0.0, leased=False)
        room.join(Claim("ada", key_of("made")), key_of("other"), 0.0, leased=False)
        with pytest.raises(MemberTaken):
            room.join(Claim("ada", key_of("other")), key_of("other"), 0.0, leased=False)

    def test_a_key_that_is_brought_is_taken(self) -> None:
        room = Room(RULES)
        room.join(Claim("ada", key_of("own")), key_of("made"), 0.0, leased=False)
        with pytest.raises(MemberTaken):
            room.leave(Claim("ada", key_of("made")), 0.0)
        room.leave(Claim("ada", key_of("own")), 0.0)
        assert ids(room) == []

    @pytest.mark.parametrize("key", [None, key_of("eve")])
    def test_nobody_else_may_do_anything(self, key: str | None) -> None:
        room = Room(RULES)
        connection, claim = join(room, "ada", 0.0, state=b"1"), Claim("ada", key)
        for act in (
            lambda: room.join(claim, key_of("new"), 1.0, state=b"2", leased=True),
            lambda: room.change(claim, b"2", 1.0),
            lambda: room.leave(claim, 1.0),
            lambda: room.leave(claim, 1.0, connection=""),
        ):
            with pytest.raises(MemberTaken):
                act()
        assert connection.is_open
        assert room.page("", 9).entries == (b'{"id":"ada","state":1}',)
        room.lost(connection, 1.0)
        with pytest.raises(MemberTaken):  # it is kept for who holds it
            room.join(claim, key_of("new"), 2.0, leased=True)
        room.advance(1.0 + RULES.grace)
        room.join(claim, key_of("new"), 20.0, leased=True)
        assert ids(room) == ["ada"]

    def test_who_is_proven_needs_no_key(self) -> None:
        room = Room(RULES)
        join(room, "ada", 0.0)
        room.join(Claim("ada", None, proven=True), key_of("new"), 0.0, leased=False, connection="b")
        room.join(Claim("ada", key_of("forgotten"), proven=True), key_of("new"), 0.0, leased=False, connection="c")
        assert len(room.member("ada").connections) == 3  # type: ignore[union-attr]


class TestLimits:
    def test_members(self) -> None:
        room = Room(Rules(members=2))
        join(room, "a", 0.0)
        join(room, "b", 0.0)
        with pytest.raises(LimitReached, match="max_presence_members=2"):
            join(room, "c", 0.0)
        join(room, "b", 0.0, connection="two")

    def test_connections(self) -> None:
        room = Room(Rules(connections=2))
        join(room, "a", 0.0)
        join(room, "a", 0.0, connection="1")
        with pytest.raises(LimitReached, match="max_presence_connections=2"):
            join(room, "a", 0.0, connection="2")
        join(room, "a", 0.0, connection="1")

    def test_states(self) -> None:
        room = Room(Rules(state_bytes=4))
        with pytest.raises(StateTooLarge, match="max_presence_state_bytes=4"):
            join(room, "a", 0.0, state=b"12345")
        assert ids(room) == []
        join(room, "a", 0.0, state=b"1234")
        with pytest.raises(StateTooLarge):
            room.change(Claim("a", key_of("a")), b"12345", 0.0)

    def test_changes(self) -> None:
        room, claim = Room(Rules(changes=2)), Claim("a", key_of("a"))
        join(room, "a", 0.0)
        for number in range(2):
            room.change(claim, b"%d" % number, 0.0)
        room.change(claim, b"1", 0.0)  # is none
        with pytest.raises(LimitReached, match="presence_changes=2"):
            room.change(claim, b"4", 0.1)
        room.change(claim, b"4", 0.5)
        with pytest.raises(LimitReached):
            room.change(claim, b"5", 0.5)
        assert room.member("a").state == b"4"  # type: ignore[union-attr]

    def test_who_is_refused_has_not_come(self) -> None:
        """A join that would be one change too many leaves the member as it was, its grace too."""
        room = Room(Rules(changes=1))
        connection = join(room, "a", 0.0, connection="tab", state=b"0")
        connection = join(room, "a", 0.0, connection="tab", state=b"2")
        room.lost(connection, 0.0)
        with pytest.raises(LimitReached):
            join(room, "a", 0.0, state=b"3")
        room.advance(RULES.grace)
        assert ids(room) == []


class TestFrames:
    def test_changes_are_put_together(self) -> None:
        room = Room(RULES)
        assert room.known() == Listing(0, 0, [])
        join(room, "zoe", 0.0)
        told(room, 0.0)
        join(room, "ada", 0.01)
        join(room, "bob", 0.02)
        join(room, "bob", 0.03, state=b'{"typing":true}')
        join(room, "eve", 0.04)
        room.leave(Claim("eve", key_of("eve")), 0.05)
        assert room.tell(FRAME_SECONDS - 0.01) is None
        assert room.next_due(0.1) == FRAME_SECONDS
        changes = told(room, FRAME_SECONDS)
        assert b"{" + changes.fields() + b"}" == (
            b'{"version":2,"count":3,"joined":[{"id":"ada"},{"id":"bob","state":{"typing":true}}]}'
        )

    def test_who_comes_is_told_the_list_as_others_know_it(self) -> None:
        room = Room(RULES)
        for id in ("ada", "bob", "eve"):
            join(room, id, 0.0, state=b"1")
        told(room, 0.0)
        join(room, "zoe", 0.1)
        room.change(Claim("bob", key_of("bob")), b"2", 0.1)
        room.leave(Claim("eve", key_of("eve")), 0.1)
        reader = Reader()
        reader.hear(room.known(), 0.1)
        assert reader.members == {"ada": 1, "bob": 1, "eve": 1}
        reader.hear(told(room, 0.4), 0.4)
        assert reader.members == {"ada": 1, "bob": 2, "zoe": None}
        assert reader.events == [("joined", "zoe"), ("changed", "bob"), ("left", "eve")]
        assert room.known() == Listing(2, 3, [room.member(id).entry for id in ("ada", "bob", "zoe")])  # type: ignore[union-attr]

    def test_a_state_that_is_again_as_it_was_is_no_change(self) -> None:
        room, claim = Room(RULES), Claim("ada", key_of("ada"))
        join(room, "ada", 0.0, state=b"1")
        told(room, 0.0)
        room.change(claim, b"2", 0.1)
        room.change(claim, b"1", 0.2)
        assert room.tell(5.0) is None

    def test_above_the_limit_only_the_number_is_told(self) -> None:
        room, reader = Room(Rules(listed=2)), Reader()
        reader.hear(room.known(), 0.0)

        def tell(now: float) -> None:
            frame = room.tell(now)
            assert frame is not None
            reader.hear(frame, now)

        join(room, "a", 0.0)
        join(room, "b", 0.0)
        tell(0.0)
        assert reader.members == {"a": None, "b": None}
        join(room, "c", 1.0)
        tell(1.0)
        assert is_counted(reader, 3)
        join(room, "c", 1.4, state=b"1")
        assert room.tell(1.4) is None
        join(room, "d", 1.4)
        tell(1.4)
        assert reader.count == 4
        for id in ("c", "d"):
            room.leave(Claim(id, key_of(id)), 1.8)
        assert room.known() == Counted(3, 4)
        tell(1.8)
        assert is_counted(reader, 2)
        assert room.next_due(1.8) == 1.8 + FRAME_SECONDS
        assert room.next_due(1.9) == 1.8 + FRAME_SECONDS
        tell(1.8 + FRAME_SECONDS)
        assert reader.members == {"a": None, "b": None}
        assert room.tell(9.0) is None
        assert [id for event, id in reader.events if event == "left"] == []

    def test_a_size_that_goes_up_and_down_tells_the_list_once_a_second(self) -> None:
        room = Room(Rules(listed=1))
        join(room, "a", 0.0)
        told(room, 0.0)
        lists = 0
        for number in range(30):
            now = 1.0 + number * 0.4
            join(room, "b", now)
            lists += isinstance(room.tell(now), Listing)
            room.leave(Claim("b", key_of("b")), now + 0.1)
            lists += isinstance(room.tell(now + 0.1), Listing)
        assert lists <= 12 / COUNTED_SECONDS

    def test_a_list_of_too_many_bytes_is_counted(self) -> None:
        room = Room(Rules(listed_bytes=80))
        join(room, "a", 0.0, state=b'"' + b"x" * 20 + b'"')
        told(room, 0.0)
        join(room, "b", 1.0, state=b'"' + b"x" * 20 + b'"')
        assert room.tell(1.0) == Counted(2, 2)
        room.change(Claim("b", key_of("b")), b"", 2.0)
        assert isinstance(room.tell(2.0), Listing)

    def test_it_is_idle_when_everybody_has_left_and_that_was_told(self) -> None:
        room = Room(RULES)
        assert room.is_idle()
        join(room, "a", 0.0)
        told(room, 0.0)
        room.leave(Claim("a", key_of("a")), 0.1)
        assert not room.is_idle()
        told(room, 0.35)
        assert room.is_idle()
        assert room.next_due(1.0) is None


def test_five_thousand_that_come_back_at_once() -> None:
    """At most four frames in any second, and none of them large; nobody is told of anybody who was away briefly."""
    room, readers = Room(RULES), [Reader() for _ in range(3)]
    now = 0.0
    for reader in readers:
        reader.hear(room.known(), now)
    connections = []
    for number in range(5000):
        connections.append(join(room, f"member-{number}", now))
        now += 0.0002
        _tell(room, readers, now)
    now += 5
    _tell(room, readers, now)
    assert [reader.count for reader in readers] == [5000] * 3
    before = [len(reader.told) for reader in readers]
    for connection in connections:  # the network fails, and is back
        room.lost(connection, now)
        _tell(room, readers, now)
    now += 2
    for number in range(5000):
        join(room, f"member-{number}", now)
        now += 0.0002
        _tell(room, readers, now)
    now += RULES.grace + 1
    _tell(room, readers, now)
    assert [len(reader.told) for reader in readers] == before
    for reader in readers:
        assert all(later - at >= 1.0 for at, later in zip(reader.told, reader.told[4:], strict=False))
        assert reader.count == 5000


def _tell(room: Room, readers: list[Reader], now: float) -> None:
    room.advance(now)
    frame = room.tell(now)
    if frame is not None:
        assert len(frame.fields()) < 64 * 1024
        for reader in readers:
            reader.hear(frame, now)
