"""A thousand appends in one step: what the event loop does of them at a time."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run

from headwater import Entry, Hub, StreamConfig
from headwater.hub import together
from headwater.model import Appended
from headwater.stores.sqlite import delivery
from headwater.stores.sqlite.commands import appends_together

MADE = StreamConfig("application/json")
COUNT = 1000


class Turns:
    """Which turn of the loop it is, and what was done in each."""

    def __init__(self) -> None:
        self.number = 0
        self.looked_at: Counter[int] = Counter()
        self.told: Counter[int] = Counter()

    async def run(self) -> None:
        """Count them."""
        while True:
            self.number += 1
            await asyncio.sleep(0)

    def noting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same, noted as something that was looked at."""

        def noted(*given: Any) -> Any:
            self.looked_at[self.number] += 1
            return call(*given)

        return noted


@pytest.mark.parametrize("kind", ["there", "new"])
def test_the_loop_is_held_by_a_piece_at_a_time(
    run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It looks at so many entries in a turn, and tells of so many changes; the step itself is the store's thread's."""
    turns, threads = Turns(), set[int]()

    def elsewhere(*given: Any, **named: Any) -> list[Appended]:
        threads.add(threading.get_ident())
        return appends_together(*given, **named)

    monkeypatch.setattr("headwater.stores.sqlite.store.appends_together", elsewhere)
    monkeypatch.setattr(together, "append_of_entry", turns.noting(together.append_of_entry))
    entries: Sequence[Entry] = [Entry(f"s/{number}", number, create=MADE) for number in range(COUNT)]

    async def main() -> None:
        async with Hub(f"sqlite:{tmp_path}/log.db") as hub:
            if kind == "there":
                await hub.append_all(entries)
                turns.looked_at.clear()
            hub.store.watch(lambda _: turns.told.update([turns.number]))
            counting = asyncio.ensure_future(turns.run())
            answers = await hub.append_all(entries)
            counting.cancel()
            assert [answer.created for answer in answers] == [kind == "new"] * COUNT

    run(main())
    assert threads
    assert threading.get_ident() not in threads
    assert turns.looked_at.total() == COUNT
    assert max(turns.looked_at.values()) <= together.AT_ONCE
    assert turns.told.total() >= COUNT
    assert max(turns.told.values()) <= delivery.PIECE
