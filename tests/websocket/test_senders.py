"""Signals of a connection: whose they are, what becomes of its states, and who is told nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process
from tests.support.websocket import Client, greeted
from tests.websocket.test_access import Guarded, by_token, guarded, slowly

from headwater import Access, Ask, Hub, Limits, StreamSchema
from headwater.http.authorize import Credential
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)


async def live(client: Client, path: str = "a", **fields: Any) -> int:
    """Read a stream with signals, up to where it is live; gives its number."""
    sub = await client.ask("sub", path=path, signals=True, **fields)
    assert sub["t"] == "sub", sub
    await client.until(t="live")
    number: int = sub["s"]
    return number


def test_who_asked_is_told_and_nobody_else(run: Run[None]) -> None:
    """Once, all of them the same bytes, the sender too; nothing is stored, and an id is answered."""

    async def main() -> None:
        async with (
            in_process(SETTINGS) as server,
            greeted(server, name="ada") as ada,
            greeted(server) as bob,
            greeted(server) as deaf,
        ):
            tail = (await server.hub.create("a", content_type=JSON)).tail
            number = await live(ada)
            assert await live(bob) == number
            await deaf.ask("sub", path="a")
            await deaf.until(t="live")
            await ada.send(t="signal", s=number, data={"x": [1, None]}, topic="typing")
            told = await bob.message()
            assert json.loads(told) == {
                "t": "signal", "s": number, "data": {"x": [1, None]}, "from": "ada", "topic": "typing",
            }  # fmt: skip
            assert await ada.message() == told
            assert (await ada.ask("signal", path="a", data=None, from_="eve")) == {"t": "ok", "id": 2, "told": 2}
            assert await bob.next() == {"t": "signal", "s": number, "data": None, "from": "eve"}
            await ada.send(t="signal", s=number, b="AP8=")
            assert await bob.next() == {"t": "signal", "s": number, "b": "AP8=", "from": "ada"}
            assert (await deaf.ask("ping"))["t"] == "pong"
            assert (await server.hub.info("a")).tail == tail
            assert server.hub.stats.signals == 3

    run(main())


def test_signals_of_other_doors(run: Run[None]) -> None:
    """Texts are strings, bytes base64; and what a connection sends, a program of the server takes."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type="text/plain")
            number = await live(client)
            await server.hub.signal("a", {"n": 1}, sender="ada", keep=7)
            assert await client.next() == {"t": "signal", "s": number, "data": {"n": 1}, "from": "ada", "keep": 7}
            await server.hub.signal("a", b"\xff")
            assert await client.next() == {"t": "signal", "s": number, "b": "/w=="}
            signals = server.hub.signals("a")
            assert (await anext(signals)).keep == 7
            assert (await client.ask("signal", s=number, data="é", from_="x"))["t"] == "ok"
            signal = await anext(signals)
            assert (signal.data, signal.sender) == ("é", "x")

    run(main())


def test_a_stream_without_readers(run: Run[None]) -> None:
    """It takes signals; where there is none, or a closed one, they are refused, with the id or the number."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            assert (await client.ask("signal", path="a", data=1))["t"] == "ok"
            assert (await client.ask("signal", path="none", data=1))["code"] == "stream-not-found"
            await client.send(t="signal", path="none", data=1)
            error = await client.next()
            assert (error["code"], "id" in error) == ("stream-not-found", False)
            await server.hub.close("a")
            assert (await client.ask("signal", path="a", data=1))["code"] == "stream-closed"

    run(main())


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({}, "bad-request", "data, a value, or b, bytes"),
        ({"data": 1, "b": "AA=="}, "bad-request", "data, a value, or b, bytes"),
        ({"b": ""}, "invalid-body", "no data"),
        ({"data": "x" * 5000}, "too-large", "max_signal_bytes=4096"),
        ({"data": 1, "from": "x" * 257}, "bad-request", "from must have"),
        ({"data": 1, "topic": "\n"}, "bad-request", "topic must have"),
        ({"data": 1, "keep": 5}, "bad-request", "say from"),
        ({"data": 1, "from": "ada", "keep": 10**9}, "bad-request", "signal_keep_seconds="),
        ({"data": 1, "from": "ada", "keep": -1}, "bad-request", "signal_keep_seconds="),
        ({"data": 1, "s": 999}, "invalid-message", "no stream of number 999"),
        ({"data": 1, "to": 7}, "invalid-message", "to"),
    ],
)
def test_what_is_refused(run: Run[None], fields: dict[str, Any], code: str, said: str) -> None:
    """With the number of its stream, as it has no id; nobody is told, and the connection goes on."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, max_signal_bytes=4096)
        async with in_process(settings) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            number = await live(client)
            await client.text(json.dumps({"t": "signal", "s": number, **fields}))
            error = await client.next()
            assert (error["t"], error["code"]) == ("err", code)
            assert said in error["detail"]
            assert error.get("s", number) == fields.get("s", number)
            assert server.hub.stats.signals == 0
            assert (await client.ask("signal", s=number, data=1))["t"] in ("ok", "signal")

    run(main())


