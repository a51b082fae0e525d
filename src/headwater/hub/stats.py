"""Counters of the hub: plain integers, added up where things happen and shown under `/-/stats`."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Final

import msgspec

#: Upper bounds of the lag histogram, in seconds; one more bucket has the rest.
LAG_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Stats(msgspec.Struct, kw_only=True):
    """What happened since the hub was made.

    Attributes:
        appends: appends and closes that were acknowledged, duplicates included.
        duplicates: of those, retries of idempotent producers.
        bytes_in: bytes of bodies acknowledged.
        reads: catch-up and long-poll answers.
        readers: live readers now, long-polls included.
        pushed: of those, readers whose connection was handed over to the hub.
        readers_total: live readers ever opened.
        resumes: readers that came back with an event id.
        window_reads: live batches served from memory.
        store_reads: batches read from the store.
        deliveries: times a live reader's sink was written to by a feed; one write may hold many records.
        flushes: turns of the event loop in which feeds were flushed.
        pauses: times a sink was full, and its reader fell behind.
        gaps: times records were left out for a slow reader, and it was told so.
        stalls: readers cut because their sink did not drain within `limits.write_seconds`.
        disconnects: requests whose client went away before the answer or the end.
        lag: deliveries to live readers by the time from the commit to the socket: a histogram over `LAG_BOUNDS`.
        lag_seconds: the sum of these times.
        errors: answers by error code.
    """

    appends: int = 0
    duplicates: int = 0
    bytes_in: int = 0
    reads: int = 0
    readers: int = 0
    pushed: int = 0
    readers_total: int = 0
    resumes: int = 0
    window_reads: int = 0
    store_reads: int = 0
    deliveries: int = 0
    flushes: int = 0
    pauses: int = 0
    gaps: int = 0
    stalls: int = 0
    disconnects: int = 0
    lag: list[int] = msgspec.field(default_factory=lambda: [0] * (len(LAG_BOUNDS) + 1))
    lag_seconds: float = 0.0
    errors: Counter[str] = msgspec.field(default_factory=Counter)

    def delivered(self, count: int, lag: float) -> None:
        """Count deliveries that all had the same lag, in seconds."""
        self.deliveries += count
        self.lag[bisect_left(LAG_BOUNDS, lag)] += count
        self.lag_seconds += count * lag
