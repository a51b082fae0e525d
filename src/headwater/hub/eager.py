"""Coroutines that begin at once, as the eager tasks of Python 3.12 do.

What ends without waiting takes no task, and what is handed to a store is there in the same turn of the loop: a durable
store has one commit for all that comes in one turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
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
    return asyncio.get_running_loop().create_task(_go_on(work, waits_for))


def _done(value: T) -> asyncio.Future[T]:
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    done.set_result(value)
    return done


async def _go_on(work: Coroutine[Any, Any, T], waits_for: Any) -> T:
    return await _Rest(work, waits_for)


class _Rest(Awaitable[T]):
    """The rest of a coroutine that waits for something already."""

    def __init__(self, work: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        work, waits_for = self._work, self._waits_for
        try:
            while True:
                try:
                    sent = yield waits_for
                except GeneratorExit:
                    work.close()
                    raise
                except BaseException as error:
                    waits_for = work.throw(error)
                else:
                    waits_for = work.send(sent)
        except StopIteration as end:
            value: T = end.value
            return value
