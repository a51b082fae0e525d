"""One stream at its own URL as a WebSocket: its records come as messages, and a message is an append.

Rule 1: what is wrong with the stream is told behind the handshake, in words and by the close code: a page sees nothing
        of a handshake that fails. What may not connect at all is refused before.
Rule 2: access that ends is asked about again then; where it is not allowed any more, the connection ends.
Rule 3: with `?raw=1` there is nothing but records, so that a refused append ends the connection with its close code.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any, Final

import msgspec

from headwater.errors import BadRequest, HeadwaterError, RequestTimeout
from headwater.http.authorize import Credential
from headwater.http.duplex import Duplex
from headwater.http.live import opened
from headwater.http.permission import Permission
from headwater.http.websocket.expiry import in_time
from headwater.http.websocket.talk import Talk
from headwater.http.websocket.warned import Warned
from headwater.hub import Engine
from headwater.hub.access.end import ASKED_AGAIN, AccessEnd
from headwater.hub.live.groupless import Groupless
from headwater.hub.live.shared_connection import AttendedConnection
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.model import Appended, Producer, SlowPolicy
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import asks_of
from headwater.protocol.commands import Write
from headwater.protocol.ledger import Append
from headwater.protocol.slow import REPLAY
from headwater.protocol.websocket import closes, frames
from headwater.protocol.websocket.single import AskedSingle
from headwater.protocol.wire import problem

_log: Final = logging.getLogger("headwater")


class Single(Groupless, Talk):
    """One of them: see `Talk`, and `Channel`, by which it learns what happens to its connection.

    Args:
        hub: whose stream it is.
        permission: asked about each append.
        sink: the connection.
        asked: what the request says.
        form: in which its stream is told.
        peer: who reads.
        credential: that the request shows; None: nobody is asked.
        client: host and port of the other end.
        warned: connections that were told to send less.
    """

    __slots__ = (
        "_access",
        "_client",
        "_command",
        "_credential",
        "_permission",
        "_producer",
        "_raw",
        "_sequence",
        "_warned",
        "slow",
    )

    def __init__(
        self,
        hub: Engine,
        permission: Permission,
        sink: Duplex,
        asked: AskedSingle,
        form: WireFormat,
        peer: Peer,
        credential: Credential | None,
        client: tuple[str, int] | None,
        warned: Warned,
    ) -> None:
        super().__init__(hub, sink, AttendedConnection(hub.runtime, sink))
        self.slow: SlowPolicy = REPLAY
        self._permission = permission
        self._command = asked.command
        self._raw = asked.raw
        self._producer = asked.producer
        self._sequence = 0
        self._credential = credential
        self._client = client
        self._access: Access = ANYBODY
        self._warned = warned
        self._note(peer.access)
        self.connection.add(self)
        self.watch()
        self.requests.run(self._open(peer, form), self._opened)

    # Its stream.

    async def _open(self, peer: Peer, form: WireFormat) -> None:
        with await opened(self.hub.live, self._command, peer) as arrival:
            if not self.is_over:
                self.hub.live.push(arrival, form, self.connection)

    def _opened(self, done: asyncio.Future[Any]) -> None:
        error = done.exception()
        if error is not None:
            self._refuse(error, ends=True)

    # Access that ends.

    def _note(self, access: Access) -> None:
        principals = self.hub.runtime.principals
        principals.leave(self._access, self)
        self._access = access
        principals.enter(access, self)

    def hush(self, end: AccessEnd) -> None:
        """See `Living.hush`, and `Channel.hush`: appends wait, too. Who may still read goes on."""
        if end.reason not in ASKED_AGAIN:
            self.requests.is_full = True
            self.connection.hush(end)

    def end_access(self, end: AccessEnd) -> None:
        """See `Living.end_access`. Who may still read goes on."""
        if end.reason in ASKED_AGAIN:
            self._expired()
            return
        self.close(closes.OF_ACCESS[end.reason], end.reason)
        if self.connection.sink.held():
            self.connection.sink.abort()

    def tell_expiring(self, at: float) -> None:
        """See `Living.tell_expiring`."""
        self._say({"control": "expiring", "at": int(at)})

    def _expired(self) -> None:
        self.requests.run(self._ask_again(), self._asked_again)

    async def _ask_again(self) -> Access:
        found = self._permission.of(asks_of(self._command), self._credential, self._client)
        return found if isinstance(found, Access) else await asyncio.ensure_future(in_time(found))

    def _asked_again(self, done: asyncio.Future[Access]) -> None:
        error = done.exception()
        if error is not None:
            self._refuse(error, ends=True)
        elif not self.is_over:
            self._note(done.result())

    # What comes.

    def handle(self, data: bytes, is_text: bool) -> None:
        """See `Handles.handle`: it is appended."""
        if self.is_over:
            return
        self.hub.stats.websocket_messages["record"] += 1
        try:
            self._ask(data)
        except Exception as error:
            self._refuse(error)

    def _ask(self, data: bytes) -> None:
        if not data:
            raise BadRequest("the message is empty, and appends nothing")
        producer = None
        if self._producer is not None:
            producer = Producer(self._producer, 0, self._sequence)
            self._sequence += 1
        request = Append(data, None, producer)
        asks = asks_of(Write(self._command.path, None, producer, None, False))
        found = self._permission.of(asks, self._credential, self._client)
        self.requests.began(None, len(data))
        if isinstance(found, Access):
            self._post(request, len(data), found)
        else:
            self.requests.hold(found, partial(self._decided, request, len(data)))

    def _decided(self, request: Append, size: int, done: asyncio.Future[Any]) -> None:
        error = done.exception()
        if error is not None:
            self._written(size, error)
        else:
            self._post(request, size, done.result())

    def _post(self, request: Append, size: int, access: Access) -> None:
        try:
            if self._credential is not None:
                self._permission.count_message(size, access, self._credential, self._client)
            if (by := access.principal) is not None:
                request = msgspec.structs.replace(request, by=by)
            self.hub.post(self._command.path, request, partial(self._written, size))
        except Exception as error:
            self._written(size, error)

    def _written(self, size: int, outcome: Appended | BaseException) -> None:
        if isinstance(outcome, BaseException):
            self._refuse(outcome)
        else:
            self.hub.stats.acknowledged(size, outcome)
            if self._warned.counts:
                self._warned.forget(self)
            self._say({"control": "appended", "offset": outcome.next_offset, **_duplicate(outcome)})
        self.requests.answered(None, size)

    # What goes out.

    def _say(self, fields: dict[str, object]) -> None:
        if not self._raw:
            self.write(frames.text(msgspec.json.encode(fields)))

    def _refuse(self, error: BaseException, *, ends: bool = False) -> None:
        if self.is_over:
            return
        told = self._hub_error(error)
        self._say({"control": "error", **problem(told)})
        if ends or self._raw or self._warned.refused(self, told, self.hub.limits.connection_requests):
            self.close(told.ws_close, told.code)

    def _hub_error(self, error: BaseException) -> HeadwaterError:
        if not isinstance(error, HeadwaterError):
            _log.error("a WebSocket of %r", self._command.path, exc_info=error)
            error = HeadwaterError.of_mistake()
        self.hub.stats.errors[error.code] += 1
        return error

    # Time, and its end.

    def speak(self, now: float) -> None:
        """See `Talk.speak`: a ping says it."""

    def beaten(self) -> None:
        """See `Talk.beaten`: nothing is."""

    def late(self, error: RequestTimeout) -> None:
        """See `Talk.late`."""
        self._refuse(error, ends=True)

    def _leave(self) -> None:
        self._forget()
        self.connection.lost()

    def _forget(self) -> None:
        super()._forget()
        self.hub.runtime.principals.leave(self._access, self)
        self._warned.forget(self)

    # From the connection; see `Channel`.

    def pause(self) -> None:
        """See `Channel.pause`: appends wait, too."""
        self.requests.is_full = True

    def resume(self, paused: float) -> None:
        """See `Channel.resume`."""

    def step(self) -> bool:
        """See `Channel.step`."""
        if self.requests.is_full:
            self.requests.is_full = False
            self.requests.go_on()
        return False

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`; the reader tells it."""

    def lost(self) -> None:
        """See `Channel.lost`."""
        self._forget()


def _duplicate(appended: Appended) -> dict[str, object]:
    return {"duplicate": True} if appended.duplicate else {}
