"""Appends answered by a call, for any store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from headwater.errors import StoreUnavailable
from headwater.model import Appended
from headwater.protocol.ledger import Append
from headwater.stores import Posting, Store
from headwater.stores.base import Done

Post = Callable[[str, Append, Done], None]


def posting(store: Store) -> Post:
    """A store's `post`; one that has none is given a task for each append."""
    return store.post if isinstance(store, Posting) else _Poster(store).post


def posted(post: Post, path: str, request: Append) -> asyncio.Future[Appended]:
    """The answer to an append that is posted.

    Raises:
        StoreUnavailable: nothing was written.
    """
    answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

    def done(outcome: Appended | Exception) -> None:
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    post(path, request, done)
    return answer


class _Poster:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._tasks: set[asyncio.Task[Appended]] = set()

    def post(self, path: str, request: Append, done: Done) -> None:
        task = asyncio.ensure_future(self._store.append(path, request))
        self._tasks.add(task)
        task.add_done_callback(partial(self._end, done))

    def _end(self, done: Done, task: asyncio.Task[Appended]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            done(StoreUnavailable("the append was cancelled; whether it is written is not known"))
        elif (error := task.exception()) is None:
            done(task.result())
        elif isinstance(error, Exception):
            done(error)
