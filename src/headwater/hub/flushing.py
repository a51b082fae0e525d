"""When feeds are flushed: once per turn of the event loop, and less often the longer a flush takes.

The system call for each reader is the cost of a flush, not its bytes. So under load the next flush waits as long as the
last one took, and what is appended meanwhile goes out with it in one write; after silence the first record leaves at
once. The wait is bounded, so that no record is late by more than that.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from headwater.hub.stats import Stats

if TYPE_CHECKING:
    from headwater.hub.tails import Tail


class Flusher:
    """Flushes the tails that have news.

    Args:
        read_bytes: bytes of records in one batch.
        max_wait: seconds between two flushes at most.
        stats: where deliveries are counted.
    """

    def __init__(self, read_bytes: int, max_wait: float, stats: Stats) -> None:
        self._read_bytes = read_bytes
        self._max_wait = max_wait
        self._stats = stats
        self._due: dict[Tail, None] = {}
        self._handle: asyncio.Handle | None = None
        self._ended = 0.0
        self._wait = 0.0

    def schedule(self, tail: Tail) -> None:
        """Have a tail flushed."""
        self._due[tail] = None
        if self._handle is not None:
            return
        loop = asyncio.get_running_loop()
        rest = self._ended + self._wait - time.monotonic()
        self._stats.flush_waits.add(max(0.0, rest))
        self._handle = loop.call_later(rest, self._flush) if rest > 0 else loop.call_soon(self._flush)

    def stop(self) -> None:
        """Flush nothing more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _flush(self) -> None:
        self._handle = None
        due, self._due = self._due, {}
        started = time.monotonic()
        for tail in due:
            changed_at = tail.changed_at or started
            self._stats.delivered(tail.flush(self._read_bytes), time.monotonic() - changed_at)
        self._stats.flushes += 1
        self._ended = time.monotonic()
        self._wait = min(self._max_wait, self._ended - started)
