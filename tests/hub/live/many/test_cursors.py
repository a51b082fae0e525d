"""The cursor of a read of many streams: with what it is written, and with whom it is shared."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence

import pytest
from tests.conftest import Run
from tests.support.many import JSON, ManyClient, PacketSink, json_streams, until

from headwater import Hub, Limits, StreamConfig
from headwater.hub.live.many import channel
from headwater.hub.live.many.reader import ManyReader
from headwater.protocol import vector


async def changed(hub: Hub, path: str, value: int | bytes) -> None:
    """Append, up to the moment before the readers are given it."""
    stream = hub.live.stream(path)
    assert stream is not None
    appending = asyncio.ensure_future(hub.append(path, value))
    while not stream.changed_at:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await appending


async def packets(sink: PacketSink, word: bytes) -> list[bytes]:
    """What is written, write by write, up to one that has a word."""
    found: list[bytes] = []
    async with asyncio.timeout(60):
        while not any(word in packet for packet in found):
            found += sink.packets()
            await asyncio.sleep(0)
    return found


@pytest.mark.parametrize("has_descriptor", [True, False], ids=["socket", "asgi"])
def test_a_cursor_and_news_that_are_due_together_are_one_write(run: Run[None], has_descriptor: bool) -> None:
    """The cursor stands behind the news, and tells of them. Alone, each is one write."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a", "b")
            hub.runtime.cursors.every = 3600.0
            with PacketSink(has_descriptor=has_descriptor) as sink:
                client = ManyClient(hub, "a", "b", sink=sink)
                reader = client.connect()
                client.feed(b"".join(await packets(sink, b"stream-cursor")))
                await changed(hub, "a", 1)
                reader.tell_cursor()
                (both,) = await packets(sink, b'"data":1')
                assert both.index(b'"data":1') < both.index(b"event: stream-cursor")
                client.feed(both)
                await changed(hub, "b", 2)
                (alone,) = await packets(sink, b'"data":2')
                assert b"stream-cursor" not in alone
                reader.tell_cursor()
                (cursor,) = await packets(sink, b"stream-cursor")
                assert b"data" not in cursor.partition(b"data:")[2]
                reader.connection.lost()
                client.connect()
                await until(lambda: 2 in client.records.get("b", []), client)
                assert (client.records, client.again) == ({"a": [1], "b": [2]}, 0)

    run(main())


def test_a_cursor_goes_with_the_first_news_of_several(run: Run[None]) -> None:
    """Of two streams that have news one carries it; it tells of that one and of nothing that was not written yet."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a", "b")
            hub.runtime.cursors.every = 3600.0
            with PacketSink() as sink:
                client = ManyClient(hub, "a", "b", sink=sink)
                reader = client.connect()
                client.feed(b"".join(await packets(sink, b"stream-cursor")))
                await changed(hub, "b", 2)
                await changed(hub, "a", 1)
                reader.tell_cursor()
                found = await packets(sink, b'"data":1')
                while sum(packet.count(b'"data"') for packet in found) < 2:
                    found += await packets(sink, b'"data"')
                assert [b"stream-cursor" in packet for packet in found].count(True) == 1
                cut = next(number for number, packet in enumerate(found) if b"stream-cursor" in packet)
                client.feed(b"".join(found[: cut + 1]))
                reader.connection.lost()
                client.connect()
                await until(lambda: len(client.records) == 2, client)
                assert (client.records, client.again) == ({"a": [1], "b": [2]}, 0)

    run(main())


@pytest.mark.parametrize("taken", [0, 1, 20, -20, -1])
def test_a_socket_that_takes_part_of_both(run: Run[None], monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """The rest goes through the connection, in order."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a")
            hub.runtime.cursors.every = 3600.0
            with PacketSink() as sink:
                client = ManyClient(hub, "a", sink=sink)

                def put(descriptor: int, data: bytes, more: bytes) -> int:
                    size = taken % len(data + more)
                    return os.write(descriptor, (data + more)[:size]) if size else 0

                monkeypatch.setattr(channel, "put_both", put)
                reader = client.connect()
                client.feed(b"".join(await packets(sink, b"stream-cursor")))
                before = client.cursor
                await changed(hub, "a", 1)
                reader.tell_cursor()
                await until(lambda: client.cursor != before, client)
                assert client.records == {"a": [1]}
                await changed(hub, "a", 2)
                await until(lambda: client.records == {"a": [1, 2]}, client)
                reader.connection.lost()

    run(main())


def test_a_cursor_that_waited_for_news_is_told_without_them(run: Run[None]) -> None:
    """The connection was full when they came; it is told when that takes bytes again."""

    async def main() -> None:
        async with Hub(limits=Limits(buffer_bytes=1024)) as hub:
            await json_streams(hub, "a")
            hub.runtime.cursors.every = 3600.0
            client = ManyClient(hub, "a", high_water=1024)
            reader = client.connect()
            await until(lambda: client.cursor, client)
            before = client.cursor
            await hub.append("a", 1)
            await until(lambda: client.records == {"a": [1]}, client)
            await changed(hub, "a", 2)
            reader.tell_cursor()
            client.sink.write(b":" + b" " * 2000 + b"\n\n")
            await until(lambda: client.records == {"a": [1, 2]}, client)
            assert client.cursor != before

    run(main())


