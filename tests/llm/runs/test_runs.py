"""Runs: they begin once, go on without their readers, and always end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headwater import Failure, Hub
from headwater.errors import (
    BadRequest,
    LimitReached,
    RunExists,
    RunNotFound,
    ShuttingDown,
    StoreUnavailable,
    StreamFailed,
)
from headwater.llm import Runs, RunState
from headwater.llm.parts import Abort, Finish, FinishReason, Start, Text, TextEnd, TextStart
from headwater.llm.runs.layout import Places
from headwater.protocol.paths import RUNS

if TYPE_CHECKING:
    from tests.conftest import Run

#: Seconds that nothing here takes.
PATIENCE = 60.0


class Upstream:
    """A model: tokens, then a wait until it is let go, then more; counts who called it and whether it was closed."""

    def __init__(self) -> None:
        self.calls = 0
        self.closed = 0
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def answer(self) -> AsyncIterator[str]:
        self.calls += 1
        try:
            yield "Hello"
            yield ", "
            self.reached.set()
            await self.go_on.wait()
            yield "world"
        finally:
            self.closed += 1


def test_a_run_goes_from_its_start_to_its_finish(run: Run[None]) -> None:
    """Everything the source gave is in the log, as parts, and the log is complete."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            upstream = Upstream()
            upstream.go_on.set()
            begun = await runs.start(upstream.answer, model="m", message_id="msg-1", metadata={"a": 1})
            assert begun.is_new
            info = await runs.wait(begun.id)
            assert (info.state, info.message) == (RunState.FINISHED, "")
            answer = await runs.answer(begun.id)
            start, *rest = answer.compact()
            assert isinstance(start, Start)
            assert (start.id, start.run, start.model, start.metadata) == ("msg-1", begun.id, "m", {"a": 1})
            assert rest == [TextStart("t0"), Text("t0", "Hello, world"), TextEnd("t0"), Finish()]
            assert (upstream.calls, upstream.closed) == (1, 1)

    run(main())


def test_readers_that_go_stop_nothing(run: Run[None]) -> None:
    """A reader leaves in the middle; the run goes on to its end."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            upstream = Upstream()
            begun = await runs.start(upstream.answer)
            async for _ in hub.read(f"runs/{begun.id}", live=True):
                break
            await upstream.reached.wait()
            assert upstream.closed == 0
            upstream.go_on.set()
            assert (await runs.wait(begun.id)).state is RunState.FINISHED

    run(main())


def test_a_stop_cancels_the_source_and_keeps_what_came(run: Run[None]) -> None:
    """The upstream call is closed before `stop` returns; the partial answer is closed as stopped."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            upstream = Upstream()
            begun = await runs.start(upstream.answer, owner="ann")
            await upstream.reached.wait()
            info = await runs.stop(begun.id, owner="ann", reason="enough")
            assert (info.state, info.message, upstream.closed) == (RunState.STOPPED, "enough", 1)
            answer = await runs.answer(begun.id)
            assert (answer.text, answer.abort) == ("Hello, ", Abort("enough"))
            assert answer.finish == Finish(FinishReason.INTERRUPTED)
            assert answer.error is None
            again = await runs.stop(begun.id, reason="once more")
            assert (again.state, again.message) == (RunState.STOPPED, "enough")

    run(main())


