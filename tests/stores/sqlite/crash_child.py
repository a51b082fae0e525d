"""A process that appends until it is killed; it says on its output what was acknowledged.

Run as `python crash_child.py DATABASE DRIVER PRODUCERS STREAMS`. Each producer appends its sequence numbers to one of
the streams, idempotently, first the last one again. A line `PRODUCER SEQUENCE` is written after each acknowledgement.
"""

from __future__ import annotations

import asyncio
import os
import sys

from headwater.model import Producer, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import SqliteStore, journal, parse_options


def stream_of(producer: int, streams: int) -> str:
    """Where a producer writes."""
    return f"stream{producer % streams}"


async def written(store: SqliteStore, path: str) -> dict[int, list[int]]:
    """Sequence numbers in a stream by producer, in the order of the log."""
    found: dict[int, list[int]] = {}
    batch = await store.read(path, "-1", limit=1 << 30)
    for record in batch.records:
        producer, sequence = record.data.split()
        found.setdefault(int(producer), []).append(int(sequence))
    return found


async def produce(store: SqliteStore, producer: int, path: str, start: int) -> None:
    """Append until the end."""
    for sequence in range(start, sys.maxsize):
        body = b"%d %d\n" % (producer, sequence)
        await store.append(path, Append(body, producer=Producer(str(producer), 0, sequence)))
        os.write(1, body)


async def main(path: str, driver: str, producers: int, streams: int) -> None:
    """Go on where the last process was killed; the journal is folded often, so that some kills meet it."""
    journal.FOLD_RECORDS = 50  # type: ignore[misc]
    store = SqliteStore(path, parse_options({"driver": driver, "checkpoint_bytes": "65536"}))
    await store.open()
    async with asyncio.TaskGroup() as group:
        for producer in range(producers):
            stream = stream_of(producer, streams)
            await store.create(stream, StreamConfig())
            before = (await written(store, stream)).get(producer, [])
            group.create_task(produce(store, producer, stream, max(0, len(before) - 1)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
