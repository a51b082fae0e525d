"""A read of many streams as a whole: it opens its streams, tells its cursor, and ends.

Rule 1: it is a channel of its own connection, the first one, so that it learns what happens to all of them.
Rule 2: streams are opened one after the other, in the order of their names, patterns last; none while the connection
        is full.
Rule 3: the cursor is told when all streams are at their tails, then at most once a second while something is sent, and
        before every end that is ours. What it tells was written before it.
Rule 4: a cursor that is due when a stream has news goes out with these, in one write: it is owed until then.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from msgspec import structs

from headwater.errors import HeadwaterError, TooManyStreams
from headwater.hub.access.end import AccessEnd
from headwater.hub.live.connection import Connection
from headwater.hub.live.expiry_notice import notice
from headwater.hub.live.groupless import Groupless
from headwater.hub.live.many.asked import Asked
from headwater.hub.live.many.matches import Matches
from headwater.hub.live.many.silence import Silence
from headwater.hub.live.many.slot import Condition, Slot
from headwater.hub.live.many.standing import Standing
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.model import Last, SlowPolicy
from headwater.protocol import vector
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.ephemeral import Ephemeral, of_stream
from headwater.protocol.patterns import is_pattern
from headwater.protocol.slow import REPLAY
from headwater.protocol.wire import problem

_log: Final = logging.getLogger("headwater")

#: Seconds after which a reader is to come back whose streams could not be listed.
RETRY_SECONDS: Final = 1.0
_OVER: Final = (Condition.ENDED, Condition.FAILED)
#: Streams opened in one turn of the event loop.
TURN: Final = 20


class ManyReader(Groupless):
    """One of them; see `Channel`.

    Args:
        live: the hub's readers.
        asked: what is read.
        connection: of nothing else.
        form: how bytes are framed, and what ends the response.

    Attributes:
        live: as given.
        connection: as given.
        asked: as given.
        policy: what the reader gets when it was slow; None: as each stream says.
        slow: the connection's, which only the streams' own ones end.
    """

    _silence: Silence  # from when it is started

    def __init__(self, live: LiveReaders, asked: Asked, connection: Connection, form: WireFormat) -> None:
        self.live: Final = live
        self.connection: Final = connection
        self.policy: Final[SlowPolicy | None] = asked.slow
        self.slow: SlowPolicy = REPLAY
        self.asked: Final = asked
        self._form = form
        self._heartbeat = form.heartbeat or live.runtime.limits.heartbeat_seconds
        self._whole = asked.whole
        self._head = vector.head_of(asked.names)
        self._by_path: dict[str, Slot] = {}
        self._places: list[Slot | Matches[Slot]] = [self._placed(each.name, each.start) for each in asked.wanted]
        self._matches = [place for place in self._places if isinstance(place, Matches)]
        if asked.places is not None:
            for place, stood in zip(self._places, asked.places, strict=True):
                if stood is not None:
                    place.resume(stood)  # type: ignore[arg-type]  # the vector was read by these names
        self._queue: deque[Slot] = deque(self._by_path.values())
        self._behind: set[Slot] = set(self._queue)
        self._opener: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._later: deque[Callable[[], None]] = deque()
        self._has_caught_up = self._is_over = False
        #: A cursor is due, and the connection was full, or news were about to be written; and what was told last.
        self._owes, self._told = False, ""
        self.standing: Final = Standing()
        self._noted: list[Access] = []  # by which its streams are read; one of them that ends, ends the whole

    def _placed(self, name: str, start: str | Last) -> Slot | Matches[Slot]:
        if is_pattern(name):
            return Matches(name, start, self, self.live.patterns, self.asked.private)
        slot = self._by_path[name] = Slot(self, name, start, is_exact=True)
        return slot

    def start(self, head: bytes) -> None:
        """Tell the opening, and open the streams."""
        self.connection.add(self)
        self._live_by(self.asked.who.access)
        opening = self._whole.opening()
        begin = head + (self._form.frame(opening) if opening else b"")
        if begin:
            self.connection.write(begin)
        self._silence = Silence(self.live.runtime.timers, self._heartbeat, self._beat)
        for each in self._matches:
            self.live.patterns.watch(each.pattern, each)
        if self.live.runtime.draining:
            self.end(self.live.runtime.share(), "stopping")
        else:
            self._begin(self._open_all())

    # Its streams come.

    def _begin(self, opening: Coroutine[Any, Any, None]) -> None:
        self._opener = asyncio.get_running_loop().create_task(opening)
        self._opener.add_done_callback(self._opened)

    def _opened(self, opener: asyncio.Task[None]) -> None:
        """What goes wrong with all of them, or in the program, is no reason to keep a reader waiting."""
        error = None if opener.cancelled() else opener.exception()
        self._opener = None if self._opener is opener else self._opener
        if error is not None and not self._is_over:
            if not isinstance(error, HeadwaterError):
                _log.error("a read of many streams broke off", exc_info=error)
            self.end(RETRY_SECONDS, "failed")

    async def _open_all(self) -> None:
        for name, error in self.asked.refused.items():
            self._write(self._whole.refused(name, problem(error)))
            self.live.runtime.stats.errors[error.code] += 1
            self._by_path[name].condition = Condition.FAILED
            self._behind.discard(self._by_path[name])
        await self._open_queued()
        for each in self._matches:
            if self._is_over:
                return
            async for slot in each.list(self.live):
                self._queue.append(slot)
                self._behind.add(slot)
                await self._open_queued()
        self._opener = None
        self._check()

    async def _open_queued(self) -> None:
        opened = 0
        while self._queue and not self._is_over:
            while self.connection.is_stopped:
                self._room = asyncio.get_running_loop().create_future()
                await self._room
            slot = self._queue.popleft()
            if slot.condition is Condition.FAILED:
                continue
            if not slot.open_now():
                await slot.open()
            opened += 1
            if opened % TURN == 0:
                await asyncio.sleep(0)

    async def _open_more(self) -> None:
        await self._open_queued()
        self._opener = None
        self._check()

    def _open_soon(self, slot: Slot) -> None:
        self._queue.append(slot)
        self._behind.add(slot)
        if self._opener is None:
            self._begin(self._open_more())

    def came(self, slot: Slot) -> None:
        """See `TakesStreams.came`."""
        if self._opener is not None or self.connection.is_stopped or not slot.open_now():
            self._open_soon(slot)

    @property
    def max_streams(self) -> int:
        """See `TakesStreams.max_streams`."""
        return self.asked.max_streams

    def is_free(self, path: str) -> bool:
        """See `TakesStreams.is_free`."""
        return path not in self._by_path

    def place(self, matches: Matches[Slot], path: str, start: str | Last, incarnation: int) -> Slot | None:
        """See `TakesStreams.place`."""
        former = self._by_path.get(path)
        if former is not None:
            former.next = incarnation
            return None
        if len(self._by_path) >= self.asked.max_streams:
            if not matches.was_full:
                matches.was_full = True
                self.live.runtime.stats.errors[TooManyStreams.code] += 1
                error = TooManyStreams(
                    f"one read gives {self.asked.max_streams} streams; what else matches is left out"
                )
                self._write(self._whole.refused(matches.pattern, problem(error)))
            return None
        slot = self._by_path[path] = Slot(self, path, start, is_exact=False, incarnation=incarnation)
        return slot

    # What its streams ask and tell; see `ReadOfMany`.

    @property
    def base(self) -> WireFormat:
        """See `ReadOfMany.base`."""
        return self._form

    def form(self, path: str) -> WireFormat:
        """See `ReadOfMany.form`."""
        form = structs.replace(self._form, encoder=self.asked.encoder(path), last=b"")
        return structs.replace(form, tell=partial(_tell_of, form.tell, path)) if form.kinds else form

    @property
    def peer(self) -> Peer | None:
        """See `ReadOfMany.peer`."""
        return self.asked.peer

    async def access(self, path: str) -> Peer:
        """See `ReadOfMany.access`."""
        peer = await self.asked.access(path)
        self._live_by(peer.access)
        return peer

    def _live_by(self, access: Access) -> None:
        if access is not ANYBODY and access not in self._noted and not self._is_over:
            self._noted.append(access)
            self.live.runtime.principals.enter(access, self.connection)

    def settled(self, slot: Slot) -> None:
        """See `ReadOfMany.settled`."""
        self._behind.discard(slot)
        if not slot.is_exact and slot.condition in (Condition.ENDED, Condition.GONE):
            self._by_path.pop(slot.path, None)
            for each in self._matches:
                each.forget(slot)
        if self._opener is None:
            self._check()

    def behind(self, slot: Slot) -> None:
        """See `ReadOfMany.behind`."""
        self._behind.add(slot)

    def again(self, slot: Slot, seconds: float = 0.0) -> None:
        """See `ReadOfMany.again`."""
        if seconds:
            self.live.runtime.timers.after(seconds, partial(self.again, slot))
        elif not self._is_over:
            self._open_soon(slot)

    def later(self, call: Callable[[], None]) -> None:
        """See `ReadOfMany.later`."""
        self._later.append(call)

    def moved(self) -> None:
        """See `ReadOfMany.moved`."""
        self.live.runtime.cursors.touched((self,))

    def _check(self) -> None:
        if self._is_over or self._behind:
            return
        is_end = not self._matches and all(slot.condition in _OVER for slot in self._by_path.values())
        if is_end or self._owes or not self._has_caught_up:
            self._has_caught_up = True
            self.tell_cursor()
        else:
            self.moved()
        if is_end:
            self._finish(b"")

    # What is told of the whole.

    def tell_cursor(self) -> None:
        """See `Told.tell_cursor`."""
        if self._is_over:
            return
        news = filter(None, map(self._by_path.get, self.live.runtime.flusher.pending()))
        self._owes = self.connection.is_stopped or any(slot.waits_for_flush() for slot in news)
        if self._owes:
            self.moved()  # the news may be none for the reader, so that it is looked at again
        elif cursor := self._cursor():
            self._write(cursor)

    def take_owed(self) -> bytes:
        """See `ReadsMany.take_owed`."""
        if not self._owes or self.connection.is_stopped:
            return b""
        self._silence.spoke()
        self._owes, cursor = False, self._cursor()
        return self._form.frame(cursor) if cursor else b""

    def _cursor(self) -> bytes:
        """Where it stands, as its reader is told, if that is not what it was told last."""
        told, self._told = self._told, self.vector()
        return b"" if told == self._told else self._whole.cursor(self._told)

    def vector(self) -> str:
        """Where it stands, as text."""
        place = self.standing.place(len(self._by_path), self.asked.names, [each.seen for each in self._matches])
        return self.live.runtime.cursors.share(
            place, lambda: vector.encode_vector(self._head, [each.piece() for each in self._places])
        )

    def _write(self, data: bytes) -> None:
        self._silence.spoke()
        self.connection.write(self._form.frame(data))

    def _beat(self) -> None:
        if not self.connection.is_stopped:
            self._write(self._whole.beat())

    # Its end.

    def end(self, retry_after: float, reason: str) -> None:
        """See `ReadOfMany.end`."""
        if not self._is_over:
            self._finish(self._whole.detached(self.vector(), retry_after, reason))

    def _finish(self, last: bytes) -> None:
        self._is_over = True
        if last:
            self._write(last)
        if self._form.last:
            self.connection.write(self._form.last)
        for slot in self._by_path.values():
            slot.close()
        self._release()
        self.connection.clear()
        self.connection.finish()

    def _release(self) -> None:
        self._is_over = True
        self._later.clear()
        for each in self._matches:
            self.live.patterns.unwatch(each.pattern, each)
        self.live.runtime.cursors.forget(self)
        for access in self._noted:
            self.live.runtime.principals.leave(access, self.connection)
        self._silence.stop()
        opener, self._opener = self._opener, None
        if opener is not None and opener is not asyncio.current_task():
            opener.cancel()

    # From its connection; see `Channel`.

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`."""
        self.end(retry_after, reason)

    def hush(self, end: AccessEnd) -> None:
        """See `Channel.hush`; its streams are channels too, and no more are opened."""

    def end_access(self, end: AccessEnd) -> None:
        """See `Channel.end_access`."""
        self.end(end.retry_after, end.reason)

    def tell_expiring(self, at: float) -> None:
        """See `Channel.tell_expiring`."""
        if not self._is_over and (data := notice(self._form, at)):
            self._write(data)

    def lost(self) -> None:
        """See `Channel.lost`."""
        if not self._is_over:
            self.live.runtime.stats.disconnects += 1
            self._release()

    def pause(self) -> None:
        """See `Channel.pause`; no stream is opened meanwhile."""

    def resume(self, paused: float) -> None:
        """See `Channel.resume`; what was due comes before more is read."""
        if self._owes:
            self.tell_cursor()

    def step(self) -> bool:
        """See `Channel.step`; the connection takes bytes."""
        if self._owes:
            self.tell_cursor()
        while self._later and not self.connection.is_stopped and not self._is_over:
            self._later.popleft()()
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)
        return False


def _tell_of(tell: Callable[[Ephemeral], bytes], path: str, event: Ephemeral) -> bytes:
    return tell(of_stream(event, path))
