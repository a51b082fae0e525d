"""Signals on a WebSocket: to who asked, in both directions, beside those over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process, turns
from tests.support.websocket import greeted, single

from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)


def test_who_asked_is_told(run: Run[None]) -> None:
    """All of them the same bytes, behind the records before; who did not ask is told none."""

    async def main() -> None:
        async with (
            in_process(SETTINGS) as server,
            greeted(server) as one,
            greeted(server) as two,
            greeted(server) as deaf,
            single(server, "a?signals=1&missing=wait") as bare,
        ):
            await server.hub.create("a", content_type=JSON)
            number = 0
            for client in (one, two):
                number = (await client.ask("sub", path="a", signals=True))["s"]
                await client.until(t="live")
            await deaf.ask("sub", path="a")
            await one.send(t="append", id=50, path="a", r=["first"])
            await one.send(t="signal", id=51, s=number, data={"typing": True}, topic="typing", from_="ada")
            told = [await one.until(t="signal"), await two.until(t="signal")]
            assert told[0] == told[1]
            assert told[0] == {"t": "signal", "s": number, "from": "ada", "topic": "typing", "data": {"typing": True}}
            assert await one.until(id=51) == {"t": "ok", "id": 51, "told": 3}
            lines: list[dict[str, Any]] = []
            while not lines or lines[-1].get("control") != "signal":
                lines.append(json.loads(await bare.message()))
            assert [line["data"] for line in lines if "offset" in line and "data" in line] == ["first"]
            assert (lines[-1]["from"], lines[-1]["data"]) == ("ada", {"typing": True})
            assert (await deaf.until(t="data"))["r"] == ["first"]
            assert (await deaf.ask("ping"))["t"] == "pong"
            await server.hub.signal("a", b"\x00")
            assert (await two.until(t="signal"))["b"] == "AA=="

    run(main())


def test_a_signal_needs_no_answer(run: Run[None]) -> None:
    """Without an id only a refusal is told."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            await client.send(t="signal", path="a", data=1)
            await client.send(t="signal", path="none", data=1)
            refused = await client.next()
            assert (refused["t"], refused["code"]) == ("err", "stream-not-found")
            assert "id" not in refused
            assert server.hub.stats.signals == 1

    run(main())


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "bad-request"),
        ({"data": 1, "b": "AA=="}, "bad-request"),
        ({"data": "x" * 10**6}, "too-large"),
        ({"data": 1, "keep": 10**9, "from_": "me"}, "bad-request"),
        ({"data": 1, "keep": 1}, "bad-request"),
        ({"data": 1, "topic": "x" * 1000}, "bad-request"),
        ({"data": 1, "s": 5}, "invalid-message"),
    ],
)
def test_what_is_refused(run: Run[None], fields: dict[str, Any], code: str) -> None:
    """With the code of the table, and the connection goes on."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            assert (await client.ask("signal", path="a", **fields))["code"] == code
            assert (await client.ask("ping"))["t"] == "pong"
            assert server.hub.stats.signals == 0

    run(main())


def test_a_signal_of_a_megabyte(run: Run[None]) -> None:
    """The limit is named with what came; one of just that size is told, and a state is no larger."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            most = server.hub.limits.max_signal_bytes
            refused = await client.ask("signal", path="a", data="x" * 10**6)
            assert (refused["code"], refused["status"]) == ("too-large", 413)
            assert refused["detail"] == f"the signal has 1000002 bytes, the limit is max_signal_bytes={most}"
            assert (await client.ask("signal", path="a", data="x" * (most - 1), keep=1, from_="a"))[
                "code"
            ] == "too-large"
            assert (await client.ask("signal", path="a", data="x" * (most - 2)))["t"] == "ok"

    run(main())


def test_one_connection_has_a_rate(run: Run[None]) -> None:
    """Above it signals are refused, and another connection has its own."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, signal_rate=5)
        async with in_process(settings) as server, greeted(server) as one, greeted(server) as two:
            await server.hub.create("a", content_type=JSON)
            codes = [(await one.ask("signal", path="a", data=1)).get("code") for _ in range(20)]
            assert "rate-limited" in codes
            assert (await two.ask("signal", path="a", data=1))["t"] == "ok"
            await turns()

    run(main())


def test_who_is_there(run: Run[None]) -> None:
    """Presence that a subscription asked for comes with the stream's number; a WebSocket's URL does not join."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            sub = await client.ask("sub", path="a", presence=True)
            async with single(server, "a?presence=1") as bare:
                told = await client.until(t="presence")
                assert told["s"] == sub["s"]
                lines = [json.loads(await bare.message()) for _ in range(2)]
                assert {line["control"] for line in lines} == {"up-to-date", "presence"}
                line = next(line for line in lines if line["control"] == "presence")
                assert {key: told[key] for key in line if key != "control"} == {
                    key: value for key, value in line.items() if key != "control"
                }

    run(main())


def test_a_pattern_has_a_room_from_its_first_record_on(run: Run[None]) -> None:
    """Before that its signals and members are told to who names it."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as all, greeted(server) as one:
            await server.hub.create("rooms/1", content_type="application/json")
            await all.ask("sub", path="rooms/*", signals=True)
            await one.ask("sub", path="rooms/1", signals=True)
            assert await server.hub.signal("rooms/1", 1) == 1
            assert (await one.until(t="signal"))["data"] == 1
            await server.hub.append("rooms/1", "first")
            assert (await all.until(t="data"))["r"] == ["first"]
            assert await server.hub.signal("rooms/1", 2) == 2
            assert (await all.until(t="signal"))["data"] == 2

    run(main())
