"""A clock that is set again and again while a store is in use: no TTL and no age is longer or shorter for it."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from headwater.errors import StreamClosed, StreamNotFound
from headwater.model import BEGINNING, Expiry, Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores import Store, Sweeping
from headwater.testing import ManualClock

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.conftest import Backend

TTL, AGE = 60, 100
#: Clocks are compared with a tolerance of a second, both ways.
SLACK = 2.1
JUMPS = (0.5, 2.0, 90.0, 86400.0, 1e7)


class Life:
    """Streams that are used at random, and what must be there of them by the clock that is not set."""

    def __init__(self, store: Store, clock: ManualClock, seed: int) -> None:
        self.store = store
        self.clock = clock
        self.random = random.Random(seed)
        self.used: dict[str, float] = {}
        self.kept: dict[str, list[tuple[float, bytes]]] = {f"r{number}": [] for number in range(4)}
        self.count = 0

    async def begin(self) -> None:
        await self.store.open()
        for number in range(6):
            await self.create(f"t{number}")
        for path in self.kept:
            await self.store.create(path, StreamConfig(retention=Retention(age=AGE)))

    async def create(self, path: str) -> None:
        await self.store.create(path, StreamConfig(expiry=Expiry(ttl=TTL)))
        self.used[path] = self.clock.monotonic()

    async def turn(self) -> None:
        """Uses, and perhaps a sweep and a jump, at the same time; then some time passes."""
        work = [self.use() if self.random.random() < 0.5 else self.add() for _ in range(self.random.randrange(1, 12))]
        if self.random.random() < 0.6:
            work.insert(self.random.randrange(len(work) + 1), self.sweep())
        if self.random.random() < 0.3:
            work.insert(self.random.randrange(len(work) + 1), self.jump())
        await asyncio.gather(*work)
        self.clock.advance(self.random.choice([0, 1, 5, 20]))

    async def use(self) -> None:
        path = f"t{self.random.randrange(6)}"
        for _ in range(self.random.randrange(1, 6)):
            now = self.clock.monotonic()
            try:
                if self.random.random() < 0.5:
                    await self.store.append(path, Append(b"x"))
                else:
                    await self.store.read(path, BEGINNING)
            except StreamNotFound:
                assert now - self.used[path] > TTL - SLACK
                return
            self.used[path] = now

    async def add(self) -> None:
        path = f"r{self.random.randrange(4)}"
        for _ in range(self.random.randrange(1, 4)):
            self.count += 1
            data = b"%06d" % self.count
            self.kept[path].append((self.clock.monotonic(), data))
            await self.store.append(path, Append(data))

    async def jump(self) -> None:
        self.clock.jump(self.random.choice((-1, 1)) * self.random.choice(JUMPS))

    async def sweep(self) -> None:
        assert isinstance(self.store, Sweeping)
        await self.store.sweep()

    async def check(self) -> None:
        await self.sweep()
        now = self.clock.monotonic()
        for path, used in list(self.used.items()):
            try:
                await self.store.info(path)
            except StreamNotFound:
                assert now - used > TTL - SLACK, f"{path} is gone {now - used} s after its last use"
                await self.create(path)
            else:
                assert now - used < TTL + SLACK, f"{path} is there {now - used} s after its last use"
        for path, records in self.kept.items():
            found = b"".join(record.data for record in (await self.store.read(path, BEGINNING)).records)
            must = b"".join(data for at, data in records if now - at < AGE - SLACK)
            may = b"".join(data for at, data in records if now - at < AGE + SLACK)
            assert found.endswith(must)
            assert may.endswith(found)


@pytest.mark.parametrize("seed", range(6))
def test_streams_and_records_live_as_long_as_without(backend: Backend, run: Run[None], seed: int) -> None:
    """Whatever is under way at the moment of a jump."""

    async def main() -> None:
        clock = ManualClock()
        life = Life(backend.make(clock), clock, seed)
        await life.begin()
        for _ in range(40):
            await life.turn()
            if life.random.random() < 0.5:
                await life.check()
        await life.store.aclose()

    run(main())


@pytest.mark.parametrize("seconds", [86400, -86400])
def test_a_restart_finds_what_was_looked_up_before_the_jump(
    durable_backend: Backend, run: Run[None], seconds: int
) -> None:
    """A refused append looks a stream up; what its last append wrote goes with the jump all the same."""

    async def main() -> None:
        clock = ManualClock()
        store = durable_backend.make(clock)
        await store.open()
        await store.create("a", StreamConfig(expiry=Expiry(ttl=TTL)))
        await store.append("a", Append(b"x", close=True))
        with pytest.raises(StreamClosed):
            await store.append("a", Append(b"y"))
        clock.jump(seconds)
        assert isinstance(store, Sweeping)
        await store.sweep()
        await store.aclose()
        store = durable_backend.reopen(store, clock)
        await store.open()
        clock.advance(TTL - 1)
        await store.info("a")
        clock.advance(1)
        with pytest.raises(StreamNotFound):
            await store.info("a")
        await store.aclose()

    run(main())
