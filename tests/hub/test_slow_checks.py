"""Schemas that run code of an application: a slow one holds up its own stream, and nobody else's append."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest
from tests.conftest import Run
from tests.support.inprocess import InProcess, turns
from tests.support.websocket import greeted

from headwater import Entry, Hub, Limits, Producer, StreamConfig
from headwater.errors import SchemaMismatch, StoreUnavailable, StreamClosed, StreamNotFound, TooManyBodies
from headwater.http.forwarded import TrustedProxies
from headwater.http.streams import StreamService
from headwater.hub.check_threads import THREADS
from headwater.protocol.ledger import Append
from headwater.server.shared import ConnectionLimits, Shared

JSON = "application/json"


class Gate:
    """A validator that waits until it is let on, for values that say so."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        gate = self

        class Model(pydantic.BaseModel):
            id: int
            waits: bool = False

            @pydantic.field_validator("waits")
            @classmethod
            def wait(cls, value: bool) -> bool:
                if value:
                    gate.entered.release()
                    assert gate.open.wait(60)
                return value

        self.model = Model

    async def is_entered(self) -> None:
        """A check has begun to wait."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=30)


class Served(InProcess):
    """A hub behind connections."""

    def __init__(self, hub: Hub) -> None:
        self._shared = Shared(StreamService(hub, multi=True), ConnectionLimits(), TrustedProxies(()))
        self.hub = hub


SLOW = {"id": 1, "waits": True}


@pytest.fixture
def gate() -> Iterator[Gate]:
    found = Gate()
    yield found
    found.open.set()


@pytest.fixture(params=["memory:", "sqlite:"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory:" else f"sqlite:{tmp_path / 'app.db'}"


async def streams(hub: Hub, *paths: str) -> None:
    for path in paths:
        await hub.create(path, content_type=JSON)


async def ids(hub: Hub, path: str) -> list[Any]:
    return [record.json()["id"] async for record in hub.read(path)]


def test_a_slow_check_delays_no_other_stream(run: Run[None], store: str, gate: Gate) -> None:
    """Not one without a schema, nor one of the same schema; and not the event loop."""

    async def main() -> None:
        async with Hub(store, schemas={"slow/*": gate.model, "quick/*": {"type": "object"}}) as hub:
            await streams(hub, "slow/1", "slow/2", "quick/1", "free")
            held = asyncio.ensure_future(hub.append("slow/1", SLOW))
            await gate.is_entered()
            for path in ("free", "quick/1", "slow/2"):
                await hub.append(path, {"id": 2})
                await hub.append_all([(path, {"id": 3}), ("free", {"id": 4})])
            await hub.create("slow/3", content_type=JSON, body=b'{"id":5}')
            await hub.delete("slow/3")
            assert not held.done()
            gate.open.set()
            await held
            assert await ids(hub, "slow/1") == [1]
            assert await ids(hub, "slow/2") == [2, 3]

    run(main())


def test_what_comes_to_its_own_stream_keeps_its_order(run: Run[None], store: str, gate: Gate) -> None:
    """Whatever comes behind, a close and a delete too; one that is given up does not let others pass."""

    async def main() -> None:
        async with Hub(store, schemas={"slow/*": gate.model}) as hub:
            await streams(hub, "slow/1", "slow/2")
            calls: list[asyncio.Future[Any]] = [asyncio.ensure_future(hub.append("slow/1", SLOW))]
            await gate.is_entered()
            given_up = asyncio.ensure_future(hub.append("slow/1", {"id": 2}))
            both: list[Entry | tuple[str, Any]] = [("slow/2", {"id": 4}), Entry("slow/1", {"id": 5})]
            calls.append(asyncio.ensure_future(hub.append("slow/1", {"id": 3})))
            calls.append(asyncio.ensure_future(hub.append_all(both)))
            calls.append(asyncio.ensure_future(hub.append("slow/2", {"id": 6})))
            calls.append(asyncio.ensure_future(hub.close("slow/1")))
            late = asyncio.ensure_future(hub.append("slow/1", {"id": 7}))
            gone = asyncio.ensure_future(hub.delete("slow/2"))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.sleep(0)
            assert not any(call.done() for call in (*calls, late, gone))
            gate.open.set()
            await asyncio.gather(*calls)
            with pytest.raises(StreamClosed):
                await late
            await gone
            with pytest.raises(StreamNotFound):
                await hub.info("slow/2")
            assert await ids(hub, "slow/1") == [1, 3, 5]

    run(main())


def test_a_stream_of_another_type_by_then_is_checked_again(run: Run[None], store: str, gate: Gate) -> None:
    """As what it is; and one that was not there when the check began."""

    async def main() -> None:
        async with Hub(store, schemas={"slow/*": gate.model}) as hub:
            await streams(hub, "slow/1")
            held = asyncio.ensure_future(hub.write("slow/1", Append(msgspec.json.encode(SLOW))))
            await gate.is_entered()
            await hub.store.delete("slow/1")
            await hub.store.create("slow/1", StreamConfig("application/msgpack"))
            gate.open.set()
            with pytest.raises(SchemaMismatch, match=r"does not fit .*Model"):  # JSON read as MessagePack
                await held
            assert (await hub.info("slow/1")).size == 0
            gate.open.clear()
            made = asyncio.ensure_future(hub.create("slow/2", content_type=JSON, body=msgspec.json.encode(SLOW)))
            await gate.is_entered()
            behind = asyncio.ensure_future(hub.append("slow/2", b'{"id":2}', create=StreamConfig(JSON)))
            gate.open.set()
            await asyncio.gather(made, behind)
            assert await ids(hub, "slow/2") == [1, 2]

    run(main())


def test_a_refusal_is_told_in_its_place(run: Run[None], store: str, gate: Gate) -> None:
    """Behind a producer's retry and a closed stream, as of every schema."""
    first = Producer("p", 0, 0)

    async def main() -> None:
        async with Hub(store, schemas={"slow/*": gate.model}) as hub:
            await streams(hub, "slow/1")
            await hub.append("slow/1", {"id": 1}, producer=first)
            assert (await hub.append("slow/1", {"id": "x"}, producer=first)).duplicate
            with pytest.raises(SchemaMismatch):
                await hub.append("slow/1", {"id": "x"}, producer=Producer("p", 0, 1))
            with pytest.raises(SchemaMismatch):
                await hub.append_all([("slow/1", {"id": 2}), ("slow/1", {"id": "x"})])
            await hub.close("slow/1")
            with pytest.raises(StreamClosed):
                await hub.append("slow/1", {"id": "x"})
            with pytest.raises(StreamNotFound):
                await hub.append("slow/none", {"id": "x"})
            assert await ids(hub, "slow/1") == [1]

    run(main())


