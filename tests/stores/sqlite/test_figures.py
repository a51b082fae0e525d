"""What the store says of itself: its commits, what waits and what lies on disk."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest
from tests.stores.sqlite.helpers import append, opened

from headwater.errors import StoreUnavailable
from headwater.model import StreamConfig
from headwater.stores import Measured
from headwater.stores.memory import MemoryStore

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place


def test_commits_are_counted_by_what_they_held(place: Place, run: Run[None]) -> None:
    """A commit for each append that comes alone, fewer for those that come together; lookups are none."""

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("s", StreamConfig())
            for _ in range(3):
                await append(store, "s", b"alone")
            await store.info("s")
            figures = store.figures()
            assert (sum(figures.commit_sizes.counts), figures.commit_sizes.sum) == (4, 4)
            await asyncio.gather(*(append(store, "s", b"together") for _ in range(300)))
            figures = store.figures()
            assert figures.commit_sizes.sum == 304
            assert 5 <= sum(figures.commit_sizes.counts) < 304
            assert sum(figures.commit_seconds.counts) == sum(figures.commit_sizes.counts)
            assert figures.commit_seconds.sum > 0
            assert (figures.queue_bytes, figures.failed_commits) == (0, 0)
            assert figures.wal_bytes > 300 * len(b"together")
            assert figures.file_bytes > 0
        assert store.figures().wal_bytes == 0

    run(scenario())


def test_what_waits_and_what_fails_is_seen(place: Place, run: Run[None]) -> None:
    """Data in the queue is counted until it is answered, and a commit that failed is not lost from sight."""

    broken: list[str] = []

    def hook(sql: str) -> None:
        if sql in broken:
            broken.clear()
            raise sqlite3.OperationalError("disk I/O error")

    place.spy(hook)

    async def scenario() -> None:
        async with opened(place.store()) as store:
            await store.create("s", StreamConfig())
            waiting = asyncio.ensure_future(append(store, "s", b"x" * 10_000))
            await asyncio.sleep(0)
            assert store.figures().queue_bytes > 10_000
            await waiting
            broken.append("COMMIT")
            with pytest.raises(StoreUnavailable):
                await append(store, "s", b"lost")
            assert store.figures().failed_commits == 1
            assert store.figures().queue_bytes == 0

    run(scenario())


def test_only_a_store_with_commits_is_measured(place: Place) -> None:
    """Figures are an ability of its own; memory has none to tell."""
    assert isinstance(place.store(), Measured)
    assert not isinstance(MemoryStore(), Measured)
