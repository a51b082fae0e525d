"""The live readers as introspection shows them: each one, and counted by wire format and state.

Rule: counting ten thousand readers takes a few milliseconds, and the event loop turns on the way. Only who is behind
is looked at closely.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import nlargest, nsmallest
from operator import attrgetter, itemgetter
from typing import Final

import msgspec

from headwater.hub.live.follower import Follower
from headwater.hub.live.stream import LiveStream
from headwater.hub.peers import ReaderInfo

#: Readers described between two turns of the event loop; each takes some microseconds.
CHUNK: Final = 200
#: Readers counted between two turns of the event loop.
COUNTED: Final = 1000


class ReaderSummary(msgspec.Struct, kw_only=True):
    """The live readers at one moment.

    Attributes:
        readers: how many there are.
        by: of those, how many with each wire format and state.
        window: bytes of records that may be told on WebSockets and not acknowledged, in all.
        unacknowledged: of those, bytes that were told.
        out_of_credit: readers of these that wait for an acknowledgement.
        held: bytes their sinks hold unsent, as far as that is known.
        behind: those with the largest lag or the fullest sinks, the worst first; nobody who is live and holds nothing.
        streams: paths with the most readers, and how many they have.
    """

    readers: int = 0
    by: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    held: int = 0
    window: int = 0
    unacknowledged: int = 0
    out_of_credit: int = 0
    behind: list[ReaderInfo] = msgspec.field(default_factory=list)
    streams: list[tuple[str, int]] = msgspec.field(default_factory=list)


def worst_first(info: ReaderInfo) -> tuple[int, int, float, int]:
    """Sort key: the largest lag first, then the most bytes held, then the longest full, then who came first."""
    return (-(info.lag_bytes or 0), -(info.held or 0), -info.full_seconds, info.number)


async def describe_all(readers: Iterable[Follower], now: float, keep: int) -> list[ReaderInfo]:
    """The worst `keep` readers, the worst first; lets the event loop turn after every `CHUNK` of them."""
    found: list[ReaderInfo] = []
    for count, reader in enumerate(readers, 1):
        info = reader.describe(now)
        if info is not None:
            found.append(info)
        if count % CHUNK == 0:
            if len(found) > 2 * keep + CHUNK:
                found = sorted(found, key=worst_first)[:keep]
            await asyncio.sleep(0)
    return sorted(found, key=worst_first)[:keep]


def summarize(streams: Iterable[LiveStream], now: float, keep: int) -> ReaderSummary:
    """Count in one go.

    Args:
        streams: those with readers.
        now: on the clock of timers.
        keep: how many readers and streams to name at most.
    """
    summary = ReaderSummary()
    for _ in _steps(summary, list(streams), now, keep):
        pass
    return summary


async def summarize_gently(streams: Iterable[LiveStream], now: float, keep: int) -> ReaderSummary:
    """The same, with a turn of the event loop after every `COUNTED` readers."""
    summary = ReaderSummary()
    for _ in _steps(summary, list(streams), now, keep):
        await asyncio.sleep(0)
    return summary


def _steps(summary: ReaderSummary, streams: list[LiveStream], now: float, keep: int) -> Iterator[None]:
    everyone = [follower for stream in streams for follower in stream.followers]
    behind: list[Follower] = []
    holding: list[tuple[int, Follower]] = []
    for start in range(0, len(everyone), COUNTED):
        _count(summary, everyone[start : start + COUNTED], now, behind, holding)
        yield
    if not keep:
        return
    suspects = [*behind, *(reader for _, reader in nlargest(keep, holding, key=itemgetter(0)))]
    for start in range(0, len(suspects), CHUNK):
        found = (suspect.describe(now) for suspect in suspects[start : start + CHUNK])
        named = [info for info in found if info is not None]
        summary.behind = nsmallest(keep, [*summary.behind, *named], key=worst_first)
        yield
    busiest = nlargest(keep, streams, key=attrgetter("readers"))
    summary.streams = [(stream.path, stream.readers) for stream in busiest if stream.readers]


def _count(
    summary: ReaderSummary,
    readers: list[Follower],
    now: float,
    behind: list[Follower],
    holding: list[tuple[int, Follower]],
) -> None:
    by = summary.by
    for reader in readers:
        found = reader.brief(now)
        if found is None:
            continue
        wire, state, held = found
        by[wire, state] += 1
        summary.readers += 1
        summary.held += held
        if wire == "websocket" and (window := reader.credit) is not None:
            # Nobody else has any.
            told = reader.unacknowledged or 0
            summary.window += window
            summary.unacknowledged += told
            summary.out_of_credit += told >= window
        if state != "live":
            behind.append(reader)
        elif held:
            holding.append((held, reader))
