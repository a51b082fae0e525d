"""What one live reader is and how far behind it is, for introspection: plain values, read when somebody asks.

Rule: nothing is kept for this but who a reader is; where it stands is computed from its cursor, its tail and its sink.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from headwater.protocol.offsets import distance

if TYPE_CHECKING:
    from headwater.hub.tails import Tail

#: Readers described between two turns of the event loop; each takes some microseconds.
CHUNK: Final = 200


class Peer(msgspec.Struct, frozen=True, gc=False):
    """Who is at the other end.

    Attributes:
        wire: the wire format, such as `sse`, `events`, `ndjson` or `long-poll`; `in-process` for none.
        name: what the client calls itself with `?reader=`.
        address: `HOST:PORT` of the connection, as the server saw it.
    """

    wire: str = "in-process"
    name: str | None = None
    address: str | None = None


def address_of(client: Sequence[Any] | None) -> str | None:
    """`HOST:PORT` of the other end, an IPv6 host in brackets; None: not known.

    Args:
        client: host and port, as sockets and ASGI have them.
    """
    if not client:
        return None
    return f"[{client[0]}]:{client[1]}" if ":" in client[0] else f"{client[0]}:{client[1]}"


#: A reader in this process.
NOBODY: Final = Peer()
#: A long-poll of which no more is known.
POLLING: Final = Peer("long-poll")


class ReaderInfo(msgspec.Struct, frozen=True, gc=False):
    """A live reader at one moment.

    Attributes:
        number: counts the readers of this process, from 1.
        path: the stream.
        wire: the wire format: `sse`, `events`, `ndjson`, `long-poll`; `in-process` for none.
        state: `catching-up`, `live`, or `paused` while its sink is full.
        pushed: its sink is written to by the hub; False: it takes events at its own pace.
        name: what the client calls itself.
        address: `HOST:PORT`, if it is known.
        offset: where its next record is read.
        lag_records: records from there to the tail, if the stream's window reaches that far back; None: more than that.
        lag_bytes: bytes of record data from there to the tail; None: not known.
        held: bytes its sink holds unsent; None: not known, as of a server's own buffers.
        policy: what it gets when it was too slow: `replay`, `latest`, `conflate:KEY` or `disconnect`.
        connected_seconds: since it came.
        full_seconds: how long its sink is full, or how long it has not taken its last event; 0: it is not.
    """

    number: int
    path: str
    wire: str
    state: str
    pushed: bool
    name: str | None
    address: str | None
    offset: str
    lag_records: int | None
    lag_bytes: int | None
    held: int | None
    policy: str
    connected_seconds: float
    full_seconds: float


class Describable(Protocol):
    """A reader that can say what it is."""

    def brief(self) -> tuple[str, str, int] | None:
        """Its wire format, its state, and the bytes its sink holds as far as known; None: it has ended."""
        ...

    def describe(self, now: float) -> ReaderInfo | None:
        """What it is at `now`, on the clock of timers; None: it has ended."""
        ...


def lag(tail: Tail, offset: str) -> tuple[int | None, int | None]:
    """Records and bytes from an offset to the tail, each None where it is not known."""
    if offset >= tail.offset:
        return 0, 0
    return tail.records_after(offset), distance(offset, tail.offset)


def worst_first(info: ReaderInfo) -> tuple[int, int, float, int]:
    """Sort key: the largest lag first, then the most bytes held, then the longest full, then who came first."""
    return (-(info.lag_bytes or 0), -(info.held or 0), -info.full_seconds, info.number)


async def describe_all(readers: Iterable[Describable], now: float, keep: int) -> list[ReaderInfo]:
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
