"""Signals of a hub: how one is sent, who may send how many, and the loops that take them.

Rule 1: a signal is told in the step in which it is sent, behind all records whose append was acknowledged before. It
        waits nowhere: there is no queue of signals. Only where a schema runs code of an application it waits for that
        (`signal_checks`), and is told then.
Rule 2: what is too large, too often or too much is refused to its sender with the name of the limit; nobody else has
        less for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Hashable
from typing import Any, Final

from msgspec.structs import replace

from headwater.errors import BadRequest, RateLimited, StreamClosed, TooLarge
from headwater.hub.arguments import check_kind, principal_of
from headwater.hub.kept_signals import KeptSignals
from headwater.hub.live.ephemeral import Told
from headwater.hub.live.events import LiveEvents
from headwater.hub.live.readers import LiveReaders
from headwater.hub.peers import Peer
from headwater.hub.signal_checks import SignalChecks
from headwater.model import Principal
from headwater.protocol.ephemeral import SIGNAL
from headwater.protocol.offsets import incarnation_of
from headwater.protocol.rates import Rates
from headwater.protocol.schemas.registry import Schemas
from headwater.protocol.signals import Addressed, Signal, content_of, make_signal, told

_SIGNALS: Final = frozenset({SIGNAL})
#: Who sends from inside the program: the rate of one sender does not hold for it, all other limits do.
PROGRAM: Final = None


class SignalSender:
    """Sends them.

    Args:
        live: the hub's readers.
        events: what they are told.
        schemas: what signals must be.

    Attributes:
        kept: those that hold for a while.
    """

    def __init__(self, live: LiveReaders, events: LiveEvents, schemas: Schemas) -> None:
        runtime = live.runtime
        limits = self._limits = runtime.limits
        self.kept: Final = KeptSignals(limits, runtime.timers, events.incarnation)
        self._live = live
        self._events = events
        self._schemas: Final = schemas
        self._checks = SignalChecks(schemas.signals, limits.max_inflight_bytes) if schemas.signals else None
        #: States that end behind what is on its way.
        self._ends: set[asyncio.Future[None]] = set()
        self._stats = runtime.stats
        self._senders = Rates(limits.signal_rate)
        self._streams = Rates(limits.stream_signal_rate)
        runtime.ephemerals.greet_with(SIGNAL, self.kept.told_first)

    def check(self, by: Hashable, addressed: Addressed, size: int | None) -> None:
        """Let a sender send, before its data is asked for; counts for its rate.

        Args:
            by: who sends, as the server knows it: a subject, an address, a connection; `PROGRAM`.
            addressed: all but the data.
            size: of the data; None: not known yet.

        Raises:
            RateLimited: it sends too often.
            TooLarge: the data is larger than a signal may be.
            BadRequest: it is to be kept for longer than it may be.
        """
        limits = self._limits
        if by is not PROGRAM and not self._senders.take(by, time.monotonic()):
            raise RateLimited(f"one sender may send signal_rate={limits.signal_rate} signals a second")
        if size is not None:
            self.check_size(size)
        if addressed.keep is not None and not 0 <= addressed.keep <= limits.signal_keep_seconds:
            raise BadRequest(
                f"keep is from 0 to signal_keep_seconds={limits.signal_keep_seconds}, not {addressed.keep}"
            )

    def check_size(self, size: int) -> None:
        """Refuse data that is larger than a signal may be.

        Raises:
            TooLarge: it is.
        """
        if size > self._limits.max_signal_bytes:
            raise TooLarge(
                f"the signal has {size} bytes, the limit is max_signal_bytes={self._limits.max_signal_bytes}"
            )

    def send_at_once(self, path: str, signal: Signal, by: Hashable) -> Told | None:
        """`send` without waiting; None: that takes waiting, and nothing was done.

        It takes waiting to find a stream that has no live readers, and for a schema that runs code of an application.
        """
        self._live.runtime.gate.check()
        applied = None if self._checks is None else self._checks.of(path)
        if applied is not None and applied.schema.runs_code:
            return None
        found = self._known(path)
        if found is None:
            return None
        self._schemas.check(path, signal.content, "signal", signal.content_type)
        return self._send(path, found, signal, by)

    def _known(self, path: str) -> int | None:
        """The incarnation of a stream that has live readers.

        Raises:
            StreamClosed: it has ended.
        """
        stream = self._live.stream(path)
        if stream is None or not stream.window.is_known:
            return None
        if stream.window.is_ended:
            raise _closed(stream.window.offset)
        return incarnation_of(stream.window.offset)

    async def _find(self, path: str) -> int:
        """The incarnation of a stream.

        Raises:
            StreamNotFound, StreamGone, StreamClosed, StoreUnavailable: see `send`.
        """
        self._live.runtime.gate.check()
        found = self._known(path)
        if found is not None:
            return found
        info = await self._live.runtime.store.info(path)
        if info.closed:
            raise _closed(info.tail)
        found = self._known(path)
        return info.incarnation if found is None else found

    async def send(self, path: str, signal: Signal, by: Hashable) -> Told:
        """Tell the live readers of a stream who asked for signals.

        Args:
            path: of the stream.
            signal: what they are told.
            by: see `check`, which was called for it.

        Returns:
            How many were told, and how many asked and were not live.

        Raises:
            StreamNotFound, StreamGone, StoreUnavailable: there is no stream, or nobody can say.
            StreamClosed: it has ended.
            SchemaMismatch: signals of the stream must be something else.
            RateLimited, LimitReached: the stream is sent too many, or keeps too many.
            TooManyBodies: too many signals wait for their check.
        """
        checks = self._checks
        applied = None if checks is None else checks.of(path)
        if checks is None or applied is None:
            return self._send(path, await self._find(path), signal, by)
        if not applied.schema.runs_code:
            found = await self._find(path)
            self._schemas.check(path, signal.content, "signal", signal.content_type)
            return self._send(path, found, signal, by)
        async with checks.turn(path, by, len(signal.content)):
            await self._find(path)
            await checks.check(applied, signal)
            return self._send(path, await self._find(path), signal, by)  # which may be another one by now

    def close(self) -> None:
        """The hub closes: nothing holds any more, and nothing waits."""
        self.kept.clear()
        if self._checks is not None:
            self._checks.close()

    def end(self, path: str, by: Hashable) -> None:
        """End all states that a sender has at a stream, as its own `keep=0` would; readers are told.

        What it sent before and is not told yet is told before.
        """
        if self._checks is None or not self._checks.is_under_way(path, by):
            self._end(path, by)
            return
        ending = asyncio.ensure_future(self._end_in_turn(self._checks, path, by))
        self._ends.add(ending)
        ending.add_done_callback(self._ends.discard)

    async def _end_in_turn(self, checks: SignalChecks, path: str, by: Hashable) -> None:
        async with checks.turn(path, by):
            self._end(path, by)

    def _end(self, path: str, by: Hashable) -> None:
        for incarnation, signal in self.kept.of(path, by):
            over = replace(signal, keep=0)
            self._events.tell(path, told(over), over.to)
            self.kept.put(path, incarnation, over, self._events.number, by)

    def _send(self, path: str, incarnation: int, signal: Signal, by: Hashable) -> Told:
        if not self._streams.take(path, time.monotonic()):
            rate = self._limits.stream_signal_rate
            raise RateLimited(f"one stream takes stream_signal_rate={rate} signals a second")
        if signal.keep is not None:
            self.kept.check(path, incarnation, signal, by)
        found = self._events.tell(path, told(signal), signal.to)
        if signal.keep is not None:
            self.kept.put(path, incarnation, signal, self._events.number, by)
        self._stats.signals += 1
        self._stats.signals_told += found.told
        self._stats.signals_dropped += found.dropped
        return found


class SignalCalls:
    """The part of the engine that is about signals.

    Attributes:
        live: the live readers.
        events: what they are told and nobody keeps.
        signal_sender: sends signals.
    """

    live: LiveReaders
    events: LiveEvents
    signal_sender: SignalSender

    async def signal(
        self,
        path: str,
        data: Any,
        *,
        sender: str | None = None,
        to: str | None = None,
        topic: str | None = None,
        keep: int | None = None,
        by: str | Principal | None = None,
    ) -> int:
        """Tell something to the live readers of a stream who asked for signals; it is stored nowhere.

        Args:
            path: the stream.
            data: bytes, or anything that msgspec writes as JSON; `max_signal_bytes` at most.
            sender: whose signal it is; None: that of `by`.
            to: only those readers are told who are this subject, or, without `authorize`, have this name.
            topic: what it is about.
            keep: seconds for which it is the sender's state in the topic: who comes later is told it. 0: ends it.
            by: who sends it, as with `append`. A state that a request sent with a proof is that of `by`, and no other
                signal ends or replaces it.

        Returns:
            How many readers were told.

        Raises:
            StreamNotFound, StreamGone, StreamClosed: there is nobody who could be told.
            InvalidBody, BadRequest, TooLarge, SchemaMismatch: it is no signal, or none of this stream.
            RateLimited, LimitReached: the stream is sent too many, or keeps too many.
            StoreUnavailable, HubNotOpen, WrongLoop: see `errors`.
            TypeError: an argument has another type.
        """
        self.live.runtime.gate.check()
        check_kind("path", path, str, optional=False)
        for name, value in (("sender", sender), ("to", to), ("topic", topic)):
            check_kind(name, value, str)
        check_kind("keep", keep, int)
        who = None if by is None else principal_of(by)
        if who is not None and sender not in (None, who.subject):
            raise BadRequest("sender is not the subject of by; leave it out")
        addressed = Addressed(sender if who is None else who.subject, to, topic, keep, who)
        kind, content = content_of(data)
        self.signal_sender.check(PROGRAM, addressed, len(content))
        return (await self.signal_sender.send(path, make_signal(addressed, kind, content), PROGRAM)).told

    async def signals(self, path: str, *, name: str | None = None) -> AsyncIterator[Signal]:
        """Signals of a stream, from now on until it ends or the hub is closed; those that hold come first.

        A loop that is slow has room for 64; what comes while that is full is dropped, and counted.

        Args:
            path: the stream.
            name: what the loop is called, for signals that are sent `to` somebody.

        Raises:
            StreamNotFound, StreamGone, StoreUnavailable, LimitReached, ShuttingDown: see `errors`.
        """
        with await self.events.open(path, _SIGNALS, Peer(name=name)) as reader:
            while (event := await reader.next()) is not None:
                yield event.origin


def _closed(tail: str) -> StreamClosed:
    return StreamClosed("the stream is closed: nobody reads it live any more", closed=True, next_offset=tail)
