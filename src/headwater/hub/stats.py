"""Counters of the hub: plain integers, added up where things happen and shown under `/-/stats`."""

from __future__ import annotations

from collections import Counter

import msgspec


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
    errors: Counter[str] = msgspec.field(default_factory=Counter)
