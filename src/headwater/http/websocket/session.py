"""One connection of `-/connect`: messages in, answers and streams out.

Rule 1: the first message is `hello`; it is waited for `hello_seconds`.
Rule 2: what is wrong with a message is told by itself, and the connection goes on. It ends for what breaks WebSocket,
        and for a client that is silent for two and a half heartbeats.
Rule 3: everything goes out through the connection, so that its bytes have one order.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final

import msgspec

from headwater.errors import HeadwaterError, InvalidMessage, MessageTooLarge, RequestTimeout, ShuttingDown, Unavailable
from headwater.http.authorize import Credential
from headwater.http.duplex import Duplex
from headwater.http.websocket.patience import EARLY
from headwater.http.websocket.rights import rights_of
from headwater.http.websocket.shared import Door
from headwater.http.websocket.stay import Stay, interval
from headwater.http.websocket.talk import Talk
from headwater.http.websocket.telling import Telling
from headwater.hub.live.shared_connection import DistinctConnection
from headwater.hub.live.subscriptions.whole import Subscriptions
from headwater.hub.live.subscriptions.wish import Wish
from headwater.hub.peers import Peer
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask
from headwater.protocol.requests import reader_name
from headwater.protocol.websocket import closes
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codec import Codec
from headwater.protocol.websocket.stream_messages import problem

_log: Final = logging.getLogger("headwater")

#: Bytes of `hello`, where there is access; a token has half of it at most.
HELLO_BYTES: Final = 16 * 1024
#: Begins a message, with the access that is granted for it.
Go = Callable[[Access], None]


class Session(Talk):
    """One connection; see `Talk` and `Holder`.

    Args:
        door: through which it came.
        codec: of its subprotocol.
        telling: of the same.
        sink: the connection.
        credential: that its request shows; None: nobody is asked.
        address: host and port of the other end as text; None: not known.
        operations: what messages do.

    Attributes:
        codec: as given.
        connection: what its channels share; `write` tells.
        door: as given.
        greeted: `hello` has come.
        operations: as given.
        peer: who reads, but for the access.
        rights: what the client may do.
        subscriptions: what is read.
    """

    __slots__ = (
        "_is_draining",
        "_spoke_at",
        "_stay",
        "codec",
        "door",
        "greeted",
        "operations",
        "peer",
        "rights",
        "subscriptions",
    )

    connection: DistinctConnection

    def __init__(
        self,
        door: Door,
        codec: Codec,
        telling: Telling,
        sink: Duplex,
        credential: Credential | None,
        address: str | None,
        operations: Operations,
    ) -> None:
        hub = door.hub
        super().__init__(hub, sink, DistinctConnection(hub.runtime, sink))
        self.door = door
        self.codec = codec
        self.peer = Peer("websocket", None, address)
        self.greeted = False
        self.operations = operations
        self.subscriptions = Subscriptions(hub.live, self.connection, telling, self, door.names.private)
        self._is_draining = False
        if credential is not None:
            sink.unproven_bytes = HELLO_BYTES
        self.rights = rights_of(door.permission, credential, self)
        self._spoke_at = sink.heard_at
        self._stay: Stay | None = None  # most connections never have any
        runtime = hub.runtime
        self._timer = runtime.timers.after(runtime.limits.hello_seconds, self._expect_hello)
        runtime.holders.add(self)
        if runtime.draining:
            self.stop()

    # What it is told.

    def handle(self, data: bytes, is_text: bool) -> None:
        """See `Handles.handle`."""
        if self.is_over:
            return
        if is_text is not self.codec.is_text:
            kind = "text" if self.codec.is_text else "binary"
            self.close(closes.WRONG_KIND, f"{self.codec.name} has {kind} messages")
            return
        if 0 < self._sink.unproven_bytes < len(data):
            self.close(MessageTooLarge.ws_close, "the first message is too large")
            return
        id = s = None
        try:
            message = self.codec.decode(data)
            id, s = getattr(message, "id", None), getattr(message, "s", None)
            self.hub.stats.websocket_messages[m.KINDS[type(message)]] += 1
            if not self.greeted:
                self._greet(message)
            elif self._is_draining and not isinstance(message, m.Pong | m.Ping | m.Ack):
                raise ShuttingDown("the server stops; nothing was done")
            else:
                self.operations[type(message)](self, message, len(data))
        except Exception as error:
            self.refuse(error, id, s)

    def _greet(self, hello: m.ClientMessage) -> None:
        self._sink.unproven_bytes = 0
        if not isinstance(hello, m.Hello):
            raise InvalidMessage("the first message is hello")
        if hello.name is not None:
            self.peer = msgspec.structs.replace(self.peer, name=reader_name(hello.name))
        if hello.token is not None:
            self.rights.show(hello.token)
        self.greeted = True
        welcome = self.door.welcomes[self.codec.name]
        if self.connection.before is None:
            self.write(welcome)
        else:
            self.connection.before = welcome
        limits = self.hub.limits
        if limits.hello_seconds > limits.heartbeat_seconds:
            self.watch()

    def gather(self) -> None:
        """See `Receiver.gather`: `hello` is answered with the subscriptions behind it, by one write."""
        if not self.greeted:
            self.connection.before = b""

    def settle(self) -> None:
        """See `Receiver.settle`."""
        before, self.connection.before = self.connection.before, None
        if before:
            self.write(before)

    # What it does.

    def perform(self, id: int | None, size: int, asks: tuple[Ask, ...] | None, go: Go, s: int | None = None) -> None:
        """Begin a message, when the application allows it; it is under way until `answer` or `refuse`.

        Args:
            id: of the message; one that is under way already has no other.
            size: bytes for which it counts.
            asks: all that it names; None: nothing yet, and only who it is of is asked.
            go: begins it.
            s: of its stream, for one without an id.

        Raises:
            HeadwaterError: it is refused.
        """
        requests = self.requests
        if id is not None:
            requests.check_id(id)
        found = self.rights.proof() if asks is None else self.rights.of(asks)
        requests.began(id, size)
        if isinstance(found, Access):
            self._go(id, size, go, s, found)
        else:
            requests.hold(found, partial(self._decided, id, size, go, s))

    def allow(self, id: int | None, size: int, asks: tuple[Ask, ...], go: Go, s: int | None = None) -> None:
        """`perform` for what is done when `go` returns, and told by itself. Most is not even under way."""
        if id is not None:
            self.requests.check_id(id)
        found = self.rights.of(asks)
        if isinstance(found, Access):
            go(found)
            self._accepted()
        else:
            self.requests.began(id, size)
            self.requests.hold(found, partial(self._decided, id, size, partial(self._allowed, id, size, go), s))

    def _allowed(self, id: int | None, size: int, go: Go, access: Access) -> None:
        go(access)
        self.answer(id, size, b"")

    def _decided(self, id: int | None, size: int, go: Go, s: int | None, done: asyncio.Future[Access]) -> None:
        error = done.exception()
        if error is not None:
            self.fail(id, size, error, s)
        elif not self.is_over:
            self._go(id, size, go, s, done.result())

    def _go(self, id: int | None, size: int, go: Go, s: int | None, access: Access) -> None:
        try:
            go(access)
        except Exception as error:
            self.fail(id, size, error, s)

    def answer(self, id: int | None, size: int, frame: bytes) -> None:
        """Answer a message that was under way.

        Args:
            id: of the message.
            size: as for `perform`.
            frame: to tell; empty: it was told otherwise.
        """
        if not self.is_over and frame:
            self.write(frame)
        self._accepted()
        self._done(id, size)

    def _accepted(self) -> None:
        if self.door.warned:
            self.door.warned.forget(self)

    def fail(self, id: int | None, size: int, error: BaseException, s: int | None = None) -> None:
        """The same with an error; `s` as for `refuse`."""
        if not self.is_over:
            self.refuse(error, id, s)
        self._done(id, size)

    def _done(self, id: int | None, size: int) -> None:
        self.requests.answered(id, size)
        if self._is_draining and self.requests.are_done:
            self.close(closes.GOING, ShuttingDown.code)

    def run(self, id: int | None, size: int, work: Coroutine[Any, Any, bytes], s: int | None = None) -> None:
        """Do what takes waiting; what it gives is the answer."""
        self.requests.run(work, partial(self._ran, id, size, s))

    def _ran(self, id: int | None, size: int, s: int | None, done: asyncio.Future[bytes]) -> None:
        error = done.exception()
        if error is None:
            self.answer(id, size, done.result())
        else:
            self.fail(id, size, error, s)

    def refuse(self, error: BaseException, id: int | None = None, s: int | None = None) -> None:
        """Tell what is wrong.

        Args:
            error: a refusal, or a mistake in the program, of which the client is told nothing.
            id: of the message.
            s: of the stream, for one without.
        """
        if not isinstance(error, HeadwaterError):
            _log.error("a message of a WebSocket connection", exc_info=error)
            error = HeadwaterError.of_mistake()
        self.hub.stats.errors[error.code] += 1
        self.tell(problem(error, id=id, s=s if id is None else None))
        if self.door.warned.refused(self, error, self.hub.limits.connection_requests):
            self.close(error.ws_close, error.code)

    # What goes out.

    def tell(self, message: m.ServerMessage) -> None:
        """Tell something."""
        self.write(self.codec.encode(message))

    def write(self, data: bytes) -> None:
        """See `Receiver.write`."""
        if not self.is_over:
            self._spoke_at = time.monotonic()
            self.connection.write(data)

    # Time.

    def _expect_hello(self) -> None:
        self._timer = None
        if self.greeted:
            # Its first beat is due so long after the last word; a timer of its own would cost each connection one.
            self.watch(max(0.0, self._spoke_at + self.interval - time.monotonic()))
            return
        self.hub.stats.errors[RequestTimeout.code] += 1
        seconds = self.hub.limits.hello_seconds
        self.close(RequestTimeout.ws_close, f"hello did not arrive within hello_seconds={seconds:g}")

    @property
    def interval(self) -> float:
        """See `Talk.interval`; a member is listened for more often."""
        return interval(self._stay, self.hub)

    def speak(self, now: float) -> None:
        """See `Talk.speak`."""
        if now - max(self._spoke_at, self.subscriptions.spoke_at) >= self.hub.limits.heartbeat_seconds - EARLY:
            self.tell(m.Beat())

    def beaten(self) -> None:
        """See `Talk.beaten`."""
        if self._stay is not None:
            for path in self._stay.heard(self._sink.heard_at):
                self.requests.run(self._stay.come_back(path), self._came_back)

    def late(self, error: RequestTimeout) -> None:
        """See `Talk.late`."""
        self.close(error.ws_close, error.message)

    def _came_back(self, done: asyncio.Future[None]) -> None:
        error = done.exception()
        if error is not None and not self.is_over:
            self.refuse(error)

    def access(self, wish: Wish) -> Peer | Awaitable[Peer]:
        """See `Holder.access`."""
        return self.rights.peer(self.peer, wish)

    # Its end; see `Holder` and `Receiver`.

    def stop(self) -> None:
        """See `Holder.stop`: what is under way is answered, and then it ends."""
        if self.is_over or self._is_draining:
            return
        self._is_draining = True
        runtime = self.hub.runtime
        self.tell(m.Drain(round(runtime.share(), 3)))
        self.subscriptions.close()
        if self.requests.are_done:
            self.close(closes.GOING, ShuttingDown.code)
        else:
            runtime.timers.after(runtime.limits.drain_seconds, partial(self.close, closes.GOING, ShuttingDown.code))

    def shed(self, retry_after: float) -> None:
        """See `Holder.shed`."""
        self.tell(m.Drain(round(retry_after, 3)))
        self.close(Unavailable.ws_close, "shed")

    def paused(self) -> None:
        """See `Holder.paused`."""
        self.requests.is_full = True

    def resumed(self) -> None:
        """See `Holder.resumed`."""
        if self.requests.is_full:
            self.requests.is_full = False
            self.requests.go_on()

    def _leave(self) -> None:
        self._forget()
        self.subscriptions.close()
        self.connection.clear()
        self._end_stay()

    def lost(self) -> None:
        """See `Holder.lost`."""
        self._forget()
        self._end_stay()

    @property
    def stay(self) -> Stay:
        """What others see of it while it lives."""
        if self._stay is None:
            self._stay = Stay(self.hub)
        return self._stay

    def _end_stay(self) -> None:
        stay, self._stay = self._stay, None
        if stay is not None:
            stay.end()

    def _forget(self) -> None:
        super()._forget()
        self.hub.runtime.holders.discard(self)
        self._accepted()
        self.rights.stop()


#: What a message does: given the session, the message and its size.
Operations = dict[type[Any], Callable[[Session, Any, int], None]]
