"""Many streams on one connection that come and go, with credit and cuts: every record of each once, and in order."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import InProcess, in_process, turns
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.wanderer import CutClient, Source
from tests.support.websocket import CONNECT, Packs

from headwater.server.settings import Settings

PATHS = [f"s/{number}" for number in range(6)]
SETTINGS = Settings(
    store="memory:",
    flush_seconds=0,
    buffer_bytes=300,
    read_bytes=500,
    window_bytes=400,
    connection_subscriptions=len(PATHS),
)


class Reader:
    """Reads all streams, on one connection after the other.

    Attributes:
        records: by stream.
    """

    def __init__(self, server: InProcess, packs: Packs, draw: random.Random) -> None:
        self.records: dict[str, list[int]] = {path: [] for path in PATHS}
        self._offsets = dict.fromkeys(PATHS, "-1")
        self._server = server
        self._packs = packs
        self._draw = draw
        self._written = dict.fromkeys(PATHS, 0)

    async def write(self) -> None:
        """Some records, to some streams."""
        for path in self._draw.sample(PATHS, self._draw.choice((1, 2, 6))):
            count = self._draw.choice((1, 1, 4))
            first, self._written[path] = self._written[path], self._written[path] + count
            await self._server.hub.append(path, json.dumps(list(range(first, first + count))).encode())

    @property
    def is_done(self) -> bool:
        """Whether all that was written has come."""
        return all(len(self.records[path]) == count for path, count in self._written.items())

    async def visit(self, *, cuts: bool) -> None:
        """A connection, until it is cut."""
        budget = self._draw.randrange(1, self._draw.choice((400, 2000, 8000))) if cuts else None
        with await self._server.connect() as sock:
            client = CutClient(Source(sock, budget), self._packs)
            try:
                header = b"sec-websocket-protocol: %b\r\n" % self._packs.name.encode()
                assert await client.handshake(CONNECT, header) == 101
                await client.send(t="hello")
                await self._read(client, cuts=cuts)
            except (EOFError, ConnectionError):
                return

    async def _read(self, client: CutClient, *, cuts: bool) -> None:
        reads: dict[str, int] = {}
        for path in PATHS:
            await self._subscribe(client, path)
        while cuts or not self.is_done:
            roll = self._draw.random() if cuts else 1.0
            if roll < 0.4:
                await self.write()
                await turns(2)
            elif roll < 0.5 and reads:
                path = self._draw.choice(sorted(reads))
                await client.send(t="unsub", id=1000, s=reads[path])
                await self._until(client, reads, "ok")
                reads.pop(path, None)
                await self._subscribe(client, path)
            else:
                await self._until(client, reads, "pong")

    async def _subscribe(self, client: CutClient, path: str) -> None:
        window = self._draw.choice((0, 1, 40, 10_000))
        await client.send(t="sub", id=PATHS.index(path), path=path, from_=self._offsets[path], window=window)

    async def _until(self, client: CutClient, reads: dict[str, int], kind: str) -> None:
        if kind == "pong":
            await client.send(t="ping")
        while (told := await client.next())["t"] != kind:
            await self._take(client, reads, told)

    async def _take(self, client: CutClient, reads: dict[str, int], told: dict[str, Any]) -> None:
        assert told["t"] in ("welcome", "sub", "data", "live", "end", "ping"), told
        if told["t"] == "sub":
            reads[told["path"]] = told["s"]
        elif told["t"] == "data":
            (path,) = [path for path, number in reads.items() if number == told["s"]]
            self.records[path] += told["r"] if "r" in told else map(json.loads, told["b"])
            assert told["o"] > self._offsets[path]
            self._offsets[path] = told["o"]
            await client.send(t="ack", s=told["s"], o=told["o"])
        elif told["t"] == "end":
            assert told["why"] == "left"


@pytest.mark.parametrize(("first", "seeds"), [(0, 9), pytest.param(9, 500, marks=pytest.mark.soak)])
def test_each_record_of_each_stream_once(run: Run[None], first: int, seeds: int) -> None:
    """However often the connection is cut, and a subscription left and asked for again."""

    async def main() -> None:
        total = 0
        for seed in range(first, first + seeds):
            async with in_process(SETTINGS) as server:
                for path in PATHS:
                    await server.hub.create(path, content_type="application/json")
                reader = Reader(server, SUBPROTOCOLS[seed % len(SUBPROTOCOLS)], random.Random(seed))
                for _ in range(12):
                    await reader.visit(cuts=True)
                await reader.visit(cuts=False)
                for records in reader.records.values():
                    assert records == list(range(len(records)))
                total += sum(map(len, reader.records.values()))
                await turns(20)
                assert server.hub.stats.readers == 0
        assert total > seeds

    run(main())
