"""Sources: any iterable that gives a model's answer, as an asynchronous one that is closed in the end.

What a source may be: an asynchronous or a plain iterable, an asynchronous context manager that gives one, an
awaitable of one, or a function without arguments that returns any of these, called only when the run begins: a start
that is a repetition then asks nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Final

from headwater.errors import UnknownItem

_DEPTH: Final = 4
_END: Final = object()


@contextlib.asynccontextmanager
async def opened(source: Any) -> AsyncIterator[AsyncIterable[Any]]:
    """The items of a source; it is closed when the context is left, and so its upstream request is cancelled.

    An asynchronous source is given as it is, so that an item passes nothing of ours on its way. A plain iterator is
    asked in a thread, so that one that waits for a network delays nobody.

    Raises:
        UnknownItem: it is no source.
        What the source raises.
    """
    async with contextlib.AsyncExitStack() as stack:
        found = await _open(source, stack)
        if isinstance(found, list | tuple | str | bytes):
            yield _one_by_one([found] if isinstance(found, str | bytes) else found)
            return
        stack.push_async_callback(_close, found)
        yield found if isinstance(found, AsyncIterable) else _in_thread(iter(found))


async def _open(source: Any, stack: contextlib.AsyncExitStack) -> AsyncIterable[Any] | Iterable[Any]:
    for _ in range(_DEPTH):
        if isinstance(source, AsyncIterable | Iterable):
            return source
        if inspect.isawaitable(source):
            source = await source
        elif isinstance(source, contextlib.AbstractAsyncContextManager):
            source = await stack.enter_async_context(source)
        elif callable(source):
            source = source()
        else:
            break
    raise UnknownItem(f"a {type(source).__qualname__} is no source: it is not iterable, and gives nothing that is")


async def _one_by_one(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def _in_thread(items: Iterator[Any]) -> AsyncIterator[Any]:
    while (item := await asyncio.to_thread(next, items, _END)) is not _END:
        yield item


async def _close(source: Any) -> None:
    """Close what can be closed: generators, and the streams of SDKs."""
    for name in ("aclose", "close"):
        close = getattr(source, name, None)
        if close is not None:
            # A generator that runs in a thread cannot be closed now; it is dropped when that step returns.
            with contextlib.suppress(ValueError):
                closing = close()
                if inspect.isawaitable(closing):
                    await closing
            return
