"""Appends to a store, awaited or answered by a call, and counted."""

from __future__ import annotations

import asyncio
from functools import partial

from headwater.errors import StoreUnavailable
from headwater.hub.stats import Stats
from headwater.model import Appended
from headwater.protocol.ledger import Append
from headwater.stores import Posting, Store
from headwater.stores.base import Done


class Poster:
    """Appends to a store.

    Args:
        store: any store; one that cannot answer by a call is given a task for each append.
        stats: where what was acknowledged is counted.
    """

    def __init__(self, store: Store, stats: Stats) -> None:
        self._store = store
        self._stats = stats
        self._tasks: set[asyncio.Task[Appended]] = set()
        self._post = store.post if isinstance(store, Posting) else self._post_in_task

    async def write(self, path: str, request: Append) -> Appended:
        """See `Store.append`."""
        answer = await self._store.append(path, request)
        self._count(request, answer)
        return answer

    def post(self, path: str, request: Append, done: Done) -> None:
        """See `Posting.post`."""
        self._post(path, request, partial(self._answer, request, done))

    def _answer(self, request: Append, done: Done, outcome: Appended | Exception) -> None:
        if isinstance(outcome, Appended):
            self._count(request, outcome)
        done(outcome)

    def _count(self, request: Append, answer: Appended) -> None:
        stats = self._stats
        stats.appends += 1
        stats.bytes_in += len(request.body)
        if answer.duplicate:
            stats.duplicates += 1

    def _post_in_task(self, path: str, request: Append, done: Done) -> None:
        task = asyncio.ensure_future(self._store.append(path, request))
        self._tasks.add(task)
        task.add_done_callback(partial(self._end_task, done))

    def _end_task(self, done: Done, task: asyncio.Task[Appended]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            done(StoreUnavailable("the append was cancelled; whether it is written is not known"))
        elif (error := task.exception()) is None:
            done(task.result())
        elif isinstance(error, Exception):
            done(error)
