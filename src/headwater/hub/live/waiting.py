"""Readers that came before their stream.

Rule 1: nothing tells whether a stream exists: the response is the same until it is there.
Rule 2: they are counted and listed as all others, kept alive, and let go when the hub stops.
Rule 3: when the stream is made they become readers of it from its first record on, a bounded number in a turn of the
        loop, each on the connection that it has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

from headwater.errors import HeadwaterError, StreamGone, StreamNotFound
from headwater.hub.access.end import AccessEnd
from headwater.hub.eager import begin
from headwater.hub.live.arrival import Arrival
from headwater.hub.live.connection import Connection, connection_to
from headwater.hub.live.expiry_notice import notice
from headwater.hub.live.follower import Follower
from headwater.hub.live.groupless import Groupless
from headwater.hub.live.sinks import Sink
from headwater.hub.live.stream import LiveStream
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.hub.wheel import Timer
from headwater.model import BEGINNING, SlowPolicy
from headwater.protocol.cursor import Cursor, Event, Gap
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE
from headwater.protocol.slow import REPLAY
from headwater.protocol.wire import Encoder


class Admits(Protocol):
    """Who opens readers and pushes to them; see `LiveReaders`."""

    def enter(self, path: str) -> LiveStream:
        """See `LiveReaders.enter`."""
        ...

    async def open(self, path: str, offset: str, *, slow: SlowPolicy | None, peer: Peer, first_bytes: int) -> Arrival:
        """See `LiveReaders.open`."""
        ...

    def open_at_once(self, path: str, offset: str, *, slow: SlowPolicy | None, peer: Peer) -> Arrival | None:
        """See `LiveReaders.open_at_once`."""
        ...

    def push(self, arrival: Arrival, form: WireFormat, to: Connection) -> object:
        """See `LiveReaders.push`."""
        ...


class Comes(Protocol):
    """A reader that has come otherwise than to one stream that is there; it leaves with its `with` block."""

    def push(self, form: WireFormat, to: Sink | Connection, head: bytes) -> object:
        """Push to it, from now on; see `LiveReaders.push`."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Awaiting:
    """A reader that has come, and whose stream is not there; it leaves with its `with` block, unless it is pushed.

    Args:
        live: lets it in later.
        stream: where the stream will be; the reader is counted there.
        asked: the offset with which it came, of an earlier stream at the path; None: it had none.
        slow: what it gets when it was slow; None: as the stream will say.
        peer: who reads.
    """

    def __init__(
        self, live: Admits, stream: LiveStream, asked: str | None, slow: SlowPolicy | None, peer: Peer
    ) -> None:
        self.live = live
        self.stream = stream
        self.asked = asked
        self.slow = slow
        self.peer = peer
        self._taken = False

    def push(self, form: WireFormat, to: Sink | Connection, head: bytes) -> WaitingReader:
        """Tell that it waits, and wait.

        Args:
            form: the wire format.
            to: where the bytes go.
            head: precedes the format's bytes.
        """
        self.take()
        connection = connection_to(self.stream.runtime, to, self.peer)
        reader = WaitingReader(self, connection, form)
        reader.start(head)
        return reader

    def take(self) -> None:
        """Somebody waits in its stead, from now on."""
        self._taken = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._taken:
            self.stream.leave()


