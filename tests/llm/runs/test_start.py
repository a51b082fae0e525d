"""A run begins once and wholly, or not at all: also when whoever asks goes away, or the store fails in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headwater import Hub
from headwater.errors import RunNotFound, StoreUnavailable
from headwater.llm import Runs, RunState
from headwater.llm.parts import Text

if TYPE_CHECKING:
    from tests.conftest import Run


async def answer() -> AsyncIterator[str]:
    """A short one."""
    yield "Hello"


@pytest.fixture(params=["memory:", "sqlite:{}/log.db"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store."""
    return str(request.param).format(tmp_path)


class Gate:
    """Holds the creation of the log `runs/cut`."""

    def __init__(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self._create: Callable[..., Any] = hub.store.create
        monkeypatch.setattr(hub.store, "create", self)

    async def __call__(self, path: str, *given: Any, **named: Any) -> Any:
        if path == "runs/cut":
            self.reached.set()
            await self.go_on.wait()
        return await self._create(path, *given, **named)


async def cut(runs: Runs, gate: Gate, source: Any) -> None:
    """Start a run, and go away while its log is created."""
    starting = asyncio.ensure_future(runs.start(source, id="cut", thread="chat"))
    await gate.reached.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    with pytest.raises(RunNotFound):
        await runs.get("cut")


def test_a_start_that_is_cancelled_leaves_no_run_open(run: Run[None], store: str) -> None:
    """Wherever it is cut, the next start with the same id finds the run or begins it, and it is produced to its end."""

    async def main() -> None:
        async with Hub(store) as hub, Runs(hub) as runs:
            for turns in range(60):
                id = f"run-{turns}"
                starting = asyncio.ensure_future(runs.start(answer, id=id, thread="chat"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                starting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await starting
                await runs.start(answer, id=id, thread="chat")
                assert (await runs.wait(id)).state is RunState.FINISHED
                assert Text("t0", "Hello") in (await runs.answer(id)).compact()

    run(main())


def test_a_log_is_produced_though_nobody_waits_for_it(
    run: Run[None], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there when the caller has gone already; nobody asks again, and the run ends."""

    async def main() -> None:
        called = asyncio.Event()

        def source() -> AsyncIterator[str]:
            called.set()
            return answer()

        async with Hub(store) as hub, Runs(hub) as runs:
            gate = Gate(hub, monkeypatch)
            await cut(runs, gate, source)
            assert not called.is_set()
            gate.go_on.set()
            await called.wait()
            assert (await runs.wait("cut")).state is RunState.FINISHED

    run(main())


def test_the_end_of_all_runs_waits_for_it_too(run: Run[None], store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops the process in between leaves no run open."""

    async def main() -> None:
        async with Hub(store) as hub:
            runs = Runs(hub)
            await runs.open()
            gate = Gate(hub, monkeypatch)
            await cut(runs, gate, answer)
            closing = asyncio.ensure_future(runs.aclose())
            await asyncio.sleep(0)
            gate.go_on.set()
            await closing
            async with Runs(hub) as later:
                assert (await later.get("cut")).state is RunState.FINISHED

    run(main())


def test_a_conversation_that_cannot_be_written_is_told(
    run: Run[None], store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has begun, and ends; asking again with the same id finds it."""

    async def main() -> None:
        async with Hub(store) as hub, Runs(hub) as runs:
            create = hub.store.create

            async def failing(path: str, *given: Any, **named: Any) -> Any:
                if path.startswith("runs-threads/"):
                    raise StoreUnavailable("the disk is full")
                return await create(path, *given, **named)

            monkeypatch.setattr(hub.store, "create", failing)
            with pytest.raises(StoreUnavailable, match="disk is full"):
                await runs.start(answer, id="a", thread="chat")
            assert not (await runs.start(answer, id="a")).is_new
            assert (await runs.wait("a")).state is RunState.FINISHED

    run(main())