def test_a_stop_of_a_provider_is_no_truncation(run: Run[None]) -> None:
    """A source with a last event of its own that is stopped before it is stopped, and did not fail."""

    async def answer() -> AsyncIterator[dict[str, object]]:
        yield {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
        await asyncio.Event().wait()

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            begun = await runs.start(answer)
            async for record in hub.read(f"runs/{begun.id}", live=True):
                if b"Hi" in record.data:
                    break
            await runs.stop(begun.id)
            found = await runs.answer(begun.id)
            assert (found.text, found.error, found.abort) == ("Hi", None, Abort())

    run(main())


@pytest.mark.parametrize("store", ["memory:", "sqlite:{}/log.db"])
def test_a_hundred_starts_with_one_key_are_one_call(run: Run[None], store: str, tmp_path: Path) -> None:
    """All get the same run, one of them is told that it is new, and the upstream is called once."""

    async def main() -> None:
        async with Hub(store.format(tmp_path)) as hub, Runs(hub) as runs:
            upstream = Upstream()
            starts = (runs.start(upstream.answer, idempotency_key="k", owner="ann") for _ in range(100))
            begun = await asyncio.gather(*starts)
            assert len({one.id for one in begun}) == 1
            assert sum(one.is_new for one in begun) == 1
            upstream.go_on.set()
            await runs.wait(begun[0].id)
            assert not (await runs.start(upstream.answer, idempotency_key="k", owner="ann")).is_new
            assert upstream.calls == 1
            other = await runs.start(upstream.answer, idempotency_key="k", owner="bob")
            assert other.is_new
            await runs.wait(other.id)

    run(main())


def test_a_key_is_known_after_a_restart(run: Run[None], tmp_path: Path) -> None:
    """No second call for what was paid for before."""

    async def main() -> None:
        upstream = Upstream()
        upstream.go_on.set()
        ids = set()
        for _ in range(2):
            async with Hub(f"sqlite:{tmp_path}/log.db") as hub, Runs(hub) as runs:
                starts = (runs.start(upstream.answer, idempotency_key="k") for _ in range(100))
                begun = await asyncio.gather(*starts)
                ids |= {one.id for one in begun}
                assert (await runs.wait(begun[0].id)).state is RunState.FINISHED
        assert (len(ids), upstream.calls) == (1, 1)

    run(main())


def test_an_id_is_one_run(run: Run[None]) -> None:
    """The same id gives the same run; with another owner or key it is refused."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            first = await runs.start(["a"], id="r1", owner="ann")
            assert (first.id, first.is_new) == ("r1", True)
            assert not (await runs.start(["b"], id="r1", owner="ann")).is_new
            with pytest.raises(RunExists):
                await runs.start(["b"], id="r1", owner="bob")
            with pytest.raises(RunExists):
                await runs.start(["b"], id="r1", owner="ann", idempotency_key="k")
            await runs.wait("r1")
            assert (await runs.answer("r1")).text == "a"

    run(main())


def test_a_run_is_found_by_who_may_see_it(run: Run[None]) -> None:
    """Another owner is told what is told of a run that does not exist."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            await runs.start(["a"], id="r1", owner="ann", thread="chat")
            assert (await runs.get("r1", owner="ann")).owner == "ann"
            for refused in (
                runs.get("r1", owner="bob"),
                runs.stop("r1", owner="bob"),
                runs.answer("r1", owner="bob"),
                runs.get("r2", owner="bob"),
                runs.wait("r2"),
            ):
                with pytest.raises(RunNotFound, match="there is no run"):
                    await refused
            latest = await runs.latest("chat", owner="ann")
            assert latest is not None
            assert latest.id == "r1"
            assert await runs.latest("chat", owner="bob") is None
            await runs.start(["b"], id="r2", owner="ann", thread="chat")
            latest = await runs.latest("chat", owner="ann")
            assert latest is not None
            assert latest.id == "r2"

    run(main())


@pytest.mark.parametrize("id", ["", "a/b", "..", "-x", "a" * 129, "\n", "ä"])
def test_ids_that_no_run_has(run: Run[None], id: str) -> None:
    """They are refused before anything is written."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            with pytest.raises(BadRequest):
                await runs.start(["a"], id=id)
            with pytest.raises(BadRequest):
                await runs.get(id)
            assert not await hub.list(prefix="runs/")
            for names in ({"owner": "a\n"}, {"thread": "x" * 513}, {"idempotency_key": ""}):
                with pytest.raises(BadRequest):
                    await runs.start(["a"], **names)  # type: ignore[arg-type]
            assert not await hub.list(prefix="runs/")

    run(main())


def test_one_run_too_many_is_refused(run: Run[None]) -> None:
    """And takes nothing from those that run; a repetition is no further run."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub, max_running=1) as runs:
            upstream = Upstream()
            first = await runs.start(upstream.answer, idempotency_key="k")
            with pytest.raises(LimitReached, match="max_running"):
                await runs.start(["a"])
            assert not (await runs.start(upstream.answer, idempotency_key="k")).is_new
            upstream.go_on.set()
            await runs.wait(first.id)
            while runs.running:  # noqa: ASYNC110 - nothing tells of the task, which ends after the log
                await asyncio.sleep(0)
            assert (await runs.start(["a"])).is_new

    run(main())


def test_what_nobody_watches_can_be_stopped(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """With `cancel_when_unwatched` a run without readers ends as stopped; one with a reader goes on."""
    monkeypatch.setattr("headwater.llm.runs.runs.TICK_SECONDS", 0.001)

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            left, watched = Upstream(), Upstream()
            one = await runs.start(left.answer, cancel_when_unwatched=0.0)
            two = await runs.start(watched.answer, cancel_when_unwatched=30.0)
            while (await runs.get(one.id)).state is RunState.RUNNING:  # noqa: ASYNC110 - to watch it would keep it
                await asyncio.sleep(0.001)
            assert (await runs.get(one.id)).message == "nobody watched"
            assert left.closed == left.calls
            assert (await runs.get(two.id)).state is RunState.RUNNING
            watched.go_on.set()
            await runs.wait(two.id)

    run(main())


def test_closing_ends_what_runs_as_lost(run: Run[None], tmp_path: Path) -> None:
    """A stop of the process gives the runs some time, then tells their readers."""

    async def main() -> None:
        upstream = Upstream()
        async with Hub(f"sqlite:{tmp_path}/log.db") as hub:
            async with Runs(hub, grace_seconds=0.0) as runs:
                begun = await runs.start(upstream.answer)
                await upstream.reached.wait()
            info = await hub.info(f"runs/{begun.id}")
            assert info.failure == Failure("lost", "the server was stopped")
            assert upstream.closed == 1
            with pytest.raises(StoreUnavailable, match="async with runs"):
                await runs.start(["a"])
            async with Runs(hub) as runs:
                found = await runs.get(begun.id)
                assert found.state is RunState.LOST
                answer = await runs.answer(begun.id)
                assert answer.text == "Hello, "
                assert answer.error is not None
                assert answer.error.code == "lost"

    run(main())


def test_closing_lets_runs_finish(run: Run[None]) -> None:
    """Within `grace_seconds`."""

    async def main() -> None:
        async with Hub() as hub:
            upstream = Upstream()
            async with Runs(hub, grace_seconds=30.0) as runs:
                begun = await runs.start(upstream.answer)
                await upstream.reached.wait()
                upstream.go_on.set()
            assert (await hub.info(f"runs/{begun.id}")).failure is None

    run(main())


def test_who_follows_a_run_is_kept_until_it_ends(run: Run[None]) -> None:
    """A hub lets its readers go: those of a run that is produced here stay, and are told its end, as others are not."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub, grace_seconds=PATIENCE) as runs:
            upstream = Upstream()
            await runs.start(upstream.answer, id="r")
            await hub.create("other", content_type="text/plain")
            readers = [asyncio.create_task(collected(hub, path)) for path in ("runs/r", "other")]
            await upstream.reached.wait()
            while sum(hub.reader_count(path) for path in ("runs/r", "other")) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
            hub.drain()
            with pytest.raises(ShuttingDown):
                await readers[1]
            with pytest.raises(ShuttingDown):
                await runs.start(upstream.answer, id="another")
            assert not readers[0].done()
            upstream.go_on.set()
            assert b"world" in b"".join(await readers[0])
            assert (await runs.get("r")).state is RunState.FINISHED

    run(main())


def test_what_does_not_finish_is_lost_from_when_readers_are_let_go(run: Run[None]) -> None:
    """And not from when the runs are closed: a server waits for its readers before that."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub, grace_seconds=0) as runs:
            upstream = Upstream()
            await runs.start(upstream.answer, id="r")
            reader = asyncio.create_task(collected(hub, "runs/r"))
            await upstream.reached.wait()
            hub.drain()
            with pytest.raises(StreamFailed):
                await reader
            assert (await runs.get("r")).state is RunState.LOST
            assert upstream.closed == 1

    run(main())


async def collected(hub: Hub, path: str) -> list[bytes]:
    return [record.data async for record in hub.read(path, live=True)]


def test_runs_open_their_hub(run: Run[None]) -> None:
    """As a framework's lifespan, they open and close it; a hub that is open is left alone."""

    async def main() -> None:
        hub = Hub()
        runs = Runs(hub)
        async with runs.lifespan():
            assert hub.is_open
        is_open: bool = hub.is_open
        assert not is_open
        async with hub:
            async with runs:
                pass
            assert hub.is_open
        await runs.aclose()

    run(main())


def test_the_streams_of_runs_are_private(run: Run[None]) -> None:
    """All of them, below whatever prefix; the program itself reads them as ever."""

    async def main() -> None:
        async with Hub() as hub:
            assert Places("runs").roots == RUNS
            async with Runs(hub, prefix="ai/answers", grace_seconds=0) as runs:

                async def source() -> AsyncIterator[str]:
                    yield "Hello"

                await runs.wait((await runs.start(source, idempotency_key="k", owner="me", thread="t")).id)
                paths = [info.path for info in await hub.list()]
                assert {path.rpartition("/")[0] for path in paths} == set(Places("ai/answers").roots)
                assert all(path in hub.private for path in paths)

    run(main())
