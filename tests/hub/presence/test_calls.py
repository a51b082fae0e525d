"""`Hub.presence`: who is there, what changes, and to be there, in process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.conftest import Run

from headwater import Hub, Limits
from headwater.errors import BadRequest, HubNotOpen, InvalidBody, MemberTaken, StateTooLarge, StreamNotFound
from headwater.hub.presence.calls import Member, PresenceChange

PATH = "rooms/7"


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    while not holds():  # noqa: ASYNC110 - nothing tells it
        await asyncio.sleep(0.01)


def test_a_program_is_a_member(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            room = hub.presence(PATH)
            with await room.join("bot", {"name": "Bot"}) as me:
                assert room.members() == [Member("bot", {"name": "Bot"})]
                me.change({"name": "Bot", "typing": True})
                assert room.members() == [Member("bot", {"name": "Bot", "typing": True})]
                me.change(None)
                assert (me.id, room.count, room.members()) == ("bot", 1, [Member("bot")])
                again = await room.join("bot", key=me.key, proven=False)
                with pytest.raises(MemberTaken):
                    await room.join("bot", proven=False)
                assert room.count == 1
            assert room.count == 1
            again.leave()
            assert not again.is_there
            assert room.count == 0
            assert (hub.stats.members, hub.stats.members_joined) == (0, 1)

    run(main())


def test_changes_are_told_to_a_loop(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            room = hub.presence(PATH)
            changes = room.changes()
            assert await anext(changes) == PresenceChange(0, [])
            me = await room.join("bot")
            assert await anext(changes) == PresenceChange(1, None, joined=[Member("bot")])
            me.change(1)
            assert await anext(changes) == PresenceChange(1, None, changed=[Member("bot", 1)])
            me.leave()
            assert await anext(changes) == PresenceChange(0, None, left=["bot"])
            await hub.close(PATH)
            assert [change async for change in changes] == []

    run(main())


def test_a_loop_that_is_slow_is_told_the_whole_again(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            room = hub.presence(PATH)
            changes = room.changes()
            await anext(changes)
            stream = hub.live.stream(PATH)
            assert stream is not None
            assert stream.listeners is not None
            (loop,) = stream.listeners.loops
            me = await room.join("ada")
            while loop.take(stream_event := hub.rooms.first(PATH, 0, loop.peer)[0]):  # until it is full
                assert stream_event.kind == "presence"
            bob = await room.join("bob")
            await until(lambda: hub.rooms.known(PATH).count == 2)
            first = await anext(changes)
            assert first.joined == [Member("ada")]
            me.change(5)
            await until(lambda: hub.rooms.known(PATH).version == 3)
            bob.leave()
            found = await anext(changes)
            assert found.members is not None
            seen = {member.id: member.state for member in found.members}
            while seen != {"ada": 5}:
                found = await anext(changes)
                for member in (*found.joined, *found.changed):
                    seen[member.id] = member.state
                for id in found.left:
                    del seen[id]

    run(main())


def test_above_the_limit_a_loop_is_told_the_number(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub(limits=Limits(presence_listed=1)) as hub:
            await hub.create(PATH)
            room = hub.presence(PATH)
            for id in ("ada", "bob"):
                await room.join(id)
            changes = room.changes()
            change = await anext(changes)
            while change.is_listed:
                change = await anext(changes)
            assert change == PresenceChange(2, is_listed=False)
            assert [member.id for member in room.members(limit=1)] == ["ada"]
            assert [member.id for member in room.members(after="ada")] == ["bob"]

    run(main())


def test_what_is_refused(run: Run[None]) -> None:
    async def main() -> None:
        hub = Hub()
        with pytest.raises(HubNotOpen):
            hub.presence(PATH)
        async with hub:
            with pytest.raises(StreamNotFound):
                await hub.presence(PATH).join("bot")
            await hub.create(PATH)
            room = hub.presence(PATH)
            with pytest.raises(BadRequest):
                await room.join("")
            with pytest.raises(BadRequest):
                await room.join("bot", connection="x" * 65)
            with pytest.raises(InvalidBody):
                await room.join("bot", object())
            with pytest.raises(StateTooLarge):
                await room.join("bot", "x" * 1024)
            assert room.count == 0

    run(main())


def test_a_deleted_stream_has_nobody(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            room = hub.presence(PATH)
            me = await room.join("bot")
            await hub.delete(PATH)
            assert room.count == 0
            await hub.create(PATH)
            me.change(1)
            me.leave()
            assert (room.count, hub.stats.members) == (0, 0)

    run(main())


def test_a_hub_that_is_closed_and_opened_knows_nobody(run: Run[None]) -> None:
    async def main() -> None:
        hub = Hub()
        async with hub:
            await hub.create(PATH)
            await hub.presence(PATH).join("bot")
        async with hub:
            assert (hub.presence(PATH).count, hub.stats.members) == (0, 0)

    run(main())
