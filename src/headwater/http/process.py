"""What the process takes of the machine: memory, processor, files.

From Linux's /proc; elsewhere what cannot be known is None. Reading it takes some microseconds and no disk.
"""

from __future__ import annotations

import os
import time

import msgspec

try:
    import resource
except ImportError:  # pragma: no cover - not on Windows
    resource = None  # type: ignore[assignment]


class ProcessFigures(msgspec.Struct, frozen=True):
    """What this process takes now.

    Attributes:
        memory_bytes: resident memory.
        cpu_seconds: processor time of all threads since the start.
        open_files: file descriptors in use, each connection being one.
        max_files: how many there may be; None: no limit is known.
    """

    memory_bytes: int | None
    cpu_seconds: float
    open_files: int | None
    max_files: int | None


def process_figures() -> ProcessFigures:
    """What this process takes now."""
    return ProcessFigures(_memory(), time.process_time(), _open_files(), _max_files())


def _memory() -> int | None:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _open_files() -> int | None:
    try:
        # The size of this folder is the number of its entries (Linux 6.2 and later); before, they are counted.
        return os.stat("/proc/self/fd").st_size or len(os.listdir("/proc/self/fd"))
    except OSError:
        return None


def _max_files() -> int | None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if resource else -1
    return limit if limit >= 0 else None
