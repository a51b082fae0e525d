"""One stream at its own URL as a WebSocket: its records come as messages, and a message is an append.

Rule 1: what is wrong with the stream is told behind the handshake, in words and by the close code: a page sees nothing
        of a handshake that fails. What may not connect at all is refused before.
Rule 2: with `?raw=1` there is nothing but records, so that a refused append ends the connection with its close code.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import Any, Final

import msgspec

from headwater.errors import BadRequest, HeadwaterError, RequestTimeout
from headwater.http.authorize import Credential
from headwater.http.duplex import Duplex
from headwater.http.live import kinds_of, opened, with_kinds
from headwater.http.permission import Permission
from headwater.http.websocket.patience import EARLY, check_message, is_dead
from headwater.http.websocket.requests import Requests
from headwater.hub import Engine
from headwater.hub.live.connection import Connection
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import Peer
from headwater.hub.wheel import Timer
from headwater.model import Appended, Producer, SlowPolicy
from headwater.protocol.asks import Access, asks_of
from headwater.protocol.commands import Read, Write
from headwater.protocol.ephemeral import Ephemeral, as_line
from headwater.protocol.ledger import Append
from headwater.protocol.slow import REPLAY
from headwater.protocol.websocket import frames
from headwater.protocol.websocket.bare import LineMessages, RawMessages
from headwater.protocol.websocket.single import AskedSingle
from headwater.protocol.wire import problem

_log: Final = logging.getLogger("headwater")


class Single:
    """One of them: see `Receiver`, and `Channel`, by which it learns what happens to its connection.

    Args:
        hub: whose stream it is.
        permission: asked about each append.
        sink: the connection.
        asked: what the request says.
        peer: who reads.
        credential: that the request shows; None: nobody is asked.
        client: host and port of the other end.
    """

    __slots__ = (
        "_client",
        "_command",
        "_connection",
        "_credential",
        "_hub",
        "_is_over",
        "_permission",
        "_producer",
        "_raw",
        "_requests",
        "_sequence",
        "_sink",
        "_timer",
        "slow",
    )

    def __init__(
        self,
        hub: Engine,
        permission: Permission,
        sink: Duplex,
        asked: AskedSingle,
        peer: Peer,
        credential: Credential | None,
        client: tuple[str, int] | None,
    ) -> None:
        self.slow: SlowPolicy = REPLAY
        self._hub = hub
        self._permission = permission
        self._sink = sink
        self._command = asked.command
        self._raw = asked.raw
        self._producer = asked.producer
        self._sequence = 0
        self._credential = credential
        self._client = client
        self._is_over = False
        self._connection = Connection(hub.runtime, sink, single=True)
        self._connection.add(self)
        self._requests = Requests(hub.limits, sink, self._append)
        self._timer: Timer | None = None
        self._watch()
        self._requests.run(self._open(peer), self._opened)

    # Its stream.

    async def _open(self, peer: Peer) -> None:
        with await opened(self._hub.live, self._command, peer) as arrival:
            if not self._is_over:
                self._hub.live.push(arrival, single_format(self._command, raw=self._raw), self._connection)

    def _opened(self, done: asyncio.Future[Any]) -> None:
        error = done.exception()
        if error is not None:
            self._refuse(error, ends=True)

    # What comes.

    def received(self, data: bytes, *, is_text: bool) -> None:
        """See `Receiver.received`."""
        if not self._is_over:
            self._requests.put(data, is_text)

    def _append(self, data: bytes, is_text: bool) -> None:
        if self._is_over:
            return
        self._hub.stats.websocket_messages["record"] += 1
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
        self._requests.began(None, len(data))
        if isinstance(found, Access):
            self._post(request, len(data))
        else:
            self._requests.hold(found, partial(self._decided, request, len(data)))

    def _decided(self, request: Append, size: int, done: asyncio.Future[Any]) -> None:
        error = done.exception()
        if error is not None:
            self._written(size, error)
        else:
            self._post(request, size)

    def _post(self, request: Append, size: int) -> None:
        try:
            self._hub.post(self._command.path, request, partial(self._written, size))
        except Exception as error:
            self._written(size, error)

    def _written(self, size: int, outcome: Appended | BaseException) -> None:
        if isinstance(outcome, BaseException):
            self._refuse(outcome)
        else:
            self._hub.stats.acknowledged(size, outcome)
            self._say({"control": "appended", "offset": outcome.next_offset, **_duplicate(outcome)})
        self._requests.answered(None, size)

    # What goes out.

    def _say(self, fields: dict[str, object]) -> None:
        if not self._raw:
            self.write(frames.text(msgspec.json.encode(fields)))

    def _refuse(self, error: BaseException, *, ends: bool = False) -> None:
        if self._is_over:
            return
        told = self._hub_error(error)
        self._say({"control": "error", **problem(told)})
        if ends or self._raw:
            self.close(told.ws_close, told.code)

    def _hub_error(self, error: BaseException) -> HeadwaterError:
        if not isinstance(error, HeadwaterError):
            _log.error("a WebSocket of %r", self._command.path, exc_info=error)
            error = HeadwaterError.of_mistake()
        self._hub.stats.errors[error.code] += 1
        return error

    def write(self, data: bytes) -> None:
        """See `Receiver.write`."""
        if not self._is_over:
            self._connection.write(data)

    # Time.

    def _watch(self) -> None:
        self._timer = self._hub.runtime.timers.after(self._hub.limits.heartbeat_seconds, self._beat)

    def _beat(self) -> None:
        self._timer = None
        limits, now, sink = self._hub.limits, time.monotonic(), self._sink
        if not self._requests.is_stopped:
            if is_dead(sink, limits, now):
                sink.abort()
                return
            try:
                check_message(sink, limits, now)
            except RequestTimeout as error:
                self._refuse(error, ends=True)
                return
        if now - sink.heard_at >= limits.heartbeat_seconds - EARLY and not self._connection.is_stopped:
            self._sink.ping()
        self._watch()

    # Its end.

    def close(self, code: int, reason: str) -> None:
        """End it."""
        if self._is_over:
            return
        self.write(frames.close(code, reason))
        self._leave()
        self._connection.finish()

    def closing(self) -> None:
        """See `Receiver.closing`."""
        if not self._is_over:
            self._leave()

    def _leave(self) -> None:
        self._forget()
        self._connection.lost()

    def _forget(self) -> None:
        self._is_over = True
        self._requests.forget()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # From the connection; see `Channel`.

    def pause(self) -> None:
        """See `Channel.pause`: appends wait, too."""
        self._requests.is_full = True

    def resume(self, paused: float) -> None:
        """See `Channel.resume`."""

    def step(self) -> bool:
        """See `Channel.step`."""
        if self._requests.is_full:
            self._requests.is_full = False
            self._requests.go_on()
        return False

    def hold_back(self) -> None:
        """See `Channel.hold_back`; it has no group."""

    def shares_group(self, other: object) -> bool:
        """See `Channel.shares_group`."""
        return False

    def detach(self, retry_after: float, reason: str = "") -> None:
        """See `Channel.detach`; the reader tells it."""

    def lost(self) -> None:
        """See `Channel.lost`."""
        self._forget()


def single_format(command: Read, *, raw: bool) -> WireFormat:
    """The wire format of a stream at its own URL."""
    if raw:
        return WireFormat(("websocket-raw",), RawMessages, bytes, timeless=True)
    encoder = partial(LineMessages, envelope=command.envelope)
    form = WireFormat(("websocket-lines", command.envelope), encoder, bytes, timeless=True, timed=command.envelope)
    return with_kinds(form, _as_message, kinds_of(command), command.heartbeat)


def _as_message(event: Ephemeral) -> bytes:
    return frames.text(as_line(event)[:-1])


def _duplicate(appended: Appended) -> dict[str, object]:
    return {"duplicate": True} if appended.duplicate else {}
