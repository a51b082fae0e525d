"""Producers of a stream: how many are known, who is forgotten, and who never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from headwater.errors import LimitReached, ProducerGap
from headwater.model import BEGINNING, Appended, Producer, StreamConfig
from headwater.protocol import producers
from headwater.protocol.ledger import Append
from headwater.protocol.producers import KEPT_SECONDS, ProducerState
from headwater.stores import Store, Sweeping
from headwater.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conftest import Run
    from tests.stores.conftest import Backend


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream knows three producers."""
    monkeypatch.setattr(producers, "MAX_PRODUCERS", 3)


async def send(store: Store, name: str, seq: int = 0, body: bytes = b"x") -> Appended:
    return await store.append("a", Append(body, producer=Producer(name, 0, seq)))


async def size(store: Store) -> int:
    return sum(len(record.data) for record in (await store.read("a", BEGINNING)).records)


async def check(store: Store, clock: ManualClock, again: Callable[[], Store] | None) -> None:
    await store.open()
    await store.create("a", StreamConfig("text/plain"))
    for name in ("p", "q", "r"):
        await send(store, name)
        clock.advance(10)
    await send(store, "p", 1)
    if again is not None:
        await store.aclose()
        store = again()
        await store.open()
    clock.advance(KEPT_SECONDS - 21)
    with pytest.raises(LimitReached):
        await send(store, "s")
    assert await size(store) == 4
    assert (await send(store, "q")).duplicate
    clock.advance(1)
    assert not (await send(store, "s")).duplicate
    with pytest.raises(ProducerGap):
        await send(store, "q", 1)
    assert [(await send(store, name, seq)).duplicate for name, seq in (("p", 1), ("r", 0), ("s", 0))] == [True] * 3
    with pytest.raises(LimitReached):
        await send(store, "q")
    if again is not None:
        await store.aclose()
        store = again()
        await store.open()
        assert [(await send(store, name, seq)).duplicate for name, seq in (("p", 1), ("r", 0), ("s", 0))] == [True] * 3
    assert await size(store) == 5
    await store.aclose()


def test_a_jump_of_the_clock_makes_nobody_idle(backend: Backend, run: Run[None]) -> None:
    """Forward, nobody is forgotten for it; back, room comes when it would have come."""

    async def main() -> None:
        for days in (8, -8):
            clock = ManualClock()
            store = backend.make(clock)
            await store.open()
            await store.create("a", StreamConfig("text/plain"))
            for name in ("p", "q", "r"):
                await send(store, name)
            clock.advance(60)
            clock.jump(days * 86400.0)
            assert isinstance(store, Sweeping)
            await store.sweep()
            with pytest.raises(LimitReached):
                await send(store, "s")
            assert (await send(store, "p")).duplicate
            clock.advance(KEPT_SECONDS - 60)
            await send(store, "s")
            await store.aclose()

    run(main())


def test_the_longest_idle_one_makes_room(backend: Backend, run: Run[None]) -> None:
    """Never one that wrote within a day; then the new one is refused, and nothing of it is written."""
    clock = ManualClock()
    run(check(backend.make(clock), clock, None))


def test_a_restart_knows_who_was_idle(durable_backend: Backend, run: Run[None]) -> None:
    """The same with the store closed and opened between."""
    clock = ManualClock()
    store = durable_backend.make(clock)
    run(check(store, clock, lambda: durable_backend.reopen(store, clock)))


def test_a_retry_at_the_bound_is_a_duplicate(backend: Backend, run: Run[None]) -> None:
    """And a known producer goes on, however many there are."""

    async def main() -> None:
        store = backend.make(ManualClock())
        await store.open()
        await store.create("a", StreamConfig("text/plain"))
        for name in ("p", "q", "r"):
            await send(store, name)
        assert (await send(store, "p")).duplicate
        assert not (await send(store, "p", 1)).duplicate
        await store.aclose()

    run(main())


def test_a_refusal_costs_no_look_through_all(backend: Backend, run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the first one may go, which nothing but time and a new stream can change."""
    looks: list[int] = []
    full_until = producers.full_until

    def counted(producers: Mapping[str, ProducerState]) -> float:
        looks.append(len(producers))
        return full_until(producers)

    monkeypatch.setattr(producers, "full_until", counted)

    async def main() -> None:
        clock = ManualClock()
        store = backend.make(clock)
        await store.open()
        await store.create("a", StreamConfig("text/plain"))
        for name in ("p", "q", "r"):
            await send(store, name)
        for number in range(5):
            with pytest.raises(LimitReached):
                await send(store, f"new {number}")
        assert looks == [3]
        await store.delete("a")
        await store.create("a", StreamConfig("text/plain"))
        assert not (await send(store, "p")).duplicate
        await store.aclose()

    run(main())
