"""A model that says its tokens at an even pace, each with its number; the first one with the time at which it was due.

`python scripted_model.py RUNS SECONDS` runs many of them that nobody reads, and prints what they cost by themselves.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

RATE = 30
PERIOD_NS = 1_000_000_000 // RATE
WARM_UP_SECONDS = 1.0


async def tokens(request: dict[str, Any]) -> AsyncIterator[str]:
    """The answer to a chat request.

    Args:
        request: `tokens`: how many, 0: without end; `phase`: seconds before the first one.
    """
    count = request.get("tokens", 0)
    begin = time.monotonic_ns() + int(request.get("phase", 0) * 1e9)
    number = 0
    while not count or number < count:
        due = begin + number * PERIOD_NS
        rest = due - time.monotonic_ns()
        if rest > 0:
            await asyncio.sleep(rest / 1e9)
        yield f"<{number}>" if number else f"<@{due}>"
        number += 1


def calm_garbage_collection() -> None:
    """As Headwater's documentation advises applications with many runs; every peer in Python does it, once loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


async def _cost(runs: int, seconds: float) -> float:
    """CPU seconds of a token that is dropped."""
    said = 0

    async def drop() -> None:
        nonlocal said
        async for _ in tokens({"phase": random.random() / RATE}):
            said += 1

    tasks = [asyncio.create_task(drop()) for _ in range(runs)]
    await asyncio.sleep(WARM_UP_SECONDS)
    said, begin = 0, time.process_time()
    await asyncio.sleep(seconds)
    cost = (time.process_time() - begin) / said
    for task in tasks:
        task.cancel()
    return cost


async def _first() -> float:
    """Seconds from asking to the first token, of an answer that comes at once."""
    begin = time.perf_counter()
    async for _ in tokens({}):
        break
    return time.perf_counter() - begin


async def _measure(runs: int, seconds: float) -> None:
    first = sorted([await _first() for _ in range(200)])[100]
    print(f'{{"cpu_seconds": {await _cost(runs, seconds):.9f}, "first_seconds": {first:.9f}}}')


if __name__ == "__main__":
    import uvloop  # type: ignore[import-not-found, unused-ignore]

    uvloop.run(_measure(int(sys.argv[1]), float(sys.argv[2])))
