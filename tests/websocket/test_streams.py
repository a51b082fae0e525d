"""Streams on a connection: how each comes, what it is told of, and how it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process, turns
from tests.support.websocket import Client, greeted

from headwater import StreamConfig
from headwater.model import Retention
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)


async def records(client: Client, count: int) -> list[Any]:
    """So many records, whatever else is told."""
    found: list[Any] = []
    while len(found) < count:
        message = await client.next()
        if message["t"] == "data":
            found += message["r"]
    return found


def test_a_stream_that_is_made_again_has_another_number(run: Run[None]) -> None:
    """The first one ends as deleted; an append by its number is refused."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            first = await client.ask("sub", path="a")
            await client.ask("append", s=first["s"], r=[1])
            await server.hub.delete("a")
            end = await client.until(t="end")
            assert (end["s"], end["why"], end["code"]) == (first["s"], "deleted", "stream-not-found")
            await server.hub.create("a", content_type=JSON)
            assert (await client.ask("append", s=first["s"], r=[1]))["code"] == "invalid-message"
            second = await client.ask("sub", path="a")
            assert second["s"] != first["s"]
            await server.hub.append("a", 2)
            assert await records(client, 1) == [2]

    run(main())


def test_numbers_are_the_servers(run: Run[None]) -> None:
    """The same for all connections, whatever else they read."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as one, greeted(server) as two:
            for name in "ab":
                await server.hub.create(name, content_type=JSON)
            numbers = {name: (await one.ask("sub", path=name))["s"] for name in "ab"}
            assert {name: (await two.ask("sub", path=name))["s"] for name in "ba"} == numbers

    run(main())


def test_a_subscription_that_is_left_before_its_stream_comes(run: Run[None], tmp_path: Path) -> None:
    """It has its answer all the same, and the stream can be read again; nothing is told of what waits."""

    async def main() -> None:
        settings = Settings(store=f"sqlite:{tmp_path / 'log.db'}", flush_seconds=0)
        async with in_process(settings) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON, body=b"[1]")
            for id, path in ((1, "a"), (3, "b")):
                await client.send(t="sub", id=id, path=path, last=1, missing="wait")
                await client.send(t="unsub", id=id + 1, path=path)
                answers = [await client.next(), await client.next()]
                assert [(each["t"], each["id"]) for each in answers] == [("err", id), ("ok", id + 1)]
                assert answers[0]["code"] == "conflict"
            assert (await client.ask("sub", path="b", missing="wait"))["t"] == "waiting"
            await client.send(t="unsub", path="b")
            assert (await client.next())["code"] == "conflict"
            assert (await client.ask("sub", path="a"))["t"] == "sub"

    run(main())


def test_a_stream_that_is_waited_for(run: Run[None]) -> None:
    """It is told to wait, and comes when it is made; with an offset of an earlier one, behind a gap."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            waiting = await client.ask("sub", path="a", missing="wait")
            assert waiting == {"t": "waiting", "id": 1, "path": "a", "o": "-1"}
            await server.hub.create("a", content_type=JSON, body=b"[1,2]")
            sub = await client.next()
            assert (sub["t"], sub["id"], sub["type"]) == ("sub", 1, JSON)
            assert await records(client, 2) == [1, 2]
            old = (await server.hub.info("a")).tail
            await client.ask("unsub", s=sub["s"])
            await server.hub.delete("a")
            await server.hub.create("a", content_type=JSON, body=b"[3]")
            gone = await client.ask("sub", path="a", from_=old)
            assert (gone["code"], "earliest" in gone["facts"]) == ("offset-gone", True)
            await client.send(t="sub", id=9, path="a", from_=old, missing="wait")
            gap = await client.until(t="gap")
            assert (gap["from"], gap["why"]) == (old, "recreated")
            assert gap["o"] == gap["to"] > old
            assert await records(client, 1) == [3]

    run(main())


def test_a_subscription_that_is_left(run: Run[None]) -> None:
    """By number or by path, also while it waits; nothing comes any more, and it may be taken again."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            sub = await client.ask("sub", path="a")
            await client.send(t="unsub", s=sub["s"])
            assert (await client.until(t="end"))["why"] == "left"
            await server.hub.append("a", 1)
            assert (await client.ask("sub", path="a", from_="now"))["t"] == "sub"
            await client.send(t="unsub", path="a", id=50)
            assert (await client.until(t="end"))["why"] == "left"
            assert await client.next() == {"t": "ok", "id": 50}
            await client.ask("sub", path="later", missing="wait")
            assert (await client.ask("unsub", path="later"))["t"] == "ok"
            await server.hub.create("later", content_type=JSON, body=b"[1]")
            await turns()
            assert (await client.ask("ping"))["t"] == "pong"
            assert server.hub.stats.readers == 0

    run(main())


def test_where_a_subscription_begins(run: Run[None]) -> None:
    """At an offset, at the tail, or with the newest records; `from` says where that is."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            tail = (await server.hub.create("a", content_type=JSON, body=b"[1,2,3]")).tail
            for fields, expected in (
                ({"from_": "-1"}, [1, 2, 3]),
                ({"from_": f"{tail[:17]}{1:016}"}, [2, 3]),
                ({"last": 1}, [3]),
                ({"from_": "now"}, []),
            ):
                sub = await client.ask("sub", path="a", **fields)
                assert sub["tail"] == tail
                found: list[Any] = []
                while (message := await client.next())["t"] != "live":
                    found += message["r"]
                assert (found, message["o"]) == (expected, tail)
                assert sub["from"] == f"{tail[:17]}{3 - len(expected):016}"
                await client.ask("unsub", path="a")

    run(main())


