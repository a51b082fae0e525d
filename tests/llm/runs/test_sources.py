"""Sources of every kind give their items, and are closed however the reading ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from headwater.errors import UnknownItem
from headwater.llm.runs.sources import opened

if TYPE_CHECKING:
    from tests.conftest import Run


async def iterate(source: Any) -> AsyncGenerator[Any, None]:
    """The items of a source, as a run takes them."""
    async with opened(source) as items:
        async for item in items:
            yield item


class SdkStream:
    """What SDKs give: iterable, with a `close` that is a coroutine or is none."""

    def __init__(self, *, is_async: bool) -> None:
        self.closed = 0
        self._is_async = is_async

    def __aiter__(self) -> AsyncIterator[int]:
        return self._items()

    async def _items(self) -> AsyncIterator[int]:
        for item in (1, 2, 3):
            yield item

    def close(self) -> Any:
        self.closed += 1
        return asyncio.sleep(0) if self._is_async else None


async def generate() -> AsyncIterator[int]:
    for item in (1, 2, 3):
        yield item


def generate_plainly() -> Iterator[int]:
    yield from (1, 2, 3)


@contextlib.asynccontextmanager
async def manage() -> AsyncIterator[AsyncIterator[int]]:
    yield generate()


async def request() -> SdkStream:
    return SdkStream(is_async=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: generate(),
        lambda: generate,
        lambda: generate_plainly(),
        lambda: generate_plainly,
        lambda: [1, 2, 3],
        lambda: iter([1, 2, 3]),
        lambda: manage(),
        lambda: manage,
        lambda: request(),
        lambda: request,
        lambda: SdkStream(is_async=True),
        lambda: SdkStream(is_async=False),
    ],
)
def test_every_kind_of_source(run: Run[None], make: Callable[[], Any]) -> None:
    """Iterables, generators, context managers, awaitables, and functions that give one of them."""

    async def main() -> None:
        assert [item async for item in iterate(make())] == [1, 2, 3]

    run(main())


@pytest.mark.parametrize("text", ["abc", b"abc"])
def test_a_text_is_one_item(run: Run[None], text: Any) -> None:
    """And not its letters."""

    async def main() -> None:
        assert [item async for item in iterate(text)] == [text]

    run(main())


@pytest.mark.parametrize("source", [5, None, lambda: None, lambda: lambda: lambda: lambda: lambda: [1]])
def test_what_is_no_source(run: Run[None], source: Any) -> None:
    """The error names its type."""

    async def main() -> None:
        with pytest.raises(UnknownItem, match="is no source"):
            await anext(iterate(source))

    run(main())


@pytest.mark.parametrize("is_async", [False, True])
def test_a_reader_that_leaves_closes_the_source(run: Run[None], is_async: bool) -> None:
    """So that the upstream request is cancelled."""

    async def main() -> None:
        stream = SdkStream(is_async=is_async)
        items = iterate(stream)
        assert await anext(items) == 1
        await items.aclose()
        assert stream.closed == 1

    run(main())


def test_a_plain_iterator_delays_nobody(run: Run[None]) -> None:
    """While it waits, in a thread of its own, the event loop goes on."""
    go_on = threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        assert go_on.wait(30)
        yield 2

    async def main() -> None:
        items = iterate(slow)
        assert await anext(items) == 1
        second = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0)
        assert not second.done()
        go_on.set()
        assert await second == 2
        await items.aclose()

    run(main())


def test_errors_of_a_source_come_as_they_are(run: Run[None]) -> None:
    """Before and after items."""

    async def broken() -> AsyncIterator[int]:
        yield 1
        raise OSError("cut")

    async def refused() -> None:
        raise PermissionError("key")

    async def main() -> None:
        items = iterate(broken())
        assert await anext(items) == 1
        with pytest.raises(OSError, match="cut"):
            await anext(items)
        with pytest.raises(PermissionError):
            await anext(iterate(refused))

    run(main())
