"""A bad network: every record once, by each transport and both ways of writing.

`python -m tests.client.test_toxic` runs the long part and writes docs/benchmarks/python-toxic.json.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from conformance.toxics import Network, Toxics, bad_network
from tests.support.processes import ServerProcess, headwater_server

from headwater.client import Connection, Retry, Stream

pytestmark = pytest.mark.slow

Run = Callable[[Coroutine[Any, Any, Any]], Any]
RECORDED = Path(__file__).parents[2] / "docs" / "benchmarks" / "python-toxic.json"
READS = ["sse", "ndjson", "long-poll", "live-sse", "websocket"]
WRITES = ["http", "websocket"]
#: Many reconnect in a test that is short; the waits are those of a client that is cut all the time.
RETRY = Retry(base=0.2)


class Course(msgspec.Struct):
    """What came of one transport.

    Attributes:
        way: its name.
        records: that arrived.
        repeated: that arrived twice or out of order.
        seconds: from the first to the last.
        moving: seconds in which some arrived.
    """

    way: str
    records: int = 0
    repeated: int = 0
    seconds: int = 0
    moving: int = 0


class Meter:
    """Notes what arrives."""

    def __init__(self, way: str) -> None:
        self.course = Course(way)
        self._began = time.monotonic()
        self._in: set[int] = set()

    def take(self, value: int) -> None:
        """A record."""
        if value == self.course.records:
            self.course.records += 1
        else:
            self.course.repeated += 1
        self._in.add(int(time.monotonic() - self._began))
        self.course.seconds, self.course.moving = max(self._in) + 1, len(self._in)


async def paced(count: int, seconds: float) -> AsyncIterator[int]:
    """Numbers, evenly over so many seconds, whatever each of them takes."""
    began = time.monotonic()
    for n in range(count):
        if (early := began + n * seconds / count - time.monotonic()) > 0:
            await asyncio.sleep(early)
        yield n


async def read(bad: str, path: str, way: Any, count: int) -> Course:
    """All records by one transport."""
    meter = Meter(f"read {way}")
    async with Connection(f"{bad}/v1/stream/", retry=RETRY) as connection:
        on_connection: Stream[int] = connection.stream(path)
        over_http: Any = {} if way == "websocket" else {"transport": way, "retry": RETRY}
        stream = on_connection if way == "websocket" else Stream[int](f"{bad}/v1/stream/{path}", **over_http)
        async for item in stream.read():
            meter.take(item.data)
            if meter.course.records == count:
                break
        await stream.aclose()
    return meter.course


async def write(bad: str, good: str, way: str, count: int, seconds: float) -> Course:
    """All records upward, seen by a reader on a good network."""
    path = f"t/{uuid4().hex}"
    meter = Meter(f"write {way}")
    async with (
        Connection(f"{bad}/v1/stream/", retry=RETRY) as connection,
        Stream[int](f"{good}/v1/stream/{path}") as seen,
    ):
        await seen.create()
        stream: Stream[int] = connection.stream(path)
        if way == "http":
            stream = Stream(f"{bad}/v1/stream/{path}", retry=RETRY)

        async def send() -> None:
            async with await stream.writer(linger=0) as writer:
                async for n in paced(count, seconds):
                    await writer.write(n)
                await writer.flush()

        sending = asyncio.create_task(send())
        async for item in seen:
            meter.take(item.data)
            if meter.course.records == count:
                break
        await sending
        assert await seen.all() == list(range(count))
        await stream.aclose()
    return meter.course


async def run_all(
    server: ServerProcess, toxics: Toxics, count: int, seconds: float, seed: int
) -> tuple[list[Course], Network]:
    """Everything at once, through one bad network."""
    good = server.url
    path = f"t/{uuid4().hex}"
    async with (
        bad_network("127.0.0.1", server.port, toxics, seed=seed) as network,
        Stream[int](f"{good}/v1/stream/{path}") as source,
    ):
        bad = f"http://{network.address}"
        await source.create()

        async def feed() -> None:
            async with await source.writer(linger=0) as writer:
                async for n in paced(count, seconds):
                    await writer.write(n)

        reads = [read(bad, path, way, count) for way in READS]
        writes = [write(bad, good, way, count, seconds) for way in WRITES]
        feeding = asyncio.create_task(feed())
        courses = await asyncio.gather(*reads, *writes)
        await feeding
        return courses, network


def test_every_record_once(run: Run, server: ServerProcess) -> None:
    """With a cut every 0.4 seconds, and resets in between."""

    async def test() -> None:
        toxics = Toxics(latency=2, jitter=4, resets=0.02, cut_every=0.4)
        courses, network = await run_all(server, toxics, 120, 2.0, 3)
        assert [(course.records, course.repeated) for course in courses] == [(120, 0)] * len(courses)
        assert network.cuts > 10

    run(test())


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_ten_thousand_records_with_a_cut_every_second(run: Run, server: ServerProcess) -> None:
    """For two minutes, with latency and resets; each second in two brings something."""
    courses = run(long_run(server))
    assert [(course.records, course.repeated) for course in courses] == [(10_000, 0)] * len(courses)
    assert min(course.moving / course.seconds for course in courses) >= 0.5


@pytest.mark.soak
def test_a_thousand_records_at_ten_kilobytes_a_second(run: Run, server: ServerProcess) -> None:
    """A thin line is slow, and nothing more."""
    courses = run(slow_run(server))
    assert [(course.records, course.repeated) for course in courses] == [(1000, 0)] * len(courses)


async def slow_run(server: ServerProcess) -> list[Course]:
    """A line of 10 kB a second in each direction, for each connection."""
    return (await run_all(server, Toxics(latency=40, jitter=20, rate=10_000), 1000, 5.0, 8))[0]


async def long_run(server: ServerProcess) -> list[Course]:
    """The whole of it."""
    toxics = Toxics(latency=40, jitter=20, resets=0.01, cut_every=1)
    return (await run_all(server, toxics, 10_000, 120.0, 7))[0]


def main() -> None:
    """Run the long part, and record it."""
    with headwater_server("memory:") as server:
        courses = asyncio.run(long_run(server))
        slow = asyncio.run(slow_run(server))
    toxics = {"latency_ms": 40, "jitter_ms": 20, "resets": 0.01, "cut_every_s": 1, "records": 10_000}
    text = msgspec.json.format(msgspec.json.encode({"network": toxics, "ways": courses, "thin_line": slow}), indent=2)
    RECORDED.write_bytes(text + b"\n")
    sys.stdout.write(text.decode() + "\n")


if __name__ == "__main__":
    main()
