"""The hub's engine: a store made live. Create, append and read streams in process; `asgi` adds HTTP on top."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar, Unpack

from headwater.hub.access.calls import AccessCalls
from headwater.hub.access.revoked_log import PATH, RevokedLog
from headwater.hub.access.sessions import BELOW, Sessions
from headwater.hub.access.tickets import Tickets
from headwater.hub.arguments import check_kind
from headwater.hub.checked import into
from headwater.hub.intake import Intake
from headwater.hub.lifespan import Lifespan
from headwater.hub.limits import Limits
from headwater.hub.live.events import LiveEvents
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.runtime import Runtime
from headwater.hub.loop_delay import LoopDelay
from headwater.hub.places import Places
from headwater.hub.presence.calls import Presence
from headwater.hub.presence.rooms import Rooms
from headwater.hub.signals import SignalCalls, SignalSender
from headwater.hub.stats import Stats
from headwater.hub.sweeper import Sweeper
from headwater.hub.threads import call_from_thread
from headwater.hub.writer import PUMP_AHEAD, Writer, WriterOptions, pump
from headwater.hub.writes import Writes
from headwater.model import Change
from headwater.protocol.ephemeral import PRESENCE
from headwater.protocol.paths import RESERVED_SEGMENT, RUNS, PrivatePaths
from headwater.protocol.schemas.registry import Schemas
from headwater.stores import Store, open_store

T = TypeVar("T")


class Engine(Lifespan, Writes, SignalCalls, AccessCalls):
    """Streams in a store, live; `headwater.Hub` is this with HTTP.

    Open it before use: `async with hub:`, or `lifespan=hub.lifespan` in an ASGI framework. What is open may be opened
    again, and stays open until it was closed as often. It belongs to the event loop that opened it: before that, and
    from a thread or from another loop, every method raises `HubNotOpen` or `WrongLoop`, and nothing is done. A thread
    calls it with `from_thread`.

    Args:
        store: a store, or its URL: `memory:`, `sqlite:app.db`.
        limits: what the hub allows and how long it waits.
        schemas: what streams hold, by path or pattern; see `Hub`.

    Attributes:
        store: where the logs live.
        limits: as given.
        stats: counters since the hub was made.
        intake: request bodies under way.
        live: the live readers.
        runtime: what they share.
        events: what they are told and nobody keeps.
        signal_sender: sends signals.
        rooms: who is there.
        private: streams that are not served over HTTP.
        schemas: what streams hold.
        sessions: of browsers.
        tickets: of pages.
    """

    def __init__(
        self,
        store: str | Store = "memory:",
        *,
        limits: Limits | None = None,
        schemas: Mapping[str, Any] | None = None,
    ) -> None:
        self.store = open_store(store) if isinstance(store, str) else store
        self.limits = limits or Limits()
        self.stats = Stats()
        self.intake: Final = Intake(self.limits.max_inflight_bytes, self.limits.max_body_bytes)
        self.private: Final = PrivatePaths(*RUNS, RESERVED_SEGMENT)
        self.schemas: Final = Schemas(schemas, self.private)
        self.runtime = Runtime(self.store, self.limits, self.stats)
        self.live = LiveReaders(self.runtime)
        self.events = LiveEvents(self.live)
        self.signal_sender = SignalSender(self.live, self.events, self.schemas)
        self.rooms = Rooms(self.limits, self.stats, self.runtime.timers.after, self.events)
        self.runtime.ephemerals.greet_with(PRESENCE, self.rooms.first)
        self._gate = self.runtime.gate
        self._principals = self.runtime.principals
        self._principals.ended = self._access_ended
        self._refusals = self.runtime.refusals
        self._revoked_log = RevokedLog(self.store, self._principals.revocations, self._end_revoked)
        self._loop_delay = LoopDelay(self.stats.loop_delay)
        self._into, self._post, self._checked = into(self.store, self.schemas.records, self.limits.max_inflight_bytes)
        self._small = min(self.limits.max_body_bytes, self.limits.max_append_records)
        self._places = Places(self.limits, self._exists)
        self.sessions: Final = Sessions(self.store, self._principals, self._places)
        self.tickets = Tickets(self.store, self._places, self._refusals, self.stats.access_tickets)
        self._sweeper: Final = Sweeper(self.store, self.live)
        self._unwatch: Callable[[], None] = _nothing
        self._unattend: Callable[[], None] = _nothing

    # Life

    @property
    def draining(self) -> bool:
        """Whether readers are being let go; see `drain`."""
        return self.runtime.draining

    @property
    def is_open(self) -> bool:
        """Whether the hub can be used."""
        return self._gate.is_open

    async def _open(self) -> None:
        self._unattend()
        self._unattend = self.store.attend(self.live.is_watched)
        await self.store.open()
        self.runtime.draining = False
        self._unwatch = self.store.watch(self._changed, self._wants)
        try:
            self._places.taken = await self.store.count()
            await self._revoked_log.load()
        except BaseException:
            await self._stop()
            raise
        self._gate.open()
        self._sweeper.start()
        self._loop_delay.start()

    async def _aclose(self) -> None:
        """Let the readers go, finish the writes and close the store."""
        self.live.drain()
        self._gate.close()
        await self._sweeper.stop()
        await self._revoked_log.stop()
        await self.sessions.stop()
        self._loop_delay.stop()
        self.signal_sender.close()
        self.rooms.clear()
        self.runtime.stop()
        if self._checked is not None:
            await self._checked.settle(self.limits.drain_seconds)
        await self._places.settle()
        await self._stop()

    async def _stop(self) -> None:
        self._unwatch()
        self._unwatch = _nothing
        await self.store.aclose()
        self._unattend()
        self._unattend = _nothing

    def drain(self) -> None:
        """Tell every live reader to come back later, each after its own share of `limits.drain_seconds`.

        A hub that is not open has no readers to tell.

        Raises:
            WrongLoop: the hub is open in another event loop.
        """
        if self.is_open:
            self._gate.check()
            self.live.drain()

    def hold_readers(self, keeps: Callable[[str], bool], begun: Callable[[], None]) -> Callable[[], None]:
        """Keep the readers of some streams when the others are let go, because who writes them ends them soon.

        Args:
            keeps: says whether the readers of a stream stay.
            begun: called when readers are let go, before any is.

        Returns:
            What undoes it.
        """
        kept = keeps, begun
        self.runtime.keepers.append(kept)
        return lambda: self.runtime.keepers.remove(kept)

    def from_thread(self, call: Coroutine[Any, Any, T]) -> T:
        """Call the hub from a thread without an event loop, and wait: `hub.from_thread(hub.append("jobs/7", b"x"))`.

        For `def` endpoints and workers. Each call takes a turn of the hub's event loop and one of the thread: records
        that come in numbers are better appended by a coroutine.

        Args:
            call: a coroutine of the hub, or one that uses it; it runs in the hub's event loop.

        Raises:
            HubNotOpen, WrongLoop: nothing was done; the thread that runs an event loop must await the call itself.
            StoreUnavailable: the hub's event loop ended before it answered; whether it is done is not known.
            What the call raises.
        """
        return call_from_thread(self._gate, call)

    # Who is there

    def presence(self, path: str) -> Presence:
        """Who is at a stream: `with await hub.presence("rooms/7").join("bot"): ...`.

        It is known to this process alone, and kept nowhere.

        Args:
            path: the stream.

        Raises:
            HubNotOpen, WrongLoop: see `errors`.
            TypeError: the path has another type.
        """
        self._gate.check()
        check_kind("path", path, str, optional=False)
        return Presence(path, self.rooms, self.events, self.store)

    # Writing from start to end

    def writer(self, path: str, **options: Unpack[WriterOptions]) -> Writer:
        """A stream to write from start to end: `async with hub.writer("jobs/7") as out: await out.write(...)`.

        It is created when the block is entered, closed when it is left, and failed when it is left with an exception.

        Args:
            path: the stream.
            **options: see `WriterOptions`.

        Raises:
            StreamExists, InvalidPath, BadRequest, LimitReached, StoreUnavailable: on entering, as `create`.
        """
        return Writer(self, path, options)

    async def pump(
        self, path: str, source: AsyncIterable[Any], *, ahead: int = PUMP_AHEAD, **options: Unpack[WriterOptions]
    ) -> Writer:
        """Write all that an asynchronous iterable gives, then close the stream; failed, if the iterable raises.

        While one commit runs, what the source gives meanwhile is gathered for the next, so a source may be faster than
        a disk. With `pause` it is asked for no more while the readers lag.

        Args:
            path: the stream.
            source: gives records, each as for `append`; an asynchronous generator is closed at the end.
            ahead: items taken from it before they are written, at most.
            **options: see `WriterOptions`.

        Returns:
            The writer, with the final offset.

        Raises:
            What the source raises, and what `writer` and `append` do.
        """
        return await pump(self.writer(path, **options), source, ahead=ahead)

    @property
    def stream_count(self) -> int:
        """How many streams the store has, as far as this hub was told."""
        return self._places.taken

    # Inside

    def _access_ended(self, reason: str, count: int) -> None:
        self.stats.access_ended[reason] += count

    def _wants(self, path: str) -> bool:
        """Whether what is appended to a stream concerns anybody here; any thread may ask."""
        return self.live.wants(path) or path == PATH

    def _changed(self, change: Change) -> None:
        if change.path.startswith("-"):
            self._changed_inside(change)
        if change.deleted:
            self._places.went(change.path)
            if len(self.rooms):
                self.rooms.drop(change.path)
        self.live.apply(change)

    def _changed_inside(self, change: Change) -> None:
        if change.path == PATH:
            self._revoked_log.changed(change)
        elif change.path.startswith(BELOW):
            self.sessions.changed(change)


def _nothing() -> None:
    """Stands for what there is nothing to do about."""