def test_rates_are_of_a_connection(run: Run[None]) -> None:
    """One that sends too often is told so; another one is not."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, signal_rate=2)
        async with in_process(settings) as server, greeted(server) as one, greeted(server) as two:
            await server.hub.create("a", content_type=JSON)
            found = [await one.ask("signal", path="a", data=1) for _ in range(8)]
            refused = [each for each in found if each["t"] == "err"]
            assert {(each["code"], each["status"]) for each in refused} == {("rate-limited", 429)}
            assert "signal_rate=2" in refused[0]["detail"]
            assert (await two.ask("signal", path="a", data=1))["t"] == "ok"

    run(main())


def test_who_catches_up_or_has_no_credit_is_told_nothing(run: Run[None]) -> None:
    """Nothing waits; who has credit again is told what comes then, and the figures count what was missed."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            number = await live(client, window=8)
            await server.hub.append("a", "123456")
            data = await client.until(t="data")
            await server.hub.append("a", "x")
            await server.hub.signal("a", "missed")
            await client.send(t="ack", s=number, o=data["o"])
            assert (await client.until(t="data"))["r"] == ["x"]
            await server.hub.signal("a", "heard")
            assert (await client.until(t="signal"))["data"] == "heard"
            (reader,) = await server.hub.live.describe()
            assert (reader.signals_told, reader.signals_dropped) == (1, 1)

    run(main())


def test_states_are_told_to_who_comes_later(run: Run[None]) -> None:
    """Behind the records; and they are over with the connection of a sender that nobody knows."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as reader, greeted(server) as late:
            await server.hub.create("a", content_type=JSON, body=b"[1]")
            await live(reader)
            async with greeted(server, name="ada") as ada:
                assert (await ada.ask("signal", path="a", data="on", topic="typing", keep=30))["t"] == "ok"
                assert (await ada.ask("signal", path="a", data="by", from_="bob", keep=30))["t"] == "ok"
                assert (await ada.ask("signal", path="a", data="off", from_="bob", keep=0))["t"] == "ok"
                for _ in range(3):
                    await reader.until(t="signal")
                number = await live(late)
                state = {"t": "signal", "s": number, "data": "on", "from": "ada", "topic": "typing"}
                assert await late.next() == {**state, "keep": 30}
                # One of a program stays.
                await server.hub.signal("a", "mine", sender="program", keep=30)
                await late.until(data="mine")
                await ada.close()
            assert await late.next() == {**state, "keep": 0}
            assert (await reader.until(keep=0)) == {**state, "keep": 0}
            async with greeted(server) as last:
                await live(last)
                assert (await last.next())["data"] == "mine"
                assert (await last.ask("ping"))["t"] == "pong"

    run(main())


def test_a_cut_ends_states_and_touches_nothing_else(run: Run[None]) -> None:
    """Without a close frame; the sender reads itself, and is told nothing behind its end."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as reader:
            await server.hub.create("a", content_type=JSON)
            await server.hub.create("gone", content_type=JSON)
            await live(reader)
            async with greeted(server, name="ada") as ada:
                number = await live(ada)
                await ada.send(t="signal", s=number, data=1, keep=30)
                await ada.ask("signal", path="gone", data=1, keep=30)
                await reader.until(data=1)
                await server.hub.delete("gone")
            assert (await reader.until(keep=0))["from"] == "ada"
            await server.hub.append("a", 1)
            assert (await reader.until(t="data"))["r"] == [1]

    run(main())


def test_the_subject_is_the_sender(run: Run[None]) -> None:
    """Whatever the message says; its states outlive its connection, and its rate is that of all its connections."""

    async def main() -> None:
        def allow(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
            asked.extend(str(ask.operation) for ask in asks)
            return Access(credential.bearer)

        asked: list[str] = []
        async with guarded(allow) as server, greeted(server, token="ada", name="zoe") as ada:
            async with greeted(server, token="bob") as bob:
                number = await live(bob, "shared")
                assert (await bob.ask("signal", s=number, data=1, from_="ada"))["code"] == "refused"
                await bob.send(t="signal", s=number, data=1, keep=30)
                assert (await bob.next())["from"] == "bob"
                await bob.send(t="signal", s=number, data=2, to="ada")
                await bob.close()
            await live(ada, "shared")
            state = await ada.next()
            assert (state["from"], state["data"], state["keep"]) == ("bob", 1, 30)
            assert asked == ["read", "signal", "signal", "signal", "read"]

    run(main())


@pytest.mark.parametrize("authorize", [by_token, slowly])
def test_signals_are_asked_about(run: Run[None], authorize: Any) -> None:
    """Who may not send is refused, by id or by number; who may read may be told."""

    async def main() -> None:
        async with guarded(authorize) as server, greeted(server, token="mine") as client:
            assert (await client.ask("signal", path="theirs", data=1))["code"] == "refused"
            number = await live(client, "mine")
            assert (await client.ask("signal", path="mine", data=1)).get("t") in ("ok", "signal")
            assert (await client.ask("sub", path="theirs", signals=True))["code"] == "refused"
            await client.send(t="auth", token="none", id=77)
            end = await client.until(t="end")
            assert (end["s"], end["why"]) == (number, "forbidden")

    run(main())


def test_signals_keep_their_schema(run: Run[None]) -> None:
    """What does not fit is refused with its place, and nobody is told."""

    class Typing(msgspec.Struct):
        on: bool

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0), schemas={"a": StreamSchema(signals=Typing)}) as hub:
            await hub.create("a", content_type=JSON)
            async with greeted(Guarded(hub, lambda asks, credential, client: Access("ada"))) as client:
                error = await client.ask("signal", path="a", data={"on": 7})
                assert (error["code"], error["facts"]) == ("schema-mismatch", {"pointer": "#/on"})
                assert (await client.ask("signal", path="a", data={"on": True}))["t"] == "ok"
                assert hub.stats.signals == 1

    run(main())


def test_patterns_are_told_signals(run: Run[None]) -> None:
    """Of each stream by its number, also of one that is made later."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            assert (await client.ask("sub", path="rooms/*", signals=True))["t"] == "ok"
            await server.hub.create("rooms/1", content_type=JSON, body=b"[1]")
            sub = await client.until(t="sub")
            await client.until(t="live")
            await server.hub.signal("rooms/1", 1)
            assert await client.next() == {"t": "signal", "s": sub["s"], "data": 1}

    run(main())
