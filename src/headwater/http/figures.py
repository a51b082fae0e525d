"""The hub's figures as JSON: `/-/stats`, `/-/readers`, and `/-/overview` for the page at `/`.

Rule: they show paths of streams, names and addresses of readers, and what the machine is doing, to whoever may look
below `/-/`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from importlib.metadata import version
from typing import Any, Final

import msgspec

from headwater.http.process import process_figures
from headwater.hub import Engine
from headwater.hub.live.introspection import ReaderSummary
from headwater.protocol.paths import NOTHING_PRIVATE, PrivatePaths
from headwater.stores import Measured

#: Readers and streams that the overview names.
NAMED: Final = 10
#: Seconds for which everybody is given the same overview, so that many who look cost no more than one.
KEPT_SECONDS: Final = 0.5


def stats(hub: Engine) -> dict[str, Any]:
    """Counters since the start, and what the process and the store take now."""
    return {
        **msgspec.to_builtins(hub.stats),
        "streams": hub.stream_count,
        "inflight_bodies": len(hub.intake),
        "inflight_bytes": hub.intake.held,
        "kept_signals": len(hub.signal_sender.kept),
        "kept_signal_bytes": hub.signal_sender.kept.size,
        "process": msgspec.to_builtins(process_figures()),
        "store": msgspec.to_builtins(hub.store.figures()) if isinstance(hub.store, Measured) else None,
    }


async def readers(
    hub: Engine, *, path: str | None, skip: int, limit: int, private: PrivatePaths = NOTHING_PRIVATE
) -> dict[str, Any]:
    """A page of the live readers, the largest lag first, behind a summary of all.

    Args:
        hub: whose readers.
        path: name only readers of this stream.
        skip: how many to leave out.
        limit: how many to look at.
        private: streams whose readers are counted and not named.
    """
    summary = await hub.live.summary(0)
    found = await hub.live.describe(path=path, skip=skip, limit=limit)
    return {
        **_totals(summary),
        "readers": [msgspec.to_builtins(info) for info in found if info.path not in private],
        "next": skip + limit if len(found) == limit else None,
    }


def _totals(summary: ReaderSummary) -> dict[str, Any]:
    by = [{"wire": wire, "state": state, "readers": count} for (wire, state), count in sorted(summary.by.items())]
    credit = {
        "window": summary.window,
        "unacknowledged": summary.unacknowledged,
        "out_of_credit": summary.out_of_credit,
    }
    return {"total": summary.readers, "by": by, "held_bytes": summary.held, "credit": credit}


class Overview:
    """What the page shows, all at one moment; made at most twice a second.

    Args:
        hub: whose figures.
        private: streams that are counted and not named.
    """

    def __init__(self, hub: Engine, private: PrivatePaths = NOTHING_PRIVATE) -> None:
        self._hub = hub
        self._private = private
        self._instance = secrets.token_hex(8)
        self._started = time.monotonic()
        self._lock = asyncio.Lock()
        self._made_at = self._started - KEPT_SECONDS
        self._made: dict[str, Any] = {}

    async def get(self) -> dict[str, Any]:
        """The overview, at most `KEPT_SECONDS` old."""
        async with self._lock:
            now = time.monotonic()
            if now - self._made_at >= KEPT_SECONDS:
                self._made = await self._make(now)
                self._made_at = now
            return self._made

    async def _make(self, now: float) -> dict[str, Any]:
        summary, private = await self._hub.live.summary(NAMED), self._private
        behind = [msgspec.to_builtins(info) for info in summary.behind if info.path not in private]
        return {
            "version": version("headwater"),
            "instance": self._instance,
            "uptime_seconds": now - self._started,
            "stats": stats(self._hub),
            "readers": {**_totals(summary), "behind": behind},
            "busiest": [{"path": path, "readers": count} for path, count in summary.streams if path not in private],
        }
