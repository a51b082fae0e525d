"""Sources: any iterable that gives a model's answer, as one asynchronous generator that closes it.

What a source may be: an asynchronous or a plain iterable, an asynchronous context manager that gives one, an
awaitable of one, or a function without arguments that returns any of these, called only when the run begins: a start
that is a repetition then asks nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any, Final

from headwater.errors import UnknownItem

_DEPTH: Final = 4
_END: Final = object()


async def iterate(source: Any) -> AsyncGenerator[Any, None]:
    """The items of a source; it is closed when the generator is, and so its upstream request is cancelled.

    A plain iterator is asked in a thread, so that one that waits for a network delays nobody.

    Raises:
        UnknownItem: it is no source.
        What the source raises.
    """
    async with contextlib.AsyncExitStack() as stack:
        opened = await _open(source, stack)
        if isinstance(opened, AsyncIterable):
            stack.push_async_callback(_close, opened)
            async for item in opened:
                yield item
        elif isinstance(opened, list | tuple | str | bytes):
            for item in [opened] if isinstance(opened, str | bytes) else opened:
                yield item
        else:
            stack.push_async_callback(_close, opened)
            async for item in _in_thread(iter(opened)):
                yield item


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
