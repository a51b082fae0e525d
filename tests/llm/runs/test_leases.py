"""Leases: the runs of a process that is gone end as lost, those of one that lives do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headwater import Hub
from headwater.errors import StreamFailed
from headwater.llm import Runs, RunState
from headwater.llm.parts import Start, encode_part
from headwater.llm.runs import leases as module
from headwater.llm.runs.layout import Places
from headwater.llm.runs.leases import Lease, end_lost
from headwater.stores.memory import MemoryStore
from headwater.testing import ManualClock

if TYPE_CHECKING:
    from tests.conftest import Run

PLACES = Places("runs")
JSON = "application/json"


async def write_down(hub: Hub, lease: Lease, run: str) -> None:
    await hub.write_all([await lease.entry(run)])


async def begin(hub: Hub, lease: Lease, run: str) -> None:
    """What a process leaves behind that dies in the middle of a run."""
    await write_down(hub, lease, run)
    start = encode_part(Start(id="m", run=run, process=lease.process))
    await hub.create(PLACES.log(run), content_type=JSON, body=b"[" + start + b"]")


async def forever() -> AsyncIterator[str]:
    yield "part"
    await asyncio.Event().wait()


def test_runs_of_a_process_that_is_gone_are_lost(run: Run[None]) -> None:
    """Once its lease is over, and not before; readers are told, and the list is deleted."""

    async def main() -> None:
        clock = ManualClock()
        async with Hub(MemoryStore(clock=clock)) as hub:
            gone, mine = Lease(hub, PLACES, 10), Lease(hub, PLACES, 10)
            await gone.take()
            await mine.take()
            await begin(hub, gone, "r1")
            await begin(hub, mine, "r2")
            clock.advance(6)
            await mine.renew()
            assert await end_lost(hub, PLACES, mine.process) == []
            clock.advance(6)
            assert await end_lost(hub, PLACES, mine.process) == ["r1"]
            records = hub.read(PLACES.log("r1"))
            assert b'"start"' in (await anext(records)).data
            assert b'"lost"' in (await anext(records)).data
            with pytest.raises(StreamFailed):
                await anext(records)
            assert not (await hub.info(PLACES.log("r2"))).closed
            assert await end_lost(hub, PLACES, mine.process) == []
            assert [info.path for info in await hub.list(prefix=PLACES.processes)] == [
                f"{PLACES.processes}{mine.process}.1"
            ]

    run(main())


def test_what_is_not_a_lost_run_is_left_alone(run: Run[None]) -> None:
    """A run that ended, one that never began, one that another process began, and a log that is no run's."""

    async def main() -> None:
        async with Hub() as hub:
            gone, mine = Lease(hub, PLACES, 10), Lease(hub, PLACES, 10)
            await mine.take()
            for name in ("ended", "never", "theirs", "foreign", "empty"):
                await write_down(hub, gone, name)
            await begin(hub, gone, "ended")
            await hub.close(PLACES.log("ended"))
            await begin(hub, mine, "theirs")
            await hub.create(PLACES.log("foreign"), content_type=JSON, body=b'["x"]')
            await hub.create(PLACES.log("empty"), content_type=JSON)
            await hub.append(f"{PLACES.processes}{gone.process}.1", "no entry")
            assert await end_lost(hub, PLACES, mine.process) == []
            assert (await hub.info(PLACES.log("ended"))).failure is None
            for name in ("theirs", "foreign", "empty"):
                assert not (await hub.info(PLACES.log(name))).closed

    run(main())


def test_a_lease_that_ran_out_begins_again(run: Run[None]) -> None:
    """A process that was held up keeps the runs that nobody has ended meanwhile."""

    async def main() -> None:
        clock = ManualClock()
        async with Hub(MemoryStore(clock=clock)) as hub:
            lease = Lease(hub, PLACES, 10)
            await lease.take()
            clock.advance(11)
            await lease.renew()
            clock.advance(9)
            assert (await hub.info(PLACES.lease(lease.process))).path

    run(main())


def test_lists_go_with_their_runs(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs for long leaves no list of what has ended."""
    monkeypatch.setattr(module, "LIST_RUNS", 2)

    async def main() -> None:
        async with Hub() as hub:
            lease = Lease(hub, PLACES, 10)
            await lease.take()
            for number in range(6):
                await write_down(hub, lease, f"r{number}")
            assert len(await hub.list(prefix=PLACES.processes)) == 3
            for number in (0, 1, 2, 4, 5, 5):
                await lease.cross_off(f"r{number}")
            left = [info.path.rpartition(".")[2] for info in await hub.list(prefix=PLACES.processes)]
            assert left == ["2", "3"]
            await lease.give_up()
            left = [info.path.rpartition(".")[2] for info in await hub.list(prefix=PLACES.processes)]
            assert left == ["2"]
            assert not await hub.list(prefix="runs-leases/")

    run(main())


def test_a_slow_process_stops_when_its_run_was_ended(run: Run[None]) -> None:
    """Another one took it for gone: the source is closed, and nothing is written behind the end."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            begun = await runs.start(forever)
            async for record in hub.read(f"runs/{begun.id}", live=True):
                if b"part" in record.data:
                    break
            await hub.fail(f"runs/{begun.id}", "lost", "taken for gone")
            while runs.running:  # noqa: ASYNC110 - nothing else tells that the source is closed
                await asyncio.sleep(0)
            info = await runs.get(begun.id)
            assert (info.state, info.message) == (RunState.LOST, "taken for gone")

    run(main())


def test_a_restart_ends_what_was_left(run: Run[None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of another process end within the lease, by the keeper; readers that wait are told."""
    monkeypatch.setattr("headwater.llm.runs.runs.TICK_SECONDS", 0.001)

    async def main() -> None:
        async with Hub(f"sqlite:{tmp_path}/log.db") as hub:
            await begin(hub, Lease(hub, PLACES, 10), "r1")  # its lease was never taken
            async with Runs(hub) as runs:
                assert (await runs.wait("r1")).state is RunState.LOST if await knows(hub, "r1") else True
                with pytest.raises(StreamFailed):
                    async for _ in hub.read("runs/r1", live=True):
                        pass

    async def knows(hub: Hub, run: str) -> bool:
        return bool(await hub.list(prefix=PLACES.record(run)))

    run(main())
