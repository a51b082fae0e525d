"""A stream written from start to end: complete when the work is done, failed when it breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from headwater import Failure, Hub, Limits
from headwater.errors import InvalidBody, StoreUnavailable, StreamClosed, StreamExists, StreamFailed, StreamNotFound
from headwater.hub.writer import GROUP_BYTES, join_bodies
from headwater.protocol.json_values import split_json

if TYPE_CHECKING:
    from tests.conftest import Run

JSON = "application/json"


async def values(hub: Hub, path: str) -> list[Any]:
    return [record.json() async for record in hub.read(path)]


async def break_off(hub: Hub, error: Exception, **options: Any) -> None:
    async with hub.writer("a", content_type=JSON, **options) as out:
        await out.write(1)
        raise error


async def write_after_close(hub: Hub) -> None:
    async with hub.writer("d") as out:
        await out.close()
        await out.write(b"x")


async def delete_inside(hub: Hub) -> None:
    async with hub.writer("a"):
        await hub.delete("a")
        raise ZeroDivisionError


def test_a_stream_is_complete_when_the_block_is_left(run: Run[None]) -> None:
    """Records are there at once; the stream is created before and closed after."""

    async def main() -> None:
        async with Hub() as hub:
            async with hub.writer("jobs/7", content_type=JSON) as out:
                answer = await out.write({"done": 1})
                assert await values(hub, "jobs/7") == [{"done": 1}]
                await out.write_all([{"done": 2}, [3], b'[4, {"done": 5}]'])
                assert not (await hub.info("jobs/7")).closed
                assert answer.next_offset < (out.offset or "")
            info = await hub.info("jobs/7")
            assert (info.closed, info.failure, info.tail) == (True, None, out.offset)
            assert await values(hub, "jobs/7") == [{"done": 1}, {"done": 2}, [3], 4, {"done": 5}]

    run(main())


def test_a_stream_that_is_there_is_taken(run: Run[None]) -> None:
    """As it is, if nothing is said of it; otherwise it must be as said."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON, ttl=60)
            async with hub.writer("a") as out:
                await out.write({"n": 1})
            assert await values(hub, "a") == [{"n": 1}]
            await hub.create("b", content_type=JSON, ttl=60)
            with pytest.raises(StreamExists):
                await hub.writer("b", content_type=JSON).__aenter__()

    run(main())


def test_pieces_of_nothing_are_passed_over(run: Run[None]) -> None:
    """Models that stream text send empty pieces; in a JSON stream an empty text is a value."""

    async def pieces() -> AsyncIterator[str]:
        for piece in ("", "a", "", "b", ""):
            yield piece

    async def main() -> None:
        async with Hub() as hub:
            written = await hub.pump("a", pieces(), content_type="text/plain")
            assert [record.data for record in (await hub.read_batch("a", "-1")).records] == [b"a", b"b"]
            assert written.offset == (await hub.info("a")).tail
            async with hub.writer("b") as out:
                assert (await out.write(b"")).next_offset == out.offset == (await hub.info("b")).tail
                await hub.close("b")
                with pytest.raises(StreamClosed):
                    await out.write(b"")
            await hub.pump("c", pieces(), content_type=JSON)
            assert await values(hub, "c") == ["", "a", "", "b", ""]

    run(main())


def test_a_stream_fails_when_the_block_breaks_off(run: Run[None]) -> None:
    """What was written stays; readers are told the kind of the error and not its text, and the error goes on."""

    async def main() -> None:
        async with Hub() as hub:
            with pytest.raises(KeyError, match="secret"):
                await break_off(hub, KeyError("secret"))
            assert (await hub.info("a")).failure == Failure("writer-failed", "the writer raised KeyError")
            records = hub.read("a")
            assert (await anext(records)).json() == 1
            with pytest.raises(StreamFailed):
                await anext(records)

    run(main())


def test_a_cancelled_writer_fails_its_stream(run: Run[None]) -> None:
    """With a code of its own."""

    async def main() -> None:
        async with Hub() as hub:
            began = asyncio.Event()

            async def work() -> None:
                async with hub.writer("a", content_type=JSON):
                    began.set()
                    await asyncio.Event().wait()

            task = asyncio.create_task(work())
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            failure = (await hub.info("a")).failure
            assert failure is not None
            assert failure.code == "cancelled"

    run(main())


