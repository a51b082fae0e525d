"""Streams of a real server: read by each transport, written once, made, ended and forked."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pydantic
import pytest

from headwater.client import (
    BadRecord,
    Ending,
    HeadwaterError,
    Progress,
    ReaderState,
    Retry,
    Stream,
    UnknownOutcome,
)
from headwater.client.sync import Stream as SyncStream
from headwater.errors import ContentTypeMismatch, StreamClosed, StreamExists, StreamFailed, StreamNotFound

pytestmark = pytest.mark.slow

Url = Callable[[], str]
TRANSPORTS: list[Any] = ["auto", "sse", "ndjson", "long-poll", "live-sse"]


def run(test: Any) -> Any:
    """A coroutine, to its end; a connection that it leaves open is found here, and not in the next test."""
    found = asyncio.run(asyncio.wait_for(test, 60))
    gc.collect()
    return found


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_history_then_live_then_the_end(url: Url, transport: Any) -> None:
    """Each transport gives the same values, and ends when the stream is closed."""

    async def test() -> None:
        async with Stream[Any](url(), transport=transport) as stream:
            await stream.create(first=[1, {"a": 2}])
            found = []
            reader = stream.read()
            async for item in reader:
                found.append(item.data)
                if len(found) == 2:
                    await stream.append("live")
                    await stream.close_stream([3])
            assert found == [1, {"a": 2}, "live", [3]]
            assert reader.end is not None
            assert reader.end.kind is Ending.CLOSED
            assert reader.state is ReaderState.ENDED

    run(test())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_stream_that_fails_raises_behind_its_last_record(url: Url, transport: Any) -> None:
    """EOF alone never means success, and neither does a failure."""

    async def test() -> None:
        async with Stream[Any](url(), transport=transport, content_type="text/plain") as stream:
            await stream.create()
            await stream.append("half")
            await stream.fail("boom", "the source broke")
            found: list[Any] = []
            with pytest.raises(StreamFailed) as caught:
                await read_into(stream, found, [])
            assert found == ["half"]
            assert caught.value.details["failure"] == "boom"

    run(test())


class Step(msgspec.Struct):
    done: int


class Model(pydantic.BaseModel):
    done: int


async def read_into(reader: Any, found: list[Any], refused: list[BadRecord]) -> None:
    """To the end, or behind a record that is refused."""
    try:
        async for item in reader:
            found.append(item.data)  # noqa: PERF401  # what came before an error counts
    except BadRecord as error:
        refused.append(error)
        reader.skip()


@pytest.mark.parametrize(("kind", "value"), [(Step, Step(1)), (Model, Model(done=1)), (bytes, b'{"done":1}')])
@pytest.mark.parametrize("transport", ["sse", "ndjson", "long-poll"])
def test_values_have_the_type_that_was_asked_for(url: Url, transport: Any, kind: Any, value: Any) -> None:
    """And what is not of it is refused with its bytes, and can be left out."""

    async def test() -> None:
        async with Stream[Any](url(), type=kind, transport=transport) as stream:
            await stream.create()
            await stream.append(value)
            await stream.append(b'"no step"')
            await stream.append(value)
            await stream.close_stream()
            found: list[Any] = []
            refused: list[BadRecord] = []
            reader = stream.read()
            while reader.end is None:
                await read_into(reader, found, refused)
            assert (
                [(error.raw, error.retryable) for error in refused] == [] if kind is bytes else [(b'"no step"', False)]
            )
            if kind is bytes:
                assert found == [value, b'"no step"', value]
            else:
                assert found == [value, value]

    run(test())


def test_all_follows_every_page_and_last_goes_back(url: Url) -> None:
    """More than one request takes, both ways."""

    async def test() -> None:
        told: list[Progress] = []
        async with Stream[Any](url()) as stream:
            await stream.create()
            await asyncio.gather(*[stream.append(n) for n in range(2500)])
            assert await stream.all(progress=told.append) == list(range(2500))
            assert [item.data for item in await stream.last(1200)] == list(range(1300, 2500))
            assert told[-1].records == 2500

    run(test())


def test_a_stream_that_is_not_there(url: Url) -> None:
    """It is an error, or waited for; the type of what is made is the stream's own."""

    async def test() -> None:
        async with Stream[Any](url()) as stream:
            assert await stream.head() is None
            with pytest.raises(StreamNotFound):
                await stream.all()
            reader = stream.read(missing="wait")
            waiting = asyncio.create_task(anext(reader))
            while reader.state is not ReaderState.ABSENT:  # noqa: ASYNC110  # a state is not told
                await asyncio.sleep(0.01)
            async with Stream[Any](stream.url, content_type="text/plain") as other:
                await other.append("here", create=True)
            assert (await waiting).data == "here"
            await reader.close()

    run(test())


