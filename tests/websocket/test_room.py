"""One room over all subprotocols, with cuts: every member has the same records, and the same list of who is there."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import InProcess, in_process
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.websocket import Client, Packs, greeted

from headwater.server.settings import Settings

MEMBERS = 12
#: Records of each.
EACH = 12
SETTINGS = Settings(store="memory:", flush_seconds=0, presence_grace=60)


class Member:
    """Somebody in the room, on one connection after the other.

    Attributes:
        records: that came, in their order.
        there: who is, as far as it was told.
        number: of its next record.
    """

    def __init__(self, name: str, packs: Packs, chance: random.Random) -> None:
        self.name = name
        self.records: list[Any] = []
        self.there: set[str] = set()
        self.number = 0
        self._packs = packs
        self._chance = chance
        self._offset = "-1"
        # Its own: it may be cut before it is told one.
        self._key = f"0.{chance.randbytes(16).hex()}"
        self._last: Any = None

    @property
    def is_binary(self) -> bool:
        """Values are bytes."""
        return self._packs.name != SUBPROTOCOLS[0].name

    def value(self, value: Any) -> Any:
        """A JSON value to send."""
        return json.dumps(value).encode() if self.is_binary else value

    async def live(self, server: InProcess, *, until: str, cuts: bool) -> None:
        """Read and write, until a record has come; perhaps cut before."""
        async with greeted(server, self._packs, name=self.name) as client:
            await client.send(t="sub", id=1, path="room", from_=self._offset, presence=True)
            await client.send(t="here", id=2, path="room", state=self.value(self.number), key=self._key)
            left = self._chance.randrange(2, 30) if cuts else None
            if cuts:
                await self._say(client)
            while until not in self.records and (left is None or (left > 0 and self.number < EACH)):
                left = None if left is None else left - 1
                await self._hear(client)

    async def _say(self, client: Client) -> None:
        record = self.value([self.name, self.number])
        await client.send(t="append", id=100, path="room", r=[record], p=[self.name, 0, self.number])

    async def _hear(self, client: Client) -> None:
        told = await client.next()
        assert told["t"] != "err", told
        if told["t"] == "ok" and told["id"] == 100:
            self.number += 1
            if self.number < EACH:
                await self._say(client)
        elif told["t"] == "data":
            self.records += told["r"] if "r" in told else map(json.loads, told["b"])
            self._offset = told["o"]
        elif told["t"] == "presence":
            self._take(told)

    def _take(self, told: dict[str, Any]) -> None:
        members = told.get("members")
        if members is not None:
            self.there.clear()
        entries = [*(getattr(members, "member", members) or ()), *told.get("joined", ())]
        self.there |= {(json.loads(each) if isinstance(each, bytes) else each)["id"] for each in entries}
        self.there -= set(told.get("left", ()))


@pytest.mark.parametrize("seed", range(3))
def test_every_member_has_the_same_list(run: Run[None], seed: int) -> None:
    """However often it was cut: each record once, in one order, and nobody was told to have left."""

    async def main() -> None:
        chance = random.Random(seed)
        async with in_process(SETTINGS) as server:
            await server.hub.create("room", content_type="application/json")
            members = [
                Member(f"m{number}", SUBPROTOCOLS[number % len(SUBPROTOCOLS)], chance) for number in range(MEMBERS)
            ]

            async def life(member: Member) -> None:
                while member.number < EACH:
                    await member.live(server, until="over", cuts=True)

            await asyncio.gather(*map(life, members))
            await server.hub.append("room", "over")
            await asyncio.gather(*(member.live(server, until="over", cuts=False) for member in members))
            everything = [json.loads(record.data) async for record in server.hub.read("room")]
            assert all(member.records == everything for member in members)
            for member in members:
                own = [record[1] for record in everything if record[0] == member.name]
                assert own == list(range(len(own)))
                assert len(own) == EACH
            assert server.hub.presence("room").count == MEMBERS

    run(main())
