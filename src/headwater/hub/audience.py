"""The audience: every live reader of a hub, and what they share.

Rule: one tail per stream with readers, one flusher for all. Pulled readers (`LiveReader`) take events at their own
pace; pushed ones (`Subscription`) are written to through feeds.
"""

from __future__ import annotations

import contextlib
import random
import time
from typing import Final

from headwater.errors import HeadwaterError, LimitReached, ShuttingDown
from headwater.hub.budget import Budget
from headwater.hub.census import Census, count, count_gently
from headwater.hub.describing import NOBODY, Describable, Peer, ReaderInfo, describe_all
from headwater.hub.feeds import Format
from headwater.hub.flushing import Flusher
from headwater.hub.greetings import FROM_READERS, Greeted, Greeting
from headwater.hub.heartbeats import Heartbeats
from headwater.hub.limits import Limits
from headwater.hub.readers import LiveReader
from headwater.hub.sinks import Sink
from headwater.hub.stats import Stats
from headwater.hub.subscriptions import Subscription
from headwater.hub.tails import Tail
from headwater.hub.timers import Timers
from headwater.model import Change, Expiry, Retention, SlowPolicy, StreamInfo
from headwater.protocol.backoff import share
from headwater.protocol.slow import check_slow
from headwater.protocol.wire import Encoder
from headwater.stores import Prompt, Store


