"""This machine's load, once a second, in a JSON stream that keeps the last hour. Linux only.

    headwater serve
    python examples/proc_figures.py                      # in another terminal
    headwater tail machine/figures                       # in a third
    curl -N localhost:4437/v1/stream/machine/figures -H 'accept: text/event-stream'

What to see: a reader gets the history first and then goes on live; after an hour the stream stops growing, because
retention drops the oldest records. `headwater info machine/figures` shows the earliest offset move.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

JSON_TYPE = {"Content-Type": "application/json"}


def busy_and_total() -> tuple[int, int]:
    """Processor time since boot, in ticks (proc(5), /proc/stat)."""
    user, nice, system, idle, iowait, *others = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    busy = user + nice + system + sum(others)
    return busy, busy + idle + iowait


def memory() -> dict[str, int]:
    """Figures of /proc/meminfo in kB."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {fields[0].rstrip(":"): int(fields[1]) for fields in lines}


def send(url: str, method: str, body: bytes, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=5):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description="This machine's load in a stream, once a second.")
    parser.add_argument("stream", nargs="?", default="machine/figures")
    parser.add_argument("--url", default=os.environ.get("HEADWATER_URL", "http://127.0.0.1:4437"))
    parser.add_argument("--every", type=float, default=1.0, help="seconds")
    arguments = parser.parse_args()
    url = f"{arguments.url}/v1/stream/{arguments.stream}"
    send(url, "PUT", b"", JSON_TYPE | {"Stream-Retention": "age=3600"})
    before = busy_and_total()
    while True:
        time.sleep(arguments.every)
        now = busy_and_total()
        busy, total = now[0] - before[0], now[1] - before[1]
        before = now
        figures = memory()
        record = {
            "at": round(time.time(), 3),
            "cpu_percent": round(100 * busy / max(total, 1), 1),
            "memory_used_kb": figures["MemTotal"] - figures["MemAvailable"],
            "memory_total_kb": figures["MemTotal"],
        }
        try:
            send(url, "POST", json.dumps(record).encode(), JSON_TYPE)
        except urllib.error.HTTPError as error:
            raise SystemExit(error.read().decode()) from None
        except OSError as error:
            # A figure that could not be sent is old in a second: it is left out, not kept for later.
            print(f"left out: {error}")


if __name__ == "__main__":
    main()
