"""Short ways to say what the tests of this folder say often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headwater.model import Appended, Producer
from headwater.protocol.ledger import Append
from headwater.stores import Store
from headwater.stores.sqlite import SqliteStore


@asynccontextmanager
async def opened(store: SqliteStore) -> AsyncIterator[SqliteStore]:
    """The store, open for a while."""
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


async def append(store: Store, path: str, body: bytes, producer: Producer | None = None) -> Appended:
    """Append to a stream of bytes."""
    return await store.append(path, Append(body, producer=producer))


async def together(store: SqliteStore, *appends: tuple[str, bytes]) -> None:
    """Append to streams of bytes, in one batch."""
    outcomes: list[asyncio.Future[Appended | Exception]] = []
    for path, body in appends:
        outcomes.append(asyncio.get_running_loop().create_future())
        store.post(path, Append(body), outcomes[-1].set_result)
    for outcome in await asyncio.gather(*outcomes):
        assert isinstance(outcome, Appended), outcome


async def content(store: Store, path: str, offset: str = "-1") -> list[bytes]:
    """All records of a stream from an offset on, read in one go."""
    batch = await store.read(path, offset, limit=1 << 30)
    assert batch.up_to_date
    return [record.data for record in batch.records]
