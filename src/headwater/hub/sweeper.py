"""What a hub does once a second: heartbeats, streams in use, and the store's own sweep."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from headwater.errors import HeadwaterError
from headwater.hub.live.readers import LiveReaders
from headwater.stores import Store, Sweeping

#: Seconds between two sweeps; expired data is gone from reads at once, from disk after this.
SWEEP_SECONDS: Final = 1.0

_log: Final = logging.getLogger("headwater")


class Sweeper:
    """A hub's task for what is due by time.

    Args:
        store: swept, if it needs it.
        live: whose readers get heartbeats.
    """

    def __init__(self, store: Store, live: LiveReaders) -> None:
        self._store = store
        self._live = live
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Sweep once a second from now on, until `stop`."""
        self._task = asyncio.create_task(self._run(), name="headwater-sweeper")

    async def stop(self) -> None:
        """End; may be called twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                self._live.use_watched()
                if isinstance(self._store, Sweeping):
                    await self._store.sweep()
            except HeadwaterError as error:
                _log.warning("sweep: %s", error.message)
            except Exception:
                _log.exception("sweep failed")