def test_what_readers_are_told_can_be_chosen(run: Run[None]) -> None:
    """`on_error` gives the failure; a stream that was ended inside the block is left as it is."""

    async def main() -> None:
        async with Hub() as hub:
            with pytest.raises(ValueError, match="x"):
                await break_off(hub, ValueError("x"), on_error=lambda error: Failure("bad-input", str(error)))
            assert (await hub.info("a")).failure == Failure("bad-input", "x")
            async with hub.writer("b") as out:
                await out.fail("gave-up", "no more")
            assert (await hub.info("b")).failure == Failure("gave-up", "no more")
            async with hub.writer("c", close=False) as out:
                await out.write(b"x")
            assert not (await hub.info("c")).closed
            with pytest.raises(StreamClosed):
                await write_after_close(hub)
            assert (await hub.info("d")).failure is None

    run(main())


def test_a_stream_that_is_gone_does_not_hide_the_error(run: Run[None], caplog: pytest.LogCaptureFixture) -> None:
    """The exception of the block goes on; that the stream could not be failed is logged."""

    async def main() -> None:
        async with Hub() as hub:
            with pytest.raises(ZeroDivisionError):
                await delete_inside(hub)
            with pytest.raises(StreamNotFound):
                await hub.info("a")

    run(main())
    assert "could not be failed" in caplog.text


def test_a_writer_that_was_not_entered_says_so(run: Run[None]) -> None:
    """And so does one that is given nothing to write, or something that is no record."""

    async def main() -> None:
        async with Hub() as hub:
            with pytest.raises(StoreUnavailable, match="async with"):
                await hub.writer("a").write(b"x")
            async with hub.writer("a", content_type="text/plain") as out:
                with pytest.raises(ValueError, match="at least one"):
                    await out.write_all([])
                with pytest.raises(InvalidBody):
                    await out.write(7)

    run(main())


@pytest.mark.parametrize("content_type", [JSON, "text/plain"])
@pytest.mark.parametrize("store", ["memory:", "sqlite:{}/log.db"])
def test_a_pump_writes_all_a_source_gives(run: Run[None], content_type: str, store: str, tmp_path: Any) -> None:
    """In order, each as one record, then the stream is complete; the generator is closed."""
    closed = []

    async def source() -> AsyncIterator[str]:
        try:
            for number in range(2500):
                yield str(number)
                if number % 100 == 0:
                    await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def main() -> None:
        async with Hub(store.format(tmp_path)) as hub:
            done = await hub.pump("a", source(), content_type=content_type, ahead=64)
            records = [record.data.decode().strip('"') async for record in hub.read("a")]
            assert records == [str(number) for number in range(2500)]
            info = await hub.info("a")
            assert (info.closed, info.tail, info.failure) == (True, done.offset, None)

    run(main())
    assert closed == [True]


def test_a_pump_whose_source_breaks_off_fails_the_stream(run: Run[None]) -> None:
    """Behind everything that was given before."""

    async def source() -> AsyncIterator[int]:
        for number in range(10):
            yield number
        raise OSError("upstream")

    async def main() -> None:
        async with Hub() as hub:
            with pytest.raises(OSError, match="upstream"):
                await hub.pump("a", source(), content_type=JSON)
            records = hub.read("a")
            assert [(await anext(records)).json() for _ in range(10)] == list(range(10))
            with pytest.raises(StreamFailed, match="OSError"):
                await anext(records)

    run(main())


def test_a_pump_stops_its_source_when_the_stream_is_gone(run: Run[None]) -> None:
    """A write that is refused ends the pump and closes the generator."""
    closed = []

    async def source() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON)
            pumping = asyncio.create_task(hub.pump("a", source(), content_type=JSON))
            async for _ in hub.read("a", live=True):
                break
            await hub.close("a")
            with pytest.raises(StreamClosed):
                await pumping

    run(main())
    assert closed == [True]


def test_groups_are_bounded() -> None:
    """Bodies are put together up to about a megabyte, and a larger one goes alone; the records stay the same."""
    small, large = b'["' + b"x" * 1000 + b'"]', b'["' + b"y" * (2 * GROUP_BYTES) + b'"]'
    bodies = [small] * 3000 + [large] + [b"7", b" [8, [9]] "]
    groups = join_bodies(bodies, 10_000)
    assert max(len(group) for group in groups if b"y" not in group) <= GROUP_BYTES + 2000
    assert [value for group in groups for value in split_json(group)] == [
        value for body in bodies for value in split_json(body)
    ]
    assert Limits().max_body_bytes > GROUP_BYTES
