"""Answers that a store has in memory, given without waiting."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from headwater.model import StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores import AtOnce, Store, open_store

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["memory:", "sqlite:"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each store that can."""
    url: str = request.param
    return open_store(url if url == "memory:" else f"{url}{tmp_path}/log.db")


async def _filled(store: Store) -> None:
    await store.open()
    await store.create("s", StreamConfig(content_type="text/plain"))
    for word in (b"one", b"two"):
        await store.append("s", Append(word))


def test_what_is_given_at_once_is_what_waiting_would_give(run: Run, store: Store) -> None:
    """State and records, of one moment; the tail is always at hand."""
    assert isinstance(store, AtOnce)

    async def main() -> None:
        await _filled(store)
        info = await store.info("s")
        assert store.info_at_once("s") == info
        for offset in ("now", info.tail):
            assert store.read_at_once("s", offset) == (info, await store.read("s", offset))
        found = store.read_at_once("s", "-1", limit=3)
        assert found is None or found == (info, await store.read("s", "-1", limit=3))
        await store.aclose()

    run(main())


def test_errors_are_left_to_those_who_wait(run: Run, store: Store) -> None:
    """No stream, a deleted one, and offsets that were never given out."""
    assert isinstance(store, AtOnce)

    async def main() -> None:
        await _filled(store)
        assert store.info_at_once("none") is None
        assert store.read_at_once("none", "now") is None
        assert store.read_at_once("s", f"{7:016d}_{9:016d}") is None
        await store.delete("s")
        assert store.info_at_once("s") is None
        assert store.read_at_once("s", "now") is None
        await store.aclose()

    run(main())
