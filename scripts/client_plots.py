"""Draw what the Python client does in a storm, and what a slow consumer costs: docs/benchmarks/python-*.svg.

The storm is of the client's own sessions in virtual time. The slow consumer is a process beside a real server; its
memory and the server's are the kernel's numbers. `--seconds` is how long.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import svg
from tests.client.test_pace import storm
from tests.support.processes import headwater_server

from headwater.client import Connection, Stream

DOCS: Final = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"
CLIENTS: Final = 2000
DOWN: Final = 5.0
#: Records of the producer a second, in how many requests.
RATE, REQUESTS = 1000, 20
WAYS: Final = ("sse", "websocket")

CONSUMER: Final = """
import asyncio, sys
from headwater.client import Connection, Stream

async def main():
    root, path, way = sys.argv[1:]
    connection = Connection(root)
    stream = connection.stream(path) if way == "websocket" else Stream(root + path, transport=way)
    async for item in stream:
        print(item.data["n"], flush=True)
        await asyncio.sleep(1)

asyncio.run(main())
"""


def draw_storm() -> None:
    """Connects a second, and clients that are back."""
    connects, back = storm(CLIENTS, DOWN, 1)
    asked, returned = Counter(map(int, connects)), Counter(map(int, back))
    last = max(asked)
    series = {
        "connects a second, percent of all": [(s, 100 * asked[s] / len(connects)) for s in range(last + 1)],
        "clients that are back, percent": [
            (s, 100 * sum(returned[t] for t in range(s + 1)) / CLIENTS) for s in range(last + 1)
        ],
    }
    title = f"{CLIENTS} readers of a server that is gone for {DOWN:g} s (virtual time)"
    (DOCS / "python-storm.svg").write_text(svg.lines(title, "percent", series))


def resident(pid: int) -> float:
    """Megabytes of a process that are in memory, without what it maps of files."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("RssAnon"))


async def produce(root: str, path: str, seconds: float, sample: list[float]) -> None:
    """A thousand records a second."""
    async with Connection(root) as connection:
        stream: Stream[object] = connection.stream(path)
        began, sent = time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < seconds:
            due = int(elapsed * RATE)
            await asyncio.gather(*[stream.append({"n": n, "text": "x" * 140}) for n in range(sent, due)])
            sent = due
            await asyncio.sleep(1 / REQUESTS)
        sample.append(sent)


async def slow_consumers(seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Memory of the server and of two consumers, second by second."""
    with TemporaryDirectory() as folder, headwater_server(f"sqlite:{folder}/log.db") as server:
        root, path = f"{server.url}/v1/stream/", f"slow/{time.time_ns()}"
        async with Stream[object](root + path) as stream:
            await stream.create()
        commands = [[sys.executable, "-c", CONSUMER, root, path, way] for way in WAYS]
        consumers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]  # noqa: ASYNC220
        sent: list[float] = []
        producing = asyncio.create_task(produce(root, path, seconds, sent))
        pids = {"server": server.pid, **{f"consumer by {way}": c.pid for way, c in zip(WAYS, consumers, strict=True)}}
        series: dict[str, list[tuple[float, float]]] = {name: [] for name in pids}
        began = time.monotonic()
        while not producing.done():
            for name, pid in pids.items():
                series[name].append((time.monotonic() - began, resident(pid)))
            await asyncio.sleep(1)
        await producing
        for consumer in consumers:
            consumer.kill()
            consumer.wait()
        sys.stdout.write(f"{sent[0]:.0f} records sent\n")
    return series


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    draw_storm()
    series = asyncio.run(slow_consumers(seconds))
    title = f"Two readers that take one record a second of a stream that gets {RATE} a second"
    (DOCS / "python-slow-consumer.svg").write_text(svg.lines(title, "MB in memory", series))
    for name, points in series.items():
        values = [value for _, value in points]
        half = values[len(values) // 2 :]
        sys.stdout.write(f"{name}: {values[0]:.1f} MB at first, {half[0]:.1f} half way, {half[-1]:.1f} at the end\n")


if __name__ == "__main__":
    main()
