"""Many streams on one WebSocket of a real server: read, written, told, and cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from conformance.toxics import Toxics, bad_network
from tests.support.processes import ServerProcess, headwater_server

from headwater.client import Connection, Ending, Member, Retry, Stream, Unsupported
from headwater.errors import HeadwaterError, StreamClosed, StreamFailed, StreamNotFound, TooLarge

pytestmark = pytest.mark.slow

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def root(server: ServerProcess) -> str:
    """Of all streams of the server."""
    return f"{server.url}/v1/stream/"


def path() -> str:
    """Of a stream that is not there yet."""
    return f"t/{uuid4().hex}"


def test_a_stream_of_a_connection_is_a_stream(run: Run, root: str) -> None:
    """Made, written, read, ended, asked and deleted by the same names, on one socket."""

    async def test() -> None:
        async with Connection(root) as connection:
            stream = connection.stream(path())
            assert isinstance(stream, Stream)
            assert await stream.head() is None
            info = await stream.create(ttl=60)
            assert info.created
            await asyncio.gather(*[stream.append(n) for n in range(5)])
            found = []
            reader = stream.read()
            async for item in reader:
                found.append(item.data)
                if item.data == 4:
                    await stream.append({"five": 5})
                    await stream.close_stream("last")
            assert found == [0, 1, 2, 3, 4, {"five": 5}, "last"]
            assert reader.end is not None
            assert reader.end.kind is Ending.CLOSED
            assert reader.transport == "websocket"
            assert await stream.all() == found
            assert [item.data for item in await stream.last(2)] == found[-2:]
            head = await stream.head()
            assert head is not None
            assert (head.closed, head.ttl) == (True, 60)
            with pytest.raises(StreamClosed):
                await stream.append(1)
            await stream.delete()
            assert await stream.head() is None

    run(test())


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "application/msgpack"])
def test_whatever_records_are_made_of(run: Run, root: str, kind: str) -> None:
    """Text with every line end, and bytes that are no text, come as they went."""
    values: dict[str, list[Any]] = {
        "text/plain": ["one\r\n", "zwölf \N{SNOWMAN}"],
        "application/octet-stream": [b"\x00\xff\r\n", b"{"],
        "application/msgpack": [{"a": b"\xff"}, [1, None]],
    }

    async def test() -> None:
        async with Connection(root) as connection:
            stream = connection.stream(path(), content_type=kind)
            await stream.create()
            for value in values[kind]:
                await stream.append(value)
            await stream.close_stream()
            assert [item.data async for item in stream] == values[kind]

    run(test())


def test_a_stream_that_fails_and_one_that_is_not_there(run: Run, root: str) -> None:
    """As over HTTP; one that is waited for is read from its first record."""

    async def test() -> None:
        async with Connection(root) as connection:
            broken = connection.stream(path())
            await broken.append(1, create=True)
            await broken.fail("boom", "the source broke")
            with pytest.raises(StreamFailed) as failed:
                assert [item async for item in broken] == []
            assert failed.value.details["failure_message"] == "the source broke"
            absent = connection.stream(path())
            with pytest.raises(StreamNotFound):
                await absent.all()
            waiting = asyncio.create_task(anext(absent.read("now", missing="wait")))
            while not connection.is_open:  # noqa: ASYNC110  # a state is not told
                await asyncio.sleep(0)
            await absent.append("first", create=True)
            assert (await waiting).data == "first"

    run(test())


def test_a_second_reader_of_a_stream_has_a_socket_of_its_own(run: Run, root: str) -> None:
    """Both get everything."""

    async def test() -> None:
        async with Connection(root) as connection:
            stream = connection.stream(path())
            await stream.create(first=[1, 2])
            both = [stream.read(), stream.read()]
            assert [(await anext(reader)).data for reader in both] == [1, 1]
            await stream.close_stream(3)
            assert [[item.data async for item in reader] for reader in both] == [[2, 3], [2, 3]]

    run(test())


def test_what_a_connection_cannot_do_says_what_can(run: Run, root: str) -> None:
    """A fork, another transport, a stream of another server."""

    async def test() -> None:
        async with Connection(root) as connection:
            stream = connection.stream(path())
            await stream.create()
            with pytest.raises(Unsupported, match="Stream"):
                await stream.fork("other")
            with pytest.raises(Unsupported, match="Connection"):
                Stream(root + "a", transport="websocket")
            async with Stream[Any](root + "a") as plain:
                with pytest.raises(Unsupported, match="Connection"):
                    plain.presence({"here": True})
        for wrong in ("ftp://a/", "http://", "http://a/?b", "nothing"):
            with pytest.raises(ValueError, match="URL"):
                Connection(wrong)

    run(test())


def test_one_record_that_is_too_large_takes_nothing_with_it(run: Run) -> None:
    """The server closes such a connection: what else was on it comes back, and that record alone is refused."""
    with headwater_server("memory:", "--max-body-bytes", "100000") as server:

        async def test() -> None:
            async with Connection(f"{server.url}/v1/stream/", retry=Retry(base=0.01)) as connection:
                stream = connection.stream(path())
                await stream.create(first=[0])
                reader = stream.read()
                assert (await anext(reader)).data == 0
                large, small = await asyncio.gather(
                    stream.append("x" * 200_000),
                    connection.stream(path()).append(1, create=True),
                    return_exceptions=True,
                )
                assert isinstance(large, TooLarge)
                assert isinstance(small, str)
                await stream.append(1)
                assert (await anext(reader)).data == 1

        run(test())


def test_signals_are_told_to_who_listens(run: Run, root: str) -> None:
    """On a connection and over HTTP, with topic and sender."""

    async def test() -> None:
        async with Connection(root, name="ada") as connection, Stream[Any](root + (name := path())) as plain:
            room = connection.stream(name)
            await room.create()
            here, there = room.signals(), plain.signals()
            firsts = [asyncio.create_task(anext(each)) for each in (here, there)]
            while not all(each.done() for each in firsts):
                await room.signal({"on": True}, topic="typing")
                await asyncio.sleep(0.02)
            for first in firsts:
                assert (first.result().data, first.result().topic) == ({"on": True}, "typing")
            assert firsts[0].result().sender == "ada"
            await here.aclose()
            await there.aclose()

    run(test())


async def until(presence: Any, ids: set[str]) -> list[Member]:
    """The list when just these are there."""
    async for members in presence:
        if {member.id for member in members} == ids:
            found: list[Member] = members
            return found
    raise AssertionError("it ended")


def test_who_is_there(run: Run, root: str) -> None:
    """Members come, change their state and leave, and who looks on is told."""

    async def test() -> None:
        name = path()
        async with Connection(root, name="ada") as one, Connection(root, name="bob") as two:
            await one.stream(name).create()
            async with one.stream(name).presence({"typing": False}) as ada:
                await until(ada, {"ada"})
                async with two.stream(name).presence() as looker:
                    async with two.stream(name).presence("here") as bob:
                        await until(ada, {"ada", "bob"})
                        await bob.set("busy")
                        async for members in looker:
                            if Member("bob", "busy") in members:
                                break
                    await until(looker, {"ada"})
                    assert looker.members == [Member("ada", {"typing": False})]

    run(test())


def test_a_member_id_that_is_somebody_elses_is_refused(run: Run, root: str) -> None:
    """Who iterates is told."""

    async def test() -> None:
        name = path()
        async with Connection(root, name="ada") as one, Connection(root, name="ada") as two:
            await one.stream(name).create()
            async with one.stream(name).presence(1) as ada:
                await until(ada, {"ada"})
                async with two.stream(name).presence(2) as other:
                    with pytest.raises(HeadwaterError) as caught:
                        async for _ in other:
                            pass
                    assert caught.value.code == "member-taken"

    run(test())


@asynccontextmanager
async def cut_again_and_again(server: ServerProcess) -> AsyncIterator[str]:
    """The server's root behind a network that cuts every 0.3 seconds."""
    async with bad_network("127.0.0.1", server.port, Toxics(cut_every=0.3), seed=1) as network:
        yield f"http://{network.address}/v1/stream/"


async def was_set(presence: Any, state: int) -> bool:
    """Whether the network let it through; what is refused for good is raised."""
    try:
        await presence.set(state)
    except HeadwaterError as error:
        if not error.retryable:
            raise
        return False
    return True


def test_a_member_that_is_cut_comes_back_as_the_same_one(run: Run, server: ServerProcess) -> None:
    """By its key, without waiting for the grace; nobody is told that it left."""

    async def test() -> None:
        name = path()
        async with (
            cut_again_and_again(server) as bad,
            Connection(f"{server.url}/v1/stream/", name="eve") as good,
            Connection(bad, name="ada", retry=Retry(base=0.05)) as connection,
        ):
            await good.stream(name).create()
            async with good.stream(name).presence() as looker, connection.stream(name).presence(0) as ada:
                await until(looker, {"ada"})
                for state in range(1, 12):
                    while not await was_set(ada, state):
                        pass
                    await asyncio.sleep(0.1)
                    assert [member.id for member in looker.members] == ["ada"]

    run(test())
