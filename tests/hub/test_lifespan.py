"""A hub's life: opened twice, before it is open, after it was closed, and from where it does not live."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from headwater import Hub
from headwater.errors import HubNotOpen, StoreUnavailable, WrongLoop
from headwater.hub.live.sinks import BufferSink
from headwater.llm import Runs
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import SqliteStore

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["memory", "sqlite"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Hub:
    return Hub("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'a.db'}")


async def records(hub: Hub, path: str) -> list[bytes]:
    return [record.data async for record in hub.read(path)]


def test_openings_nest(run: Run, hub: Hub) -> None:
    """What is opened twice is closed by the second close, and not by the first; a third does nothing."""

    async def main() -> None:
        async with hub:
            async with hub:
                await hub.create("s", content_type="text/plain", body=b"a")
            await hub.append("s", b"b")
            assert await records(hub, "s") == [b"a", b"b"]
        await hub.aclose()
        assert not hub.is_open

    run(main())


def test_openings_at_the_same_time(run: Run, hub: Hub) -> None:
    """One of them opens, the others wait for it; a close that comes meanwhile takes back one."""

    async def main() -> None:
        await asyncio.gather(*(hub.open() for _ in range(5)))
        await asyncio.gather(hub.aclose(), hub.open(), hub.aclose(), hub.aclose())
        await hub.create("s", body=b"a")
        await hub.aclose()
        await hub.aclose()
        assert hub.is_open
        await hub.aclose()
        assert not hub.is_open

    run(main())


def test_a_hub_is_opened_again_after_its_close(run: Run, hub: Hub) -> None:
    """As often as it likes, also while the close is under way; readers come and are told of a drain each time."""

    async def main() -> None:
        for number in range(3):
            async with hub:
                await hub.create(f"s{number}", content_type="text/plain", body=b"a")
                assert await records(hub, f"s{number}") == [b"a"]
        await hub.open()
        await asyncio.gather(hub.aclose(), hub.open())
        assert hub.is_open
        await hub.aclose()

    run(main())


def test_a_hub_is_opened_again_in_another_loop(hub: Hub) -> None:
    """When it was closed in the first one."""

    async def main(path: str) -> None:
        async with hub:
            await hub.create(path, content_type="text/plain", body=b"a")
            assert await records(hub, path) == [b"a"]

    asyncio.run(main("s"))
    asyncio.run(main("t"))


def test_a_loop_that_ended_with_its_hub_open_is_told(run: Run) -> None:
    """The hub is of no use any more, and says so; it does not wait for a loop that never runs again."""
    hub = Hub()
    asyncio.run(hub.open())
    with pytest.raises(WrongLoop, match="has ended"):
        run(hub.open())


def test_an_opening_that_failed_leaves_nothing_open(run: Run, tmp_path: Path) -> None:
    """It can be tried again when the reason is gone."""
    store = SqliteStore(str(tmp_path / "later" / "a.db"))
    hub = Hub(store)

    async def main() -> None:
        with pytest.raises(StoreUnavailable):
            await hub.open()
        assert not hub.is_open
        (tmp_path / "later").mkdir()
        async with hub:
            await hub.create("s")

    run(main())


def test_a_store_belongs_to_one_hub(run: Run, tmp_path: Path) -> None:
    """Another one is refused with a sentence, and the first goes on."""
    store = SqliteStore(str(tmp_path / "a.db"))

    async def main() -> None:
        async with Hub(store) as hub:
            with pytest.raises(StoreUnavailable, match="open already"):
                await Hub(store).open()
            await hub.create("s", content_type="text/plain", body=b"a")
            assert await records(hub, "s") == [b"a"]
        async with Hub(store) as other:
            assert await records(other, "s") == [b"a"]

    run(main())


def test_runs_and_their_hub_are_open_until_both_are_closed(run: Run) -> None:
    """In whatever order they are opened and closed."""

    async def main() -> None:
        hub = Hub()
        runs = Runs(hub)
        async with runs, runs:
            await hub.list()
        assert not hub.is_open
        await hub.open()
        await runs.open()
        await hub.aclose()
        started = await runs.start(lambda: iter(["a"]))
        await runs.wait(started.id)
        await runs.aclose()
        assert not hub.is_open

    run(main())


#: Each public method, as a call that would do something.
CALLS: dict[str, Callable[[Hub], Any]] = {
    "create": lambda hub: hub.create("t"),
    "fork": lambda hub: hub.fork("t", "s"),
    "append": lambda hub: hub.append("s", b"x"),
    "write": lambda hub: hub.write("s", Append(b"x")),
    "close": lambda hub: hub.close("s"),
    "fail": lambda hub: hub.fail("s", "broken"),
    "delete": lambda hub: hub.delete("s"),
    "info": lambda hub: hub.info("s"),
    "list": lambda hub: hub.list(),
    "read_batch": lambda hub: hub.read_batch("s"),
    "poll": lambda hub: hub.poll("s", "-1"),
    "read": lambda hub: anext(hub.read("s")),
    "subscribe": lambda hub: hub.subscribe("s", BufferSink()),
    "writer": lambda hub: hub.writer("t", content_type="text/plain").__aenter__(),
    "pump": lambda hub: hub.pump("t", source()),
}


async def source() -> Any:
    yield b"x"


async def awaited(call: Any) -> Any:
    return await call


@pytest.mark.parametrize("name", CALLS)
def test_a_hub_that_is_not_open_says_so(run: Run, name: str) -> None:
    """Before it was opened and after it was closed; reads, lists and writes with the same sentence."""

    async def main() -> None:
        hub = Hub()
        for _ in range(2):
            with pytest.raises(HubNotOpen, match="the hub is not open: use `async with hub`"):
                await CALLS[name](hub)
            async with hub:
                await hub.create("s", content_type="text/plain")

    run(main())


@pytest.mark.parametrize("name", CALLS)
def test_a_call_from_another_loop_does_nothing(run: Run, hub: Hub, name: str) -> None:
    """It is refused before anything is queued, so that trying again in the right way does it once."""

    async def main() -> None:
        async with hub:
            await hub.create("s", content_type="text/plain", body=b"a")
            with pytest.raises(WrongLoop) as refused:
                await asyncio.to_thread(lambda: asyncio.run(awaited(CALLS[name](hub))))
            assert "from_thread" in refused.value.advice
            assert await records(hub, "s") == [b"a"]
            assert [info.path for info in await hub.list()] == ["s"]
            assert not (await hub.info("s")).closed

    run(main())


def test_what_does_not_wait_is_refused_too(run: Run, hub: Hub) -> None:
    """A post, a drain, an opening and a close from a thread: the hub goes on."""

    async def main() -> None:
        async with hub:
            await hub.create("s", content_type="text/plain", body=b"a")
            for call in (lambda: hub.post("s", Append(b"x"), print), hub.drain):
                with pytest.raises(WrongLoop):
                    await asyncio.to_thread(call)
            for step in (hub.open, hub.aclose):
                with pytest.raises(WrongLoop):
                    await asyncio.to_thread(lambda step=step: asyncio.run(step()))  # type: ignore[misc]
            assert not hub.draining
            assert await records(hub, "s") == [b"a"]
        hub.drain()

    run(main())


def test_a_read_that_began_is_not_taken_elsewhere(run: Run) -> None:
    """An iterator belongs to the loop in which its first record was asked for."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain", body=b"a")
            reader = await hub.live.open_reader("s", "-1")
            with pytest.raises(WrongLoop):
                await asyncio.to_thread(lambda: asyncio.run(reader.next()))
            reader.close()

    run(main())


def test_two_threads_cannot_open_one_hub(hub: Hub) -> None:
    """One of them has it, the other is told; the first one's goes on."""
    both, done = threading.Barrier(2), threading.Event()
    told: list[str] = []

    async def main() -> None:
        both.wait(20)
        try:
            async with hub:
                told.append("open")
                await asyncio.to_thread(done.wait, 20)
                await hub.create("s")
        except WrongLoop as error:
            told.append(error.code)
            done.set()

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told) == ["open", "wrong-loop"]
    assert not hub.is_open
