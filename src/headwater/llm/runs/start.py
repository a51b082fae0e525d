"""How a run begins: who produces it and whose it is are written down, then its log is created and remembered.

Rule 1: a run is written down before its log is there: a log that no list knows would never be ended as lost.
Rule 2: a log that is created is produced, also when whoever asked for it has gone away meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from headwater.errors import LimitReached
from headwater.hub.eager import begin
from headwater.llm.parts import Start, encode_part
from headwater.llm.runs.index import Catalogue
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
        self._orphans: Final[dict[str, asyncio.Future[bool]]] = {}

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
            is_known = not await self._write_down(lease, id, record)
            if is_known and await catalogue.has_begun(id):
                is_new = False
            else:
                is_new = await self._create(start, record.owner, produce)
            if not is_new:
                await lease.cross_off(id)
            return is_new

    async def settle(self) -> None:
        """Wait for what goes on without whoever asked for it."""
        await asyncio.gather(*self._orphans.values(), return_exceptions=True)

    async def _write_down(self, lease: Lease, id: str, record: RunRecord) -> bool:
        """Who produces the run and whose it is, together: a durable store has one commit for both.

        Returns:
            Whether it was nobody's; False: it may have begun.
        """
        try:
            written = await lease.enter(id)
            try:
                is_claimed = await self._catalogue.claim(id, record)
            finally:
                outcome = await written
            if isinstance(outcome, Exception):
                raise outcome
        except BaseException:
            await lease.cross_off(id)
            raise
        return is_claimed

    async def _create(self, start: Start, owner: str | None, produce: Produce) -> bool:
        """The log and what the conversation remembers, together; False: there was a log."""
        creating = begin(self._catalogue.create(self._places.log(start.run), encode_part(start)))
        try:
            if start.thread:  # behind the log, in the same turn: a durable store has one commit for both
                await self._catalogue.remember(owner, start.thread, start.run)
            is_new = await asyncio.shield(creating)
        except BaseException:
            self._orphans[start.run] = creating
            creating.add_done_callback(partial(self._adopt, start.run, produce))
            raise
        if is_new:
            produce()
        return is_new

    def _adopt(self, id: str, produce: Produce, created: asyncio.Future[bool]) -> None:
        del self._orphans[id]
        if not created.cancelled() and created.exception() is None and created.result():
            produce()
