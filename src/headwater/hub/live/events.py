"""Ephemeral events of a hub's streams: told to live readers, taken by loops in this process, kept in no log."""

from __future__ import annotations

from typing import Final

from headwater.hub.live.arrival import enter_known
from headwater.hub.live.ephemeral import Told
from headwater.hub.live.event_reader import EventReader
from headwater.hub.live.readers import LiveReaders
from headwater.hub.peers import Peer
from headwater.protocol.ephemeral import Ephemeral
from headwater.protocol.offsets import incarnation_of


class LiveEvents:
    """Those of one hub.

    Args:
        live: the hub's readers.
    """

    def __init__(self, live: LiveReaders) -> None:
        self._live: Final = live
        self._all: Final = live.runtime.ephemerals

    def tell(self, path: str, event: Ephemeral, to: str | None = None) -> Told:
        """Tell the live readers of a stream who asked for the event's kind; see `LiveStream.tell`."""
        stream = self._live.stream(path)
        if stream is not None:
            return stream.tell(event, to)
        self._all.number += 1
        return Told()

    def flush(self, path: str) -> None:
        """Give the live readers of a stream all that was committed before; who waited for it is live then."""
        stream = self._live.stream(path)
        if stream is not None:
            stream.flush_before()

    @property
    def number(self) -> int:
        """Of the last event of all."""
        return self._all.number

    async def open(self, path: str, kinds: frozenset[str], peer: Peer) -> EventReader:
        """A loop of this process that takes events of a stream; it leaves with its `with` block.

        Raises:
            StreamNotFound, StreamGone, LimitReached, StoreUnavailable, ShuttingDown: see `errors`.
        """
        runtime = self._live.runtime
        runtime.check_open()
        stream, _ = await enter_known(self._live.enter, runtime.store, path)
        reader = EventReader(stream, kinds, peer)
        reader.greet(self._all.greetings(kinds, path, 0, peer))
        if runtime.draining:
            reader.let_go()
        return reader

    def incarnation(self, path: str) -> int:
        """That of a stream with live readers; 0: there is none."""
        stream = self._live.stream(path)
        return incarnation_of(stream.window.offset) if stream is not None and stream.window.is_known else 0
