"""The rooms of a hub in virtual time: when readers are told, what is forgotten, and what all of them may have."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec
import pytest
from tests.hub.presence.virtual import PATH, VirtualRooms, entering
from tests.protocol.presence.room_model import Reader, key_of

from headwater.errors import LimitReached, MemberTaken, RateLimited
from headwater.hub.limits import Limits
from headwater.hub.presence.attendance import Attendance
from headwater.hub.presence.rooms import OpenRoom
from headwater.protocol.presence.claim import Claim

LIMITS = Limits()
#: What a timer may be late by.
TICK = 0.05


def attend(virtual: VirtualRooms, id: str, *, leased: bool = False, connection: str = "") -> Attendance[OpenRoom]:
    found = virtual.rooms.attend(PATH, entering(id, connection), leased=leased)
    found.join()
    return found


def test_what_is_asked_for_is_told_at_once_and_then_put_together() -> None:
    virtual = VirtualRooms(LIMITS)
    reader = virtual.come()
    attend(virtual, "ada")
    assert reader.members == {"ada": None}
    bob = attend(virtual, "bob")
    attend(virtual, "eve")
    assert reader.members == {"ada": None}
    virtual.move(0.4)
    assert reader.members == {"ada": None, "bob": None, "eve": None}
    virtual.move(1.0)
    bob.leave()
    assert reader.members == {"ada": None, "eve": None}
    assert reader.told == [0.0, 0.0, pytest.approx(0.35, abs=TICK), pytest.approx(1.4)]


def test_after_cuts_the_list_is_right_within_the_grace_and_two_seconds() -> None:
    virtual = VirtualRooms(LIMITS)
    reader, ada, bob = virtual.come(), attend(virtual, "ada"), attend(virtual, "bob")
    virtual.move(10.0)
    reader.events.clear()
    ada.lost()
    bob.lost()
    virtual.move(LIMITS.presence_grace - 1)
    attend(virtual, "bob")  # reloaded
    assert reader.members == {"ada": None, "bob": None}
    virtual.move(1 + 2)
    assert reader.members == {"bob": None}
    assert reader.events == [("left", "ada")]


def test_after_a_kill_that_nobody_tells_the_list_is_right_within_the_lease_and_two_seconds() -> None:
    virtual = VirtualRooms(LIMITS)
    reader, ada, bob = virtual.come(), attend(virtual, "ada", leased=True), attend(virtual, "bob", leased=True)
    for _ in range(3):
        virtual.move(10.0)
        ada.heard()
    virtual.move(2.0)
    assert reader.members == {"ada": None}
    assert not bob.is_there
    bob.heard()  # it was asleep
    virtual.move(1.0)
    assert reader.members == {"ada": None, "bob": None}


def test_a_request_keeps_a_member_for_the_lease() -> None:
    virtual = VirtualRooms(LIMITS)
    reader = virtual.come()
    joined = virtual.rooms.enter(PATH, entering("ada"))
    assert (joined.id, joined.key, joined.count) == ("ada", key_of("ada"), 1)
    for _ in range(5):
        virtual.move(LIMITS.presence_lease - 1)
        virtual.rooms.enter(PATH, entering("ada"))
    assert reader.members == {"ada": None}
    virtual.move(LIMITS.presence_lease + 2)
    assert reader.members == {}


def test_several_tabs_are_one_member() -> None:
    virtual = VirtualRooms(LIMITS)
    reader = virtual.come()
    tabs = [attend(virtual, "ada") for _ in range(3)]
    virtual.move(1.0)
    assert virtual.stats.members == 1
    for tab in tabs[:2]:
        tab.lost()
    virtual.move(60.0)
    assert reader.members == {"ada": None}
    tabs[2].leave()
    assert reader.members == {}
    assert reader.events == [("joined", "ada"), ("left", "ada")]


def test_nobody_takes_a_member_over() -> None:
    virtual = VirtualRooms(LIMITS)
    ada = attend(virtual, "ada")
    with pytest.raises(MemberTaken):
        virtual.rooms.leave(PATH, Claim("ada", key_of("eve")))
    with pytest.raises(MemberTaken):
        virtual.rooms.change(PATH, Claim("ada", None), b"1")
    assert ada.is_there
    ada.change(b"1")
    assert virtual.rooms.page(PATH, "", 9).entries == (b'{"id":"ada","state":1}',)


def test_an_attendance_that_has_ended_does_nothing_more() -> None:
    virtual = VirtualRooms(LIMITS)
    first = attend(virtual, "ada")
    first.leave()
    first.lost()
    first.leave()
    first.heard()
    assert virtual.stats.members == 0
    second = attend(virtual, "ada", connection="tab")
    third = attend(virtual, "ada", connection="tab")
    second.leave()
    second.lost()
    assert third.is_there
    assert virtual.stats.members == 1


def test_a_room_is_forgotten_when_it_is_empty_and_told() -> None:
    """Versions grow on, so that a reader that stayed is not told anything older."""
    virtual = VirtualRooms(LIMITS)
    reader = virtual.come()
    attend(virtual, "ada").leave()
    virtual.move(1.0)
    assert len(virtual.rooms) == 0
    assert virtual._wheel.next_due() is None
    version = reader.version
    attend(virtual, "bob")
    assert reader.members == {"bob": None}
    assert reader.version > version
    assert virtual.rooms.known("rooms/8").entries == []  # type: ignore[union-attr]


def test_a_stream_that_is_deleted_takes_its_room_along() -> None:
    virtual = VirtualRooms(LIMITS)
    ada = attend(virtual, "ada", leased=True)
    attend(virtual, "bob")
    virtual.rooms.drop(PATH)
    assert (virtual.stats.members, len(virtual.rooms)) == (0, 0)
    assert virtual._wheel.next_due() is None
    ada.lost()
    virtual.move(100.0)
    assert virtual.stats.members == 0
    virtual.rooms.clear()


def test_members_of_all_streams_have_a_limit() -> None:
    virtual = VirtualRooms(Limits(max_presence_total=2))
    attend(virtual, "ada")
    virtual.rooms.enter("rooms/8", entering("bob"))
    with pytest.raises(LimitReached, match="max_presence_total=2"):
        attend(virtual, "eve")
    with pytest.raises(LimitReached, match="max_presence_total=2"):
        virtual.rooms.enter("rooms/9", entering("bob"))
    attend(virtual, "ada")
    assert len(virtual.rooms) == 2


def test_one_client_adds_so_many_members_a_second() -> None:
    """However many leave again; who comes back within the grace is not new, and nobody else has less for it."""
    virtual = VirtualRooms(Limits(presence_joins=3))

    def join(id: str, by: Hashable) -> None:
        virtual.rooms.enter(PATH, msgspec.structs.replace(entering(id), by=by))

    for number in range(3):
        join(f"a-{number}", "one")
        virtual.rooms.leave(PATH, Claim(f"a-{number}", key_of(f"a-{number}")))
    with pytest.raises(RateLimited, match="presence_joins=3"):
        join("a-3", "one")
    join("b", "two")
    for _ in range(9):
        join("b", "two")
    for number in range(9):
        join(f"c-{number}", None)
    virtual.move(1 / 3)
    join("a-3", "one")
    with pytest.raises(RateLimited):
        join("a-4", "one")
    assert virtual.stats.members == 11


def test_a_reader_that_missed_nothing_is_told_nothing_again() -> None:
    """Else a reader that the list makes full would be told it again when it has drained, for ever."""
    virtual = VirtualRooms(LIMITS)
    attend(virtual, "ada")
    reader = virtual.come()
    since = virtual.number
    virtual.readers.remove(reader)
    virtual.come(since, reader)
    assert len(reader.told) == 1
    virtual.readers.remove(reader)
    attend(virtual, "bob")
    virtual.move(1.0)
    assert reader.members == {"ada": None}
    virtual.come(since, reader)
    assert reader.members == {"ada": None, "bob": None}
    assert reader.events == []


def test_a_reader_that_missed_the_end_of_a_room_is_told_that_it_is_empty() -> None:
    """Once."""
    virtual = VirtualRooms(LIMITS)
    ada, reader = attend(virtual, "ada"), virtual.come()
    since = virtual.number
    virtual.readers.remove(reader)
    ada.leave()
    virtual.move(1.0)
    assert len(virtual.rooms) == 0
    virtual.come(since, reader)
    assert reader.members == {}
    assert len(reader.told) == 2
    virtual.come(virtual.number, reader)
    assert len(reader.told) == 2


def test_five_thousand_members_that_come_back_at_once() -> None:
    """Each of them reads: at most four frames in any second and reader, and nobody is told of a leave."""
    virtual = VirtualRooms(LIMITS)
    watcher = virtual.come()
    attending = [attend(virtual, f"member-{number}") for number in range(5000)]
    virtual.move(5.0)
    assert (watcher.count, watcher.members) == (5000, None)
    told = len(watcher.told)
    for one in attending:  # the network fails
        one.lost()
    back: list[Reader] = []
    for number in range(5000):  # and is back, all of it within two seconds
        attend(virtual, f"member-{number}")
        back.append(virtual.come())
        virtual.move(0.0004)
    virtual.move(60.0)
    assert len(watcher.told) == told
    assert virtual.stats.members == 5000
    for reader in back:
        assert reader.count == 5000
        assert all(later - at >= 1.0 for at, later in zip(reader.told, reader.told[4:], strict=False))


def test_five_thousand_members_that_come_to_a_new_process() -> None:
    """The server was killed: the room fills from nothing, and each of them reads."""
    virtual = VirtualRooms(LIMITS)
    back = []
    for number in range(5000):
        back.append(virtual.come())
        attend(virtual, f"member-{number}")
        virtual.move(0.0004)
    virtual.move(10.0)
    for reader in back:
        assert (reader.count, reader.members) == (5000, None)
        assert all(later - at >= 1.0 for at, later in zip(reader.told, reader.told[4:], strict=False))
        assert ("left", "member-0") not in reader.events
    assert max(len(reader.told) for reader in back) < 12