def test_an_envelope_has_times(run: Run[None]) -> None:
    """One for each record; who asks for none is told none, on the same stream."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as one, greeted(server) as two:
            await server.hub.create("a", content_type=JSON)
            await one.ask("sub", path="a", envelope=True)
            await two.ask("sub", path="a")
            await server.hub.append("a", 1)
            at = (await one.until(t="data"))["at"]
            assert at == [record.at for record in (await server.hub.read_batch("a")).records]
            assert "at" not in await two.until(t="data")

    run(main())


def test_a_pattern(run: Run[None]) -> None:
    """Each stream that matches is told of with the id of the `sub`: those that are there, and those that are made."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            for name in ("rooms/1", "rooms/2", "jobs/1"):
                await server.hub.create(name, content_type=JSON, body=b'["%b"]' % name.encode())
            await client.send(t="sub", id=5, path="rooms/*")
            assert await client.next() == {"t": "ok", "id": 5}
            assert sorted(await records(client, 2)) == ["rooms/1", "rooms/2"]
            await server.hub.create("rooms/3", content_type=JSON, body=b'["rooms/3"]')
            sub = await client.until(t="sub")
            assert (sub["id"], sub["path"]) == (5, "rooms/3")
            assert await records(client, 1) == ["rooms/3"]
            assert (await client.ask("sub", path="rooms/*"))["code"] == "already-subscribed"
            assert (await client.ask("sub", path="rooms/3"))["facts"] == {"s": sub["s"]}
            await server.hub.delete("rooms/3")
            assert (await client.until(t="end"))["why"] == "deleted"
            await server.hub.create("rooms/3", content_type=JSON, body=b'["again"]')
            assert await records(client, 1) == ["again"]
            await client.send(t="unsub", path="rooms/*", id=60)
            ends = [await client.until(t="end") for _ in range(3)]
            assert {end["why"] for end in ends} == {"left"}
            assert await client.next() == {"t": "ok", "id": 60}
            await server.hub.create("rooms/4", content_type=JSON, body=b"[1]")
            assert (await client.ask("ping"))["t"] == "pong"
            assert server.hub.stats.readers == 0

    run(main())


def test_more_than_a_connection_may_read(run: Run[None]) -> None:
    """However many are asked for: the limit's name, and the connection goes on; a pattern leaves out what is more."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, connection_subscriptions=3)
        async with in_process(settings) as server, greeted(server) as client:
            for number in range(5):
                await server.hub.create(f"s/{number}", content_type=JSON, body=b"[1]")
            await client.send(t="sub", id=1, path="s/*")
            told = await client.until(t="err")
            assert (told["id"], told["code"]) == (1, "too-many-streams")
            assert "connection_subscriptions=3" in told["detail"]
            for number in range(20):
                refused = await client.ask("sub", path=f"other/{number}", missing="wait")
                assert (refused["code"], refused["after"]) == ("limit-reached", 5)
            assert server.hub.stats.readers == 3

    run(main())


def test_a_stream_whose_oldest_records_go(run: Run[None]) -> None:
    """A subscription without credit goes on behind what is no longer kept, and is told of the gap."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, window_bytes=600)
        async with in_process(settings) as server, greeted(server) as client:
            config = StreamConfig(JSON, retention=Retention(count=2))
            await server.hub.create_stream("a", config)
            sub = await client.ask("sub", path="a", window=1)
            await server.hub.append("a", 1)
            data = await client.until(t="data")
            for number in range(2, 20):
                await server.hub.append("a", {"n": number, "x": "x" * 1000})
            await server.hub.store.sweep()  # type: ignore[attr-defined]
            await client.send(t="ack", s=sub["s"], o=data["o"])
            gap = await client.until(t="gap")
            assert (gap["s"], gap["from"], gap["why"]) == (sub["s"], data["o"], "retention")
            assert gap["o"] == gap["to"]
            later = await client.until(t="data")
            assert (later["s"], later["r"][0]["n"] > 2) == (sub["s"], True)
            await client.send(t="ack", s=sub["s"], o=later["o"])
            assert (await client.until(t="data"))["s"] == sub["s"]

    run(main())


