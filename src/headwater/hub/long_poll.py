"""A read that waits while there is nothing, and ends with what came first.

Rule: nothing is left out, whatever the stream's policy for slow readers: a page is what its offset says.
"""

from __future__ import annotations

from headwater.errors import NotAuthorized, StreamAwaited
from headwater.hub.access.end import OVER
from headwater.hub.live.admission import await_stream, exists
from headwater.hub.live.pulled import PulledReader, is_news
from headwater.hub.live.readers import LiveReaders
from headwater.hub.peers import Peer
from headwater.model import BEGINNING, Batch, Last, Page
from headwater.protocol.cursor import Data, Detached, Failed
from headwater.protocol.slow import REPLAY


async def poll(live: LiveReaders, path: str, offset: str | Last, *, peer: Peer, wait: bool) -> Page:
    """What is there, or comes within `limits.long_poll_seconds`; without records if nothing does.

    Args:
        live: the readers, among whom it counts.
        path: the stream.
        offset: an offset, `-1` or `now`; or so many of the newest records. Of those alone it is known whether records
            before them are kept.
        peer: who reads.
        wait: a stream that is not there is waited for as long, and read from its start.

    Raises:
        StreamNotFound, StreamGone, InvalidOffset, OffsetGone, BadRequest, LimitReached, StoreUnavailable: see `errors`.
        StreamAwaited: with `wait`: the stream is not there yet.
        NotAuthorized: the access of who asks ended meanwhile.
    """
    seconds = live.runtime.limits.long_poll_seconds
    if wait and not await exists(live, path):
        if not await await_stream(live, path, seconds, peer):
            raise StreamAwaited(f"there is no stream at {path!r} yet")
        offset = BEGINNING
    live.runtime.stats.reads += 1
    arrival = await live.open(path, offset, heartbeat=seconds, slow=REPLAY, peer=peer)
    with PulledReader(arrival) as reader:
        batch = await _first_news(reader)
    return Page(batch, batch.offset == arrival.previous)


async def _first_news(reader: PulledReader) -> Batch:
    batch: Batch | None = None
    while (event := await reader.next()) is not None:
        match event:
            case Data(found):
                batch = found
                if is_news(event):
                    return found
            case Failed(_, error):
                raise error
            case Detached(_, _, reason) if reason in OVER:
                raise NotAuthorized("the credential of the request has ended")
            case _:
                break
    assert batch is not None, "a reader begins with a batch"
    return batch
