"""What a check works with: one fresh store, its clock, and short forms of the calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from headwater.model import (
    BEGINNING,
    Appended,
    Batch,
    Created,
    Expiry,
    Failure,
    ForkPoint,
    Producer,
    Retention,
    SlowPolicy,
    StreamConfig,
)
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import Condition
from headwater.stores.base import DEFAULT_READ_LIMIT, Clock, Store, Sweeping
from headwater.testing.clock import ManualClock
from headwater.testing.contract.expect import equal, holds

#: Gives a new store without streams, not yet opened, that uses the clock.
MakeStore = Callable[[Clock], Store]
#: Gives another store over the data of a closed one, not yet opened.
Reopen = Callable[[Store, Clock], Store]

TEXT: Final = "text/plain"
JSON: Final = "application/json"
NO_EXPIRY: Final = Expiry()
NO_RETENTION: Final = Retention()
REPLAY: Final = SlowPolicy()


@dataclass
class Trial:
    """One fresh, opened store under test.

    Attributes:
        store: the store; another one after `restart`.
        clock: its clock.
        reopen: how to open the same data again; None: the store keeps nothing.
    """

    store: Store
    clock: ManualClock
    reopen: Reopen | None = None

    async def create(
        self,
        path: str,
        content_type: str | None = TEXT,
        body: bytes = b"",
        *,
        closed: bool = False,
        expiry: Expiry = NO_EXPIRY,
        retention: Retention = NO_RETENTION,
        slow: SlowPolicy = REPLAY,
        condition: Condition | None = None,
    ) -> Created:
        """Create a stream that is no fork."""
        config = StreamConfig(content_type, expiry=expiry, retention=retention, slow=slow)
        return await self.store.create(path, config, body, closed=closed, condition=condition)

    async def fork(
        self,
        path: str,
        source: str,
        offset: str | None = None,
        sub_offset: int = 0,
        *,
        content_type: str | None = None,
        expiry: Expiry = NO_EXPIRY,
        body: bytes = b"",
        condition: Condition | None = None,
    ) -> Created:
        """Create a fork."""
        config = StreamConfig(content_type, expiry=expiry, fork=ForkPoint(source, offset, sub_offset))
        return await self.store.create(path, config, body, condition=condition)

    async def append(
        self,
        path: str,
        body: bytes = b"",
        *,
        content_type: str | None = None,
        producer: Producer | None = None,
        seq: str | None = None,
        close: bool = False,
        failure: Failure | None = None,
        condition: Condition | None = None,
        create: StreamConfig | None = None,
    ) -> Appended:
        """Append, close, or both."""
        request = Append(body, content_type, producer, seq, close, failure, condition, create)
        return await self.store.append(path, request)

    async def append_value(self, path: str, value: bytes) -> Appended:
        """Append one JSON value as one record."""
        return await self.store.append(path, Append(value, is_value=True))

    async def pieces(self, path: str, offset: str = BEGINNING, limit: int = DEFAULT_READ_LIMIT) -> list[Batch]:
        """Read to the tail in as many reads as it takes, each from where the last one ended.

        Checks on the way that the batches join, that offsets grow, and that every read gets on.
        """
        batches = [await self.store.read(path, offset, limit=limit)]
        while not batches[-1].up_to_date:
            last = batches[-1]
            holds(last.records, f"a read of {path!r} from {last.offset} is not up to date, but has no records")
            batches.append(await self.store.read(path, last.next_offset, limit=limit))
            equal(batches[-1].offset, last.next_offset, "where the next batch starts")
        for batch in batches:
            offsets = [batch.offset, *(record.offset for record in batch.records)]
            holds(offsets == sorted(set(offsets)), f"the offsets of a batch do not grow: {offsets}")
            equal(batch.next_offset, offsets[-1], "where a batch ends")
        return batches

    async def contents(self, path: str, offset: str = BEGINNING, limit: int = DEFAULT_READ_LIMIT) -> tuple[bytes, ...]:
        """The data of every record from an offset to the tail."""
        batches = await self.pieces(path, offset, limit)
        return tuple(record.data for batch in batches for record in batch.records)

    async def tail(self, path: str) -> str:
        """The stream's tail."""
        return (await self.store.info(path)).tail

    @asynccontextmanager
    async def unchanged(self, path: str) -> AsyncIterator[None]:
        """Fail if what happens inside changes the stream."""
        before = await self.store.info(path), await self.contents(path)
        yield
        equal((await self.store.info(path), await self.contents(path)), before, f"{path!r} after a refused request")

    async def sweep(self) -> None:
        """Have the store drop what is over; a store that needs no such call drops it by itself."""
        if isinstance(self.store, Sweeping):
            await self.store.sweep()

    async def restart(self) -> None:
        """Close the store and open its data again."""
        assert self.reopen is not None, "only durable checks restart"
        await self.store.aclose()
        self.store = self.reopen(self.store, self.clock)
        await self.store.open()