@pytest.mark.parametrize("window", [0, 16 * 1024 * 1024])
def test_windows_at_their_ends(run: Run[None], window: int) -> None:
    """None, and the largest: more comes unacknowledged than the usual one has room for; one byte more is refused."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            text = "x" * 40_000
            await server.hub.create("a", content_type=JSON)
            for number in range(10):
                await server.hub.append("a", [number, text])
            assert 10 * len(text) > server.hub.limits.reader_window_bytes
            refused = await client.ask("sub", path="a", window=16 * 1024 * 1024 + 1)
            assert (refused["code"], "max_window_bytes=16777216" in refused["detail"]) == ("invalid-message", True)
            await client.send(t="sub", id=50, path="a", window=window)
            found: list[int] = []
            while len(found) < 10:
                found += [value[0] for value in (await client.until(t="data"))["r"]]
            assert found == list(range(10))

    run(main())


def test_acknowledging_what_was_never_sent(run: Run[None]) -> None:
    """It is refused with the stream's number, and the connection goes on; of a stream that is over, it is nothing."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            sub = await client.ask("sub", path="a")
            await client.send(t="ack", s=sub["s"], o=f"{1:016}_{5:016}")
            refused = await client.until(t="err")
            assert (refused["s"], refused["code"]) == (sub["s"], "invalid-offset")
            await client.send(t="ack", s=sub["s"], o="nonsense")
            assert (await client.until(t="err"))["code"] == "invalid-offset"
            await client.send(t="ack", s=999, o="nonsense")
            assert (await client.ask("ping"))["t"] == "pong"

    run(main())


@pytest.mark.parametrize("busy", [False, True])
def test_a_server_that_stops(run: Run[None], busy: bool) -> None:
    """Each connection is told when to come back; what is under way is answered, what comes behind it is refused."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            async with greeted(server) as client:
                await client.ask("sub", path="a")
                await turns()
                reader: Any = next(iter(server.hub.live._streams["a"].followers))
                session = reader._owner._all._holder
                if busy:
                    session.requests.began(77, 10)
                server.hub.drain()
                drain = await client.until(t="drain")
                assert 0 <= drain["after"] <= 5
                if busy:
                    await client.send(t="head", id=5, path="a")
                    assert (await client.until(id=5))["code"] == "shutting-down"
                    session.answer(77, 10, session.codec.encode(_ok(77)))
                    assert await client.next() == {"t": "ok", "id": 77}
                assert await client.closed() == 1012
                assert client.close_reason == "shutting-down"
            async with greeted_late(server) as late:
                assert await late.closed() == 1012

    run(main())


def _ok(id: int) -> Any:
    from headwater.protocol.websocket import messages as m

    return m.Ok(id)


def greeted_late(server: Any) -> Any:
    from tests.support.websocket import connection

    return connection(server)


def test_too_many_messages_wait_for_their_answer(run: Run[None]) -> None:
    """The server reads no more of the client until one is answered; none is lost, and the answers are in order."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, connection_requests=3)
        async with in_process(settings) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            held: list[Any] = []
            server.hub._post = lambda path, request, done: held.append((path, request, done))
            for number in range(500):
                await client.send(t="append", id=number, path="a", r=[number])
            await turns(50)
            assert len(held) == 3
            post = server.hub.store.post  # type: ignore[attr-defined]
            answered: list[int] = []
            while len(answered) < 500:
                await turns()
                assert 0 < len(held) <= 3
                batch, held[:] = list(held), []
                for path, request, done in batch:
                    post(path, request, done)
                answered += [(await client.until(t="ok"))["id"] for _ in batch]
            assert answered == list(range(500))
            assert [record.json() for record in (await server.hub.read_batch("a")).records] == list(range(500))

    run(main())


def test_a_client_that_takes_no_answers(run: Run[None]) -> None:
    """It is read no more; what the server holds for it is bounded, and everybody else goes on."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, buffer_bytes=4096)
        async with in_process(settings) as server, greeted(server) as deaf, greeted(server) as other:
            await server.hub.create("a", content_type=JSON, body=b'["%b"]' % (b"x" * 2000))

            async def ask_on() -> None:
                number = 0
                while True:
                    number += 1
                    await deaf.send(t="read", id=number, path="a")

            asking = asyncio.create_task(ask_on())
            for _ in range(300):
                await turns()
            (sink,) = server.hub.runtime.budget._accounts
            assert sink.sink.held() < 200_000
            assert (await other.ask("ping"))["t"] == "pong"
            assert not asking.done()
            asking.cancel()

    run(main())


def test_a_crowd_reads_one_stream(run: Run[None]) -> None:
    """All are told the same, in one group."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            await server.hub.create("a", content_type=JSON)
            clients = []
            for _ in range(20):
                found = greeted(server)
                clients.append((found, await found.__aenter__()))
            for _, client in clients:
                await client.ask("sub", path="a")
                await client.until(t="live")
            await server.hub.append("a", {"to": "all"})
            told = {await client.message() for _, client in clients}
            assert len(told) == 1
            assert server.hub.stats.deliveries == 20
            for found, _ in clients:
                await found.__aexit__(None, None, None)

    run(main())
