"""One connection of `headwater serve`: it reads requests, gives them to the service one by one, and keeps its limits.

What the bytes mean is `inbound`'s to say, what a request wants the service's; how a response is written is in
`exchange`.

Rule 1: one request is under way at a time. What comes behind it waits unparsed, and no more is read from the client,
        until its response is given; the next one has its turn in another turn of the loop.
Rule 2: a head has `head_seconds`, a body `body_seconds`, silence between requests `keep_alive_seconds`. There is one
        timer, which is set when it has rung, and moved forward only where something is due earlier. All first heads
        have one together (`rounds`).
Rule 3: what is refused before its end is not cut off: this side closes, and what comes is thrown away, up to
        `linger_bytes` and `linger_seconds`. A connection that is closed with unread data is reset, and a reset destroys
        the response on its way (RFC 9112 section 9.6).
Rule 4: a client that closes its own side has still asked: what it sent whole is answered before the connection closes.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from headwater.errors import HeadwaterError, RequestTimeout
from headwater.http.bodies import too_large
from headwater.http.exchange import BodyDone, ClientGone, Exchange
from headwater.http.http1 import CONTINUE, response_bytes
from headwater.http.socket_sink import reset
from headwater.server.body_reader import BodyReader
from headwater.server.deadline import Deadline
from headwater.server.exchange import SocketExchange
from headwater.server.head_cache import Head, parse_head
from headwater.server.inbound import Inbound
from headwater.server.outbound import Outgoing
from headwater.server.shared import Shared
from headwater.server.state import CLOSING, HEAD, IDLE, REQUEST, State
from headwater.server.turned_away import TurnedAway

#: Seconds for a request that is on its way when the server stops.
LAST_SECONDS: Final = 1.0


class Connection(Outgoing, asyncio.Protocol):
    """One connection.

    Args:
        shared: what the connections of a server share.
    """

    __slots__ = (
        "_deadline",
        "_exchange",
        "_half_closed",
        "_left",
        "_reader",
        "_reading",
        "_state",
        "_task",
        "has_asked",
        "inbound",
    )

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.inbound = Inbound(shared.heads, shared.limits.max_header_bytes)
        self._state = HEAD
        self._exchange: SocketExchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._reading = True
        self._half_closed = False
        #: Of what is due, but for the first head; see `Round`.
        self._deadline: Deadline | None = None
        self._reader: BodyReader | None = None
        self.has_asked = False
        #: Bytes that may still come behind a response.
        self._left = 0

    # From the transport.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; its first head is due."""
        shared = self.shared
        self.transport = transport
        shared.connections.add(self)
        most = shared.limits.max_connections
        if len(shared.connections) + shared.stats.pushed > most:
            self._leave()
            TurnedAway(shared, transport)
        elif shared.stopping:
            self._due_in(LAST_SECONDS)
        else:
            shared.arrivals.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        state = self._state
        if state is CLOSING:
            self._throw_away(len(data))
            return
        # Behind a response, what was read before has its turn soon; until then no more is.
        is_alone = self.inbound.feed(data)
        if state is HEAD or (state is IDLE and is_alone and not self.is_full):
            self._next()
        elif self._reader is not None:
            self._reader.more()
        elif state is State.SKIPPING:
            self._skip(len(data))
        else:
            self._read(on=False)

    def eof_received(self) -> bool:
        """The client sends nothing more. With TLS both sides are closed.

        Returns:
            False: nothing is due, and the connection closes.
        """
        takes = self.shared.limits.takes_half_closed and self.transport.can_write_eof()
        # Where there is a reader, the rest of a body will not come.
        is_asked = self._state is REQUEST or (self._state is IDLE and bool(self.inbound.buffer))
        # A client that reads live and closes its side looks the same as one that has left.
        is_live = self._exchange is not None and self._exchange.is_live
        self._half_closed = takes and is_asked and self._reader is None and not is_live
        if not self._half_closed:
            self._close()
        return self._half_closed

    def resume_writing(self) -> None:
        """The client takes more again."""
        super().resume_writing()
        if self._state is IDLE and self.inbound.buffer:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._leave()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._lose(exchange)
        super().resume_writing()

    def _lose(self, exchange: SocketExchange) -> None:
        """Nobody waits for the response to the request under way."""
        exchange.lost()
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.forget()
        if reader is not None or exchange.may_be_cancelled:
            self.shared.stats.disconnects += 1
            if self._task is not None:
                self._task.cancel()

    # Requests.

    def _next(self) -> None:
        """Take the next request, if its head is there."""
        inbound = self.inbound
        head = inbound.head()
        if head is None:
            if self._half_closed:
                self._close()  # the rest of a head that will not come
                return
            if self._state is IDLE and inbound.buffer:
                self._state = HEAD
                self._due_in(self.shared.limits.head_seconds)
            self._read(on=True)
            return
        self._state = REQUEST  # in which what was due before is not
        self.has_asked = False
        self._exchange = exchange = SocketExchange(self, head)
        work = self.shared.service.begin(exchange)
        if work is not None:
            self._task = self.shared.start(work)
            self._task.add_done_callback(self._ran)

    def _ran(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
        if task.cancelled() and self._state is REQUEST and self._exchange is not None:
            self._close()

    def _go_on(self) -> None:
        """Behind a response: what came meanwhile, in another turn of the loop."""
        if self._state is IDLE and not self.is_full:
            self._next()

    # Bodies.

    def read_body(self, exchange: Exchange, done: BodyDone) -> None:
        """See `Wire.read_body`."""
        inbound, service, current = self.inbound, self.shared.service, self._exchange
        if current is None or exchange is not current:
            raise ClientGone
        head = current.request
        if head.length is not None and head.length > service.limits.max_body_bytes:
            done(too_large(service.limits, head.length))
            return
        try:
            part = b"" if inbound.is_whole else inbound.body()
        except HeadwaterError as error:
            done(error)
            return
        if inbound.is_whole:
            if head.expects:
                self.put(CONTINUE)
            done(part if len(part) <= service.limits.max_body_bytes else too_large(service.limits, None))
        elif self._half_closed:
            self._close()
            raise ClientGone
        else:
            self._read_more(head, part, done)

    def _read_more(self, head: Head, part: bytes, done: BodyDone) -> None:
        client = self._exchange.client if self._exchange is not None else None
        if head.expects:
            self.put(CONTINUE)
        self.has_asked = True
        service = self.shared.service
        reader = self._reader = BodyReader(
            self.inbound, service, client[0] if client else None, partial(self._end_body, done)
        )
        self._due_in(service.limits.body_seconds)
        self._read(on=True)
        reader.take(part)

    def _end_body(self, done: BodyDone, outcome: bytes | HeadwaterError) -> None:
        self._reader = None
        self._nothing_due()
        done(outcome)

    # Responses.

    def is_current(self, exchange: Exchange) -> bool:
        """See `Wire.is_current`."""
        return exchange is self._exchange and not self.transport.is_closing()

    def keeps_alive(self, exchange: Exchange) -> bool:
        """See `Wire.keeps_alive`."""
        current = self._exchange
        if current is None or exchange is not current or not current.request.keep_alive or self.shared.stopping:
            return False
        if self._half_closed and not self.inbound.buffer:
            return False
        return not self.transport.is_closing()

    def give(self, exchange: Exchange, data: bytes) -> bool:
        """See `Wire.give`."""
        if not self.keeps_alive(exchange):
            return False
        self.write(data)
        inbound = self.inbound
        if inbound.buffer or not inbound.is_whole or not self._reading or self.is_full:
            self.end_response(closes=False)
            return True
        self._exchange, self._state = None, IDLE
        (self._deadline or self._no_deadline()).set(self.shared.limits.keep_alive_seconds)
        return True

    def end_response(self, *, closes: bool, unread: bool = False) -> None:
        """See `Wire.end_response`."""
        self._exchange = None
        inbound = self.inbound
        if closes:
            self._linger() if unread or inbound.buffer or not inbound.is_whole else self._close()
        elif inbound.is_whole:
            self._rest()
        else:
            self._state = State.SKIPPING
            self._left = self.shared.service.limits.linger_bytes
            self._due_in(self.shared.service.limits.linger_seconds)
            self._read(on=True)
            self._skip(inbound.waiting)

    def _rest(self) -> None:
        """Behind a request and its response: the next one may come, or is here."""
        self._state, shared = IDLE, self.shared
        self._due_in(LAST_SECONDS if shared.stopping else shared.limits.keep_alive_seconds)
        if self.inbound.buffer:
            asyncio.get_running_loop().call_soon(self._go_on)
        elif self._half_closed:
            self._close()  # what waited was the rest of a body, and nothing follows it
            return
        elif not self._reading:
            self._read(on=True)
        if self.is_full:
            self.watch()

    def cut(self, *, at_once: bool) -> None:
        """See `Wire.cut`."""
        if at_once:
            reset(self.transport)
        else:
            self._close()

    def take(self) -> None:
        """See `Wire.take`."""
        self._leave()
        self._exchange = None
        if self._half_closed:
            self.close_out()

    # Ends.

    def stop(self) -> None:
        """The server stops: the response under way is the last one, or that to a request that is here soon."""
        if self._state is HEAD or (self._state is IDLE and not self.inbound.buffer):
            self._due_in(LAST_SECONDS)

    def _refuse_late(self) -> None:
        """No head came in time. Who is silent is not kept a moment longer: others need the room."""
        service, seconds = self.shared.service, self.shared.limits.head_seconds
        answer = service.refused(RequestTimeout(f"the head did not arrive within head_seconds={seconds:g}"), None)
        begun = parse_head(self.inbound.rest())
        self.put(response_bytes(answer, self.shared.clock.line(), service.headers(begun), keep_alive=False))
        self._close()

    def _close(self) -> None:
        self._state = CLOSING
        self._nothing_due()
        self.close_out()

    def _linger(self) -> None:
        if self._half_closed:  # nothing more comes
            self._close()
        if self.transport.is_closing():
            return
        self._state = CLOSING
        if self.transport.can_write_eof():  # not with TLS
            self.transport.write_eof()
        self._left = self.shared.service.limits.linger_bytes
        self._due_in(self.shared.service.limits.linger_seconds)
        self._read(on=True)
        self._throw_away(self.inbound.waiting)
        self.inbound.forget()

    def _throw_away(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            self._cut_lingering()

    def _skip(self, size: int) -> None:
        """Throw away what came of a body whose request is answered; the next request may follow."""
        try:
            self.inbound.body()
        except HeadwaterError:
            self._close()
            return
        self._left -= size
        if self.inbound.is_whole:
            self._rest()
        elif self._left < 0:
            self._cut_lingering()
        elif self._half_closed:
            self._close()  # the rest of a body that will not come

    def _cut_lingering(self) -> None:
        self.shared.stats.linger_cuts += 1
        self._close()

    # Time.

    def waited(self) -> None:
        """See `Waits.waited`: its first head was due now."""
        if self._state is HEAD and self._deadline is None:
            self._is_due()

    def _no_deadline(self) -> Deadline:
        deadline = self._deadline = Deadline(self.shared.timers, self._is_due)
        return deadline

    def _due_in(self, seconds: float) -> None:
        (self._deadline or self._no_deadline()).set(seconds)

    def _nothing_due(self) -> None:
        if self._deadline is not None:
            self._deadline.clear()

    def _is_due(self) -> None:
        match self._state:
            case State.HEAD if self.shared.stopping and not self.inbound.buffer:
                self._close()
            case State.HEAD:
                self._refuse_late()
            case State.REQUEST if self._reader is not None:
                self._reader.late()
            case State.IDLE if not self.inbound.buffer:  # else its client takes no responses: see `Outgoing.watch`
                self._close()
            case State.SKIPPING | State.CLOSING:
                self._cut_lingering()

    def _read(self, *, on: bool) -> None:
        if on != self._reading:
            self._reading = on
            (self.transport.resume_reading if on else self.transport.pause_reading)()

    def _leave(self) -> None:
        self._state, shared = State.GONE, self.shared
        shared.connections.discard(self)
        shared.arrivals.discard(self)
        if self._deadline is not None:
            self._deadline.end()
