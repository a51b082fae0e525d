"""All live readers of a hub: how one comes, how it is pushed or pulled, and how all are let go.

Rule: a reader that comes is an `Arrival`, with its first batch read. It is then pushed, through a channel of a
connection, or pulled by its caller.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from headwater.hub.live.arrival import Arrival, Coming, Prospect, come, enter_known
from headwater.hub.live.connection import Connection, connection_to
from headwater.hub.live.first_frames import FirstFrames, first_frames, keep, kept
from headwater.hub.live.introspection import ReaderSummary, describe_all, summarize, summarize_gently
from headwater.hub.live.patterns import Patterns, Watch
from headwater.hub.live.pulled import PulledReader
from headwater.hub.live.pushed import PushedReader
from headwater.hub.live.runtime import Runtime
from headwater.hub.live.sinks import Sink
from headwater.hub.live.stream import LiveStream, with_first_records
from headwater.hub.live.waiting import Comes
from headwater.hub.live.watched import Watched
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import NOBODY, Peer, ReaderInfo
from headwater.model import BEGINNING, Batch, Change, Last, SlowPolicy
from headwater.protocol.cursor import Event
from headwater.protocol.slow import check_slow, has_meaning
from headwater.protocol.wire import Encoder
from headwater.stores import AtOnce
from headwater.stores.base import Found


class LiveReaders:
    """Those of one hub.

    Args:
        runtime: what they share.

    Attributes:
        runtime: as given.
        watched: streams that are in use.
        patterns: of reads of many streams.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime: Final = runtime
        self.watched: Final = Watched(runtime.store)
        self.patterns: Final = Patterns()
        self._at_once = runtime.store if isinstance(runtime.store, AtOnce) else None
        self._streams: dict[str, LiveStream] = {}

    # The streams.

    def wants(self, path: str) -> bool:
        """Whether somebody reads a stream live, or waits for it, or reads a pattern; any thread may ask."""
        return path in self._streams or self.patterns.count > 0

    def apply(self, change: Change) -> None:
        """Take a store's notification."""
        if self.patterns.count and (watches := self.patterns.apply(change)):
            self._tell(watches, change)
        stream = self._streams.get(change.path)
        if stream is not None:
            stream.apply(change)

    def _tell(self, watches: Sequence[Watch], change: Change) -> None:
        path, first = change.path, None
        if path not in self._streams and (first := with_first_records(change, self.runtime, self._forget)):
            self._streams[path] = first
        self.patterns.tell(watches, change, None if first is None else first.let_loose)

    def stream(self, path: str) -> LiveStream | None:
        """A stream that has live readers."""
        return self._streams.get(path)

    def reader_count(self, path: str) -> int:
        """How many live readers a stream has."""
        stream = self._streams.get(path)
        return stream.readers if stream else 0

    def is_watched(self, path: str) -> bool:
        """Whether a stream has live readers, long-polls among them, or is read in pieces; any thread may ask."""
        stream = self._streams.get(path)
        return path in self.watched or (stream is not None and stream.is_watched)

    def use_watched(self) -> None:
        """Tell the store which streams are in use."""
        self.watched.use(self._streams.values())

    def enter(self, path: str) -> LiveStream:
        """Count a reader that is coming, to a stream that need not be there yet."""
        stream = self._streams.get(path)
        if stream is None:
            stream = self._streams[path] = LiveStream(path, self.runtime, self._forget)
        stream.enter()
        return stream

    def _forget(self, stream: LiveStream) -> None:
        if self._streams.get(stream.path) is stream:
            del self._streams[stream.path]

    # Who comes.

    async def open(
        self,
        path: str,
        offset: str | Last,
        *,
        heartbeat: float | None = None,
        lifetime: float | None = None,
        slow: SlowPolicy | None = None,
        peer: Peer = NOBODY,
        first_bytes: int | None = None,
        while_stopping: bool = False,
    ) -> Arrival:
        """A reader with its first batch read; it leaves with its `with` block, unless it is pushed or pulled.

        Args:
            path: the stream.
            offset: an offset, `-1` or `now`; or so many of the newest records.
            heartbeat: seconds of silence before a pulled reader is told `Idle`; None: `limits.heartbeat_seconds`.
            lifetime: seconds before a pulled reader is let go; None: no end.
            slow: what the reader gets when it was too slow; None: as the stream says.
            peer: who reads.
            first_bytes: data in its first batch; None: `limits.read_bytes`.
            while_stopping: a hub that lets its readers go takes this one too, and lets it go behind its first batch:
                for a client that cannot be told 503, as a browser's `EventSource`, which then gives up (HTML, 9.2.3).

        Raises:
            LimitReached: there are `limits.max_readers` already.
            BadRequest: the stream's type has no meaning for the policy, or is counted in the other way than `Last`.
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable, ShuttingDown: see `errors`.
            HubNotOpen, WrongLoop: see `Gate.check`.
        """
        runtime = self.runtime
        runtime.check_open(while_stopping=while_stopping)
        limits = runtime.limits
        stream, info = await enter_known(self.enter, runtime.store, path)
        arrival: Arrival | None = None
        try:
            policy = info.slow if slow is None else slow
            check_slow(policy, info.content_type)
            beat = limits.heartbeat_seconds if heartbeat is None else heartbeat
            arrival = Arrival(come(stream, info, offset, policy, peer, heartbeat=beat, lifetime=lifetime))
            piece = min(first_bytes or limits.read_bytes, limits.read_bytes)
            if isinstance(offset, Last):
                arrival.first, arrival.previous = await arrival.place.newest(offset, piece)
            else:
                arrival.first = await arrival.place.first(piece)
        except BaseException:
            # It has not read anything, so that it is no use of the stream.
            if arrival is not None:
                stream.followers.pop(arrival, None)
            stream.leave()
            raise
        return arrival

    def open_at_once(
        self, path: str, offset: str, *, slow: SlowPolicy | None = None, peer: Peer = NOBODY
    ) -> Arrival | None:
        """`look`, and `open` without waiting; None has no effect. See there."""
        found = self.look(path, offset, slow=slow, peer=peer)
        if found is None or isinstance(found.first, FirstFrames):
            return None
        coming, first = self._come_at_once(found, found.first)
        arrival = Arrival(coming)
        arrival.first = first
        return arrival

    def look(
        self,
        path: str,
        offset: str,
        form: WireFormat | None = None,
        *,
        slow: SlowPolicy | None = None,
        peer: Peer = NOBODY,
    ) -> Prospect | None:
        """What `open` would find for a reader that will be pushed, without waiting and without effect.

        None: it takes waiting, is an error, or the reader is at the end of a closed stream.

        Args:
            path: see `open`.
            offset: see `open`.
            form: the wire format, of a reader without a lifetime, who may be told what another one was.
            slow: see `open`.
            peer: see `open`.
        """
        runtime, stream = self.runtime, self._streams.get(path)
        limits, stats = runtime.limits, runtime.stats
        if runtime.draining or stats.readers >= limits.max_readers:
            return None
        if form is not None and slow is None and stream is not None:
            frames = kept(stream, (form.key, offset))
            if frames is not None:
                stats.window_reads += 1
                return Prospect(path, frames.info, offset, frames, frames.info.slow, peer)
        limit = min(limits.buffer_bytes, limits.read_bytes)
        if self._at_once is None:
            return None
        found = None if stream is None else self._in_window(self._at_once, stream, offset, limit)
        in_window = found is not None
        found = found or self._at_once.read_at_once(path, offset, limit=limit, whole=limits.read_bytes)
        if found is None:
            return None
        info, batch = found
        # The stream's own policy was checked when that was made.
        if (batch.closed and not batch.records) or not (slow is None or has_meaning(slow, info.content_type)):
            return None
        stats.window_reads += in_window
        stats.store_reads += not in_window
        return Prospect(path, info, offset, batch, info.slow if slow is None else slow, peer)

    def _in_window(self, store: AtOnce, stream: LiveStream, offset: str, limit: int) -> Found | None:
        """A stream that was waited for is in the window from its start, and nothing is known of it but that."""
        info = store.info_at_once(stream.path)
        if info is None or not stream.seed(info):
            return None
        batch = stream.window.read(info.earliest if offset == BEGINNING else offset, limit)
        return None if batch is None else (info, batch)

    def _come_at_once(self, found: Prospect, batch: Batch) -> tuple[Coming, Event]:
        path, stream, beat = found.path, self._streams.get(found.path), self.runtime.limits.heartbeat_seconds
        if stream is None or not stream.seed(found.info):
            stream = self._streams[path] = LiveStream(path, self.runtime, self._forget)
            stream.window.seed(found.info)
        stream.enter()
        coming = come(stream, found.info, found.offset, found.slow, found.peer, heartbeat=beat)
        return coming, coming.place.cursor.receive(batch, coming.since)

    async def open_reader(
        self,
        path: str,
        offset: str | Last,
        *,
        heartbeat: float | None = None,
        lifetime: float | None = None,
        slow: SlowPolicy | None = None,
        peer: Peer = NOBODY,
    ) -> PulledReader:
        """A pulled reader; close it by leaving its `with` block. See `open`."""
        return PulledReader(await self.open(path, offset, heartbeat=heartbeat, lifetime=lifetime, slow=slow, peer=peer))

    # Pushed readers.

    async def subscribe(
        self,
        path: str,
        offset: str | Last,
        form: WireFormat,
        to: Sink | Connection,
        *,
        lifetime: float | None = None,
        slow: SlowPolicy | None = None,
        peer: Peer = NOBODY,
        window: int | None = None,
    ) -> PushedReader:
        """A reader that is pushed to: records are written as they come, encoded once for all who share a format.

        Args:
            path: the stream.
            offset: see `open`.
            form: the wire format.
            to: see `push`.
            lifetime: seconds before the reader is let go; None: no end.
            slow: what the reader gets when it was full; None: as the stream says.
            peer: who reads.
            window: see `push`.

        Raises:
            LimitReached, StreamNotFound, StreamGone, InvalidOffset, OffsetGone, BadRequest, StoreUnavailable,
            ShuttingDown: nothing was written.
        """
        arrival = await self.open(path, offset, slow=slow, peer=peer, first_bytes=self.runtime.limits.buffer_bytes)
        arrival.take()
        return self._push(arrival.coming, arrival.first, form, to, lifetime, None, b"", window)

    def push(
        self,
        arrival: Prospect | Arrival | Comes,
        form: WireFormat,
        to: Sink | Connection,
        *,
        lifetime: float | None = None,
        encoder: Encoder | None = None,
        head: bytes = b"",
        window: int | None = None,
    ) -> object:
        """Push to a reader that has come; it ends with its stream, its lifetime or its connection.

        Args:
            arrival: opened without a lifetime; or just looked for.
            form: the wire format.
            to: a connection of which it becomes one channel; or a sink, which ends when the reader ends.
            lifetime: seconds before the reader is let go; None: no end.
            encoder: of the format, that has told nothing yet; None: one is made.
            head: precedes the format's bytes.
            window: see `PushedReader`.
        """
        if isinstance(arrival, Prospect):
            if isinstance(arrival.first, FirstFrames):
                return self._push_again(arrival, arrival.first, to, head)
            coming, first = self._come_at_once(arrival, arrival.first)
        elif isinstance(arrival, Arrival):
            coming, first = arrival.coming, arrival.first
            arrival.take()
        else:
            return arrival.push(form, to, head)
        return self._push(coming, first, form, to, lifetime, encoder, head, window)

    def _push_again(self, found: Prospect, frames: FirstFrames, to: Sink | Connection, head: bytes) -> PushedReader:
        stream, runtime, peer = self.enter(found.path), self.runtime, found.peer
        connection, number, now = connection_to(runtime, to, peer), runtime.stats.readers_total, time.monotonic()
        reader = PushedReader(stream, connection, frames.group.form, number, now, found.slow, peer)
        reader.start_from(frames, head + frames.data)
        return reader

    def _push(
        self,
        coming: Coming,
        first: Event,
        form: WireFormat,
        to: Sink | Connection,
        lifetime: float | None,
        encoder: Encoder | None,
        head: bytes,
        window: int | None,
    ) -> PushedReader:
        stream, info, place, peer = coming.stream, coming.info, coming.place, coming.peer
        if form.heartbeat:
            place.cursor.beat_every(form.heartbeat)
        if encoder is None:
            encoder = form.encoder(info.content_type)
        connection = connection_to(self.runtime, to, peer)
        reader = PushedReader(stream, connection, form, coming.number, coming.since, coming.slow, peer, window)
        frames = None
        if lifetime is None and window is None and connection is not to:  # else channels have their turns
            frames = first_frames(stream, info, place, first, form, encoder)
        if frames is None:
            told = reader.start(place, first, encoder, lifetime=lifetime, head=head)
        else:
            reader.start_from(frames, head + frames.data)
            told = frames.group, frames.data
        if self.runtime.draining and self.runtime.lets_go(stream.path):
            reader.let_go()
        if told is not None:
            keep(stream, info, coming.asked, first, told)
        return reader

    def first_frames(self, path: str, offset: str, form: WireFormat) -> FirstFrames | None:
        """What a reader would be told that comes now, if it is known; None: open one, which may also be an error.

        Args:
            path: the stream.
            offset: as asked for.
            form: the wire format.
        """
        stream, runtime = self._streams.get(path), self.runtime
        if stream is None or runtime.draining or runtime.stats.readers >= runtime.limits.max_readers:
            return None
        return kept(stream, (form.key, offset))

    # All of them.

    def drain(self) -> None:
        """Tell every reader to come back, each after its own share of `limits.drain_seconds`."""
        self.runtime.begin_to_drain()
        for stream in [stream for stream in self._streams.values() if self.runtime.lets_go(stream.path)]:
            stream.wake()
            for follower in list(stream.followers):
                follower.let_go()

    async def describe(self, *, path: str | None = None, skip: int = 0, limit: int = 100) -> list[ReaderInfo]:
        """What the live readers are and where they stand, the largest lag first.

        The event loop turns between every two hundred readers, so that ten thousand delay nobody. Readers may come and
        go meanwhile: who ended is left out, who came is not seen.

        Args:
            path: only readers of this stream; None: of all.
            skip: how many of the worst to leave out, for the next page.
            limit: how many to give at most.
        """
        streams = [stream for stream in self._streams.values() if path is None or stream.path == path]
        everyone = [follower for stream in streams for follower in stream.followers]
        return (await describe_all(everyone, time.monotonic(), skip + limit))[skip:]

    async def summary(self, keep: int) -> ReaderSummary:
        """The live readers counted by format and state, with at most `keep` of those behind and of streams."""
        return await summarize_gently(self._streams.values(), time.monotonic(), keep)

    def summary_now(self) -> ReaderSummary:
        """The same in one go, without names; some milliseconds for ten thousand readers."""
        return summarize(self._streams.values(), time.monotonic(), 0)
