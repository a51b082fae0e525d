"""Where the numbers come from: the machine, its disk and the versions."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks import tools
from benchmarks.fanout import peers

SYNCS = 200


def facts(data: Path) -> dict[str, str]:
    """What a reader of the results must know.

    Args:
        data: folder on the disk that the stores use.
    """
    return {
        **host(),
        "disk": f"{_file_system(data)}, fdatasync of 4 KiB takes {sync_micros(data):.0f} us (median of {SYNCS})",
        "sqlite": f"{_apsw_sqlite()} (apsw {version('apsw')}), {sqlite3.sqlite_version} (sqlite3)",
        "node": node_version(),
        "reference": f"@durable-streams/server {_reference_version()}",
        "rust": f"{peers.RUST_SERVER.name} {peers.RUST_SERVER.version} (crates.io)",
    }


def host() -> dict[str, str]:
    """The machine, and the versions of what runs in our process."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "load average": f"{os.getloadavg()[0]:.1f} before the first run",
        "kernel": platform.release(),
        "python": f"{platform.python_version()} of {sys.base_prefix} ({platform.python_compiler()})",
        "packages": ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "httptools", "uvloop", "msgspec")),
    }


def node_version() -> str:
    """Of node."""
    return _output([*tools.node(), "--version"])


def sync_micros(data: Path) -> float:
    """Median time of an fdatasync after a small write, in microseconds."""
    path = data / "sync.probe"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(b"x" * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    path.unlink()
    return median(times) * 1e6


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(data: Path) -> str:
    return _output(["stat", "--file-system", "--format=%T", str(data)])


def _apsw_sqlite() -> str:
    import apsw

    return str(apsw.sqlite_lib_version())


def _reference_version() -> str:
    import msgspec

    path = tools.HERE / "node_modules" / "@durable-streams" / "server" / "package.json"
    return str(msgspec.json.decode(path.read_bytes())["version"]) if path.exists() else "is not installed"


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
