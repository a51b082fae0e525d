"""Run a benchmark by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from benchmarks import (
    appends,
    catchup,
    compression,
    delivery,
    everything,
    isolation,
    last,
    page,
    pausing,
    storm,
    together,
    waits,
)
from benchmarks.connects import command as connects
from benchmarks.door import command as websocket
from benchmarks.fanout import command as fanout
from benchmarks.llm import command as llm

BENCHMARKS: dict[str, Callable[[Sequence[str]], int]] = {
    "appends": appends.main,
    "fanout": fanout.main,
    "websocket": websocket.main,
    "connects": connects.main,
    "storm": storm.main,
    "isolation": isolation.main,
    "catchup": catchup.main,
    "last": last.main,
    "compression": compression.main,
    "pausing": pausing.main,
    "delivery": delivery.main,
    "waits": waits.main,
    "llm": llm.main,
    "together": together.main,
    "all": everything.main,
    "docs": page.main,
}


def main() -> int:
    """The exit status of the benchmark that is asked for."""
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        print(f"usage: python -m benchmarks {{{','.join(BENCHMARKS)}}} [--help]", file=sys.stderr)
        return 2
    return BENCHMARKS[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
