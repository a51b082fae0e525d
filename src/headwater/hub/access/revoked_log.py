"""Revocations in the store, so that they survive a restart and reach whoever else has the same store.

Rule: the stream stands at a path that no URL names, for its first segment is `-`. It is made with the first
      revocation; a hub in which nothing is ever taken back has none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import msgspec

from headwater.errors import HeadwaterError, StreamGone, StreamNotFound
from headwater.hub.access.revocations import Revocation, Revocations
from headwater.model import BEGINNING, Change, Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores import Store

_log: Final = logging.getLogger("headwater")

#: Where they are.
PATH: Final = "-/access/revoked"
#: Seconds for which the longest token may be good, and so a revocation must be known.
KEEP_SECONDS: Final = 7 * 24 * 3600
_TYPE: Final = "application/json"
_CONFIG: Final = StreamConfig(_TYPE, retention=Retention(age=KEEP_SECONDS + 24 * 3600))


class RevokedLog:
    """That of one hub.

    Args:
        store: where it is.
        revocations: what it fills.
        heard: called with a revocation that came from elsewhere.
    """

    def __init__(self, store: Store, revocations: Revocations, heard: Callable[[Revocation], object]) -> None:
        self._store: Final = store
        self._revocations: Final = revocations
        self._heard: Final = heard
        self._offset = BEGINNING
        self._reading: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Read what was taken back before.

        Raises:
            StoreUnavailable: it cannot be read; a hub that does not know what was taken back does not open.
        """
        for entry in await self._read():
            self._revocations.add(entry, time.time())

    async def add(self, entry: Revocation) -> None:
        """Keep one.

        Raises:
            StoreUnavailable: it is not kept, and ends with this process.
        """
        body = msgspec.json.encode([entry])
        await self._store.append(PATH, Append(body, _TYPE, create=_CONFIG))

    def changed(self, change: Change) -> None:
        """The store has something new of the stream."""
        if self._reading is None and not change.deleted:
            self._reading = asyncio.get_running_loop().create_task(self._follow())

    async def stop(self) -> None:
        """Read no more."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _follow(self) -> None:
        try:
            while entries := await self._read():
                for entry in entries:
                    self._revocations.add(entry, time.time())
                    self._heard(entry)
        except HeadwaterError as error:
            _log.error("revocations that another process may have made cannot be read: %s", error)
        finally:
            self._reading = None

    async def _read(self) -> list[Revocation]:
        found: list[Revocation] = []
        now = time.time()
        while True:
            try:
                batch = await self._store.read(PATH, self._offset)
            except (StreamNotFound, StreamGone):
                return found
            self._offset = batch.next_offset
            found += [entry for record in batch.records if (entry := _entry(record.data)).until > now]
            if batch.up_to_date:
                return found


def _entry(data: bytes) -> Revocation:
    return msgspec.json.decode(data, type=Revocation)
