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
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Final

import msgspec

from headwater.errors import HeadwaterError, InvalidMessage, MessageTooLarge, RequestTimeout, ShuttingDown, Unavailable
from headwater.http.authorize import Credential
from headwater.http.duplex import Duplex
from headwater.http.websocket.answers import Answers
from headwater.http.websocket.patience import EARLY
from headwater.http.websocket.rights import OPEN, Rights
from headwater.http.websocket.shared import Door
from headwater.http.websocket.stay import Stay, interval
from headwater.http.websocket.subprotocol import KINDS, AskedSub, Opening, Subprotocol
from headwater.http.websocket.talk import Talk
from headwater.hub.live.subscriptions.whole import Subscriptions
from headwater.hub.live.subscriptions.wish import Wish
from headwater.hub.peers import Peer
from headwater.protocol.requests import reader_name
from headwater.protocol.websocket import closes
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.stream_messages import problem

_log: Final = logging.getLogger("headwater")

#: Bytes of `hello`, where there is access; a token has half of it at most.
HELLO_BYTES: Final = 16 * 1024


class Session(Answers):
    """One connection; see `Talk` and `Holder`.

    Args:
        door: through which it came.
        subprotocol: that is spoken.
        sink: the connection.
        credential: that its request shows; None: nobody is asked.
        peer: who reads, but for the access.

    Attributes:
        codec: of the subprotocol.
        connection: what is read; `write` tells.
        door: as given.
        greeted: `hello` has come.
        peer: as given; with the name of `hello`.
        rights: what the client may do.
        subprotocol: as given.
    """

    __slots__ = (
        "_is_early",
        "_spoke_at",
        "_stay",
        "codec",
        "greeted",
        "peer",
        "subprotocol",
    )

    connection: Subscriptions

    def __init__(
        self,
        door: Door,
        subprotocol: Subprotocol,
        sink: Duplex,
        credential: Credential | None,
        peer: Peer,
    ) -> None:
        hub = door.hub
        runtime = hub.runtime
        connection = Subscriptions(hub.live, sink, subprotocol.telling, self, door.names.private)
        Talk.__init__(self, hub, sink, connection)  # `super` makes an object each time
        self.door = door
        self.subprotocol = subprotocol
        self.codec = subprotocol.codec
        self.peer = peer
        self.greeted = False
        self.is_draining = False
        #: The time for `hello` is not over.
        self._is_early = True
        if credential is not None:
            sink.unproven_bytes = HELLO_BYTES
        self.rights = OPEN if credential is None else Rights(door.permission, credential, self)
        self._spoke_at = sink.heard_at
        self._stay: Stay | None = None  # most connections never have any
        self._round = door.late
        door.late.add(self)
        runtime.holders.add(self)
        if runtime.draining:
            self.stop()

    # What it is told.

    def received(self, messages: Sequence[tuple[bytes, bool]]) -> None:
        """See `Receiver.received`: `hello` is answered with the subscriptions behind it, by one write."""
        is_first = not self.greeted
        told: list[bytes] = []
        if len(messages) > 1 and self.rights is OPEN and self._requests is None:
            opening = self.subprotocol.opening(messages)
            if opening is not None and opening.greets is is_first and not (self.is_over or self.is_draining):
                messages = messages[self._take(opening, told) :]
                if not messages:
                    return
        if not is_first or (len(messages) == 1 and not told):
            Talk.received(self, messages)
            return
        self.connection.gather(b"".join(told))
        try:
            Talk.received(self, messages)
        finally:
            self.connection.send()

    def _take(self, opening: Opening, told: list[bytes]) -> int:
        """Do what many clients ask for, as far as others came to the same place just before.

        Args:
            opening: what this client sent.
            told: takes what is to be told still.

        Returns:
            How many of its messages that was.
        """
        counts = self.hub.stats.websocket_messages
        if opening.greets:
            counts["hello"] += 1
            self._greeted()
            told.append(self.subprotocol.welcome)
        read = self.connection.read_again(opening.wishes, self.peer, told)
        if read:
            counts["sub"] += read
            told.clear()
            if self.door.warned.counts:
                self.accepted()
        return read + opening.greets

    def handle(self, data: bytes, is_text: bool) -> None:
        """See `Handles.handle`."""
        if self.is_over:
            return
        subprotocol = self.subprotocol
        if is_text is not subprotocol.is_text:
            kind = "text" if subprotocol.is_text else "binary"
            self.close(closes.WRONG_KIND, f"{self.codec.name} has {kind} messages")
            return
        message: m.ClientMessage | AskedSub | None = None
        try:
            message = subprotocol.known.get(data)
            if message is None:
                if not self.greeted and 0 < self._sink.unproven_bytes < len(data):
                    self.close(MessageTooLarge.ws_close, "the first message is too large")
                    return
                message = subprotocol.read(data)
            kind_of = type(message)
            self.hub.stats.websocket_messages[KINDS[kind_of]] += 1
            if not self.greeted:
                self._greet(message)
            elif self.is_draining and not isinstance(message, m.Pong | m.Ping | m.Ack):
                raise ShuttingDown("the server stops; nothing was done")
            else:
                self.door.operations[kind_of](self, message, len(data))
        except Exception as error:
            self.refuse(error, getattr(message, "id", None), getattr(message, "s", None))

    def _greet(self, hello: m.ClientMessage | AskedSub) -> None:
        if not isinstance(hello, m.Hello):
            raise InvalidMessage("the first message is hello")
        self._sink.unproven_bytes = 0
        if hello.name is not None:
            self.peer = msgspec.structs.replace(self.peer, name=reader_name(hello.name))
        if hello.token is not None:
            self.rights.show(hello.token)
        self._greeted()
        self.write(self.subprotocol.welcome)

    def _greeted(self) -> None:
        self.greeted, self._spoke_at = True, self._sink.heard_at
        if self.door.is_patient:
            self.watch()

    @property
    def address(self) -> str | None:
        """`HOST:PORT` of the other end; None: not known."""
        return self.peer.address or self._sink.address()

    # What it says.

    def refuse(self, error: BaseException, id: int | None = None, s: int | None = None) -> None:
        """See `Answers.refuse`."""
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

    def watch(self, seconds: float | None = None) -> None:
        """See `Talk.watch`."""
        self._is_early = False
        super().watch(seconds)

    def waited(self) -> None:
        """See `Waits.waited`: `hello` was due, or a beat is."""
        if not self._is_early:
            super().waited()
            return
        self._round = None
        if self.greeted:
            self.watch(self.interval - self.hub.limits.hello_seconds)
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
        if now - max(self._spoke_at, self.connection.spoke_at) >= self.hub.limits.heartbeat_seconds - EARLY:
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
        if self.is_over or self.is_draining:
            return
        self.is_draining = True
        runtime = self.hub.runtime
        self.tell(m.Drain(round(runtime.share(), 3)))
        self.connection.close()
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
        self.connection.close()
        self.connection.clear()
        self._end_stay()

    def lost(self) -> None:
        """See `Holder.lost`."""
        self._forget()
        if self._stay is not None:
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
        self.connection.let_go()
        self.accepted()
        if self.rights is not OPEN:
            self.rights.stop()
