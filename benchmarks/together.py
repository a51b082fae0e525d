"""Many appends in one step: milliseconds to the commit, and for how long the event loop is held meanwhile.

In process, with SQLite on a disk. Each run is a step of a record for each of so many streams: all of them new, or all
of them there, the first with a live reader. Beside it another task wakes each millisecond: *held* is how late it was at
most, and *held CPU* what the loop's thread computed at most between two of its turns.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from benchmarks import tools
from headwater import Entry, Hub, StreamConfig
from headwater.server.server import calm_garbage_collection

MADE: Final = StreamConfig("application/json")
VALUE: Final = {"text": "x" * 80}
WAKE_SECONDS: Final = 0.001


class Run(msgspec.Struct, frozen=True):
    """One step.

    Attributes:
        seconds: to the commit.
        held: how late another task was at most.
        held_cpu: CPU time of the loop's thread between two of its turns, at most.
    """

    seconds: float
    held: float
    held_cpu: float


class Turns:
    """A task that wakes each millisecond."""

    def __init__(self) -> None:
        self.held = self.held_cpu = 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        at, cpu = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(WAKE_SECONDS)
            now, now_cpu = time.perf_counter(), time.thread_time()
            self.held, self.held_cpu = max(self.held, now - at - WAKE_SECONDS), max(self.held_cpu, now_cpu - cpu)
            at, cpu = now, now_cpu


async def measured(hub: Hub, entries: Sequence[Entry]) -> Run:
    """One step, beside the other task."""
    turns = Turns()
    turning = asyncio.ensure_future(turns.run())
    await asyncio.sleep(0)
    begin = time.perf_counter()
    await hub.append_all(entries)
    seconds = time.perf_counter() - begin
    turning.cancel()
    return Run(seconds, turns.held, turns.held_cpu)


async def runs(store: str, count: int, repetitions: int) -> dict[str, list[Run]]:
    """Steps that make their streams, and steps to streams that are there."""
    found: dict[str, list[Run]] = {"new": [], "there": []}
    async with Hub(store) as hub:
        calm_garbage_collection()  # as `headwater serve` does
        for turn in range(repetitions + 1):
            entries = [Entry(f"s/{turn}/{number}", VALUE, create=MADE) for number in range(count)]
            found["new"].append(await measured(hub, entries))
            with await hub.live.open_reader(f"s/{turn}/0", "now"):
                found["there"].append(await measured(hub, entries))
    return {kind: taken[1:] for kind, taken in found.items()}


def main(words: Sequence[str]) -> int:
    """Measure, and print the table."""
    options = _parser().parse_args(words)
    tools.BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="together-", dir=tools.BUILD) as folder:
        store = "memory:" if options.memory else f"sqlite:{Path(folder) / 'log.db'}"
        found = asyncio.run(runs(store, options.streams, options.repetitions))
    print("| streams | ms | worst ms | held ms | held CPU ms |\n| --- | ---: | ---: | ---: | ---: |")
    for kind, taken in found.items():
        times = [each.seconds for each in taken]
        held, cpu = max(each.held for each in taken), max(each.held_cpu for each in taken)
        figures = " | ".join(f"{1e3 * each:.1f}" for each in (median(times), max(times), held, cpu))
        print(f"| {options.streams:,} {kind} | {figures} |")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks together", description=__doc__)
    parser.add_argument("--streams", type=int, default=1000, help="in one step")
    parser.add_argument("--repetitions", type=int, default=20, help="steps of each kind")
    parser.add_argument("--memory", action="store_true", help="with the memory store")
    return parser
