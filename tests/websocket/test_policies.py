"""Slow readers of `-/connect` that are cut, come back, acknowledge late, and whose stream is deleted meanwhile.

What holds after each message, as on all wires: the offset to come back at never goes back; every record up to it was
told, or lies in a gap that was told and that the policy allows.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.conftest import Run
from tests.delivery.test_cuts import POLICIES, Log
from tests.support.inprocess import InProcess, in_process, turns
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.websocket import Client, Packs, greeted

from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(
    store="memory:", flush_seconds=0, slow_seconds=0, buffer_bytes=200, read_bytes=400, window_bytes=300
)
STEPS = 60


class Told:
    """What a client was told over all of its connections; see `Log.check`.

    Attributes:
        offset: where it comes back.
        seen: numbers of the records that it has.
        gaps: that it was told of the stream that is there.
        ends: why it was told to have ended, each time.
        is_live: it was told to be at the tail, and nothing since.
        number: of the stream that it reads; 0: of none.
        is_asked: it has asked for the stream.
        is_told: it was told records on this connection.
    """

    def __init__(self) -> None:
        self.offset = "-1"
        self.seen: set[int] = set()
        self.gaps: list[tuple[str, str]] = []
        self.ends: list[str] = []
        self.is_live = False
        self.number = 0
        self.is_asked = self.is_told = False

    def take(self, told: dict[str, Any]) -> None:
        """A message of the server."""
        kind = told["t"]
        if kind == "sub":
            self.number, self.is_told = told["s"], False
        elif kind == "data":
            self.is_told = True
            last = told["o"]
            offsets = [last[: len(last) - len(end)] + end for end in told.get("e", ())] + [last]
            values = told["r"] if "r" in told else [json.loads(each) for each in told["b"]]
            for offset, value in zip(offsets, values, strict=True):
                self._go_to(offset)
                assert value["n"] not in self.seen
                self.seen.add(value["n"])
        elif kind == "gap":
            self.gaps.append((told["from"], told["to"]))
            assert told["from"] <= told["o"] <= told["to"]
            self._go_to(told["o"])
        elif kind == "live":
            self._go_to(told["o"])
        elif kind == "end":
            self.ends.append(told["why"])
            self.number, self.is_asked, self.is_told = 0, False, False
            self._go_to(told["o"])
        self.is_live = kind == "live" or (self.is_live and kind not in ("data", "gap", "end"))

    def _go_to(self, offset: str) -> None:
        assert offset >= self.offset
        self.offset = offset


class Walk:
    """A reader, its stream, and what happens to both.

    Args:
        server: where it is.
        policy: of the reader.
        packs: its subprotocol.
        draw: what happens.
    """

    def __init__(self, server: InProcess, policy: str, packs: Packs, draw: random.Random) -> None:
        self.told = Told()
        self.log = Log()
        self._server = server
        self._policy = policy
        self._packs = packs
        self._draw = draw
        self._count = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        """A connection that reads from where the one before was cut."""
        async with greeted(self._server, self._packs) as client:
            self.told.number, self.told.is_told = 0, False
            await self.subscribe(client)
            yield client

    async def subscribe(self, client: Client) -> None:
        """Read on."""
        window = self._draw.choice((0, 1, 150, 1000))
        self.told.is_asked = True
        await client.send(
            t="sub", id=1, path="s", from_=self.told.offset, slow=self._policy, window=window, missing="wait"
        )

    async def step(self, client: Client) -> bool:
        """Something; False: the connection is cut."""
        match self._draw.choices(("append", "hear", "ack", "cut", "delete"), (8, 5, 4, 2, 1))[0]:
            case "append":
                for _ in range(self._draw.choice((1, 3, 10))):
                    await self.append()
            case "hear":
                await self.hear(client)
            case "ack":
                await self.acknowledge(client)
            case "delete" if self._draw.random() < 0.5:
                await self._server.hub.delete("s")
                await self._server.hub.create("s", content_type=JSON)
                self.log.records.clear()
            case "cut":
                return False
        await turns(self._draw.choice((0, 3)))
        return True

    async def acknowledge(self, client: Client) -> None:
        """All that was told on this connection."""
        if self.told.is_told:
            await client.send(t="ack", s=self.told.number, o=self.told.offset)

    async def append(self) -> None:
        """A record of one of three keys."""
        number, key = self._count, self._draw.choice("abc")
        self._count += 1
        value = {"k": key, "n": number, "p": "x" * self._draw.randrange(80)}
        self.log.records[number] = ((await self._server.hub.append("s", value)).next_offset, key)

    async def hear(self, client: Client) -> None:
        """Take all that there is; whoever was let go, or lost its stream, asks again."""
        await client.send(t="ping")
        while (told := await client.next())["t"] != "pong":
            assert told["t"] != "err", told
            self.told.take(told)
            self.log.check(self.told, self._policy)  # type: ignore[arg-type]
        if not self.told.is_asked:
            await self.subscribe(client)

    async def run(self) -> None:
        """Some steps, and then to the tail."""
        steps = STEPS
        while steps > 0:
            async with self.connected() as client:
                while steps > 0 and await self.step(client):
                    steps -= 1
                steps -= 1
        async with self.connected() as client:
            tail = (await self._server.hub.info("s")).tail
            while not (self.told.is_live and self.told.offset >= tail):
                await self.hear(client)
                await self.acknowledge(client)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("first", "seeds"), [(0, 12), pytest.param(12, 1000, marks=pytest.mark.soak)])
def test_a_reader_misses_nothing_but_what_its_policy_leaves_out(
    run: Run[None], policy: str, first: int, seeds: int
) -> None:
    """However it is cut, acknowledges, and whatever happens to its stream."""

    async def main() -> None:
        ends: set[str] = set()
        gaps = 0
        for seed in range(first, first + seeds):
            async with in_process(SETTINGS) as server:
                await server.hub.create("s", content_type=JSON)
                walk = Walk(server, policy, SUBPROTOCOLS[seed % len(SUBPROTOCOLS)], random.Random(seed))
                await walk.run()
                walk.log.check(walk.told, policy)  # type: ignore[arg-type]
                ends |= set(walk.told.ends)
                gaps += len(walk.told.gaps)
        assert "deleted" in ends
        assert gaps
        assert "detached" not in ends or policy == "disconnect"

    run(main())
