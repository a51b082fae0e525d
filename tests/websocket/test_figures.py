"""What `/-/stats`, `/-/readers` and `/-/metrics` know of WebSockets."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from tests.conftest import Run
from tests.support.inprocess import in_process, turns
from tests.support.websocket import connection, greeted, single

from headwater.http import figures
from headwater.http.metrics import metrics
from headwater.server.settings import Settings

SETTINGS = Settings(store="memory:", flush_seconds=0)
JSON = "application/json"


def test_connections_messages_and_close_codes(run: Run[None]) -> None:
    """Each kind of message, and each end: by the client, by the server, by a mistake, without a word."""

    async def main() -> None:
        async with in_process(SETTINGS) as server:
            stats = server.hub.stats
            await server.hub.create("a", content_type=JSON)
            async with greeted(server) as one, single(server, "a") as two, greeted(server) as three:
                await one.ask("head", path="a")
                await one.ask("append", path="a", r=[1])
                await two.text("2")
                await two.message()
                await one.ask("head", path="a")
                assert (stats.websockets, stats.websockets_total) == (3, 3)
                assert stats.websocket_messages == {"hello": 2, "head": 2, "append": 1, "record": 1}
                await one.close(1000)
                await one.closed()
                await three.raw(b"\x83\x80" + bytes(4))
                await three.closed()
                await server.hub.delete("a")
                assert await two.closed() == 4404
            async with greeted(server):
                pass
            async with greeted(server) as made_up, connection(server) as rude:
                await made_up.close(4999)
                await made_up.closed()
                await rude.send(t="hello", token=7)
                await rude.send(t="ping")
                await rude.text("{}")
                await rude.raw(b"\x82\x80" + bytes(4))
                with suppress(EOFError):
                    while True:
                        await rude.message()
                await rude.close(1000)  # it repeats another code than the server's
                await rude.cut()
            await turns()
            assert (stats.websockets, stats.websockets_total) == (0, 6)
            assert stats.websocket_closes == {"1000": 1, "1002": 1, "1003": 1, "4404": 1, "1006": 1, "other": 1}

    run(main())


def test_credit(run: Run[None]) -> None:
    """Windows, what is unacknowledged, and who waits; of one reader what it has acknowledged, and of all the sum."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as one, greeted(server) as two:
            await server.hub.create("a", content_type=JSON, body=b"[1]")
            for client, window in ((one, 100), (two, 1000)):
                await client.ask("sub", path="a", window=window)
                await client.until(t="live")
            for _ in range(20):
                await server.hub.append("a", {"text": "ten bytes"})
            while (await two.until(t="data"))["o"] != (await server.hub.info("a")).tail:
                pass
            shown = await figures.readers(server.hub, path=None, skip=0, limit=10)
            by_window = {each["window"]: each for each in shown["readers"]}
            told = by_window[1000]["unacknowledged"]
            assert by_window[100]["unacknowledged"] + by_window[100]["lag_bytes"] == told
            credit = shown["credit"]
            assert credit["window"] == 1100
            assert credit["unacknowledged"] == told + by_window[100]["unacknowledged"]
            assert credit["out_of_credit"] == 1
            text = (await metrics(server.hub)).body.decode()
            assert f"headwater_unacknowledged_bytes {float(credit['unacknowledged'])}" in text
            assert "headwater_out_of_credit_readers 1.0" in text
            assert "headwater_open_websockets 2.0" in text
            assert 'headwater_websocket_messages_total{kind="sub"} 2.0' in text
            assert msgspec.to_builtins(server.hub.stats)["websockets"] == 2

    run(main())
