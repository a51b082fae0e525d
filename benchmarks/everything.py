"""All benchmarks, one after the other; their results go into docs/benchmarks, and the page is written anew."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks import appends, catchup, compression, isolation, last, page, pausing, storm
from benchmarks.connects import command as connects
from benchmarks.door import command as websocket
from benchmarks.fanout import command as fanout
from benchmarks.llm import command as llm


@dataclass(frozen=True)
class Part:
    """A benchmark.

    Attributes:
        quick: its arguments in a run of some minutes.
        full: the same in one of hours.
    """

    name: str
    main: Callable[[Sequence[str]], int]
    quick: str
    full: str


PARTS: Final = (
    Part(
        "appends",
        appends.main,
        "--connections 64,256 --formats json --repetitions 2 --warmup 1 --seconds 2",
        "",
    ),
    Part(
        "fanout",
        fanout.main,
        "--paced 1000 --burst 1000 --idle 10000 --repetitions 2 --idle-repetitions 1 --seconds 2",
        "--paced 100,1000,10000 --burst 100,1000,10000 --idle 10000 --repetitions 5",
    ),
    Part(
        "websocket",
        websocket.main,
        "--burst= --repetitions 2 --idle-repetitions 1 --seconds 2 --starved-seconds 5",
        "--repetitions 5 --starved-seconds 20",
    ),
    Part("connects", connects.main, "--repetitions 2", "--at-once 1,32 --repetitions 5"),
    Part("storm", storm.main, "--repetitions 1", "--repetitions 5"),
    Part("isolation", isolation.main, "--repetitions 1 --seconds 5", "--repetitions 5 --seconds 20"),
    Part(
        "catchup",
        catchup.main,
        "--readers 1,20 --megabytes 5 --repetitions 1 --many-repetitions 1",
        "--readers 1,100 --megabytes 100 --repetitions 5 --many-repetitions 1 --grace 1200",
    ),
    Part("last", last.main, "--repetitions 1 --requests 1000", "--repetitions 5"),
    Part("compression", compression.main, "--batch 1 16 --turns 1", ""),
    Part("pausing", pausing.main, "--repetitions 1", "--repetitions 3 --seconds 30"),
    Part("llm", llm.main, "--quick", "--repetitions 5"),
)


def main(words: Sequence[str]) -> int:
    """Run all parts, whatever becomes of one; the exit status tells whether a server failed."""
    parser = argparse.ArgumentParser("python -m benchmarks all", description=__doc__)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--quick", action="store_true", help="few and short runs: about 20 minutes")
    length.add_argument("--full", action="store_true", help="all shapes, five turns: some four hours")
    parser.add_argument("--only", default=",".join(part.name for part in PARTS), help="names of parts, with commas")
    options = parser.parse_args(words)
    status = 0
    for part in PARTS:
        if part.name not in options.only.split(","):
            continue
        begin = time.monotonic()
        arguments = (part.quick if options.quick else part.full).split()
        output = str(page.FOLDER / f"{part.name}.json")
        print(f"\n# {part.name} {' '.join(arguments)}\n", flush=True)
        status |= part.main([*arguments, "--output", output])
        print(f"{part.name} took {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return status | page.main([])