class WaitingReader(Groupless, Follower):
    """One of them, on its connection; see `Channel`.

    Args:
        came: as it came.
        connection: of which it is a channel.
        form: the wire format.
    """

    __slots__ = ("_admitting", "_came", "_connection", "_cursor", "_encoder", "_form", "_timer")

    def __init__(self, came: Awaiting, connection: Connection, form: WireFormat) -> None:
        stream = came.stream
        now = time.monotonic()
        number = stream.runtime.stats.readers_total
        super().__init__(stream, number, now, came.slow or REPLAY, came.peer)
        self._came = came
        self._connection = connection
        self._form = form
        beat = form.heartbeat or stream.runtime.limits.heartbeat_seconds
        self._cursor = Cursor(came.asked or BEGINNING, now, heartbeat=beat)
        self._encoder: Encoder = form.encoder(DEFAULT_CONTENT_TYPE)
        self._timer: Timer | None = None
        self._admitting: asyncio.Task[None] | None = None
        connection.add(self)

    @property
    def stands(self) -> Cursor:
        """See `Follower.stands`."""
        return self._cursor

    @property
    def held(self) -> int:
        """See `Follower.held`."""
        return self._connection.sink.held()

    @property
    def asked(self) -> str | None:
        """The offset with which it came, of an earlier stream at the path; None: without one."""
        return self._came.asked

    def start(self, head: bytes) -> None:
        """Tell that it waits."""
        stream = self._came.stream
        stream.followers[self] = None
        self._connection.write(head + self._form.frame(self._encoder.opening() + self._encode(self._cursor.wait())))
        self._timer = stream.runtime.timers.after(self._cursor.next_timer() - time.monotonic(), self._beat)
        stream.await_creation(self)
        if stream.runtime.draining:
            self.let_go()

    # The stream is made.

    def admit(self) -> None:
        """Let it in."""
        came = self._came
        if came.stream.runtime.draining:
            return
        with self._gives_its_place():
            arrival = came.live.open_at_once(came.stream.path, BEGINNING, slow=came.slow, peer=came.peer)
        if arrival is not None:
            self._go_in(arrival)
        elif self._admitting is None:
            self._admitting = asyncio.get_running_loop().create_task(self._open())

    @contextmanager
    def _gives_its_place(self) -> Iterator[None]:
        """It counts as a reader already, and is let in also where no more are taken."""
        stats = self._came.stream.runtime.stats
        stats.readers -= 1
        try:
            yield
        finally:
            stats.readers += 1

    async def _open(self) -> None:
        came = self._came
        size = came.stream.runtime.limits.buffer_bytes
        with self._gives_its_place():
            opening = begin(
                came.live.open(came.stream.path, BEGINNING, slow=came.slow, peer=came.peer, first_bytes=size)
            )
        try:
            arrival = await opening
        except (StreamNotFound, StreamGone):  # deleted again
            self._admitting = None
            self.move()
            return
        except HeadwaterError as error:
            self._end(self._cursor.fail(error))
            return
        self._admitting = None
        with arrival:
            self._go_in(arrival)

    def _go_in(self, arrival: Arrival) -> None:
        info, asked = arrival.info, self._came.asked
        self._tell(self._cursor.begin(info.content_type, info.earliest))
        if asked is not None:
            self._tell(Gap(asked, info.earliest, info.earliest, "recreated"))
        connection = self._connection
        self._came.live.push(arrival, self._form, connection)
        self._release()
        connection.drop(self)

    def move(self) -> None:
        """The stream was deleted before it was let in: wait for another one at the path."""
        former, came = self._came.stream, self._came
        came.stream = came.live.enter(former.path)
        came.stream.followers[self] = None
        former.stop_awaiting(self)
        former.leave(self)
        self._stream = came.stream
        came.stream.await_creation(self)

    # What it is told.

    def _beat(self) -> None:
        due = self._cursor.handle_timer(time.monotonic())
        if due is not None:
            self._tell(due)
        runtime = self._came.stream.runtime
        self._timer = runtime.timers.after(max(0.0, self._cursor.next_timer() - time.monotonic()), self._beat)

    def _encode(self, event: Event) -> bytes:
        return self._encoder.encode(event, time.time())

    def _tell(self, event: Event) -> None:
        if data := self._encode(event):
            self._connection.write(self._form.frame(data))

    def _end(self, event: Event) -> None:
        self._tell(event)
        if self._form.last:
            self._connection.write(self._form.last)
        self._release()
        self._connection.remove(self)

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        stream = self._came.stream
        stream.stop_awaiting(self)
        stream.leave(self)

    # From the hub and the connection.

    def let_go(self) -> None:
        """See `Follower.let_go`."""
        self.detach(self._came.stream.runtime.share(), "stopping")

    def tell_expiring(self, at: float) -> None:
        """See `Channel.tell_expiring`."""
        if data := notice(self._form, at):
            self._connection.write(self._form.frame(data))

    def hush(self, end: AccessEnd) -> None:
        """See `Channel.hush`: it is not let in any more."""
        self._cancel()
        self._came.stream.stop_awaiting(self)

    def end_access(self, end: AccessEnd) -> None:
        """See `Channel.end_access`."""
        self.detach(end.retry_after, end.reason)

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`."""
        self._cancel()
        self._end(self._cursor.detach(retry_after, reason))

    def lost(self) -> None:
        """See `Channel.lost`."""
        self._cancel()
        self._release()
        self._came.stream.runtime.stats.disconnects += 1

    def _cancel(self) -> None:
        if self._admitting is not None:
            self._admitting.cancel()
            self._admitting = None

    def pause(self) -> None:
        """See `Channel.pause`; what it is told is little."""

    def resume(self, paused: float) -> None:
        """See `Channel.resume`."""

    def step(self) -> bool:
        """See `Channel.step`."""
        return False
