"""The live readers counted: by wire format and state, with what their sinks hold, and who is behind.

Rule: counting ten thousand readers takes a few milliseconds, and the event loop turns on the way. Only who is behind
is looked at closely.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import nlargest, nsmallest
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Final

import msgspec

from headwater.hub.describing import CHUNK as CLOSE_CHUNK
from headwater.hub.describing import Describable, ReaderInfo, worst_first

if TYPE_CHECKING:
    from headwater.hub.tails import Tail

#: Readers counted between two turns of the event loop.
CHUNK: Final = 1000


class Census(msgspec.Struct, kw_only=True):
    """The live readers at one moment.

    Attributes:
        readers: how many there are.
        by: of those, how many with each wire format and state.
        held: bytes their sinks hold unsent, as far as that is known.
        behind: those with the largest lag or the fullest sinks, the worst first; nobody who is live and holds nothing.
        streams: paths with the most readers, and how many they have.
    """

    readers: int = 0
    by: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    held: int = 0
    behind: list[ReaderInfo] = msgspec.field(default_factory=list)
    streams: list[tuple[str, int]] = msgspec.field(default_factory=list)


def count(tails: Iterable[Tail], now: float, keep: int) -> Census:
    """Count in one go.

    Args:
        tails: the streams with readers.
        now: on the clock of timers.
        keep: how many readers and streams to name at most.
    """
    census = Census()
    for _ in _steps(census, list(tails), now, keep):
        pass
    return census


async def count_gently(tails: Iterable[Tail], now: float, keep: int) -> Census:
    """The same, with a turn of the event loop after every `CHUNK` readers."""
    census = Census()
    for _ in _steps(census, list(tails), now, keep):
        await asyncio.sleep(0)
    return census


def _steps(census: Census, tails: list[Tail], now: float, keep: int) -> Iterator[None]:
    everyone: list[Describable] = []
    for tail in tails:
        everyone += tail.subscriptions
        everyone += tail.pulled
    behind: list[Describable] = []
    holding: list[tuple[int, Describable]] = []
    for start in range(0, len(everyone), CHUNK):
        _count(census, everyone[start : start + CHUNK], behind, holding)
        yield
    if not keep:
        return
    suspects = [*behind, *(reader for _, reader in nlargest(keep, holding, key=itemgetter(0)))]
    for start in range(0, len(suspects), CLOSE_CHUNK):
        found = (suspect.describe(now) for suspect in suspects[start : start + CLOSE_CHUNK])
        named = [info for info in found if info is not None]
        census.behind = nsmallest(keep, [*census.behind, *named], key=worst_first)
        yield
    busiest = nlargest(keep, tails, key=attrgetter("readers"))
    census.streams = [(tail.path, tail.readers) for tail in busiest if tail.readers]


def _count(
    census: Census, readers: list[Describable], behind: list[Describable], holding: list[tuple[int, Describable]]
) -> None:
    by = census.by
    for reader in readers:
        found = reader.brief()
        if found is None:
            continue
        wire, state, held = found
        by[wire, state] += 1
        census.readers += 1
        census.held += held
        if state != "live":
            behind.append(reader)
        elif held:
            holding.append((held, reader))
