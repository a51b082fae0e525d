"""Reads of streams that need not be there yet."""

from __future__ import annotations

import time
from collections.abc import Callable

from headwater.errors import NotAuthorized, OffsetGone, StreamGone, StreamNotFound
from headwater.hub.access.end import AccessEnd
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.connection import Connection
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.waiting import Admits, Awaiting
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import NOBODY, Peer
from headwater.model import BEGINNING, NOW, Last, SlowPolicy
from headwater.protocol.offsets import same_stream


class AdmitsOne:
    """Lets in the stream that one place among many waits for; see `Admits`.

    Args:
        take: reads it, on the connection of the place.
        live: the readers.
    """

    def __init__(self, take: Callable[[Arrival], None], live: LiveReaders) -> None:
        self._take = take
        self.enter = live.enter
        self.open = live.open
        self.open_at_once = live.open_at_once

    def push(self, arrival: Arrival, form: WireFormat, to: Connection) -> None:
        """See `Admits.push`: as the place's own channel."""
        self._take(arrival)


async def open_or_wait(
    live: LiveReaders,
    path: str,
    offset: str | Last,
    *,
    slow: SlowPolicy | None,
    peer: Peer,
    first_bytes: int,
    admits: Admits | None = None,
) -> Arrival | Awaiting:
    """`LiveReaders.open`, also where there is no stream yet, or the offset is of an earlier one at the path.

    Args:
        live: the readers.
        path: the stream.
        offset: see there, and so are the others.
        slow: what the reader gets when it was slow; None: as the stream says.
        peer: who reads.
        first_bytes: data in its first batch.
        admits: lets it in when its stream is there; None: the readers do.

    Raises:
        LimitReached, BadRequest, InvalidOffset, OffsetGone, StoreUnavailable: see there.
    """
    asked = None if isinstance(offset, Last) or offset in (BEGINNING, NOW) else offset
    while True:
        try:
            return await live.open(path, offset, slow=slow, peer=peer, first_bytes=first_bytes, while_stopping=True)
        except (StreamNotFound, StreamGone):
            is_there = False
        except OffsetGone:
            is_there = True
            if asked is None or same_stream(asked, (await live.runtime.store.info(path)).tail):
                raise
        stream = live.enter(path)
        waits = False
        try:
            # Whatever is made from here on is told to it.
            waits = stream.seed(await live.runtime.store.info(path)) if is_there else not await exists(live, path)
        except (StreamNotFound, StreamGone):
            continue
        finally:
            if not waits:
                stream.leave()
        if waits:
            return Awaiting(admits or live, stream, asked, slow, peer)


class _Waits:
    """A request that waits for a stream, as its access knows it; see `Living`."""

    def __init__(self, live: LiveReaders, path: str) -> None:
        self._live = live
        self._path = path
        self._is_over = False

    def hush(self, end: AccessEnd) -> None:
        self._is_over = True

    def end_access(self, end: AccessEnd) -> None:
        if (stream := self._live.stream(self._path)) is not None:
            stream.wake(self)

    def tell_expiring(self, at: float) -> None:
        """It is answered soon."""

    def check(self) -> None:
        if self._is_over:
            raise NotAuthorized("the credential of the request has ended")


async def await_stream(live: LiveReaders, path: str, seconds: float, peer: Peer = NOBODY) -> bool:
    """Wait for a stream; False: it is not there after so many seconds, or the hub stops.

    Raises:
        NotAuthorized: the access of who waits ended meanwhile.
    """
    waits, principals = _Waits(live, path), live.runtime.principals
    principals.enter(peer.access, waits)
    try:
        return await _await_stream(live, path, seconds, waits)
    finally:
        principals.leave(peer.access, waits)


async def _await_stream(live: LiveReaders, path: str, seconds: float, waits: _Waits) -> bool:
    until = time.monotonic() + seconds
    while True:
        waits.check()
        stream = live.enter(path)
        try:
            if await exists(live, path):
                return True
            left = until - time.monotonic()
            if left <= 0 or live.runtime.draining:
                return False
            await stream.wait(left, waits)
        finally:
            stream.leave()


async def exists(live: LiveReaders, path: str) -> bool:
    """Whether there is a stream at a path.

    Raises:
        StoreUnavailable: nobody can say.
    """
    try:
        await live.runtime.store.info(path)
    except (StreamNotFound, StreamGone):
        return False
    return True