def test_a_cursor_that_waits_for_news_of_which_nothing_is_told(run: Run[None]) -> None:
    """Half of a character is held back: the cursor goes out without it, at the next round, and stands before it."""

    async def main() -> None:
        async with Hub() as hub:
            await json_streams(hub, "a")
            await hub.create("t", content_type="text/plain")
            hub.runtime.cursors.every = 3600.0
            client = ManyClient(hub, "a", "t")
            client.connect()
            await until(lambda: client.cursor, client)
            before = client.cursor
            await hub.append("a", 1)
            await until(lambda: client.records == {"a": [1]}, client)
            await changed(hub, "t", b"\xc3")
            stream = hub.live.stream("t")
            assert stream is not None
            hub.runtime.cursors._wake()  # a second is over
            await until(lambda: not stream.changed_at, client)
            assert client.cursor == before
            hub.runtime.cursors._wake()
            await until(lambda: client.cursor != before, client)
            client.lose()
            await hub.append("t", b"\xa4")
            client.connect()
            await until(lambda: client.records.get("t") == ["ä"], client)
            assert client.records["a"] == [1]
            assert client.again == 0

    run(main())


def cursors(hub: Hub, readers: list[ManyReader]) -> tuple[list[str], int]:
    """The cursors of a round, and how often one was made."""
    made, encode = 0, vector.encode_vector

    def counted(head: bytes, pieces: Sequence[bytes]) -> str:
        nonlocal made
        made += 1
        return encode(head, pieces)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector, "encode_vector", counted)
        hub.runtime.cursors._shared = {}
        found = [reader.vector() for reader in readers]
        hub.runtime.cursors._shared = None
    return found, made


def test_reads_that_stand_at_the_same_place_share_a_cursor(run: Run[None]) -> None:
    """Made once for all of them in a round; who is behind, came with other names or saw something else has its own."""

    async def main() -> None:
        async with Hub(limits=Limits(buffer_bytes=4096)) as hub:
            await json_streams(hub, "rooms/a", "rooms/b", "x")
            hub.runtime.cursors.every = 3600.0
            same = [ManyClient(hub, "rooms/*") for _ in range(20)]
            other = [ManyClient(hub, "rooms/*", "x"), ManyClient(hub, "rooms/a", "rooms/b"), ManyClient(hub, "**")]
            two = [ManyClient(hub, "rooms/*", "**") for _ in range(2)]
            slow = ManyClient(hub, "rooms/*", high_water=4096)
            clients = [*same, *other, *two, slow]
            readers = [client.connect() for client in clients]
            for path in ("rooms/a", "rooms/b", "x"):
                await hub.append(path, 1)
            await until(lambda: all("rooms/b" in client.records for client in clients), *clients)
            slow.sink.write(b":" * 5000)
            await hub.append("rooms/new", 1, create=StreamConfig(JSON))
            await hub.append("rooms/a", 2)
            prompt = [*same, other[0], other[2], *two]
            await until(lambda: all("rooms/new" in client.records for client in prompt), *prompt)
            await until(lambda: all(2 in client.records["rooms/a"] for client in prompt), *prompt)
            alone = [reader.vector() for reader in readers]
            shared, made = cursors(hub, readers)
            assert shared == alone
            assert len(set(shared[:20])) == 1
            assert made == 1 + len(readers) - 20
            assert shared[-1] != shared[0]
            late = ManyClient(hub, "rooms/*")
            readers.append(late.connect())
            await until(lambda: late.cursor, late)
            assert cursors(hub, readers)[0] == [reader.vector() for reader in readers]
            for client in (*clients, late):
                client.lose()

    run(main())


@pytest.mark.parametrize("seed", range(4))
def test_a_shared_cursor_is_what_each_would_have(run: Run[None], seed: int) -> None:
    """Whatever has happened to the reads and their streams."""
    chance = random.Random(seed)

    async def main() -> None:
        async with Hub(limits=Limits(buffer_bytes=4096)) as hub:
            hub.runtime.cursors.every = 3600.0
            await json_streams(hub, "rooms/0", "a")
            names = [("rooms/*",), ("rooms/*", "a"), ("a", "rooms/0"), ("rooms/*",)]
            clients, readers = list[ManyClient](), list[ManyReader]()
            for turn in range(60):
                step = chance.random()
                if step < 0.25:
                    clients.append(ManyClient(hub, *chance.choice(names), high_water=4096))
                    readers.append(clients[-1].connect())
                elif step < 0.35 and clients:
                    chance.choice(clients).sink.write(b":" * 5000)
                elif step < 0.45:
                    await hub.append(f"rooms/{turn}", turn, create=StreamConfig(JSON))
                elif step < 0.55 and turn > 10:
                    found = await hub.list(prefix="rooms/")
                    await hub.delete(chance.choice(found).path) if len(found) > 2 else None
                elif step < 0.65:
                    for client in clients:
                        client.take()
                else:
                    path = chance.choice([info.path for info in await hub.list()])
                    await hub.append(path, turn)
                for _ in range(chance.randrange(6)):
                    await asyncio.sleep(0)
                alone = [reader.vector() for reader in readers]
                assert cursors(hub, readers)[0] == alone
            for client in clients:
                client.lose()

    run(main())
