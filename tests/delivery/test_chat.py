"""One room over three subprotocols, bare WebSockets, and `EventSource` with POST: everybody has the same list."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.chat import OVER, ROOM, Member, Talk, members
from tests.support.http import call
from tests.support.mortal import Mortal, Producer
from tests.support.processes import headwater_server

#: Seconds for what nothing else bounds.
PATIENCE = 200
FLAGS = ("--presence-grace", "2", "--presence-lease", "300", "--presence-joins", "10000")


async def until(talk: Talk, holds: Callable[[], bool]) -> None:
    """Wait until something holds that members were told."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            talk.moved.clear()
            await talk.moved.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "each", "kills"), [(200, 3, 2), pytest.param(200, 40, 10, marks=pytest.mark.soak)], ids=["short", "long"]
)
def test_every_member_has_the_same_list(tmp_path: Path, count: int, each: int, kills: int) -> None:
    """With cuts, and a server that is killed: each record once, in one order; and the list of who is there."""
    with headwater_server(f"sqlite:{tmp_path}/log.db", *FLAGS) as process:
        assert call(process, "PUT", f"/v1/stream/{ROOM}", content_type="application/json").status == 201

        async def main() -> list[Member]:
            server = Mortal(process)
            talk = Talk(server, count, each)
            everybody = members(talk, count)
            async with asyncio.TaskGroup() as group:
                for member in everybody:
                    group.create_task(member.run())
                total = count * each
                for number in range(kills):
                    share = total * (number + 1) // (kills + 1)
                    await until(talk, lambda: sum(member.written for member in everybody) >= share)  # noqa: B023
                    await server.restart()
                await until(talk, lambda: all(member.written == each for member in everybody))
                talk.is_calm = True
                await Producer(server, "last").write(ROOM, json.dumps([OVER]))
                await until(talk, lambda: all(member.records[-1:] == [OVER] for member in everybody))
                names = {member.name for member in everybody}
                await until(talk, lambda: all(member.there == names for member in everybody))
                gone, stay = everybody[: count // 4], everybody[count // 4 :]
                for member in gone:
                    await member.leave()
                names = {member.name for member in stay}
                await until(talk, lambda: all(member.there == names for member in stay))
                for member in stay:
                    await member.leave()
            return everybody

        everybody = asyncio.run(main())
        log = call(process, "GET", f"/v1/stream/{ROOM}").json()
        assert len(log) == count * each + 1
        for member in everybody:
            assert member.records == log
            assert [number for name, number in log[:-1] if name == member.name] == list(range(each))
        assert sum(member.cuts for member in everybody) > count
        stats = call(process, "GET", "/-/stats").json()
        while stats["readers"] or stats["websockets"]:  # until the server has noticed
            stats = call(process, "GET", "/-/stats").json()
        assert stats["members"] == 0
