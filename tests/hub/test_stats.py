"""Counters: what was sent is counted as it goes out, and what a content coding saved of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from headwater import Hub, Limits
from headwater.hub import Stats
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat
from headwater.protocol.coding_gzip import GzipCoding
from headwater.protocol.ndjson import JsonLines

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def test_only_coded_answers_count_as_compressed() -> None:
    """Without a coding there is nothing to compare."""
    stats = Stats()
    stats.sent("", 100, 105, 3)
    stats.sent("gzip", 100, 20, 2)
    assert stats.bytes_out == 355
    assert (stats.uncompressed, stats.compressed) == ({"gzip": 200}, {"gzip": 40})


def test_what_a_coding_saves_is_counted_for_every_reader(run: Run) -> None:
    """One piece for two readers saves twice; what each was sent alone is counted too."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0)) as hub:
            await hub.create("s", content_type="application/json", body=b'["' + b"x" * 5000 + b'"]')
            form = WireFormat(("ndjson", "gzip"), JsonLines, bytes, coding=GzipCoding(6, 64, 8))
            sinks = [BufferSink(), BufferSink()]
            for sink in sinks:
                await hub.live.subscribe("s", "-1", form, sink)
            for _ in range(20):
                await asyncio.sleep(0)
            alone = hub.stats.uncompressed["gzip"]
            assert alone >= 2 * 5000
            await hub.append("s", "y" * 5000)
            for _ in range(20):
                await asyncio.sleep(0)
            assert hub.stats.uncompressed["gzip"] - alone >= 2 * 5000
            assert 0 < hub.stats.compressed["gzip"] < hub.stats.uncompressed["gzip"] / 5
            assert hub.stats.bytes_out == hub.stats.compressed["gzip"]

    run(main())
