"""The progress of tasks in other processes, told through a server. Runs beside it:

    headwater serve
    headwater tail 'tasks/**'        # before or after; waits, and takes each task when it begins
    python examples/workers.py

What to see: kill the server while this runs, and start it again: every step is printed once. The work is real: the
sizes of the modules of four packages of the standard library, in processes of a pool.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from headwater.publisher import Publisher

# One for each process: forked ones make a connection and a number of their own.
publisher = Publisher(os.environ.get("HEADWATER_URL", "http://127.0.0.1:4437"))


def measure(package: str) -> int:
    modules = sorted((Path(os.__file__).parent / package).glob("*.py"))
    total = 0
    for done, module in enumerate(modules, 1):
        total += module.stat().st_size
        publisher.post(f"tasks/{package}", {"done": done, "of": len(modules)}, create="application/json")
        publisher.post(f"tasks/{package}/log", f"{module.name}: {total} bytes so far\n", create="text/plain")
    # Behind all that was posted: a worker ends without Python's own end, so the task waits for its records.
    publisher.append(f"tasks/{package}/log", close=True)
    publisher.append(f"tasks/{package}", {"bytes": total}, close=True)
    return total


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        print(sum(pool.map(measure, ("json", "email", "asyncio", "logging"))), "bytes")
