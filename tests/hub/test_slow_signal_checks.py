"""Schemas of signals that run code of an application: a slow one holds up its sender at its stream, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from tests.conftest import Run
from tests.hub.test_slow_checks import SLOW, Gate, Served
from tests.support.inprocess import turns
from tests.support.websocket import Client, greeted

from headwater import Hub, Limits, Signal, StreamSchema
from headwater.errors import SchemaMismatch, StoreUnavailable, StreamClosed, StreamNotFound, TooManyBodies

JSON = "application/json"


@pytest.fixture
def gate() -> Iterator[Gate]:
    found = Gate()
    yield found
    found.open.set()


def schemas(gate: Gate) -> dict[str, Any]:
    return {"slow/*": StreamSchema(signals=gate.model), "quick/*": StreamSchema(signals={"type": "object"})}


class Told:
    """What a loop over a stream's signals was told."""

    def __init__(self, hub: Hub, path: str) -> None:
        self.signals: list[Signal] = []
        self._task = asyncio.ensure_future(self._read(hub, path))

    async def _read(self, hub: Hub, path: str) -> None:
        async for signal in hub.signals(path):
            self.signals.append(signal)

    @property
    def ids(self) -> list[int]:
        return [msgspec.json.decode(signal.content)["id"] for signal in self.signals]

    async def until(self, count: int) -> list[int]:
        async with asyncio.timeout(30):
            while len(self.signals) < count:  # noqa: ASYNC110 - the loop is another task
                await asyncio.sleep(0)
        return self.ids


async def told(hub: Hub, *paths: str) -> list[Told]:
    for path in paths:
        await hub.create(path, content_type=JSON)
    found = [Told(hub, path) for path in paths]
    await turns()
    return found


def test_a_slow_check_delays_nobody_else(run: Run[None], gate: Gate) -> None:
    """Not the loop, not another stream, nor one of the same schema; and of its own stream only what is behind it."""

    async def main() -> None:
        async with Hub(schemas=schemas(gate)) as hub:
            one, two, quick, free = await told(hub, "slow/1", "slow/2", "quick/1", "free")
            held = asyncio.ensure_future(hub.signal("slow/1", SLOW))
            await gate.is_entered()
            behind = asyncio.ensure_future(hub.signal("slow/1", {"id": 2}))
            for path in ("slow/2", "quick/1", "free"):
                assert await hub.signal(path, {"id": 3}) == 1
            await hub.append("slow/1", {"id": 4})
            await turns()
            assert one.ids == []
            assert not behind.done()
            gate.open.set()
            assert [await held, await behind] == [1, 1]
            assert await one.until(2) == [1, 2]
            assert (await two.until(1), await quick.until(1), await free.until(1)) == ([3], [3], [3])

    run(main())


def test_other_senders_of_a_stream_pass(run: Run[None], gate: Gate) -> None:
    """Over the door, where each connection is a sender; what one sends keeps its order, and so does what it asks."""

    async def main() -> None:
        async with Hub(schemas=schemas(gate)) as hub, greeted(Served(hub)) as first, greeted(Served(hub)) as second:
            (one,) = await told(hub, "slow/1")
            await send(first, 100, SLOW)
            await gate.is_entered()
            await send(first, 101, {"id": "x"})
            await send(first, 102, {"id": 2})
            await send(second, 100, {"id": 3})
            assert (await second.until(id=100))["t"] == "ok"
            assert (await first.ask("head", path="slow/1"))["t"] == "info"
            assert one.ids == [3]
            gate.open.set()
            answers = [await first.until(id=number) for number in (100, 101, 102)]
            assert [answer["t"] for answer in answers] == ["ok", "err", "ok"]
            assert answers[1]["code"] == "schema-mismatch"
            assert await one.until(3) == [3, 1, 2]

    run(main())


@pytest.mark.parametrize(
    "fields",
    [
        {"t": "head", "path": "free"},
        {"t": "sub", "path": "free"},
        {"t": "sub", "path": "*"},
        {"t": "append", "path": "free", "r": [1]},
        {"t": "signal", "path": "free", "data": 1},
        {"t": "here", "path": "free", "member": "ada"},
        {"t": "delete", "path": "free"},
        {"t": "auth", "token": "x"},
    ],
    ids=lambda fields: f"{fields['t']} {fields.get('path', '')}",
)
def test_an_id_is_of_one_message_at_a_time(run: Run[None], gate: Gate, fields: dict[str, Any]) -> None:
    """Another one with it is refused, does nothing, and the first has its answer."""

    async def main() -> None:
        async with Hub(schemas=schemas(gate)) as hub, greeted(Served(hub)) as client:
            await told(hub, "slow/1", "free")
            await send(client, 7, SLOW)
            await gate.is_entered()
            await client.send(**{**fields, "id": 7})
            refused = await client.until(id=7)
            assert (refused["code"], refused["detail"]) == (
                "invalid-message",
                "the id 7 is of a message that waits for its answer",
            )
            assert (await client.ask("ping"))["t"] == "pong"
            gate.open.set()
            assert (await client.until(id=7))["t"] == "ok"
            await hub.info("free")
            assert (hub.stats.appends, hub.stats.signals, hub.stats.members) == (0, 1, 0)
            assert (await client.ask("head", path="free"))["t"] == "info"

    run(main())


async def send(client: Client, id: int, data: object, **more: object) -> None:
    await client.send(t="signal", id=id, path="slow/1", data=data, **more)