def test_breaking_off_and_going_on_loses_and_repeats_nothing(url: Url) -> None:
    """In the middle of a batch, too; the place moves when the next is asked for."""

    async def test() -> None:
        async with Stream[Any](url()) as stream:
            await stream.create(first=[1, 2, 3, 4])
            reader = stream.read()
            offsets = []
            async for item in reader:
                offsets.append(item.offset)
                if item.data == 2:
                    break
            assert reader.offset == offsets[0]
            found = []
            async for item in reader:
                found.append(item.data)
                if item.data == 4:
                    break
            assert found == [3, 4]

    run(test())


def test_what_is_refused_is_raised_by_its_class(url: Url) -> None:
    """Once, with the code and whether it would help to try again."""

    async def test() -> None:
        async with Stream[Any](url()) as stream:
            await stream.create(closed=True)
            with pytest.raises(StreamClosed) as closed:
                await stream.append(1)
            assert (closed.value.code, closed.value.retryable) == ("stream-closed", False)
            with pytest.raises(StreamExists):
                await stream.create(content_type="text/plain")
            fork = await stream.fork("forked-" + stream.url[-8:])
            async with Stream[Any](fork.url, content_type="text/plain") as other:
                with pytest.raises(ContentTypeMismatch):
                    await other.append("x")
            await fork.delete()
            await stream.delete()

    run(test())


def test_one_record_at_fault_does_not_take_the_others_with_it(url: Url) -> None:
    """A batch that is refused is sent record by record."""

    async def test() -> None:
        async with Stream[Any](url()) as stream:
            await stream.create()
            writes = [stream.append(b"1"), stream.append(b"{no json"), stream.append(b"3")]
            first, bad, third = await asyncio.gather(*writes, return_exceptions=True)
            assert isinstance(bad, HeadwaterError)
            assert isinstance(first, str)
            assert isinstance(third, str)
            assert await stream.all() == [1, 3]

    run(test())


def test_a_writer_waits_where_it_is_told_to(url: Url) -> None:
    """No more than its buffer waits, and everything arrives in order."""

    async def test() -> None:
        async with Stream[Any](url(), content_type="text/plain") as stream:
            await stream.create()
            async with await stream.writer(buffer_bytes=2000, in_flight=5) as writer:
                for n in range(300):
                    await writer.write(f"{n}\n")
                    assert writer.pending <= 11
            assert "".join(await stream.all()).split() == [str(n) for n in range(300)]

    run(test())


def test_a_lost_answer_without_a_producer_is_told_as_unknown() -> None:
    """Who cannot send again says so, and does not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        asked = []

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536))

        thread = threading.Thread(target=serve)
        thread.start()

        async def test() -> None:
            async with Stream[Any](f"http://127.0.0.1:{port}/v1/stream/a", content_type="application/json") as stream:
                with pytest.raises(UnknownOutcome):
                    await stream.append_once(1)

        run(test())
        thread.join()
        assert len(asked) == 1


def test_nobody_is_there() -> None:
    """A reader and a writer give up when they are told to."""

    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        async with Stream[Any](f"http://127.0.0.1:{port}/v1/stream/a", retry=False) as stream:
            with pytest.raises(HeadwaterError) as caught:
                await stream.all()
            assert caught.value.code == "network"
            assert caught.value.retryable

    run(test())


@pytest.mark.parametrize("state", ["before", "while live", "after"])
def test_close_in_every_state(url: Url, state: str) -> None:
    """Iteration ends quietly, and nothing is left behind: a connection left open is a warning, and an error here."""

    async def test() -> None:
        async with Stream[Any](url()) as stream:
            await stream.create(first=[1])
            reader = stream.read()
            if state == "before":
                await reader.close()
            found = []
            async for item in reader:
                found.append(item.data)
                if state == "while live":
                    asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(reader.close()))
                else:
                    break
            await reader.close()
            assert reader.end is not None
            assert reader.end.kind is Ending.STOPPED
            assert found == ([] if state == "before" else [1])

    run(test())


def test_a_consumer_that_stops_holds_the_server_and_no_memory(url: Url) -> None:
    """Of 30 MB a reader that takes one record has received what the sockets hold, and no more."""

    async def test() -> None:
        async with Stream[Any](url(), content_type="text/plain") as stream:
            await stream.create()
            for _ in range(30):
                await stream.append("x" * 1_000_000)
            told: list[Progress] = []
            reader = stream.read(progress=told.append)
            async for _ in reader:
                break
            assert told[-1].bytes < 5_000_000

    run(test())


def test_without_asyncio_the_same(url: Url) -> None:
    """Made, written, read, ended, and closed from another thread."""
    with SyncStream[Any](url(), retry=Retry(base=0.1)) as stream:
        stream.create(first=[1])
        stream.append([2])
        stream.append({"a": 3})
        assert stream.all() == [1, [2], {"a": 3}]
        reader = stream.read("now")
        threading.Timer(0.1, reader.close).start()
        assert list(reader) == []
        stream.close_stream(4)
        assert [item.data for item in stream] == [1, [2], {"a": 3}, 4]
        with pytest.raises(StreamClosed):
            stream.append(5)
