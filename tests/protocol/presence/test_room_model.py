"""Random histories of a room against a naive one: who is there, and that every reader's list becomes the truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from tests.protocol.presence.room_model import KEYS, Reader

from headwater.errors import HeadwaterError, LimitReached, MemberTaken
from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.members import Connection
from headwater.protocol.presence.room import Room
from headwater.protocol.presence.rules import COUNTED_SECONDS, FRAME_SECONDS, Rules

RULES = Rules(grace=2.0, lease=4.0, members=4, listed=2, connections=2, changes=1000)
IDS, NAMES, STATES = ["ann", "bob", "cy", "di", "ed"], ["", "tab"], [b"", b"1", b'{"typing":true}']


class Known:
    """A member, as the model has it: for each connection when it is over, and when the member is."""

    def __init__(self, key: str, state: bytes) -> None:
        self.key, self.state = key, state
        self.connections: dict[str, tuple[Connection, float | None]] = {}
        self.gone_at: float | None = None


class RoomHistory(RuleBasedStateMachine):
    connections = Bundle("connections")

    @initialize()
    def begin(self) -> None:
        self.room, self.now = Room(RULES), 0.0
        self.known: dict[str, Known] = {}
        self.readers: list[Reader] = []
        self.frames: list[float] = []
        self.unnamed = 0

    def expect(self, refusal: type[HeadwaterError] | None, act: Callable[[], object]) -> object:
        if refusal is None:
            return act()
        with pytest.raises(refusal):
            act()
        return None

    @rule(
        target=connections,
        id=st.sampled_from(IDS),
        key=st.sampled_from(KEYS),
        name=st.sampled_from(NAMES),
        state=st.sampled_from([None, *STATES]),
        leased=st.booleans(),
        owned=st.booleans(),
    )
    def join(self, id: str, key: str, name: str, state: bytes | None, leased: bool, owned: bool) -> Connection | None:
        known = self.known.get(id)
        refusal: type[HeadwaterError] | None = None
        if known is None and len(self.known) >= RULES.members:
            refusal = LimitReached
        elif known is not None and known.key != key:
            refusal = MemberTaken
        elif known is not None and self.needs_room(known, name, owned) and len(known.connections) >= RULES.connections:
            refusal = LimitReached
        found = self.expect(
            refusal,
            lambda: self.room.join(
                Claim(id, key), KEYS[0], self.now, connection=name, state=state, leased=leased, owned=owned
            ),
        )
        if not isinstance(found, Connection):
            return None
        if known is None:
            known = self.known[id] = Known(key, state or b"")
        elif state is not None:
            known.state = state
        known.gone_at = None
        for known_name, (connection, over) in known.connections.items():
            if connection is found:  # it was heard
                known.connections[known_name] = (found, None if over is None else self.now + RULES.lease)
                return found
        if not name and owned:
            self.unnamed += 1
            name = f"unnamed {self.unnamed}"
        known.connections[name] = (found, self.now + RULES.lease if leased else None)
        return found

    def needs_room(self, known: Known, name: str, owned: bool) -> bool:
        if name in known.connections:
            return False
        return owned or bool(name) or not known.connections

    @rule(id=st.sampled_from(IDS), key=st.sampled_from(KEYS), state=st.sampled_from(STATES))
    def change(self, id: str, key: str, state: bytes) -> None:
        known = self.known.get(id)
        refusal = MemberTaken if known is not None and known.key != key else None
        self.expect(refusal, lambda: self.room.change(Claim(id, key), state, self.now))
        if known is not None and refusal is None:
            known.state = state

    @rule(id=st.sampled_from(IDS), key=st.sampled_from(KEYS), name=st.sampled_from([None, *NAMES]))
    def leave(self, id: str, key: str, name: str | None) -> None:
        known = self.known.get(id)
        refusal = MemberTaken if known is not None and known.key != key else None
        self.expect(refusal, lambda: self.room.leave(Claim(id, key), self.now, connection=name))
        if known is None or refusal is not None:
            return
        if name is None or (known.connections.pop(name, None) is not None and not known.connections):
            del self.known[id]

    @rule(connection=consumes(connections))
    def lose(self, connection: Connection | None) -> None:
        if connection is None:
            return
        self.room.lost(connection, self.now)
        for known in self.known.values():
            for name, (found, _) in list(known.connections.items()):
                if found is connection:
                    del known.connections[name]
                    if not known.connections:
                        known.gone_at = self.now + RULES.grace

    @rule()
    def come(self) -> None:
        reader = Reader()
        reader.hear(self.room.known(), self.now)
        self.readers.append(reader)

    @rule(seconds=st.sampled_from([0.01, 0.1, FRAME_SECONDS, 0.6, COUNTED_SECONDS, 3.0]))
    def wait(self, seconds: float) -> None:
        self.move(self.now + seconds)

    def move(self, until: float) -> None:
        """Let time pass as a hub does: to each moment that the room asks for."""
        while (due := self.room.next_due(self.now)) is not None and due <= until:
            self.step(max(due, self.now))
        self.step(until)

    def step(self, now: float) -> None:
        self.now = now
        for id, known in list(self.known.items()):
            for name, (_, over) in list(known.connections.items()):
                if over is not None and over <= now:
                    del known.connections[name]
                    if not known.connections:
                        del self.known[id]
            if known.gone_at is not None and known.gone_at <= now:
                self.known.pop(id, None)
        self.room.advance(now)
        frame = self.room.tell(now)
        if frame is not None:
            self.frames.append(now)
            for reader in self.readers:
                reader.hear(frame, now)

    @invariant()
    def those_who_are_there_are_known(self) -> None:
        self.step(self.now)
        page = self.room.page("", 100)
        assert page.count == len(self.known) == len(self.room)
        members = {id: self.room.member(id) for id in self.known}
        assert {id: member and member.state for id, member in members.items()} == {
            id: known.state for id, known in self.known.items()
        }
        assert [member.entry for _, member in sorted(members.items()) if member is not None] == list(page.entries)

    @invariant()
    def all_know_the_same(self) -> None:
        """Also who comes now."""
        comes = Reader()
        comes.hear(self.room.known(), self.now)
        for reader in self.readers:
            assert (reader.members, reader.count) == (comes.members, comes.count)

    @invariant()
    def no_second_has_more_than_four(self) -> None:
        for reader in self.readers:
            assert all(later - at >= 1.0 for at, later in zip(reader.told, reader.told[4:], strict=False))

    @invariant()
    def frames_are_apart(self) -> None:
        assert all(later - at > FRAME_SECONDS - 1e-9 for at, later in zip(self.frames, self.frames[1:], strict=False))

    def teardown(self) -> None:
        """When nothing happens any more, every reader's list is the truth."""
        if not hasattr(self, "room"):
            return
        self.move(self.now + 10.0)
        truth = {id: known.state for id, known in self.known.items()}
        for reader in self.readers:
            assert reader.count == len(truth)
            if len(truth) <= RULES.listed:
                assert reader.members is not None
                assert reader.members.keys() == truth.keys()
                assert all(
                    reader.members[id] == {b"": None, b"1": 1, b'{"typing":true}': {"typing": True}}[state]
                    for id, state in truth.items()
                )
            else:
                assert reader.members is None
        assert self.room.next_due(self.now) is None or self.known


RoomHistory.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestRoomHistory = RoomHistory.TestCase
