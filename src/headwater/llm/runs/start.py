"""How a run begins: who produces it, whose it is, its log and what its conversation remembers, in one commit.

Rule 1: no log is there before the run is written down, also where a store has no such commit: a log that no list knows
        would never be ended as lost.
Rule 2: a log that is created is produced, also when whoever asked for it has gone away meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

import msgspec

from headwater.errors import LimitReached
from headwater.hub.eager import begin
from headwater.llm.parts import Start, encode_part
from headwater.llm.runs.index import Catalogue, Step
from headwater.llm.runs.layout import Places, RunRecord
from headwater.llm.runs.leases import Lease

Produce = Callable[[], None]


class Beginnings:
    """Begins runs, each once.

    Args:
        catalogue: what is known of runs.
        places: where their logs are.
        running: the runs of this process, by id.
        max_running: how many they may be.
    """

    def __init__(self, catalogue: Catalogue, places: Places, running: Mapping[str, Any], max_running: int) -> None:
        self._catalogue: Final = catalogue
        self._places: Final = places
        self._running: Final = running
        self._max_running: Final = max_running
        self._locks: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()
        self._orphans: Final[dict[str, asyncio.Future[str | None]]] = {}

    async def begin(self, lease: Lease, record: RunRecord, start: Start, produce: Produce) -> bool:
        """Begin a run; False: it has begun before.

        Args:
            lease: of this process.
            record: whose it is.
            start: what its log begins with.
            produce: called when the log is there; makes the run one of the running.

        Raises:
            RunExists: the id is another owner's, or another key's.
            LimitReached: too many runs are running, or there are too many streams.
            StoreUnavailable: not all could be written. The run may have begun; ask again.
        """
        id, catalogue = start.run, self._catalogue
        async with self._locks.setdefault(id, asyncio.Lock()):
            if id in self._orphans:
                await asyncio.wait([self._orphans[id]])
            is_full = len(self._running) >= self._max_running
            if id in self._running or (is_full and await catalogue.has_begun(id)):
                await catalogue.claim(id, record)
                return False
            if is_full:
                raise LimitReached(f"there are max_running={self._max_running} runs already")
            is_new = await self._write(lease, record, start, produce)
            if not is_new:
                await lease.cross_off(id)
            return is_new

    async def settle(self) -> None:
        """Wait for what goes on without whoever asked for it."""
        await asyncio.gather(*self._orphans.values(), return_exceptions=True)

    async def _write(self, lease: Lease, record: RunRecord, start: Start, produce: Produce) -> bool:
        """All that a run begins with; False: there was one."""
        id, catalogue, places = start.run, self._catalogue, self._places
        whose = catalogue.making(places.record(id), msgspec.json.encode(record))
        steps = [await lease.entry(id), whose, catalogue.making(places.log(id), encode_part(start))]
        if start.thread:
            steps.append(catalogue.remembering(record.owner, start.thread, id))
        there = await self._begin(id, steps, produce)
        if there is None:
            return True
        await catalogue.claim(id, record)
        if there == places.log(id) or await catalogue.has_begun(id):
            return False
        steps.remove(whose)
        return await self._begin(id, steps, produce) is None

    async def _begin(self, id: str, steps: Sequence[Step], produce: Produce) -> str | None:
        """Take the steps; with the last one the run is produced. Gives the path of a stream that was there."""
        writing = begin(self._catalogue.write(steps))
        try:
            there = await asyncio.shield(writing)
        except BaseException:
            self._orphans[id] = writing
            writing.add_done_callback(partial(self._adopt, id, produce))
            raise
        if there is None:
            produce()
        return there

    def _adopt(self, id: str, produce: Produce, written: asyncio.Future[str | None]) -> None:
        del self._orphans[id]
        if not written.cancelled() and written.exception() is None and written.result() is None:
            produce()
