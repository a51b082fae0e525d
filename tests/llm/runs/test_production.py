"""Production: whatever a source does, its log ends, and says how."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from headwater import Hub
from headwater.errors import StoreUnavailable, StreamNotFound
from headwater.llm import Runs, RunState, SourceLimits
from headwater.llm.parts import Error, ToolReady, ToolStart
from headwater.llm.runs.production import one_line

if TYPE_CHECKING:
    from tests.conftest import Run

SECRET = "sk-secret"


def chunk(content: str, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "choices": [choice]}


async def raising() -> AsyncIterator[str]:
    yield "so far"
    raise ValueError(f"Incorrect API key provided: {SECRET}")


async def timing_out() -> AsyncIterator[str]:
    yield "so far"
    raise TimeoutError


async def nonsense() -> AsyncIterator[Any]:
    yield "so far"
    yield 3.5
    yield "never"


async def cancelling() -> AsyncIterator[str]:
    yield "so far"
    raise asyncio.CancelledError


async def truncated() -> AsyncIterator[Any]:
    yield chunk("so far")


async def failing() -> AsyncIterator[Any]:
    yield chunk("so far")
    yield {"error": {"code": "overloaded", "message": "try later"}}


async def unspeakable() -> AsyncIterator[Any]:
    yield "so far"
    yield ToolStart("c", "t")
    yield ToolReady("c", "t", object())


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        (raising, "failed", "the source raised ValueError"),
        (timing_out, "failed", "the source raised TimeoutError"),
        (nonsense, "unknown-item", "the source gave an item of the type float"),
        (cancelling, "source-failed", "the source was cancelled"),
        (truncated, "truncated", "the source ended without its last event"),
        (failing, "overloaded", "try later"),
        (unspeakable, "unknown-item", "a ToolReady with a value that has no JSON form"),
    ],
)
def test_a_source_that_breaks_off(run: Run[None], source: Any, code: str, message: str) -> None:
    """The run fails, with what came before and the reason; an exception's text stays in the program."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            begun = await runs.start(source)
            info = await runs.wait(begun.id)
            assert info.state is RunState.FAILED
            assert message in info.message
            answer = await runs.answer(begun.id)
            assert answer.text == "so far"
            assert answer.error is not None
            assert answer.error.code == code
            assert message in answer.error.message
            assert SECRET not in info.message + answer.error.message

    run(main())


def test_what_readers_are_told_can_be_chosen(run: Run[None]) -> None:
    """`on_error` makes the error part."""

    async def main() -> None:
        async with Hub() as hub, Runs(hub, on_error=lambda error: Error("quota", "come back\ntomorrow")) as runs:
            begun = await runs.start(raising)
            assert (await runs.wait(begun.id)).message == "quota: come back tomorrow"
            assert (await runs.answer(begun.id)).error == Error("quota", "come back\ntomorrow")

    run(main())


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (SourceLimits(stall_seconds=0.01), "nothing for 0.01 seconds"),
        (SourceLimits(run_seconds=0.01), "longer than 0.01 seconds"),
    ],
)
def test_a_source_that_takes_too_long(run: Run[None], limits: SourceLimits, message: str) -> None:
    """It is closed, and the run fails with the code `timeout`."""
    closed = []

    async def stalling() -> AsyncIterator[str]:
        try:
            yield "so far"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def main() -> None:
        async with Hub() as hub, Runs(hub, limits=limits) as runs:
            begun = await runs.start(stalling)
            info = await runs.wait(begun.id)
            assert message in info.message
            failure = (await hub.info(f"runs/{begun.id}")).failure
            assert failure is not None
            assert failure.code == "timeout"
            assert (await runs.answer(begun.id)).text == "so far"
            while runs.running:  # noqa: ASYNC110 - nothing tells of the task, which ends after the log
                await asyncio.sleep(0)

    run(main())
    assert closed == [True]


class Flaky(Hub):
    """A hub that cannot write for a while."""

    refuse = 0

    def post(self, path: str, request: Any, done: Any) -> None:
        self._refuse(path)
        super().post(path, request, done)

    async def write(self, path: str, request: Any, by: Any = None) -> Any:
        self._refuse(path)
        return await super().write(path, request)

    def _refuse(self, path: str) -> None:
        if self.refuse and path.startswith("runs/"):
            self.refuse -= 1
            raise StoreUnavailable("the disk is full")


def test_a_store_that_cannot_write_for_a_while(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The run waits, and nothing is lost or repeated."""
    monkeypatch.setattr("headwater.llm.runs.production.RETRY_SECONDS", 0.001)

    async def main() -> None:
        async with Flaky() as hub, Runs(hub) as runs:
            hub.refuse = 5
            begun = await runs.start(["a", "b"])
            assert (await runs.wait(begun.id)).state is RunState.FINISHED
            assert (await runs.answer(begun.id)).text == "ab"
            assert hub.refuse == 0

    run(main())


def test_a_store_that_cannot_write_for_long(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The source is given up, and the run ends as lost when the store is back."""
    monkeypatch.setattr("headwater.llm.runs.production.RETRY_SECONDS", 0.001)
    monkeypatch.setattr("headwater.llm.runs.runs.TICK_SECONDS", 0.001)

    async def main() -> None:
        async with Flaky() as hub, Runs(hub, limits=SourceLimits(unavailable_seconds=0.01)) as runs:
            hub.refuse = 1 << 30
            begun = await runs.start(["a", "b"])
            while runs.running:  # noqa: ASYNC110 - nothing is written that could tell
                await asyncio.sleep(0.001)
            assert (await runs.get(begun.id)).state is RunState.RUNNING
            hub.refuse = 0
            assert (await runs.wait(begun.id)).state is RunState.LOST

    run(main())


def test_a_log_that_is_deleted_ends_its_run(run: Run[None]) -> None:
    """The source is closed."""
    closed = []

    async def source() -> AsyncIterator[str]:
        try:
            yield "a"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            begun = await runs.start(source)
            async for record in hub.read(f"runs/{begun.id}", live=True):
                if b"text" in record.data:
                    break
            await hub.delete(f"runs/{begun.id}")
            while runs.running:  # noqa: ASYNC110 - the log that could tell is gone
                await asyncio.sleep(0)
            with pytest.raises(StreamNotFound):
                await hub.info(f"runs/{begun.id}")

    run(main())
    assert closed == [True]


def test_many_runs_put_their_tokens_together(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The more runs, the fewer appends for the same tokens; nothing is lost, and a stop does not wait."""
    monkeypatch.setattr("headwater.llm.runs.pacing.APPEND_SECONDS", 10.0)
    monkeypatch.setattr("headwater.llm.runs.pacing.MAX_REST", 10.0)

    async def endless() -> AsyncIterator[str]:
        number = 0
        while True:
            yield f"{number} "
            number += 1
            await asyncio.sleep(0)

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            begun = await runs.start(endless)
            async for record in hub.read(f"runs/{begun.id}", live=True):
                if b"text" in record.data:
                    break
            before = hub.stats.appends
            for _ in range(100):
                await asyncio.sleep(0)
            assert hub.stats.appends == before
            assert (await runs.stop(begun.id)).state is RunState.STOPPED
            numbers = (await runs.answer(begun.id)).text.split()
            assert numbers == [str(number) for number in range(len(numbers))]
            assert len(numbers) > 50

    run(main())


def test_failures_are_one_line() -> None:
    """Whatever an upstream writes."""
    assert one_line("a\r\nb\x00c" + "x" * 2000) == "a  b c" + "x" * 994
