"""Draw what the Python client does in a storm, and what a slow consumer costs: docs/benchmarks/python-*.svg.

The storm is of the client's own sessions in virtual time. The slow consumer is a process beside a real server; its
memory and the server's are the kernel's numbers. `told` is an application whose writer is told to wait for readers that
are more than 100 kB behind. `--seconds` is how long; `--only` draws one.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx2
from benchmarks import svg
from tests.client.test_pace import storm
from tests.support.processes import free_port, headwater_server

from headwater.client import Connection, Retry, Stream
from headwater.client.sync import Stream as SyncStream

DOCS: Final = Path(__file__).resolve().parent.parent / "docs" / "benchmarks"
CLIENTS: Final = 2000
DOWN: Final = 5.0
#: Records of the producer a second, in how many requests.
RATE, REQUESTS = 1000, 20
WAYS: Final = ("sse", "websocket")
#: Bytes that a reader may be behind until a writer that is told to waits for it.
LAG: Final = "100000"

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
    connects, back = storm(CLIENTS, DOWN, 1, moved=True)
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


def draw_slow_consumers(seconds: float) -> None:
    """Memory of a server and its slow readers."""
    series = asyncio.run(slow_consumers(seconds))
    title = f"Two readers that take one record a second of a stream that gets {RATE} a second"
    (DOCS / "python-slow-consumer.svg").write_text(svg.lines(title, "MB in memory", series))
    tell_memory(series)


def tell_memory(series: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """How much it is at first, half way and at the end."""
    for name, points in series.items():
        values = [value for _, value in points]
        half = values[len(values) // 2 :]
        sys.stdout.write(f"{name}: {values[0]:.1f} MB at first, {half[0]:.1f} half way, {half[-1]:.1f} at the end\n")


def draw_told(seconds: float) -> None:
    """Records that a writer writes which is told to wait for its readers, and memory of both sides."""
    port = free_port()
    root = f"http://127.0.0.1:{port}/v1/stream/"
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.peers.pausing_server", str(port), str(RATE), LAG, "0"])
    processes = {"server": server}
    memory: dict[str, list[tuple[float, float]]] = {"server": [], "consumer": []}
    written: list[tuple[float, float]] = []
    try:
        with SyncStream[object](f"{root}load", retry=Retry(base=0.1, cap=0.1)) as stream, httpx2.Client() as client:
            stream.head()
            command = [sys.executable, "-c", CONSUMER, root, "load", "websocket"]
            processes["consumer"] = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            began = time.monotonic()
            while (elapsed := time.monotonic() - began) < seconds:
                found = client.get(f"http://127.0.0.1:{port}/-/streams", params={"prefix": "load"}).json()["streams"]
                written.append((elapsed, found[0]["size"] / 100))
                for name, process in processes.items():
                    memory[name].append((elapsed, resident(process.pid)))
                time.sleep(0.5)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    series = {"written": written, "what it could write": [(0.0, 0.0), (written[-1][0], RATE * written[-1][0])]}
    title = f"A writer of {RATE} records a second that is told to wait for a reader of one a second"
    (DOCS / "python-told-to-wait.svg").write_text(svg.lines(title, "records", series))
    half = written[len(written) // 2]
    sys.stdout.write(
        f"{written[-1][1]:.0f} records written in {written[-1][0]:.0f} s, {half[1]:.0f} of them in the first half\n"
    )
    tell_memory(memory)


def main() -> None:
    """Draw all, or one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", choices=("storm", "slow", "told"))
    arguments = parser.parse_args()
    if arguments.only in (None, "storm"):
        draw_storm()
    if arguments.only in (None, "slow"):
        draw_slow_consumers(arguments.seconds)
    if arguments.only in (None, "told"):
        draw_told(arguments.seconds)


if __name__ == "__main__":
    main()
