"""`/-/stats`, `/-/readers` and `/-/overview`: what they show, page by page, and who may not look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headwater import Hub, Limits
from headwater.asgi import App
from headwater.http import figures
from headwater.hub import Peer
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.ndjson import JsonLines
from headwater.testing.asgi import AsgiClient

Run = Callable[[Coroutine[Any, Any, Any]], Any]
LINES = WireFormat(("ndjson",), JsonLines, lambda data: data)


async def get(hub: Hub, path: str, status: int = 200) -> Any:
    answer, body = await AsgiClient(App(hub)).request("GET", path)
    assert answer.status == status, body
    assert answer.headers["content-type"].startswith("application/json" if status == 200 else "application/problem")
    return msgspec.json.decode(body)


async def join(hub: Hub, path: str, name: str, high_water: int) -> BufferSink:
    sink = BufferSink(high_water)
    peer = Peer("ndjson", name, f"192.0.2.1:{high_water}")
    await hub.live.subscribe(path, "-1", LINES, sink, peer=peer)
    sink.take()
    return sink


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_readers_by_name_the_slowest_first(run: Run) -> None:
    """A summary of all, then each with its name, address, stream and lag; in pages, and of one stream."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("a", content_type="application/json")
            await hub.create("b", content_type="application/json")
            quick = await join(hub, "a", "quick", 10**6)
            await join(hub, "a", "slow", 10)
            await join(hub, "b", "elsewhere", 10**6)
            for number in range(3):
                await hub.append("a", "x" * 30 + str(number))
                await settle()
            quick.take()
            found = await get(hub, "/-/readers?limit=2")
            assert (found["total"], found["next"]) == (3, 2)
            assert found["by"] == [
                {"wire": "ndjson", "state": "live", "readers": 2},
                {"wire": "ndjson", "state": "paused", "readers": 1},
            ]
            slow = found["readers"][0]
            assert found["held_bytes"] == slow["held"] > 0
            assert (slow["name"], slow["address"], slow["path"]) == ("slow", "192.0.2.1:10", "a")
            assert (slow["state"], slow["lag_records"], slow["policy"]) == ("paused", 2, "replay")
            rest = await get(hub, "/-/readers?limit=2&skip=2")
            assert (len(rest["readers"]), rest["next"]) == (1, None)
            other = await get(hub, "/-/readers?path=b")
            assert ([info["name"] for info in other["readers"]], other["total"]) == (["elsewhere"], 3)
            assert (await get(hub, "/-/readers?path=nowhere"))["readers"] == []

    run(main())


@pytest.mark.parametrize("query", ["limit=1001", "limit=-1", "limit=x", "skip=1000001", "skip=1.5", "limit=1&%ff=\xff"])
def test_bad_pages_are_refused(run: Run, query: str) -> None:
    """Pages are bounded; what is no number is an error that says which one it was."""

    async def main() -> None:
        async with Hub() as hub:
            if query.isascii():
                problem = await get(hub, f"/-/readers?{query}", 400)
                assert problem["code"] == "bad-request"
                assert query.partition("=")[0] in problem["detail"]

    run(main())


def test_stats_tell_of_the_process_and_the_store(run: Run, tmp_path: Path) -> None:
    """Counters, and beside them memory, processor, files, commits; no store figures in memory."""

    async def main() -> None:
        async with Hub(f"sqlite:{tmp_path}/log.db") as hub:
            await hub.create("s")
            found = await get(hub, "/-/stats")
            assert found["streams"] == 1
            assert found["process"]["memory_bytes"] > 1e6
            assert found["process"]["cpu_seconds"] > 0
            assert 0 < found["process"]["open_files"] < found["process"]["max_files"]
            assert sum(found["store"]["commit_sizes"]["counts"]) == 1
            assert len(found["lag"]["bounds"]) + 1 == len(found["lag"]["counts"])
        async with Hub() as hub:
            assert (await get(hub, "/-/stats"))["store"] is None

    run(main())


def test_an_overview_is_made_once_for_all_who_look(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages that are open cost no more than one; half a second later it is made anew."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s")
            client = AsgiClient(App(hub))

            async def look() -> Any:
                return msgspec.json.decode((await client.request("GET", "/-/overview"))[1])

            with await hub.live.open_reader("s", "now", peer=Peer("events", "tab")) as reader:
                first, *others = await asyncio.gather(*(look() for _ in range(5)))
                assert others == [first] * 4
                assert first["readers"]["by"] == [{"wire": "events", "state": "live", "readers": 1}]
                assert first["busiest"] == [{"path": "s", "readers": 1}]
                assert first["readers"]["behind"] == []
                assert (first["stats"]["readers"], reader.info.path) == (1, "s")
            assert await look() == first
            monkeypatch.setattr(figures, "KEPT_SECONDS", 0.0)
            later = await look()
            assert later["readers"]["total"] == 0
            assert later["uptime_seconds"] > first["uptime_seconds"]

    run(main())


@pytest.mark.parametrize("route", ["readers", "overview", "stats", "metrics", "streams"])
def test_who_may_not_look_sees_nothing(run: Run, route: str) -> None:
    """With `introspection=False` names, addresses and paths are nowhere; writing to them is no method."""

    async def main() -> None:
        async with Hub() as hub:
            answer, _ = await AsgiClient(App(hub, introspection=False)).request("GET", f"/-/{route}")
            assert answer.status == 404
            answer, _ = await AsgiClient(App(hub)).request("POST", f"/-/{route}")
            assert answer.status == 405

    run(main())
