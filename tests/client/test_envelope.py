"""Records with what is known of them, as a client is told it: whole, at each cut, and by each transport."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.support.access import SECRET, token
from tests.support.processes import ServerProcess, headwater_server

from headwater import Hub
from headwater.client import Connection, Item, Principal, Signal, Stream
from headwater.client.codec import Codec
from headwater.client.connection.door import Piece
from headwater.client.connection.session import Told
from headwater.client.connection.way import MessagesWay
from headwater.client.errors import BadAnswer
from headwater.client.items import Batch
from headwater.client.sync import Stream as SyncStream
from headwater.client.told import Heard, signal_of
from headwater.client.wires.events import Events
from headwater.client.wires.ndjson import JsonLines
from headwater.model import Batch as Stored
from headwater.model import Record
from headwater.protocol.cursor import Data
from headwater.protocol.ndjson import JsonLines as LineEncoder
from headwater.protocol.sse_plain import PlainEvents
from headwater.protocol.websocket import messages as m

Run = Callable[[Coroutine[Any, Any, Any]], Any]

KINDS = {
    "application/json": (b'{"at":1,"by":{"subject":"x"}}', b'"half \\ud83d"', b"[1]"),
    "text/plain": (b"a\nb\r\n", "ä".encode(), b'{"by":1}'),
    "application/octet-stream": (bytes(range(256)), b"\n", b"x"),
}
WIRES: list[Any] = [(JsonLines, LineEncoder), (Events, PlainEvents)]
BY = [Principal("u1", "https://app.example"), None, Principal('u"2\\')]


def offset(number: int) -> str:
    return f"0000000000000001_{number:016d}"


@pytest.mark.parametrize(("wire", "encoder"), WIRES)
@pytest.mark.parametrize("content_type", KINDS)
def test_what_is_known_of_each_wherever_the_bytes_are_cut(wire: Any, encoder: Any, content_type: str) -> None:
    """Also where a record's own fields have the names of the envelope's."""
    parts = zip(KINDS[content_type], BY, strict=True)
    records = tuple(Record(offset(n), data, n + 0.25, by) for n, (data, by) in enumerate(parts, 1))
    data = Data(Stored("-1", records, records[-1].offset, True, False, content_type))
    made = encoder(content_type, envelope=True)
    text = made.opening() + made.encode(data, 0)
    expected = [(record.offset, record.data, record.at, record.by) for record in records]
    for cuts in ([], list(range(1, len(text))), *[[at] for at in range(1, len(text), 7)]):
        reader: Any = wire(Codec(content_type), envelope=True)
        told = [
            each for begin, end in itertools.pairwise([0, *cuts, len(text)]) for each in reader.feed(text[begin:end])
        ]
        items = [item for each in told if isinstance(each, Batch) for item in each.items]
        assert [(item.offset, item.raw, item.at, item.by) for item in items] == expected


@pytest.mark.parametrize("data", [b"1", b"[]", b'{"offset":"x","at":"no","data":1}', b"{"])
def test_an_event_that_is_no_envelope(data: bytes) -> None:
    """Is refused as an answer of something else."""
    events: Any = Events(Codec("application/json"), envelope=True)
    with pytest.raises(BadAnswer):
        events.feed(b"id:" + offset(1).encode() + b"\ndata:" + data + b"\n\n")


def test_messages_of_a_connection() -> None:
    """Null stands for nobody; as many as there are records, or it is no answer."""
    way: MessagesWay[Any] = MessagesWay(Codec, None)
    way.begin(200, {"content-type": "application/json"})

    def told(**known: Any) -> list[Item[Any]]:
        message = m.Data(5, offset(2), ["1"], [msgspec.Raw(b"1"), msgspec.Raw(b"2")], **known)
        [batch] = way.feed(Piece(Told(1, message)))
        assert isinstance(batch, Batch)
        return batch.items

    assert [(item.at, item.by) for item in told()] == [(None, None)] * 2
    assert [(item.at, item.by) for item in told(at=[1.5, 2.5])] == [(1.5, None), (2.5, None)]
    assert [item.by for item in told(at=[1.5, 2.5], by=[None, BY[0]])] == [None, BY[0]]
    for known in ({"at": [1.5]}, {"at": [1.5, 2.5], "by": [None]}):
        with pytest.raises(BadAnswer):
            told(**known)


def test_a_signal_has_who_sent_it() -> None:
    """Where that is proven."""
    heard = Heard(b'{"control":"signal","from":"u1","by":{"subject":"u1","issuer":"i"},"data":1}')
    assert signal_of(heard) == Signal(1, "u1", by=Principal("u1", "i"))
    assert signal_of(Heard(b'{"control":"signal","from":"u1","data":1}')) == Signal(1, "u1")


def test_of_a_hub_in_this_process(run: Run) -> None:
    """As the program says."""

    async def test() -> None:
        async with Hub("memory:") as hub:
            await hub.create("jobs/7", content_type="application/json")
            await hub.append("jobs/7", 1, by="u1")
            await hub.append("jobs/7", 2)
            async with Stream[Any]("jobs/7", hub=hub) as jobs:
                found = [item async for item in jobs.read(live=False, envelope=True)]
                assert [(item.data, item.by) for item in found] == [(1, Principal("u1")), (2, None)]
                assert all(item.at is not None for item in found)
                assert [(item.at, item.by) async for item in jobs.read(live=False)] == [(None, None)] * 2

    run(test())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    file = tmp_path_factory.mktemp("access") / "access.key"
    Path(file).write_bytes(SECRET)
    with headwater_server("memory:", "--access-key-file", str(file)) as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["sse", "ndjson", "long-poll", "live-sse", "websocket"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_by_each_transport(run: Run, guarded: ServerProcess, transport: Any, content_type: str) -> None:
    """Caught up and live, of several writers; those that have no place for it leave it out."""
    root = f"{guarded.url}/v1/stream/"
    name = f"{transport}/{uuid4().hex}"

    def bearer(sub: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token(sub)}"}

    async def test() -> None:
        async with (
            Stream[Any](root + name, headers=bearer("u1"), content_type=content_type) as one,
            Stream[Any](root + name, headers=bearer("u2"), content_type=content_type) as two,
            Connection(root, headers=bearer("reader")) as connection,
        ):
            await one.create()
            await one.append("a")
            await two.append("b")
            reader: Any = (
                connection.stream(name, content_type=content_type)
                if transport == "websocket"
                else Stream[Any](root + name, headers=bearer("reader"), transport=transport, content_type=content_type)
            )
            text, by = "", []
            async with asyncio.timeout(20):
                async for item in reader.read(envelope=True):
                    text += item.data
                    by.append(item.by)
                    assert (item.at is None) == (transport in ("long-poll", "live-sse"))
                    if text == "ab":
                        await one.append("c")
                    if text == "abc":
                        break
            if transport in ("long-poll", "live-sse"):
                assert set(by) == {None}
            else:
                assert by == [Principal(sub, "headwater") for sub in ("u1", "u2", "u1")]
            await reader.aclose()

    run(test())


@pytest.mark.slow
def test_a_program_that_is_not_asynchronous(guarded: ServerProcess) -> None:
    with SyncStream[Any](
        f"{guarded.url}/v1/stream/{uuid4().hex}", headers={"authorization": f"Bearer {token('u1')}"}
    ) as stream:
        stream.create()
        stream.append(1)
        [item] = stream.read(live=False, envelope=True)
        assert item.by == Principal("u1", "headwater")


@pytest.mark.slow
@pytest.mark.parametrize("content_type", ["application/json", "application/msgpack"])
@pytest.mark.parametrize("way", ["http", "websocket", "process"])
def test_the_newest_records(run: Run, guarded: ServerProcess, way: str, content_type: str) -> None:
    """Each with its own offset, of several pages too; who does not ask has neither, and an empty stream has none."""
    root = f"{guarded.url}/v1/stream/"
    name = f"last/{uuid4().hex}"

    async def check(stream: Stream[Any], writer: Stream[Any]) -> None:
        assert await stream.last(5, envelope=True) == []
        for value in range(3):
            await writer.append(value)
        read = [(item.data, item.offset, item.at, item.by) async for item in stream.read(live=False, envelope=True)]
        last = await stream.last(2, envelope=True)
        assert [(item.data, item.offset, item.at, item.by) for item in last] == read[1:]
        assert all(item.at is not None for item in last)
        assert [(item.data, item.at, item.by) for item in await stream.last(2)] == [(1, None, None), (2, None, None)]
        count = 1002
        await asyncio.gather(*(writer.append(value) for value in range(3, count)))
        assert [item.data for item in await stream.last(count, envelope=True)] == list(range(count))

    async def test() -> None:
        headers = {"authorization": f"Bearer {token('u1')}"}
        async with (
            Hub("memory:") as hub,
            Connection(root, headers=headers) as connection,
            Stream[Any](root + name, headers=headers, content_type=content_type) as made,
        ):
            stream: Stream[Any] = (
                made
                if way == "http"
                else connection.stream(name, content_type=content_type)
                if way == "websocket"
                else Stream[Any]("jobs/7", hub=hub, content_type=content_type)
            )
            async with stream:
                await stream.create()
                await check(stream, stream if way == "process" else made)

    run(test())
