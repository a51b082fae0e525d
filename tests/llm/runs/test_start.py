"""A run begins once and wholly, or not at all: also when whoever asks goes away, or the store fails in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headwater import Hub
from headwater.errors import RunExists, RunNotFound, StoreUnavailable
from headwater.llm import Runs, RunState
from headwater.llm.parts import Text
from headwater.stores.memory import MemoryStore

if TYPE_CHECKING:
    from tests.conftest import Run


async def answer() -> AsyncIterator[str]:
    """A short one."""
    yield "Hello"


async def forever() -> AsyncIterator[str]:
    """One that says nothing yet."""
    await asyncio.Event().wait()
    yield ""


@pytest.fixture(params=["memory:", "sqlite:{}/log.db"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store."""
    return str(request.param).format(tmp_path)


class Gate:
    """Holds the commit with which the run `cut` begins."""

    def __init__(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self._append_all: Callable[..., Any] = hub.store.append_all  # type: ignore[attr-defined]
        monkeypatch.setattr(hub.store, "append_all", self)

    async def __call__(self, appends: list[tuple[str, Any]], **named: Any) -> Any:
        if any(path == "runs/cut" for path, _ in appends):
            self.reached.set()
            await self.go_on.wait()
        return await self._append_all(appends, **named)


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


def test_what_cannot_be_written_begins_nothing(run: Run[None], store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told; there is no part of the run, and asking again with the same id begins it."""

    async def main() -> None:
        async with Hub(store) as hub, Runs(hub) as runs:

            async def failing(*given: Any, **named: Any) -> Any:
                raise StoreUnavailable("the disk is full")

            with monkeypatch.context() as full:
                full.setattr(hub.store, "append_all", failing)
                with pytest.raises(StoreUnavailable, match="disk is full"):
                    await runs.start(answer, id="a", thread="chat")
            assert await runs.latest("chat") is None
            assert (await runs.start(answer, id="a", thread="chat")).is_new
            assert (await runs.wait("a")).state is RunState.FINISHED

    run(main())


def test_a_run_of_which_less_was_written(run: Run[None], store: str) -> None:
    """What an earlier release left in between: its record without a log, or its log without a record."""

    async def main() -> None:
        async with Hub(store) as hub, Runs(hub) as runs:
            kind = "application/json"
            await hub.create("runs-records/record", content_type=kind, body=b"[{}]")
            assert (await runs.start(answer, id="record")).is_new
            assert (await runs.wait("record")).state is RunState.FINISHED
            assert not (await runs.start(answer, id="record")).is_new
            await hub.create("runs/log", content_type=kind, body=b"[]", closed=True)
            assert not (await runs.start(answer, id="log")).is_new
            assert (await runs.get("log")).state is RunState.FINISHED

    run(main())


def test_a_run_begins_with_one_commit(run: Run[None], store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who produces it, whose it is, its log and its conversation; nothing else is written for it."""

    async def main() -> None:
        async with Hub(store) as hub, Runs(hub) as runs:
            await runs.start(answer, id="first")
            await runs.wait("first")
            written: list[list[str]] = []
            append_all = hub.store.append_all  # type: ignore[attr-defined]

            async def counting(appends: list[tuple[str, Any]], **named: Any) -> Any:
                written.append([path.partition("/")[0] for path, _ in appends])
                return await append_all(appends, **named)

            monkeypatch.setattr(hub.store, "append_all", counting)
            for name in ("create", "append", "post"):
                monkeypatch.setattr(hub.store, name, lambda *given, name=name: written.append([name]))
            await runs.start(forever, id="a", thread="chat", owner="ada")
            monkeypatch.undo()
            assert written == [["runs-processes", "runs-records", "runs", "runs-threads"]]

    run(main())


class OneByOne(MemoryStore):
    """A store that has no commit of several streams."""

    append_all = None  # type: ignore[assignment]


def test_a_store_that_cannot_write_together(run: Run[None]) -> None:
    """The same steps one after the other: written down first, so that what is cut off is ended as lost."""

    async def main() -> None:
        store = OneByOne()
        told: list[str] = []
        async with Hub(store) as hub, Runs(hub) as runs:
            store.watch(lambda change: told.append(change.path.partition("/")[0]))
            assert (await runs.start(answer, id="a", thread="chat", owner="ada")).is_new
            assert (await runs.wait("a")).state is RunState.FINISHED
            assert not (await runs.start(answer, id="a", thread="chat", owner="ada")).is_new
            with pytest.raises(RunExists):
                await runs.start(answer, id="a", owner="bob")
            found = await runs.latest("chat", owner="ada")
            assert found is not None
            assert found.id == "a"
        order = list(dict.fromkeys(told))
        assert order.index("runs-processes") < order.index("runs-records") < order.index("runs")

    run(main())