def test_over_http(run: Run[None], gate: Gate) -> None:
    """204 when it was told, 422 with the place when it does not fit."""

    async def main() -> None:
        async with Hub(schemas=schemas(gate)) as hub:
            (one,) = await told(hub, "slow/1")
            transport = httpx2.ASGITransport(hub.asgi)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                held = asyncio.ensure_future(client.post("/slow/1/-/signal", json=SLOW))
                await gate.is_entered()
                assert not held.done()
                gate.open.set()
                assert (await held).status_code == 204
                refused = await client.post("/slow/1/-/signal", json={"id": "x"})
                assert (refused.status_code, refused.json()["pointer"]) == (422, "#/id")
            assert await one.until(1) == [1]

    run(main())


def test_what_became_of_the_stream_is_looked_at_again(run: Run[None], gate: Gate) -> None:
    """Closed, it refuses; made anew, it is told; where there is none, nothing is checked."""

    async def main() -> None:
        async with Hub(schemas=schemas(gate)) as hub:
            with pytest.raises(StreamNotFound):
                await hub.signal("slow/1", SLOW)
            await told(hub, "slow/1", "slow/2")
            calls = [asyncio.ensure_future(hub.signal(path, SLOW)) for path in ("slow/1", "slow/2")]
            for _ in calls:
                await gate.is_entered()
            await hub.close("slow/1")
            await hub.delete("slow/2")
            (again,) = await told(hub, "slow/2")
            gate.open.set()
            with pytest.raises(StreamClosed):
                await calls[0]
            assert await calls[1] == 1
            assert await again.until(1) == [1]
            with pytest.raises(SchemaMismatch):
                await hub.signal("slow/2", {"id": "x"})

    run(main())


def test_a_state_whose_connection_is_gone_by_then_ends(run: Run[None], gate: Gate) -> None:
    """Its end is told behind it, and who comes later is told neither."""

    async def main() -> None:
        async with Hub(schemas=schemas(gate)) as hub:
            (one,) = await told(hub, "slow/1")
            async with greeted(Served(hub)) as client:
                await send(client, 100, SLOW, keep=9, **{"from": "ann"})
                await gate.is_entered()
            await turns()
            assert one.signals == []
            gate.open.set()
            await one.until(2)
            assert [signal.keep for signal in one.signals] == [9, 0]
            later = Told(hub, "slow/1")
            await hub.signal("slow/1", {"id": 9})
            assert await later.until(1) == [9]

    run(main())


def test_one_that_is_given_up_lets_no_other_pass(run: Run[None], gate: Gate) -> None:
    """And is not told."""

    async def main() -> None:
        async with Hub(schemas=schemas(gate)) as hub:
            (one,) = await told(hub, "slow/1")
            held = asyncio.ensure_future(hub.signal("slow/1", SLOW))
            await gate.is_entered()
            given_up, behind = (asyncio.ensure_future(hub.signal("slow/1", {"id": number})) for number in (2, 3))
            await turns()
            given_up.cancel()
            await turns()
            assert not behind.done()
            gate.open.set()
            await asyncio.gather(held, behind)
            assert await one.until(2) == [1, 3]

    run(main())


def test_what_waits_is_bounded(run: Run[None], gate: Gate) -> None:
    """The limit is named, and what waits goes on."""

    async def main() -> None:
        async with Hub(limits=Limits(max_inflight_bytes=4096, max_body_bytes=1024), schemas=schemas(gate)) as hub:
            await told(hub, "slow/1")
            calls = [asyncio.ensure_future(hub.signal("slow/1", {**SLOW, "x": "x" * 900}))]
            await gate.is_entered()
            while not calls[-1].done():
                calls.append(asyncio.ensure_future(hub.signal("slow/1", {"id": 2, "x": "x" * 900})))
                await turns()
            with pytest.raises(TooManyBodies, match="max_inflight_bytes is 4096"):
                await calls.pop()
            assert len(calls) == 4
            gate.open.set()
            assert await asyncio.gather(*calls) == [1] * 4

    run(main())


def test_a_hub_that_is_closed_waits_for_no_check(run: Run[None], gate: Gate) -> None:
    """Whoever waits is told, in this process too, for records as for signals; another opening goes on."""

    async def main() -> None:
        both = {"slow/*": StreamSchema(records=gate.model, signals=gate.model)}
        hub = Hub(limits=Limits(drain_seconds=0), schemas=both)
        async with hub:
            await hub.create("slow/1", content_type=JSON)
            calls: list[asyncio.Future[Any]] = [
                asyncio.ensure_future(hub.signal("slow/1", SLOW)),
                asyncio.ensure_future(hub.append("slow/1", SLOW)),
            ]
            for _ in calls:
                await gate.is_entered()
        for call in calls:
            with pytest.raises(StoreUnavailable, match="closed before the check was over"):
                await call
        async with hub:
            (one,) = await told(hub, "slow/2")
            assert await hub.signal("slow/2", {"id": 2}) == 1
            assert await one.until(1) == [2]

    run(main())


def test_a_quick_schema_takes_no_thread(run: Run[None]) -> None:
    """It is looked at where the signal is told, in the same turn."""

    async def main() -> None:
        async with Hub(schemas={"quick/*": StreamSchema(signals={"type": "object"})}) as hub:
            (one,) = await told(hub, "quick/1")
            sending = hub.signal("quick/1", {"id": 1})
            with pytest.raises(StopIteration):
                sending.send(None)
            assert await one.until(1) == [1]
            with pytest.raises(SchemaMismatch):
                await hub.signal("quick/1", msgspec.json.encode(7))

    run(main())
