"""CPU of reading 100,000 JSON records of 160 bytes: this client beside aiohttp, by turns on one server.

    python -m benchmarks.clients [--turns 4] [--write]

Each reading is a process of its own, which reads three times and tells the CPU of the last: imports and the first
connection are none of it. aiohttp's is `async for line` with `msgspec.json.decode`, and stops at the last record.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

RECORDS: Final = 100_000
BYTES: Final = 160
NDJSON: Final = "application/x-ndjson"
SSE: Final = "text/event-stream"
RECORDED: Final = Path(__file__).resolve().parent.parent / "docs" / "benchmarks" / "python-clients.json"


async def by_lines(url: str, accept: str) -> float:
    """aiohttp, a line at a time."""
    import aiohttp
    import msgspec

    begin, count = time.process_time(), 0
    async with aiohttp.ClientSession() as session, session.get(url, headers={"accept": accept}) as answer:
        async for line in answer.content:
            if accept == SSE:
                if not line.startswith(b"data:"):
                    continue
                line = line[5:]
            msgspec.json.decode(line)
            count += 1
            if count == RECORDS:
                break
    return time.process_time() - begin


async def by_client(url: str, transport: Any, *, batches: bool) -> float:
    """This client, by items or by batches."""
    from headwater.client import Batch, Stream

    begin, count = time.process_time(), 0
    async with Stream(url, transport=transport, content_type="application/json") as stream:
        if batches:
            async for batch in stream.read().batches():
                count += len(batch.items) if isinstance(batch, Batch) else 0
                if count >= RECORDS:
                    break
        else:
            async for _ in stream:
                count += 1
                if count == RECORDS:
                    break
    return time.process_time() - begin


def by_sync(url: str, transport: Any) -> float:
    """This client without asyncio."""
    from headwater.client.sync import Stream

    begin, count = time.process_time(), 0
    with Stream(url, transport=transport, content_type="application/json") as stream:
        for _ in stream:
            count += 1
            if count == RECORDS:
                break
    return time.process_time() - begin


READINGS: Final[dict[str, Callable[[str], float]]] = {
    "aiohttp, NDJSON": lambda url: asyncio.run(by_lines(url, NDJSON)),
    "items, NDJSON": lambda url: asyncio.run(by_client(url, "ndjson", batches=False)),
    "batches, NDJSON": lambda url: asyncio.run(by_client(url, "ndjson", batches=True)),
    "items, NDJSON, sync": lambda url: by_sync(url, "ndjson"),
    "aiohttp, SSE": lambda url: asyncio.run(by_lines(url, SSE)),
    "items, SSE": lambda url: asyncio.run(by_client(url, "sse", batches=False)),
    "batches, SSE": lambda url: asyncio.run(by_client(url, "sse", batches=True)),
    "items, SSE, sync": lambda url: by_sync(url, "sse"),
}


def fill(url: str) -> None:
    """The stream that is read."""
    import httpx2

    kind = {"content-type": "application/json"}
    with httpx2.Client() as client:
        client.put(url, headers=kind).raise_for_status()
        for start in range(0, RECORDS, 1000):
            records = [json.dumps({"n": n, "text": ""}) for n in range(start, start + 1000)]
            full = [record[:-2] + "x" * (BYTES - len(record)) + '"}' for record in records]
            client.post(url, content=f"[{','.join(full)}]", headers=kind).raise_for_status()


def import_cpu(code: str) -> float:
    """Milliseconds of CPU of a process that imports something, without those of one that imports nothing."""

    def took(what: str) -> float:
        program = f"import time; begin = time.process_time(); {what}; print(time.process_time() - begin)"
        return float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)

    return 1000 * min(took(code) for _ in range(15))


def measured(turns: int) -> dict[str, list[float]]:
    """Seconds of CPU of each reading, by turns."""
    from tests.support.processes import headwater_server

    took: dict[str, list[float]] = {name: [] for name in READINGS}
    with headwater_server("memory:") as server:
        url = f"{server.url}/v1/stream/bench"
        fill(url)
        for _ in range(turns):
            for name, times in took.items():
                command = [sys.executable, "-m", "benchmarks.clients", "--reading", name, "--url", url]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                times.append(float(done.stdout))
    return took


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--write", action="store_true", help=f"to {RECORDED.name}, too")
    parser.add_argument("--reading", choices=READINGS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reading:
        print([READINGS[arguments.reading](arguments.url) for _ in range(3)][-1])
        return
    rows: dict[str, dict[str, float]] = {}
    took = measured(arguments.turns)
    for name, times in took.items():
        base = min(took["aiohttp, SSE" if "SSE" in name else "aiohttp, NDJSON"])
        rows[name] = {"us_a_record": round(min(times) / RECORDS * 1e6, 2), "of_aiohttp": round(min(times) / base, 2)}
        print(f"{name:22} {rows[name]['us_a_record']:6.2f} us a record, {rows[name]['of_aiohttp']:5.2f} of aiohttp's")
    http = import_cpu("import httpx2, asyncio")
    ours = import_cpu("import httpx2, asyncio, headwater.client; headwater.client.Stream")
    print(f"import httpx2: {http:.1f} ms of CPU; headwater.client and its Stream add {ours - http:.1f}")
    if arguments.write:
        imports = {"httpx2_ms": round(http, 1), "headwater_client_adds_ms": round(ours - http, 1)}
        shape = {"records": RECORDS, "bytes": BYTES, "turns": arguments.turns, "python": sys.version.split()[0]}
        RECORDED.write_text(json.dumps({"shape": shape, "cpu": rows, "import": imports}, indent=2) + "\n")


if __name__ == "__main__":
    main()
