"""Calls from threads: they wait for the hub's loop, get what it answers, and never wait for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headwater import Hub
from headwater.errors import HubNotOpen, StoreUnavailable, StreamNotFound, WrongLoop
from headwater.hub import threads

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_a_thread_appends_and_reads(run: Run) -> None:
    """Many threads at once: each gets its own answer or its own error."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain")
            with ThreadPoolExecutor(8) as pool:
                calls = [pool.submit(hub.from_thread, hub.append("s", b"%d," % n)) for n in range(50)]
                answers = await asyncio.gather(*map(asyncio.wrap_future, calls))
                assert len({answer.next_offset for answer in answers}) == 50
                with pytest.raises(StreamNotFound):
                    await asyncio.wrap_future(pool.submit(lambda: hub.from_thread(hub.info("missing"))))
            body = b"".join([record.data async for record in hub.read("s")])
            assert sorted(map(int, body.split(b",")[:-1])) == list(range(50))

    run(main())


def test_the_hubs_own_thread_is_told_to_await(run: Run) -> None:
    """It would wait for itself; nothing is begun."""

    async def main() -> None:
        async with Hub() as hub:
            with pytest.raises(WrongLoop, match="await the call"):
                hub.from_thread(hub.create("s"))
            assert await hub.list() == []

    run(main())


def test_a_hub_that_is_not_open_is_told_to_a_thread() -> None:
    """At once, and nothing is begun."""
    hub = Hub()
    with pytest.raises(HubNotOpen):
        hub.from_thread(hub.create("s"))


def test_an_error_of_time_is_the_calls_own(run: Run) -> None:
    """It is not taken for the hub's silence."""

    async def late() -> None:
        raise TimeoutError

    async def main() -> None:
        async with Hub() as hub:
            with pytest.raises(TimeoutError):
                await asyncio.to_thread(lambda: hub.from_thread(late()))

    run(main())


def test_a_loop_that_ends_is_told_to_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread whose hub's loop is gone gets an error that says that it is not known."""
    monkeypatch.setattr(threads, "LOOK_SECONDS", 0.01)
    hub = Hub()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(hub.open())
    told: list[BaseException] = []
    waits = threading.Event()

    async def never() -> None:
        raise AssertionError

    def call() -> None:
        waits.set()
        try:
            hub.from_thread(never())
        except StoreUnavailable as error:
            told.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    waits.wait(20)
    loop.close()
    thread.join(20)
    assert not thread.is_alive()
    call()
    assert len(told) == 2