class Audience:
    """The live readers of a hub.

    Args:
        store: what they read.
        limits: as the hub has them.
        stats: where they are counted.

    Attributes:
        draining: readers are being let go, and no new ones are taken.
        timers: heartbeats, lifetimes, waits and write timeouts of all readers.
        budget: what their full sinks hold.
    """

    def __init__(self, store: Store, limits: Limits, stats: Stats) -> None:
        self.store: Final = store
        self.limits: Final = limits
        self.stats: Final = stats
        self.draining = False
        self._prompt = store if isinstance(store, Prompt) else None
        self._tails: dict[str, Tail] = {}
        self.timers = Timers()
        self.budget = Budget(limits, self.timers)
        self._heartbeats = Heartbeats(self.timers, self._beaten)
        self._flusher = Flusher(limits.read_bytes, limits.flush_seconds, stats)

    def apply(self, change: Change) -> None:
        """Take a store's notification."""
        tail = self._tails.get(change.path)
        if tail is not None:
            tail.apply(change)
            if change.deleted:
                del self._tails[change.path]

    def tail(self, path: str) -> Tail | None:
        """The live end of a stream that has live readers."""
        return self._tails.get(path)

    def reader_count(self, path: str) -> int:
        """How many live readers a stream has."""
        tail = self._tails.get(path)
        return tail.readers if tail else 0

    async def readers(self, *, path: str | None = None, skip: int = 0, limit: int = 100) -> list[ReaderInfo]:
        """What the live readers are and where they stand, the largest lag first.

        The event loop turns between every two hundred readers, so that ten thousand delay nobody. Readers may come and
        go meanwhile: who ended is left out, who came is not seen.

        Args:
            path: only readers of this stream; None: of all.
            skip: how many of the worst to leave out, for the next page.
            limit: how many to give at most.
        """
        everyone: list[Describable] = []
        for tail in self._tails.values():
            if path is None or tail.path == path:
                everyone += tail.subscriptions
                everyone += tail.pulled
        return (await describe_all(everyone, time.monotonic(), skip + limit))[skip:]

    async def census(self, keep: int) -> Census:
        """The live readers counted by wire format and state, with at most `keep` of those behind and of streams."""
        return await count_gently(self._tails.values(), time.monotonic(), keep)

    def census_now(self) -> Census:
        """The same in one go, without names; some milliseconds for ten thousand readers."""
        return count(self._tails.values(), time.monotonic(), 0)

    def drain(self) -> None:
        """Tell every reader to come back, each after its own share of `limits.drain_seconds`."""
        self.draining = True
        for tail in list(self._tails.values()):
            tail.wake()
            for subscription in list(tail.subscriptions):
                subscription.detach(self.share(), "stopping")

    def share(self) -> float:
        """A reader's own moment in the drain window."""
        return share(self.limits.drain_seconds, random.random())

    def stop(self) -> None:
        """Write to nobody any more."""
        self._flusher.stop()
        self.budget.stop()
        self.timers.stop()

    async def subscribe(
        self,
        path: str,
        offset: str,
        form: Format,
        sink: Sink,
        *,
        lifetime: float | None = None,
        slow: SlowPolicy | None = None,
        peer: Peer = NOBODY,
    ) -> StreamInfo:
        """A reader that is pushed to: records go into a sink as they come, encoded once for all who share a format.

        Args:
            path: the stream.
            offset: an offset, `-1` or `now`.
            form: the wire format.
            sink: where the bytes go; the hub ends it when the reader ends, and lets go of it when it is lost.
            lifetime: seconds before the reader is let go; None: no end.
            slow: what the reader gets when its sink was full; None: as the stream says.
            peer: who reads.

        Raises:
            LimitReached, StreamNotFound, StreamGone, InvalidOffset, OffsetGone, BadRequest, StoreUnavailable,
            ShuttingDown: nothing was written to the sink.
        """
        first = self.limits.buffer_bytes
        reader = await self.open_reader(path, offset, slow=slow, peer=peer, first_bytes=first)
        self.push(reader, form, sink, lifetime=lifetime)
        return reader.info

    def push(
        self,
        reader: LiveReader,
        form: Format,
        sink: Sink,
        *,
        lifetime: float | None = None,
        encoder: Encoder | None = None,
        head: bytes = b"",
    ) -> None:
        """Make a reader that was just opened a pushed one; from now on it is the hub's to close.

        Args:
            reader: gives up its place.
            form: the wire format.
            sink: where the bytes go.
            lifetime: seconds before the reader is let go; None: no end.
            encoder: of the format, that has told nothing yet; None: one is made.
            head: precedes the format's bytes.
        """
        first, cursor, tail = reader.release()
        if encoder is None:
            encoder = form.encoder(reader.info.content_type)
        # A copy has no lifetime: the cursor may become its feed's, and the lifetime is this reader's alone.
        subscription = Subscription(self, tail, cursor.copy(), encoder, form, sink, reader)
        told = subscription.start(first, lifetime, head)
        if told is not None and tail.readers >= FROM_READERS and form.timeless and not form.coding.token:
            info = reader.info
            # What goes with time or age, and not with a change, must be looked up.
            if info.expiry == Expiry() and info.retention == Retention():
                greeting = Greeting(info.content_type, info.slow, told[1], told[0])
                tail.greetings.keep((form.key, reader.asked), greeting)

    def greeting(self, path: str, offset: str, form: Format) -> Greeting | None:
        """What a reader would be told that comes now, if it is known; None: open one, which may also be an error.

        Args:
            path: the stream.
            offset: as asked for.
            form: the wire format.
        """
        tail = self._tails.get(path)
        if tail is None or tail.deleted or self.draining or self.stats.readers >= self.limits.max_readers:
            return None
        return tail.greetings.get((form.key, offset))

    def greet(self, path: str, greeting: Greeting, sink: Sink, peer: Peer, head: bytes) -> None:
        """A pushed reader that is told what was just found.

        Args:
            path: the stream.
            greeting: found for it right before.
            sink: where the bytes go.
            peer: who reads; its policy is the stream's, and it has no lifetime.
            head: precedes the format's bytes.
        """
        tail = self._enter(path)
        self.stats.window_reads += 1
        arrival = Greeted(self.stats.readers_total, time.monotonic(), greeting.slow, peer)
        Subscription(self, tail, None, None, greeting.feed.form, sink, arrival).greet(greeting, head)

    async def open_reader(
        self,
        path: str,
        offset: str,
        *,
        heartbeat: float | None = None,
        lifetime: float | None = None,
        slow: SlowPolicy | None = None,
        peer: Peer = NOBODY,
        first_bytes: int | None = None,
    ) -> LiveReader:
        """A live reader, with its first batch read; close it by leaving its `with` block.

        Args:
            path: the stream.
            offset: an offset, `-1` or `now`.
            heartbeat: seconds of silence before an `Idle`; None: `limits.heartbeat_seconds`.
            lifetime: seconds before the reader is let go; None: no end.
            slow: what the reader gets when it was too slow; None: as the stream says.
            peer: who reads.
            first_bytes: data in its first batch; None: `limits.read_bytes`.

        Raises:
            LimitReached: there are `limits.max_readers` already.
            BadRequest: the stream's type has no meaning for the policy.
            StreamNotFound, StreamGone, InvalidOffset, OffsetGone, StoreUnavailable, ShuttingDown: see `errors`.
        """
        if self.draining:
            raise ShuttingDown
        if self.stats.readers >= self.limits.max_readers:
            raise LimitReached(f"there are max_readers={self.limits.max_readers} live readers already")
        tail = self._enter(path)
        beat = self.limits.heartbeat_seconds if heartbeat is None else heartbeat
        reader: LiveReader | None = None
        try:
            info = await self.store.info(path)
            tail.seed(info)
            policy = info.slow if slow is None else slow
            check_slow(policy, info.content_type)
            reader = LiveReader(self, tail, info, offset, heartbeat=beat, lifetime=lifetime, slow=policy, peer=peer)
            return await reader.begin(min(first_bytes or self.limits.read_bytes, self.limits.read_bytes))
        except BaseException:
            if reader is not None:
                reader.close()
            else:
                self.close_reader(tail)
            raise

    def open_at_once(
        self,
        path: str,
        offset: str,
        *,
        lifetime: float | None = None,
        slow: SlowPolicy | None = None,
        peer: Peer = NOBODY,
        first_bytes: int,
    ) -> LiveReader | None:
        """`open_reader` without waiting, and without an effect when it gives None.

        None: it takes waiting, is an error, or the reader is at the end of a closed stream.

        Args:
            path: see `open_reader`.
            offset: see `open_reader`.
            lifetime: see `open_reader`.
            slow: see `open_reader`.
            peer: see `open_reader`.
            first_bytes: see `open_reader`.
        """
        store = self._prompt
        if store is None or self.draining or self.stats.readers >= self.limits.max_readers:
            return None
        info = store.info_at_once(path)
        if info is None:
            return None
        policy = info.slow if slow is None else slow
        try:
            check_slow(policy, info.content_type)
        except HeadwaterError:
            return None
        tail, limit = self._tails.get(path), min(first_bytes, self.limits.read_bytes)
        found = None if tail is None or tail.deleted else tail.read(offset, limit)
        in_window = found is not None
        batch = found or store.read_at_once(path, offset, limit=limit, whole=self.limits.read_bytes)
        if batch is None or (batch.closed and not batch.records):
            return None
        self.stats.window_reads += in_window
        self.stats.store_reads += not in_window
        tail = self._enter(path)
        tail.seed(info)
        beat = self.limits.heartbeat_seconds
        reader = LiveReader(self, tail, info, offset, heartbeat=beat, lifetime=lifetime, slow=policy, peer=peer)
        reader.begin_with(batch)
        return reader

    def _enter(self, path: str) -> Tail:
        """Count a live reader in, at its stream's tail."""
        tail = self._tails.get(path)
        if tail is None:
            tail = self._tails[path] = Tail(
                path, self.limits.window_bytes, self._flusher.schedule, self.stats, self._heartbeats
            )
        tail.readers += 1
        self.stats.readers += 1
        self.stats.readers_total += 1
        return tail

    def close_reader(self, tail: Tail) -> None:
        """Count a live reader out; the last one of a stream takes the stream's window with it."""
        tail.readers -= 1
        self.stats.readers -= 1
        if not tail.readers and self._tails.get(tail.path) is tail:
            del self._tails[tail.path]

    def _beaten(self, count: int) -> None:
        self.stats.deliveries += count

    async def use_watched(self) -> None:
        """A stream with live readers is in use, so its TTL does not run out (protocol section 5.1)."""
        for tail in [tail for tail in self._tails.values() if tail.ttl is not None and not tail.deleted]:
            with contextlib.suppress(HeadwaterError):
                await self.store.read(tail.path, tail.offset, limit=1)
