"""Coroutines that begin at once, as the eager tasks of Python 3.12 do.

What ends without waiting takes no task, and what is handed to a store is there in the same turn of the loop: a durable
store has one commit for all that comes in one turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


def begin(work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Run a coroutine up to where it waits; a task does the rest.

    Args:
        work: not begun yet. Up to its first wait it runs as a part of the caller's task.

    Returns:
        Its outcome, which is there already if it did not wait.
    """
    try:
        waits_for = work.send(None)
    except StopIteration as end:
        return _done(end.value)
    except Exception as error:
        failed: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        failed.set_exception(error)
        return failed
    return asyncio.get_running_loop().create_task(_Rest(work, waits_for))


def _done(value: T) -> asyncio.Future[T]:
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    done.set_result(value)
    return done


class _Rest(Coroutine[Any, Any, T]):
    """The rest of a coroutine that waits for something already.

    It is no `async def`: a task that is cancelled before its first step never enters one, and the work would be
    dropped where it waits, its asynchronous generators with it, in place of being told.
    """

    __slots__ = ("_waits_for", "_work")

    def __init__(self, work: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    def send(self, value: Any) -> Any:
        """What it waits for next; at first, for what it waits already."""
        waits_for, self._waits_for = self._waits_for, None
        return self._work.send(value) if waits_for is None else waits_for

    def throw(self, *error: Any) -> Any:
        """What it waits for next, told of an error."""
        self._waits_for = None
        return self._work.throw(*error)

    def close(self) -> None:
        """End it."""
        self._work.close()

    def __await__(self) -> Generator[Any, Any, T]:
        raise NotImplementedError("a task runs it")
