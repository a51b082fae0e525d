"""Forks of forks: how deep they may be, and that deeper ones of an older file stay readable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from headwater.errors import ForkTooDeep, StreamNotFound
from headwater.model import BEGINNING, ForkPoint, StreamConfig
from headwater.protocol import forks
from headwater.stores import Store
from headwater.testing.clock import ManualClock

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.conftest import Backend


async def chain(store: Store, depth: int) -> str:
    """The deepest of forks with a byte each."""
    await store.create("0", StreamConfig("text/plain"), b"x")
    for level in range(depth):
        await store.create(f"{level + 1}", StreamConfig(fork=ForkPoint(f"{level}")), b"x")
    return f"{depth}"


async def size_of(store: Store, path: str) -> int:
    return sum(len(record.data) for record in (await store.read(path, BEGINNING)).records)


def test_a_chain_ends_at_its_bound(backend: Backend, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next fork is refused and holds no source; one that leaves early enough is made."""
    monkeypatch.setattr(forks, "MAX_SOURCES", 8)

    async def main() -> None:
        store = backend.make(ManualClock())
        await store.open()
        deepest = await chain(store, 8)
        with pytest.raises(ForkTooDeep):
            await store.create("f", StreamConfig(fork=ForkPoint(deepest)))
        with pytest.raises(StreamNotFound):
            await store.info("f")
        assert await size_of(store, deepest) == 9
        await store.create("f", StreamConfig(fork=ForkPoint("7")))
        await store.create("g", StreamConfig(fork=ForkPoint(deepest, BEGINNING)))
        await store.delete("g")
        await store.delete(deepest)
        assert (await store.create(deepest, StreamConfig())).created
        await store.aclose()

    run(main())


def test_deeper_forks_of_an_older_file_are_read(
    durable_backend: Backend, run: Run[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are appended to and deleted as others are; only a fork of them is refused."""

    async def main() -> None:
        clock = ManualClock()
        store = durable_backend.make(clock)
        await store.open()
        deepest = await chain(store, 12)
        await store.aclose()
        monkeypatch.setattr(forks, "MAX_SOURCES", 8)
        store = durable_backend.reopen(store, clock)
        await store.open()
        assert await size_of(store, deepest) == 13
        assert await size_of(store, "11") == 12
        with pytest.raises(ForkTooDeep):
            await store.create("f", StreamConfig(fork=ForkPoint(deepest)))
        await store.delete("11")
        assert await size_of(store, deepest) == 13
        await store.delete(deepest)
        await store.aclose()

    run(main())