def test_what_waits_is_bounded(run: Run[None], gate: Gate) -> None:
    """And the checks at the same time."""

    async def main() -> None:
        limits = Limits(max_inflight_bytes=8 * 1024, max_body_bytes=1024)
        async with Hub(limits=limits, schemas={"slow/*": gate.model}) as hub:
            paths = [f"slow/{number}" for number in range(THREADS + 2)]
            await streams(hub, *paths)
            calls = [asyncio.ensure_future(hub.append(path, {**SLOW, "x": "x" * 900})) for path in paths]
            for _ in range(THREADS):
                await gate.is_entered()
            assert not gate.entered.acquire(blocking=False)
            while not calls[-1].done():
                calls.append(asyncio.ensure_future(hub.append(paths[0], {"id": 2, "x": "x" * 900})))
                await turns()
            with pytest.raises(TooManyBodies, match="max_inflight_bytes is 8192"):
                await calls.pop()
            assert len(calls) == 8
            gate.open.set()
            await asyncio.gather(*calls)
            await hub.append(paths[0], {"id": 3})

    run(main())


def test_a_hub_that_is_closed_waits_for_no_check(run: Run[None], store: str, gate: Gate) -> None:
    """What was posted is answered; another opening has threads of its own."""

    async def main() -> None:
        hub = Hub(store, limits=Limits(drain_seconds=0), schemas={"slow/*": gate.model})
        outcomes: list[object] = []
        async with hub:
            await streams(hub, "slow/1")
            hub.post("slow/1", Append(msgspec.json.encode(SLOW)), outcomes.append)
            await gate.is_entered()
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable]
        async with hub:
            if store == "memory:":
                await hub.append("slow/1", {"id": 2})
                assert await ids(hub, "slow/1") == [2]

    run(main())


def test_other_messages_of_a_connection_are_answered_meanwhile(run: Run[None], gate: Gate) -> None:
    """Over the door, where one client writes to both streams."""

    async def main() -> None:
        async with Hub(schemas={"slow/*": gate.model}) as hub, greeted(Served(hub)) as client:
            await streams(hub, "slow/1", "free")
            await client.send(t="append", id=100, path="slow/1", r=[SLOW])
            await client.send(t="append", id=101, path="slow/1", r=[{"id": "x"}])
            await gate.is_entered()
            assert (await client.ask("append", path="free", r=[1]))["t"] == "ok"
            gate.open.set()
            assert (await client.until(id=100))["t"] == "ok"
            assert (await client.until(id=101))["code"] == "schema-mismatch"

    run(main())
