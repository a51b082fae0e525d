"""Readers that are cut and come back, over all wires within one reader's life: every record once, and in order."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.conftest import Run
from tests.support.http import call
from tests.support.inprocess import in_process
from tests.support.mortal import Mortal, Producer
from tests.support.mounted import SERVERS, mounted_server
from tests.support.processes import headwater_server
from tests.support.wanderer import DOOR, WIRES, Reaches, Wanderer

from headwater.server.settings import Settings

READERS = 8
#: Records by which the writer may be ahead of the slowest reader.
AHEAD = 150


class Crowd:
    """Readers of one stream, and its writer, which waits for the slowest.

    Args:
        visits: of all readers, after which nothing more is written.
        seed: of all that is drawn.
        wires: of the readers.
        write: appends numbers to the stream `s`.
    """

    def __init__(
        self, visits: int, seed: int, wires: tuple[str, ...], write: Callable[[list[int]], Awaitable[object]]
    ) -> None:
        self.draw = random.Random(seed)
        self.readers = [Wanderer("s", self.draw, wires) for _ in range(READERS)]
        self.written = 0
        self.count = 0
        self._is_over = False
        self._visits = visits
        self._write = write
        self._moved = asyncio.Event()

    @property
    def _goes_on(self) -> bool:
        return self.count < self._visits

    async def run(self, server: Reaches) -> None:
        """Until all has been read."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._append())
            for reader in self.readers:
                group.create_task(self._life(reader, server))

    async def _append(self) -> None:
        while self._goes_on:
            await self._room()
            await self._add(self.draw.choice((1, 1, 2, 5, 20)))
        # Who waits for a record is given one, and goes.
        self._is_over = True
        await self._add(1)

    async def _add(self, size: int) -> None:
        first, self.written = self.written, self.written + size
        await self._write(list(range(first, self.written)))

    async def _room(self) -> None:
        while self._goes_on and self.written > AHEAD + min(len(reader.records) for reader in self.readers):
            self._moved.clear()
            await self._moved.wait()

    async def reached(self, visits: int) -> None:
        """Wait until so many visits were made."""
        while self.count < visits:
            self._moved.clear()
            await self._moved.wait()

    async def _life(self, reader: Wanderer, server: Reaches) -> None:
        def is_done() -> bool:
            self._moved.set()
            return self._is_over and len(reader.records) >= self.written

        while not is_done():
            await reader.visit(server, is_done)
            self.count += 1
            self._moved.set()

    def check(self) -> None:
        """Every record once, in order."""
        for reader in self.readers:
            assert reader.records == list(range(self.written))


def settings_of(store: str, directory: Path) -> Settings:
    """A server whose limits are hit by little."""
    address = "memory:" if store == "memory" else f"sqlite:{directory}/log.db?synchronous=normal"
    return Settings(store=address, flush_seconds=0, buffer_bytes=1024, read_bytes=2048, window_bytes=1024)


VARIANTS = [
    pytest.param(visits, wires, id=f"{name}-{visits}", marks=marks)
    for visits, marks in ((400, ()), (10_000, pytest.mark.soak))
    for name, wires in (("door", DOOR), ("mixed", WIRES))
]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
@pytest.mark.parametrize(("visits", "wires"), VARIANTS)
def test_readers_that_come_back_have_every_record_once(
    run: Run[None], tmp_path: Path, store: str, visits: int, wires: tuple[str, ...]
) -> None:
    """Cut at any byte, in the middle of a batch, without credit: they go on where they stopped."""

    async def main() -> None:
        async with in_process(settings_of(store, tmp_path)) as server:
            await server.hub.create("s", content_type="application/json")
            crowd = Crowd(visits, visits, wires, lambda numbers: server.hub.append("s", json.dumps(numbers).encode()))
            await crowd.run(server)
            crowd.check()
            assert {wire for reader in crowd.readers for wire in reader.visits} == set(wires)

    run(main())


@pytest.mark.slow
@pytest.mark.parametrize("wires", [DOOR, WIRES], ids=["door", "mixed"])
@pytest.mark.parametrize(
    ("visits", "kills"), [(400, 2), pytest.param(5000, 20, marks=pytest.mark.soak)], ids=["short", "long"]
)
def test_also_when_the_server_is_killed(tmp_path: Path, visits: int, kills: int, wires: tuple[str, ...]) -> None:
    """A real one, over real sockets: what was acknowledged is there, and what was told is told once."""
    flags = ["--flush-seconds", "0", "--buffer-bytes", "1024", "--read-bytes", "2048", "--window-bytes", "1024"]
    with headwater_server(f"sqlite:{tmp_path}/log.db", *flags) as process:
        assert call(process, "PUT", "/v1/stream/s", content_type="application/json").status == 201

        async def main() -> None:
            server = Mortal(process)
            writer = Producer(server, "w")
            crowd = Crowd(visits, visits, wires, lambda numbers: writer.write("s", json.dumps(numbers)))
            async with asyncio.TaskGroup() as group:
                group.create_task(crowd.run(server))
                for number in range(kills):
                    await crowd.reached((number + 1) * visits // (kills + 1))
                    await server.restart()
            crowd.check()

        asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SERVERS))
@pytest.mark.parametrize("visits", [300, pytest.param(10_000, marks=pytest.mark.soak)], ids=["short", "long"])
def test_also_where_the_hub_is_mounted(tmp_path: Path, name: str, visits: int) -> None:
    """Over all wires, under servers of others: taken over, and through `send`."""
    limits = {"flush_seconds": 0, "buffer_bytes": 1024, "read_bytes": 2048, "window_bytes": 1024}
    with mounted_server(name, tmp_path, **limits) as process:
        assert call(process, "PUT", "/v1/stream/s", content_type="application/json").status == 201

        async def main() -> None:
            server = Mortal(process)
            writer = Producer(server, "w")
            crowd = Crowd(visits, visits, WIRES, lambda numbers: writer.write("s", json.dumps(numbers)))
            await crowd.run(server)
            crowd.check()

        asyncio.run(main())
        while call(process, "GET", "/v1/stream/-/stats").json()["readers"]:
            pass  # until the server has noticed
